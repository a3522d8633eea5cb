"""The line above the pictures: what it counts, what its buttons ask for, and its clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from crowds import crowd, until
from playwright.sync_api import Browser, Locator, Page, expect
from stage import Recorded, Stage, empty_page, open_page
from traces import Script, staged

from kimi_nb import events as e
from kimi_nb.trace import Trace
from kimi_nb.widgets.saving import save

SILENCE = "() => { window.ask = async () => []; }"
LINES = """() => {
    const box = document.querySelector(".knw-answer");
    return [box.clientHeight / parseFloat(getComputedStyle(box).lineHeight),
        box.scrollHeight > box.clientHeight];
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with empty_page(browser, 1000, 700) as page:
        yield page


def header(page: Page) -> Locator:
    return page.locator(".knw-header")


def button(page: Page, name: str) -> Locator:
    return header(page).get_by_role("button", name=name, exact=True)


def live(agents: int = 20) -> Recorded:
    trace = crowd(agents)
    return Recorded(until(trace, trace[-1].t * 0.55), done=False)


def test_a_run_that_goes_on(page: Page) -> None:
    source = live()
    source.pace = "3 calls in flight, 2 waiting"
    Stage(page, source, view="critical")
    expect(page.locator(".knw-status").first).to_have_text("● running")
    expect(page.locator(".knw-simulated")).to_have_text("SIMULATOR: no language model took part")
    expect(page.locator(".knw-goal")).to_contain_text("prices of 20 museums")
    expect(page.locator(".knw-counts li:visible").first).to_contain_text("sub-agents ended")
    figures = page.locator(".knw-counts li:visible").all_inner_texts()
    assert figures[:3] == ["12 of 13 sub-agents ended", "50 steps", "7 critical steps"]
    assert any(figure.startswith("$0") for figure in figures)
    expect(page.locator(".knw-budget")).to_contain_text("of 4.0M tokens")
    expect(page.locator(".knw-answers summary")).to_have_text("Answer so far")
    expect(page.locator(".knw-when")).to_contain_text("about")
    expect(page.locator(".knw-pace")).to_be_hidden()  # no call waits


def test_what_the_calls_wait_for_is_said_while_they_do(page: Page) -> None:
    script = Script()
    script.orchestrator().begin(queued=1.0)
    source = Recorded(script.trace()[:-1], done=False)
    source.pace = "3 calls in flight, 2 waiting"
    Stage(page, source, view="critical")
    expect(page.locator(".knw-pace")).to_have_text("3 calls in flight, 2 waiting")


def test_a_run_that_has_ended(page: Page) -> None:
    Stage(page, Recorded(crowd(20)), view="critical")
    expect(page.locator(".knw-status").first).to_have_text("✓ finished")
    expect(page.locator(".knw-answers summary")).to_have_text("Answer")
    expect(page.locator(".knw-answer table td").first).to_have_text("Zoo")
    expect(button(page, "Cancel")).to_be_hidden()
    expect(button(page, "To background")).to_be_hidden()


@pytest.mark.parametrize(
    ("status", "word"),
    [("cancelled", "⊘ cancelled"), ("over_budget", "▲ over budget"), ("failed", "✗ failed")],
)
def test_why_a_run_did_not_finish_is_said(page: Page, status: str, word: str) -> None:
    script = Script()
    script.orchestrator().step(said="I begin.")
    Stage(page, Recorded(script.end("", status, why="this is why")), view="critical")
    expect(page.locator(".knw-status").first).to_have_text(word)
    expect(page.locator(".knw-why")).to_have_text("this is why")
    expect(page.locator(".knw-answers summary")).to_have_text("Answer so far")


def test_a_log_that_ends_before_its_run_is_unfinished_and_its_clock_stands(page: Page) -> None:
    trace = crowd(3)
    Stage(page, Recorded(trace[: len(trace) // 2]), view="critical")
    expect(page.locator(".knw-status").first).to_have_text("● unfinished")
    expect(page.locator(".knw-why")).to_have_text("the log ends before the run does")
    expect(button(page, "Cancel")).to_be_hidden()


def test_a_long_goal_is_one_line_until_one_asks(page: Page) -> None:
    script = Script(goal="Compare the museums. " * 25)
    script.orchestrator().begin()
    Stage(page, Recorded(script.trace(), done=False), view="critical")
    goal = page.locator(".knw-goal")
    tall = "e => e.getBoundingClientRect().height"
    assert goal.evaluate(tall) < 24
    goal.locator("summary").press("Enter")
    assert goal.evaluate(tall) > 40


def test_a_long_answer_scrolls_within_eight_lines_until_one_asks(page: Page) -> None:
    script = Script()
    script.orchestrator().step().end()
    answer = "\n\n".join(f"paragraph {number}" for number in range(60))
    Stage(page, Recorded(script.end(answer)), view="critical")
    expect(page.locator(".knw-answer p")).to_have_count(60)
    lines, scrolls = page.evaluate(LINES)
    assert scrolls
    assert 6 < lines <= 8.5
    button(page, "show all").click()
    assert not page.evaluate(LINES)[1]
    button(page, "show less").click()
    assert page.evaluate(LINES)[1]
    page.locator(".knw-answers summary").press("Enter")
    expect(page.locator(".knw-answer")).to_be_hidden()


def test_a_draft_is_text_and_is_followed_to_its_end(page: Page) -> None:
    source = live(3)
    source.draft = "**not yet**\n" * 40
    stage = Stage(page, source, view="critical")
    expect(page.locator(".knw-answers summary")).to_have_text("Writing…")
    expect(page.locator(".knw-draft")).to_contain_text("**not yet**")
    source.draft += "the end"
    stage.beat()
    expect(page.locator(".knw-draft")).to_contain_text("the end")
    scrolled = "e => e.scrollHeight - e.scrollTop - e.clientHeight < 2"
    assert page.locator(".knw-answer").evaluate(scrolled)
    source.draft = ""
    stage.beat()
    expect(page.locator(".knw-answer p")).to_have_text(
        "I split this up: a sub-agent for each museum."
    )


def test_cancel_is_asked_for_once(page: Page) -> None:
    source = live()
    stage = Stage(page, source, view="critical")
    button(page, "Cancel").click()
    pressed = page.locator(".knw-header .knw-actions button").first
    expect(pressed).to_have_text("Cancelling…")
    expect(pressed).to_be_disabled()
    expect(page.locator(".knw-told")).to_have_text("cancelling the run; what was done is kept")
    stage.beat()
    expect(pressed).to_be_disabled()
    assert source.cancelled == [None]


def test_the_end_of_a_run_is_said_aloud_and_makes_what_was_said_before_old(page: Page) -> None:
    source = live(3)
    stage = Stage(page, source, view="critical")
    button(page, "Cancel").click()
    expect(page.locator(".knw-told")).to_contain_text("cancelling")
    expect(page.locator(".knw-unseen")).to_have_text("")
    source.records, source.done = crowd(3), True
    stage.beat()
    expect(page.locator(".knw-unseen")).to_have_text("museums finished")
    expect(page.locator(".knw-told")).to_have_text("")
    assert page.locator("[role=status][aria-live=polite]").count() >= 2


def test_the_notebook_is_set_free_while_a_cell_waits(page: Page) -> None:
    freed: list[bool] = []
    stage = Stage(page, live(), view="critical")
    expect(button(page, "Cancel")).to_be_visible()
    expect(button(page, "To background")).to_be_hidden()
    stage.desk._background = lambda: freed.append(True)
    stage.beat()
    button(page, "To background").click()
    expect(page.locator(".knw-told")).to_contain_text("the notebook is free")
    stage.beat()
    expect(button(page, "To background")).to_be_hidden()
    assert freed == [True]


@pytest.mark.parametrize(("what", "ending"), [("trace", "jsonl"), ("report", "html")])
def test_a_run_is_saved_beside_the_notebook(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, ending: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Stage(page, Recorded(staged((1,))), view="critical")
    expect(page.locator(".knw-status").first).to_have_text("✓ finished")
    menu = page.locator(".knw-save summary")
    menu.press("Enter")
    expect(page.locator(".knw-save")).to_have_attribute("open", "")
    button(page, f"Save as {what}").press("Enter")
    expect(page.locator(".knw-told")).to_have_text(f"saved: museums.{ending}")
    expect(button(page, f"Save as {what}")).to_be_hidden()
    expect(menu).to_be_focused()
    saved = tmp_path / f"museums.{ending}"
    same = save(Recorded(staged((1,))), what)
    assert saved.read_bytes()[:500] == same.read_bytes()[:500]


def test_the_menu_closes_by_escape_and_the_chosen_agent_stays(page: Page) -> None:
    Stage(page, Recorded(crowd(3)), view="critical", selected="a01")
    expect(page.locator(".knw-status").first).to_contain_text("finished")
    menu = page.locator(".knw-save summary")
    menu.press("Enter")
    button(page, "Save as trace").press("Escape")
    expect(button(page, "Save as trace")).to_be_hidden()
    expect(page.locator(".knw-inspector")).to_be_visible()


def clocked(browser: Browser) -> tuple[Page, Stage, float]:
    """A run that goes on, in a page whose clock stands until it is told to run."""
    page = browser.new_page()
    page.clock.install(time=0)
    open_page(page)
    page.clock.pause_at(1000)
    source = live(3)
    stage = Stage(page, source, view="critical")
    page.clock.run_for(20)
    return page, stage, source.seconds


def test_the_clock_goes_on_between_two_messages_but_not_without_end(browser: Browser) -> None:
    page, stage, now = clocked(browser)
    clock = page.locator(".knw-clock")
    page.clock.run_for(480)
    assert float(clock.inner_text().split()[0]) == pytest.approx(now + 0.5, abs=0.2)
    page.clock.run_for(2500)
    assert clock.inner_text() == f"{now + 1.5:.1f} s"
    asked = [question["kind"] for question in stage.questions]
    page.clock.run_for(1500)  # silent for too long: is anybody there?
    assert [question["kind"] for question in stage.questions] == [*asked, "sync"]
    page.close()


def test_a_kernel_that_does_not_answer_is_said_not_to(browser: Browser) -> None:
    page, _, now = clocked(browser)
    page.evaluate(SILENCE)
    page.clock.run_for(9000)
    expect(page.locator(".knw-clock")).to_have_text(f"no kernel answers: as of {now:.1f} s")
    assert page.locator(".knw-header .knw-actions > :visible").count() == 0
    page.close()


def test_the_past_has_the_numbers_of_its_time(page: Page) -> None:
    trace = crowd(20)
    Stage(page, Recorded(trace), view="critical")
    slider = page.get_by_label("Time of the run")
    slider.focus()
    slider.press("Home")
    expect(page.locator(".knw-clock")).to_have_text(f"at 0.0 s of {trace[-1].t:.1f} s")
    expect(page.locator(".knw-counts li:visible").first).not_to_contain_text("20 of 20")
    expect(page.locator(".knw-status").first).to_have_text("● running")
    slider.press("End")
    expect(page.locator(".knw-counts li:visible").first).to_have_text("20 of 20 sub-agents ended")


def training() -> Trace:
    script = Script()
    script.facts.clear()
    began = e.TrainingBegan(
        what="a policy learns when to split",
        seed=7,
        iterations=200,
        started=0,
        version="0",
        options="{}",
    )
    script.add(0.0, "", began)
    names = [name for name in e.IterationEnded.__dataclass_fields__ if name != "iteration"]

    for number in (1, 2, 3):
        values = dict.fromkeys(names, 0.5)
        script.add(number, "", e.IterationEnded(iteration=number, **values))

    return script.trace()


def test_a_training_has_a_header_of_its_own(page: Page) -> None:
    source = Recorded(training(), done=False)
    Stage(page, source, view="reward")
    expect(page.locator(".knw-goal")).to_contain_text("a policy learns when to split")
    expect(page.locator(".knw-counts")).to_contain_text("3 of 200 iterations")
    expect(page.locator(".knw-status").first).to_have_text("● running")
    button(page, "Cancel").click()
    expect(page.locator(".knw-told")).to_contain_text("cancelling")
    assert source.cancelled == [None]
