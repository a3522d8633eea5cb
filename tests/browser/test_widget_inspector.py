"""The chosen agent and the list of agents: by keyboard, live, in the past, without a kernel."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from crowds import crowd, until
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect
from stage import Recorded, Stage, empty_page, open_page
from traces import Actor, Script

from kimi_nb import events as e

SILENCE = "() => { window.ask = async () => []; }"
BESIDE = """e => {
    const [a, b] = [e.previousElementSibling, e].map(box => box.getBoundingClientRect());
    return [b.left >= a.right, b.top >= a.bottom];
}"""
COUNTING = """
window.open = { timers: 0, observers: 0, listeners: 0 };
const { setInterval: set, clearInterval: clear } = window;
const timers = new Set();
window.setInterval = (...given) => { const id = set(...given); timers.add(id); return id; };
window.clearInterval = id => { timers.delete(id); clear(id); };
const watching = new Set();
for (const name of ["IntersectionObserver", "ResizeObserver"]) {
    window[name] = class extends window[name] {
        observe(...given) { watching.add(this); super.observe(...given); }
        disconnect() { watching.delete(this); super.disconnect(); }
    };
}
const outer = [];
for (const target of [window, document]) {
    const { addEventListener: add, removeEventListener: remove } = target;
    target.addEventListener = (...given) => { outer.push(given[0]); add.apply(target, given); };
    target.removeEventListener = (...given) => { outer.pop(); remove.apply(target, given); };
}
window.held = () => ({ timers: timers.size, observers: watching.size, listeners: outer.length });
"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with empty_page(browser, 1100, 700) as page:
        yield page


def inspector(page: Page) -> Locator:
    return page.locator(".knw-inspector")


def rows(page: Page) -> Locator:
    return page.locator(".knw-agents [role=option]")


def working() -> tuple[Script, Actor, Actor]:
    """An orchestrator that waits for a sub-agent, which is in its second turn."""
    script = Script()
    main = script.orchestrator()
    made = {"name": "reader", "system_prompt": "Read well.\nNever guess."}
    main.step(tools=(("create_subagent", made, 0.0),))
    (sub,) = main.assign(["reader"])
    main.returned(0, main.t)  # nothing is out that was not asked for
    script.facts.pop()
    sub.step(fails=((0.5, 1.0),), said="I look.", tools=(("read_file", {"path": "a"}, 0.5),))
    sub.begin()
    return script, main, sub


def png() -> bytes:
    def part(kind: bytes, data: bytes) -> bytes:
        whole = kind + data
        return struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))

    size = struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0\0\xff" * 2)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", size) + part(b"IDAT", pixels) + part(b"IEND", b"")


def test_what_an_agent_was_asked_said_and_did(page: Page) -> None:
    script, _, _ = working()
    Stage(page, Recorded(script.trace(), done=False), view="critical", selected="a01")
    shown = inspector(page)
    expect(shown.locator("h3")).to_have_text("a01 reader")
    expect(shown).to_have_attribute("aria-label", "Agent a01 reader")
    expect(shown.locator(".knw-task")).to_contain_text("Look into reader.")
    shown.get_by_text("system prompt").click()
    expect(shown).to_contain_text("Never guess.")
    first, second = shown.locator(".knw-turns > li").all()
    expect(first).to_contain_text("I look.")
    expect(first.locator(".knw-retries")).to_contain_text("Overloaded: too many at once")
    expect(first.locator(".knw-calls code")).to_have_text("read_file")
    expect(first.locator(".knw-outcome")).to_have_text("✓ ok · 0.5 s")
    expect(first).to_contain_text('{"path": "a"}')
    expect(second).to_contain_text("being written")


def test_the_way_to_a_sub_agent_and_back_by_keyboard(page: Page) -> None:
    script, _, _ = working()
    Stage(page, Recorded(script.trace(), done=False), view="critical", selected="a00")
    down = inspector(page).get_by_role("button", name="→ a01 reader")
    down.press("Enter")
    expect(inspector(page).locator("h3")).to_have_text("a01 reader")
    expect(inspector(page)).to_be_focused()
    inspector(page).get_by_role("button", name="← a00 orchestrator").press("Enter")
    expect(inspector(page).locator("h3")).to_have_text("a00 orchestrator")


