"""The trail of the compass: what is graded how, and that the simulator really follows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kimi_nb as kn
from kimi_nb.events import ToolCalled
from kimi_nb.worlds.deep_search.documents import LEAST, documents
from kimi_nb.worlds.deep_search.trail import trail

QUICK = kn.Simulator(latency=0)
ITEMS, SEED = 6, 7
WORLD = kn.worlds.deep(ITEMS, SEED)
TRAIL = trail(ITEMS, SEED)
NAMES = [owner.name for owner in TRAIL.owners]
NOWHERE = Path()


def quality(text: str) -> float:
    return WORLD.grade(text, NOWHERE).quality


def line(names: list[str]) -> str:
    return f"TRAIL: {' → '.join(names)}"


# The grader


@pytest.mark.parametrize(
    "text",
    [
        f"ANSWER: {TRAIL.word}",
        f"It is clear.\n\n{line(NAMES)}\nANSWER: {TRAIL.word}\n\n_Made by rules._",
        f"- **Answer:** `{TRAIL.word.lower()}`.",
        f"ANSWER: {TRAIL.word}\nANSWER: {TRAIL.word}",
    ],
)
def test_the_exact_word_is_all_that_success_needs(text: str) -> None:
    assert WORLD.grade(text, NOWHERE)[:2] == (True, 1.0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        TRAIL.word,
        f"The ANSWER: {TRAIL.word}",
        "ANSWER: ",
        f"ANSWER: {TRAIL.word} or MARSOLVEN",
        f"ANSWER: {TRAIL.word}\nANSWER: MARSOLVEN",
        "ANSWER: MARSOLVEN",
    ],
)
def test_anything_else_is_no_success(text: str) -> None:
    assert WORLD.grade(text, NOWHERE)[:2] == (False, 0.0)


@given(st.integers(0, ITEMS))
def test_without_the_word_half_the_right_beginning_of_the_trail_counts(right: int) -> None:
    wrong = [*NAMES[: right + 1], *("Nobody Here" for _ in range(ITEMS - right))]
    assert quality(line(wrong)) == pytest.approx(0.5 * right / ITEMS)
    assert quality(f"{line(wrong)}\nANSWER: MARSOLVEN") == pytest.approx(0.5 * right / ITEMS)


def test_naming_everybody_does_not_pay() -> None:
    everybody = [owner.name for owner in TRAIL.everybody()]
    assert quality(line([NAMES[0], *everybody])) == 0
    assert quality(f"{line(NAMES)}\n{line(NAMES)}") == 0


@given(st.text(alphabet="TRAIL: ANSWE→,\n" + "".join(NAMES), max_size=200))
def test_whatever_is_answered_is_graded(text: str) -> None:
    assert 0 <= quality(text) <= 1


# The world


@pytest.mark.parametrize("items", [3, 6, 300])
def test_the_trail_forks_and_only_one_story_leads_on(items: int) -> None:
    found = trail(items, 1)
    forks = [owner for owner in found.owners if len(owner.heirs) > 1]
    assert len(found.owners) == items + 1
    assert forks
    assert all(sum(heir in found.owners for heir in owner.heirs) == 1 for owner in forks)
    everybody = list(found.everybody())
    assert len({owner.post for owner in everybody}) == len(everybody)
    assert len({owner.name for owner in everybody}) == len(everybody)


@pytest.mark.parametrize("items", [3, 300])
def test_no_document_names_two_owners(items: int) -> None:
    found = trail(items, 1)
    texts = [f"{document.title}\n{document.text}" for document in documents(found, 1)]
    assert len(texts) >= LEAST

    for owner, heir in zip(found.owners, found.owners[1:], strict=False):
        assert not any(
            f"Papers of {owner.name}, {owner.post}" in t and heir.name in t for t in texts
        )

    assert sum("was engraved" in text for text in texts) > 4


# The simulator


@pytest.mark.parametrize("single", [True, False])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_simulator_finds_the_word(
    tmp_path: Path,
    seed: int,
    single: bool,  # noqa: FBT001
) -> None:
    world = kn.worlds.deep(ITEMS, seed)
    run = world.run(trace=tmp_path / "run.jsonl", simulator=QUICK, single=single).result()
    assert run.judged is not None
    assert run.judged.success
    assert f"{ITEMS} of {ITEMS} hand-overs" in run.judged.why


def test_it_follows_a_story_that_ends_nowhere_and_comes_back(tmp_path: Path) -> None:
    fork = next(owner for owner in TRAIL.owners if len(owner.heirs) > 1)
    wrong = next(heir for heir in fork.heirs if heir not in TRAIL.owners)
    run = WORLD.run(trace=tmp_path / "run.jsonl", simulator=QUICK, single=True).result()
    asked = " ".join(r.fact.arguments for r in run.trace if isinstance(r.fact, ToolCalled))
    assert (wrong.post in asked) == (fork.heirs[0] is wrong)
    assert run.metrics.total_steps >= 4 * ITEMS


def test_an_orchestrator_has_both_stories_followed_at_once(tmp_path: Path) -> None:
    run = WORLD.run(trace=tmp_path / "run.jsonl", simulator=QUICK).result()
    stages = [stage for stage in run.fold.stages.values() if stage.sub_agents]
    assert stages
    assert all(len(stage.sub_agents) == 2 for stage in stages)
    asked = [r.fact.arguments for r in run.trace if isinstance(r.fact, ToolCalled)]
    assert len(set(asked)) == len(asked)
    reports = [agent.outcome for agent in run.fold.agents.values() if agent.role == "sub-agent"]
    assert all(report.startswith("- ") for report in reports)
    assert sum("leads nowhere" in report for report in reports) == len(stages)


def test_with_too_few_sub_agents_it_follows_them_itself(tmp_path: Path) -> None:
    run = WORLD.run(trace=tmp_path / "run.jsonl", simulator=QUICK, max_agents=1).result()
    assert run.metrics.agents == 1
    assert run.judged is not None
    assert run.judged.success


def test_without_notes_an_agent_loses_a_long_trail(tmp_path: Path) -> None:
    options = kn.Simulator(latency=0, notes=False, memory_chars=4_000)
    run = kn.worlds.deep(20, 1).run(trace=tmp_path / "r.jsonl", simulator=options, single=True)
    assert run.result().status == "finished"
    assert run.judged is not None
    assert not run.judged.success
