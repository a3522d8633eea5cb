"""Whatever a model, a tool or a file says stays text in the page: nothing runs, nothing loads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hostile import HOSTILE, hostile_trace
from playwright.sync_api import Browser, Page
from stage import URL, Recorded, Stage, open_page
from traces import staged

HARM = (
    "<script>window.harmed = 1</script>",
    '<img src=x onerror="window.harmed = 1">',
    '"><img src=https://evil.example/a.png onload="window.harmed = 1">',
    "<svg onload=window.harmed=1><script>window.harmed=1</script><a href='javascript:1'></a></svg>",
    "<button data-commandlinker-command='kernelmenu:shutdown'>press</button>",
    "<a href='javascript:window.harmed=1' target=_blank>link</a>",
    "<a href='https://evil.example'>link</a> [link](javascript:window.harmed=1)",
    "![leak](https://evil.example/leak.png)",
    "<form action=https://evil.example><input name=q autofocus onfocus=window.harmed=1></form>",
    "<style>@import url(https://evil.example/a.css); * { display: none }</style>",
    "<link rel=stylesheet href=https://evil.example/a.css><base href=https://evil.example>",
    "<iframe srcdoc='<script>parent.harmed=1</script>'></iframe><object data=x></object>",
    "<div id=kernel name=body class=jp-Dialog style='position:fixed;inset:0'>over</div>",
    "<p style='background:url(https://evil.example/b.png)' onclick=window.harmed=1>p</p>",
    "<td style='text-align:left;position:fixed' scope=row colspan=999>cell</td>",
    "<details open ontoggle=window.harmed=1><summary>s</summary></details>",
    "<video src=https://evil.example/v.mp4 autoplay onerror=window.harmed=1></video>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src onerror=1&gt;'>",
    "<noscript><p title='</noscript><img src=x onerror=window.harmed=1>'>",
    "<template><script>window.harmed=1</script></template><meta http-equiv=refresh content=0>",
    "```\n</pre><script>window.harmed=1</script>\n```",
    "| a | <b onmouseover=window.harmed=1>b</b> |\n|---|---|\n| `<svg onload=harmed=1>` | c |",
    "x" * 4000,
    "\u202egnp.exe\u202c \x1b[2J\x00\x07 \u2066\u200f",
)
TEXT = "\n\n".join(HARM)
ALLOWED = {
    *("h3", "h4", "h5", "h6", "p", "br", "ul", "ol", "li", "pre", "code", "strong", "em"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
SHOWN = "said => document.querySelector('.knw-answer').textContent.includes(said)"
INSIDE = """() => [...document.querySelectorAll(".knw-answer > div *")].map(e => ({
    tag: e.localName, attributes: [...e.attributes].map(a => `${a.name}=${a.value}`)
}))"""
LIVE = """() => {
    const tags = /^(script|iframe|object|embed|form|a|link|style|base|meta|audio|video|math)$/;
    const names = /^(on.*|data-commandlinker.*|srcdoc|action|formaction)$/;
    const fetches = a => /^(href|src|xlink:href)$/.test(a.name) && !/^(blob:|#)/.test(a.value);
    return [...document.querySelectorAll(".kimi-nb-view *")].filter(e => tags.test(e.localName)
        || [...e.attributes].some(a => names.test(a.name) || fetches(a))
    ).map(e => e.outerHTML.slice(0, 200));
}"""
OPEN = """() => {
    for (const e of document.querySelectorAll(".knw-inspector .knw-more")) { e.click(); }
    for (const e of document.querySelectorAll(".knw-inspector details")) { e.open = true; }
}"""
FITS = "() => document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 900, "height": 700})
    noted: list[str] = []
    page.on("request", lambda request: noted.append(f"asked for {request.url}"))
    page.on("pageerror", lambda error: noted.append(f"{error}"))
    page.on("dialog", lambda dialog: noted.append(dialog.message))
    open_page(page)
    noted.clear()
    yield page
    page.wait_for_timeout(50)  # an image that fails to load says so later
    assert_harmless(page)
    own = (f"asked for {URL}swarm.js", "asked for blob:")
    assert [line for line in noted if not line.startswith(own)] == []
    page.close()


def assert_harmless(page: Page) -> None:
    assert page.evaluate("() => window.harmed") is None
    assert page.evaluate(LIVE) == []
    assert page.url == URL
    page.wait_for_function(FITS)  # pictures are drawn anew in the frame after a change of width


@pytest.mark.parametrize(
    ("view", "done"), [("graph", True), ("timeline", False), ("critical", True), ("graph", False)]
)
def test_a_run_in_which_everything_is_hostile(page: Page, view: str, *, done: bool) -> None:
    trace = hostile_trace(TEXT + "".join(HOSTILE))
    source = Recorded(trace if done else trace[:-1], done=done)
    source.name = source.draft = source.pace = TEXT
    stage = Stage(page, source, view=view, selected="a01")
    page.locator(".knw-agents > summary").click()

    for agent in ("a01", "a02", "a03", "a00"):
        page.evaluate("id => { model.set('selected', id); }", agent)
        page.wait_for_function("() => document.querySelector('.knw-turns > li')")
        page.evaluate(OPEN)
        assert_harmless(page)
        assert HARM[0] in page.locator(".knw-inspector").inner_text()

    assert HARM[0] in page.locator(".knw-goal").inner_text()
    assert any(question["kind"] == "agent" for question in stage.questions)
    page.set_viewport_size({"width": 480, "height": 700})
    assert_harmless(page)


def test_an_answer_that_nobody_has_escaped_is_made_harmless_in_the_page(page: Page) -> None:
    stage = Stage(page, Recorded(staged((1,))), view="critical")
    whole = {"kind": "changes", **stage.desk.scene.whole(9.0)}

    for number, html in enumerate(HARM):
        answer = f"<p>answer {number} begins</p>{html} end"
        page.evaluate("message => model.hear(message)", whole | {"answer": answer})
        page.wait_for_function(SHOWN, arg=f"answer {number} begins")
        assert_harmless(page)
        inside = page.evaluate(INSIDE)
        assert {element["tag"] for element in inside} <= ALLOWED, html
        assert all(element["attributes"] == [] for element in inside), html
        page.locator(".knw-answer").click()


def test_the_answers_own_elements_are_kept(page: Page) -> None:
    stage = Stage(page, Recorded(staged((1,))), view="critical")
    kept = (
        "<h3>t</h3><p>a <strong>b</strong> <em>c</em><br><code>d</code></p><ul><li>e</li></ul>"
        '<pre>f</pre><table><thead><tr><th scope="col" style="text-align:right">g</th></tr></thead>'
        '<tbody><tr><td style="text-align:right">1</td></tr></tbody></table>'
    )
    message = {"kind": "changes", **stage.desk.scene.whole(9.0), "answer": kept}
    page.evaluate("message => model.hear(message)", message)
    page.wait_for_function("() => document.querySelector('.knw-answer h3')")
    assert page.evaluate("() => document.querySelector('.knw-answer > div').innerHTML") == kept


@pytest.mark.parametrize("kind", ["image/svg+xml", "text/html", "text/plain"])
def test_a_file_that_is_no_image_is_text(page: Page, kind: str) -> None:
    name = "0" * 64
    stage = Stage(page, Recorded(staged((1,))), view="critical", selected="a01")
    turns = stage.desk.answer({"kind": "agent", "id": "a01"})[0]
    call = {"call": 0, "tool": "t", "arguments": "", "began": 1, "ended": 2, "outcome": "ok"}
    turns["turns"][0]["calls"] = [call | {"text": "", "artefacts": [name], "launched": []}]
    page.evaluate("message => model.hear(message)", turns)
    page.evaluate("() => { window.ask = async () => []; }")
    page.get_by_role("button", name="Show the whole file").click()
    svg = "PHN2ZyBvbmxvYWQ9IndpbmRvdy5oYXJtZWQ9MSI+PC9zdmc+"  # <svg onload="window.harmed=1"></svg>
    message = {"kind": "artefact", "name": name, "type": kind, "why": "", "buffers": [svg]}
    page.evaluate("message => model.hear(message)", message)
    page.wait_for_function("() => document.querySelector('.knw-file pre')")
    assert "<svg onload=" in page.locator(".knw-file").inner_text()
    assert page.locator(".knw-file img").count() == 0
    assert_harmless(page)


def test_what_the_kernel_says_is_text(page: Page) -> None:
    Stage(page, Recorded(staged((1,))), view="critical")
    page.evaluate("text => model.hear({ kind: 'told', text })", TEXT)
    page.wait_for_function("() => document.querySelector('.knw-told').textContent")
    assert "<script>" in page.locator(".knw-told").inner_text()
    assert_harmless(page)