def test_the_keyboard_goes_into_the_chosen_agent_and_back(page: Page) -> None:
    Stage(page, Recorded(crowd(20)), view="critical")
    page.locator(".knw-agents > summary").press("Enter")
    expect(rows(page)).to_have_count(21)
    rows(page).first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    chosen = rows(page).last
    expect(chosen).to_have_attribute("aria-selected", "true")
    expect(inspector(page)).to_be_focused()
    page.keyboard.press("Escape")
    expect(inspector(page)).to_be_hidden()
    expect(chosen).to_be_focused()
    expect(chosen).to_have_attribute("aria-selected", "false")


def test_the_mouse_leaves_the_keyboard_where_it_is(page: Page) -> None:
    Stage(page, Recorded(crowd(3)), view="critical")
    page.locator(".knw-agents > summary").click()
    rows(page).nth(1).click()
    expect(inspector(page)).to_be_visible()
    expect(inspector(page)).not_to_be_focused()
    page.get_by_role("button", name="Close").click()
    expect(inspector(page)).to_be_hidden()


def test_agents_are_found_by_words_and_put_in_order(page: Page) -> None:
    trace = crowd(100)
    Stage(page, Recorded(trace), view="critical")
    page.locator(".knw-agents > summary").press("Enter")
    expect(rows(page).nth(0)).to_contain_text("a00 orchestrator")
    expect(rows(page).nth(1)).to_contain_text("✗ failed")
    page.get_by_label("Order").select_option("longest first")
    times = [float(text.split()[0]) for text in page.locator(".knw-row-time").all_text_contents()]
    assert times == sorted(times, reverse=True)
    page.get_by_label("Find agents").fill("ARCHIVIST failed")
    expect(page.locator(".knw-agents [role=option]:visible")).to_have_count(1)
    page.get_by_label("Find agents").fill("nobody")
    expect(page.locator(".knw-agents [role=option]:visible")).to_have_count(0)
    expect(page.get_by_text("No agent has this")).to_be_visible()
    page.get_by_label("Find agents").fill("")
    expect(page.locator(".knw-agents [role=option]:visible")).to_have_count(101)


def test_new_turns_come_without_moving_what_is_read(page: Page) -> None:
    script, _, sub = working()
    long = "\n".join(f"line {number}" for number in range(200))
    sub._turn([], long, (1, 1, 0))
    source = Recorded(script.trace(), done=False)
    stage = Stage(page, source, view="critical", selected="a01")
    inspector(page).get_by_role("button", name="show all 200 lines").click()
    place = inspector(page).locator(".knw-turns > li").nth(0)
    place.evaluate("e => { e.dataset.mark = 'same'; }")
    inspector(page).evaluate("e => { e.scrollTop = 150; }")

    for number in range(3):
        sub.step(said=f"more {number}")
        source.records = script.trace()
        stage.beat()

    expect(inspector(page).locator(".knw-turns > li")).to_have_count(5)
    expect(place).to_have_attribute("data-mark", "same")
    expect(inspector(page)).to_contain_text("line 199")
    assert inspector(page).evaluate("e => e.scrollTop") == 150
    inspector(page).evaluate("e => { e.scrollTop = e.scrollHeight; }")
    sub.step(said=long)
    source.records = script.trace()
    stage.beat()
    expect(inspector(page).locator(".knw-turns > li")).to_have_count(6)
    assert inspector(page).evaluate("e => e.scrollHeight - e.scrollTop - e.clientHeight") < 2


def test_one_agent_is_cancelled(page: Page) -> None:
    script, _, _ = working()
    source = Recorded(script.trace(), done=False)
    Stage(page, source, view="critical", selected="a01")
    press = inspector(page).get_by_role("button", name="Cancel this agent")
    press.click()
    expect(inspector(page).get_by_role("button", name="Cancelling…")).to_be_disabled()
    expect(page.locator(".knw-told")).to_contain_text("cancelling a01")
    assert source.cancelled == ["a01"]


def test_neither_the_main_agent_nor_one_that_has_ended_can_be_cancelled(page: Page) -> None:
    trace = crowd(20)
    Stage(page, Recorded(until(trace, 20.0), done=False), view="critical", selected="a00")
    expect(inspector(page).locator(".knw-turns > li").first).to_be_visible()
    expect(inspector(page).get_by_text("Cancel this agent")).to_be_hidden()
    page.evaluate("() => model.set('selected', 'a01')")
    expect(inspector(page).locator("h3")).to_contain_text("a01")
    expect(inspector(page).get_by_text("Cancel this agent")).to_be_hidden()


def pictured(folder: Path, *, there: bool = True) -> Recorded:
    """An agent whose first turn is long and whose second returned an image and a text."""
    script = Script()
    main = script.orchestrator(role="single")
    main.step(said="x\n" * 9, tools=(("read_file", {"path": "a\n" * 90}, 0.5),) * 9)
    main.begin()._turn([("plot", {}), ("read_file", {})], "", (1, 1, 0))
    files = {"plot": png(), "text": b"all of it"}

    for call, (data, ending) in enumerate(((files["plot"], ".png"), (files["text"], ".txt"))):
        name = hashlib.sha256(data).hexdigest() + ending

        if there:
            (folder / name).write_bytes(data)

        returned = e.ToolReturned(step=2, call=call, ok=True, text="see", artefact=name)
        script.add(main.t, main.id, returned)

    source = Recorded(script.end())
    source.path = folder / "run.jsonl"
    return source


def test_an_image_is_fetched_when_it_comes_into_sight(page: Page, tmp_path: Path) -> None:
    stage = Stage(page, pictured(tmp_path), view="critical", selected="a00")
    expect(inspector(page).locator(".knw-turns > li")).to_have_count(2)
    page.wait_for_timeout(100)
    assert "artefact" not in {question["kind"] for question in stage.questions}
    inspector(page).get_by_text("plot").scroll_into_view_if_needed()
    inspector(page).evaluate("e => { e.scrollTop = e.scrollHeight; }")
    image = inspector(page).locator("img")
    expect(image).to_have_attribute("alt", "image that plot returned")
    page.wait_for_function("() => document.querySelector('.knw-inspector img').naturalWidth === 2")
    inspector(page).get_by_role("button", name="Show the whole file").click()
    expect(inspector(page).locator(".knw-file pre")).to_have_text("all of it")
    asked = [question for question in stage.questions if question["kind"] == "artefact"]
    assert len(asked) == 2


def test_several_images_are_small_until_one_is_pressed(page: Page, tmp_path: Path) -> None:
    names: list[str] = []

    for colour in ("red", "blue"):
        out = io.BytesIO()
        Image.new("RGB", (640, 480), colour).save(out, "PNG")
        names.append(hashlib.sha256(out.getvalue()).hexdigest() + ".png")
        (tmp_path / names[-1]).write_bytes(out.getvalue())

    script = Script()
    main = script.orchestrator(role="single")
    main.begin()._turn([("plot", {})], "", (1, 1, 0))
    returned = e.ToolReturned(step=1, call=0, ok=True, text="see", artefact=" ".join(names))
    script.add(main.t, main.id, returned)
    source = Recorded(script.end())
    source.path = tmp_path / "run.jsonl"
    stage = Stage(page, source, view="critical", selected="a00")
    images = inspector(page).locator("img")
    expect(images).to_have_count(2)
    widths = "() => [...document.querySelectorAll('.knw-inspector img')].map(i => i.naturalWidth)"
    page.wait_for_function(f"() => ({widths})().join() === '160,160'")
    inspector(page).get_by_role("button", name="image that plot returned").last.click()
    page.wait_for_function(f"() => ({widths})().join() === '160,640'")
    expect(images.last).to_have_attribute("alt", "image that plot returned")
    asked = [(q["name"], q.get("small")) for q in stage.questions if q["kind"] == "artefact"]
    assert sorted(asked[:2]) == sorted((name, True) for name in names)
    assert asked[2:] == [(names[1], None)]


def test_a_file_that_is_not_there_says_so_and_can_be_asked_for_again(
    page: Page, tmp_path: Path
) -> None:
    Stage(page, pictured(tmp_path, there=False), view="critical", selected="a00")
    press = inspector(page).get_by_role("button", name="Show the whole file")
    press.click()
    file = inspector(page).locator(".knw-file").last
    expect(file).to_contain_text("is not there: copy it beside")
    expect(press).to_be_enabled()
    pictured(tmp_path)
    press.click()
    expect(file.locator("pre")).to_have_text("all of it")


def test_without_a_kernel_one_is_told_where_the_messages_are(browser: Browser) -> None:
    page = browser.new_page()
    page.clock.install(time=0)
    open_page(page)
    page.clock.pause_at(1000)
    Stage(page, Recorded(crowd(3)), view="critical")
    page.clock.run_for(50)
    page.evaluate(SILENCE)
    page.evaluate("() => model.set('selected', 'a01')")
    page.clock.run_for(50)
    expect(inspector(page)).to_contain_text("loading…")
    expect(inspector(page).locator(".knw-task")).to_contain_text("Look into")
    page.clock.run_for(5000)
    expect(inspector(page)).to_contain_text("No kernel answers")
    expect(inspector(page)).to_contain_text("kn.read('FILE')")
    page.close()


def test_an_agent_that_is_not_there_is_said_not_to_be(page: Page) -> None:
    Stage(page, Recorded(crowd(3)), view="critical", selected="a99")
    expect(inspector(page)).to_contain_text("No agent of this name has begun.")


def test_in_the_past_nothing_is_told_of_what_was_to_come(page: Page) -> None:
    script, main, sub = working()
    sub._turn([], "I have it.", (1, 1, 0))
    sub.end("12 euros")
    main.join([sub]).step(said="Done.").end()
    Stage(page, Recorded(script.end()), view="critical", selected="a01")
    shown = inspector(page)
    expect(shown).to_contain_text("12 euros")
    slider = page.get_by_label("Time of the run")
    slider.focus()

    for _ in range(5):
        slider.press("PageDown")

    expect(shown.locator(".knw-turns > li")).to_have_count(1)
    expect(shown).not_to_contain_text("12 euros")
    expect(shown).not_to_contain_text("I have it.")
    slider.press("End")
    expect(shown).to_contain_text("I have it.")


def test_on_a_narrow_page_it_stands_below_the_picture(page: Page) -> None:
    Stage(page, Recorded(crowd(20)), view="critical", selected="a05")
    expect(inspector(page).locator(".knw-turns > li").first).to_be_visible()
    assert inspector(page).evaluate(BESIDE) == [True, False]
    page.set_viewport_size({"width": 480, "height": 700})
    assert inspector(page).evaluate(BESIDE) == [False, True]
    page.wait_for_function("() => document.documentElement.scrollWidth <= innerWidth")


def test_nothing_is_held_once_the_view_is_gone(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page()
    page.add_init_script(COUNTING)
    open_page(page)
    before = page.evaluate("() => held()")
    source = pictured(tmp_path)
    source.records, source.done = source.records[:-1], False
    Stage(page, source, view="critical", selected="a00")
    expect(inspector(page).locator(".knw-turns > li")).to_have_count(2)
    while_shown = page.evaluate("() => held()")
    assert while_shown["timers"] > before["timers"]
    assert while_shown["observers"] > before["observers"]
    page.evaluate("() => disposers.forEach(dispose => dispose())")
    assert page.evaluate("() => held()") == before
    assert page.evaluate("() => model.listeners.length") == 0
    page.close()
