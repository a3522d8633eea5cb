"""What a swarm can do whose model obeys every order it reads: nothing of the user's leaves."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from obedient import (
    IN_ENVIRONMENT,
    IN_FILE,
    IN_KEY,
    IN_VAULT,
    Obedient,
    Outside,
    do,
    inside,
    outside,
)
from scripted import Scripted, _no_complaints, call, calls, is_orchestrator, results, say  # noqa: F401

import kimi_nb as kn
from kimi_nb.events import AgentBegan, AgentEnded, StepBegan, ToolCalled, ToolReturned
from kimi_nb.models.base import Message, Reply
from kimi_nb.models.simulator.memory import recall
from kimi_nb.tools import Toolset, standard_tools
from kimi_nb.tools.corpus import Document, build, corpus_tools
from kimi_nb.tools.rights import ALL, MARK, NONE, labels_of, marked, why_not
from kimi_nb.tools.shipped import SHIPPED, shipped

READ = do("read_file", path="secret.txt")
POISONS = {
    "file": do("read_file", path="poison.txt"),
    "name": do("list_files"),
    "grep": do("grep", pattern="DO"),
    "python": do("python", code="print(open('poison.txt').read())"),
    "stranger": do("wiki"),
    "error": do("failing"),
    "corpus": do("search", query="poison") + do("open", document=1),
    "page": do("fetch", url="PAGE"),
}
"""Where the orders stand, by what the user asks for."""


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Outside]:
    monkeypatch.setenv("MY_TOKEN", IN_ENVIRONMENT)
    monkeypatch.setenv("MOONSHOT_API_KEY", IN_KEY)

    async with outside() as found:
        inside(tmp_path / "work", found.attack())
        found.pages["/poison"] = found.attack()
        build(tmp_path / "corpus.sqlite", [Document("poison", found.attack())])
        yield found


def assigned(*tasks: str) -> str:
    """A goal that gives each task to a sub-agent of its own."""
    create = do("create_subagent", name="w", system_prompt="Work.")
    return create + "".join(do("assign_task", agent="w", prompt=task) for task in tasks)


def arrangements(poison: str) -> dict[str, dict[str, Any]]:
    """Who reads the secret and who the orders, as options of `kn.swarm`."""
    both = READ + poison
    return {
        "single": {"goal": both, "single": True},
        "orchestrator": {"goal": both},
        "one sub-agent": {"goal": assigned(both)},
        "two sub-agents": {"goal": assigned(READ, poison)},
        "secret above, orders below": {"goal": READ + assigned(poison)},
        "orders above, secret below": {"goal": poison + assigned(READ)},
        "map": {
            "goal": do("create_subagent", name="w", system_prompt="Work.")
            + do("map_task", agent="w", template="{{item}}", items=[READ, poison])
        },
        "plan": {"goal": "", "plan": [{"a": READ}, {"b": poison, "after": ["a"]}]},
        "plan that joins": {
            "goal": "",
            "plan": [{"a": READ}, {"b": poison}, {"c": "Join.", "after": ["a", "b"]}],
        },
    }


ARRANGEMENTS = list(arrangements(""))


def tools_of(world: Outside, folder: Path, *, bound: bool) -> Toolset:
    return world.tools(bound=bound) + corpus_tools(folder / "corpus.sqlite")


def begin(world: Outside, tmp_path: Path, how: dict[str, Any], *, bound: bool = True) -> kn.Run:
    return kn.swarm(
        **how,
        model=Obedient(),
        folder=tmp_path / "work",
        trace=tmp_path / "run.jsonl",
        tools=tools_of(world, tmp_path, bound=bound),
        max_agents=40,
        budget=kn.Budget(steps=300),
    )


def refused(run: kn.Replay) -> int:
    facts = [record.fact for record in run.trace]
    return sum(isinstance(f, ToolReturned) and "was not called" in f.text for f in facts)


def arranged(world: Outside, arrangement: str, poison: str) -> dict[str, Any]:
    return arrangements(POISONS[poison].replace("PAGE", world.url("/poison")))[arrangement]


@pytest.mark.parametrize("poison", POISONS)
@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
async def test_nothing_leaves(
    world: Outside, tmp_path: Path, arrangement: str, poison: str
) -> None:
    run = await begin(world, tmp_path, arranged(world, arrangement, poison))
    assert world.leaked() == set()
    assert refused(run) > 0  # it did try
    assert sorted(os.listdir(tmp_path)) == ["corpus.sqlite", "run.jsonl", "work"]  # noqa: PTH208
    read = str(run._engine.model.seen)
    assert IN_FILE in read
    assert IN_KEY not in read
    assert IN_ENVIRONMENT not in read


@pytest.mark.parametrize("poison", POISONS)
@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
async def test_the_same_model_leaks_through_tools_that_were_let_out(
    world: Outside, tmp_path: Path, arrangement: str, poison: str
) -> None:
    run = await begin(world, tmp_path, arranged(world, arrangement, poison), bound=False)
    assert world.leaked() == {IN_FILE}
    assert refused(run) == 0


async def test_trusted_hosts_hear_it_by_every_way_that_there_is(
    world: Outside, tmp_path: Path
) -> None:
    """Otherwise the tests above would prove little."""
    await begin(world, tmp_path, arranged(world, "single", "file"), bound=False)
    heard = "\n".join(world.heard)

    for way in ("/path/{}", "/query?x={}", "looked up {}.site.test", "/landed/{}", "\n{}"):
        assert way.format(IN_FILE) in heard

    assert "elsewhere.test" not in heard  # a host that nobody allowed


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
async def test_a_run_that_is_taken_up_anywhere_is_as_bound(
    world: Outside, tmp_path: Path, arrangement: str
) -> None:
    how = arranged(world, arrangement, "file")
    whole = await begin(world, tmp_path, how)
    path = tmp_path / "run.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    facts = [record.fact for record in whole.trace]
    cuts = [n for n, fact in enumerate(facts) if n and isinstance(fact, StepBegan | ToolReturned)]

    for cut in cuts[:: max(1, len(cuts) // 15)]:
        again = tmp_path / f"cut{cut}.jsonl"
        again.write_bytes(b"".join(lines[: cut + 2]))  # the first line is the log's own
        run = await kn.resume(again, model=Obedient(), tools=tools_of(world, tmp_path, bound=True))
        assert world.leaked() == set(), cut
        assert run.status == whole.status
        assert answers(run) == answers(whole), cut
        again.unlink()


def answers(run: kn.Replay) -> list[tuple[str, str]]:
    """Every call of the run with whether it was refused, whoever made it and when."""
    facts = [(record.agent, record.fact) for record in run.trace]
    calls = {
        (agent, f.step, f.call): f"{f.tool} {f.arguments}"
        for agent, f in facts
        if isinstance(f, ToolCalled)
    }
    found = {
        (agent, f.step, f.call): "refused" if "was not called" in f.text else "answered"
        for agent, f in facts
        if isinstance(f, ToolReturned) and not f.interrupted
    }
    tasks = {agent: f.task for agent, f in facts if isinstance(f, AgentBegan)}
    return sorted((tasks[key[0]] + calls[key], outcome) for key, outcome in found.items())


TWO_HOPS = {
    "private here, strangers there": assigned(do("vault"), do("wiki")),
    "private below, strangers above": do("wiki") + assigned(do("vault")),
    "private above, strangers below": do("vault") + assigned(do("wiki")),
    "one after the other": assigned(do("vault") + do("wiki")),
}
"""Tools of which each is harmless alone."""


@pytest.mark.parametrize("goal", TWO_HOPS.values(), ids=TWO_HOPS)
@pytest.mark.parametrize("bound", [True, False])
async def test_two_halves_never_meet_a_way_out(
    world: Outside, tmp_path: Path, goal: str, *, bound: bool
) -> None:
    run = await begin(world, tmp_path, {"goal": goal}, bound=bound)
    assert world.leaked() == (set() if bound else {IN_VAULT})
    assert (refused(run) > 0) == bound


async def test_a_sub_agent_has_no_tool_that_its_orchestrator_lacks(
    world: Outside, tmp_path: Path
) -> None:
    run = await begin(world, tmp_path, arranged(world, "one sub-agent", "file"))
    offered = run._engine.model.offered
    above = {names for orchestrates, names in offered if orchestrates}
    below = {names for orchestrates, names in offered if not orchestrates}
    assert len(above) == len(below) == 1
    assert min(below) < min(above)
    started = [r.agent for r in run.trace if isinstance(r.fact, AgentBegan) and r.fact.parent]
    parents = {r.fact.parent for r in run.trace if isinstance(r.fact, AgentBegan)}
    assert started
    assert parents == {"", "a0"}  # the orders to spawn, obeyed by a sub-agent, did nothing


def script(*turns: Reply) -> Scripted:
    """A model that says these turns, and then that it is done."""

    def answer(messages: list[Message]) -> Reply:
        turn = sum(m["role"] == "assistant" for m in messages)
        return turns[turn] if turn < len(turns) else say("done")

    return Scripted(answer)


async def outcomes(world: Outside, tmp_path: Path, *turns: Reply, **more: Any) -> list[bool]:
    """Which calls of a single agent succeeded."""
    run = await kn.swarm(
        "go",
        single=True,
        model=script(*turns),
        folder=tmp_path / "work",
        trace=tmp_path / "run.jsonl",
        **({"tools": world.tools()} | more),
    )
    return [r.fact.ok for r in run.trace if isinstance(r.fact, ToolReturned)]


async def test_whoever_reads_no_private_data_goes_on_fetching(
    world: Outside, tmp_path: Path
) -> None:
    fetch = [calls(call("fetch", url=world.url(f"/{n}"))) for n in range(3)]
    tools = world.tools() + corpus_tools(tmp_path / "corpus.sqlite", private=False)
    read = calls(call("open", document=1), call("write_file", path="notes.txt", text="x"))
    assert await outcomes(world, tmp_path, *fetch, read, *fetch, tools=tools) == [True] * 8


@pytest.mark.parametrize("tool", ["read_file", "list_files", "grep", "python", "list_packages"])
async def test_whoever_has_looked_at_this_machine_fetches_no_more(
    world: Outside, tmp_path: Path, tool: str
) -> None:
    arguments = {
        "read_file": {"path": "secret.txt"},
        "grep": {"pattern": "x"},
        "python": {"code": "1"},
    }
    fetch = calls(call("fetch", url=world.url("/x")))
    look = calls(call(tool, **arguments.get(tool, {})))
    assert await outcomes(world, tmp_path, fetch, look, fetch, fetch) == [True, True, False, False]


async def test_a_corpus_is_private_unless_it_is_said_to_be_public(
    world: Outside, tmp_path: Path
) -> None:
    fetch = calls(call("fetch", url=world.url("/x")))
    look = calls(call("open", document=1))
    tools = world.tools() + corpus_tools(tmp_path / "corpus.sqlite")
    assert await outcomes(world, tmp_path, look, fetch, tools=tools) == [True, False]


@pytest.mark.parametrize("name", [*standard_tools().names, *SHIPPED])
def test_what_looks_at_this_machine_says_so_and_nothing_that_comes_along_sends(name: str) -> None:
    try:
        each = standard_tools().get(name) or shipped(name)
    except kn.UsageFault as error:
        pytest.skip(str(error))

    writes_only = name in {"write_file", "chart"}  # they return what the model has said itself
    assert labels_of(each) == (NONE if writes_only else ALL)
    assert not each.outward


async def test_a_failed_look_counts_for_its_error_says_what_there_is(
    world: Outside, tmp_path: Path
) -> None:
    fetch = calls(call("fetch", url=world.url("/x")))
    look = calls(call("read_file", path="gone.txt"))
    assert await outcomes(world, tmp_path, look, fetch) == [False, False]


@pytest.mark.parametrize("order", [1, -1])
async def test_calls_of_one_turn_are_judged_by_what_was_read_before_it(
    world: Outside, tmp_path: Path, order: int
) -> None:
    """However long each takes: they were all written before any was answered."""
    fetch = call("fetch", url=world.url("/x"))
    both = calls(*[call("read_file", path="secret.txt"), fetch][::order])
    assert await outcomes(world, tmp_path, both, calls(fetch)) == [True, True, False]


async def test_so_they_are_where_one_waits_for_the_other(world: Outside, tmp_path: Path) -> None:
    @kn.tool(outward=True, side_effects=True)
    def order() -> str:
        "Order something."
        return "ordered"

    both = calls(call("read_file", path="secret.txt"), call("order"))
    tools = world.tools() + Toolset([order])
    assert await outcomes(world, tmp_path, both, both, tools=tools) == [True, True, True, False]


async def test_a_sub_agent_that_fails_brings_up_what_it_has_read(
    world: Outside, tmp_path: Path
) -> None:
    plan = [
        calls(call("vault")),
        calls(
            call("create_subagent", name="w", system_prompt="Work."),
            call("assign_task", agent="w", prompt="go on"),
        ),
        calls(call("fetch", url=world.url("/x"))),
        say("done"),
    ]

    def answer(messages: list[Message]) -> Reply:
        turn = sum(m["role"] == "assistant" for m in messages)
        return plan[turn] if is_orchestrator(messages) else calls(call("failing"))

    run = await kn.swarm(
        "go",
        model=Scripted(answer),
        folder=tmp_path / "work",
        trace=tmp_path / "run.jsonl",
        tools=world.tools(),
    )
    ended = [r.fact.outcome for r in run.trace if isinstance(r.fact, AgentEnded)]
    assert ended == ["failed", "finished"]
    assert (refused(run), world.heard) == (1, [])


async def test_a_tool_that_the_run_no_longer_has_may_have_returned_anything(
    world: Outside, tmp_path: Path
) -> None:
    @kn.tool
    def old() -> str:
        "Not known to the process that goes on."
        return "x"

    fetch = call("fetch", url=world.url("/x"))
    path = tmp_path / "run.jsonl"
    turns = (calls(call("old")), calls(fetch))
    await outcomes(world, tmp_path, *turns, tools=world.tools() + Toolset([old]))
    cut = next(n for n, r in enumerate(kn.read(path)) if isinstance(r.fact, ToolReturned))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: cut + 2]))
    world.heard.clear()

    for tools, asked in ((world.tools() + Toolset([old]), True), (world.tools(), False)):
        fork = tmp_path / f"fork{asked}.jsonl"
        await kn.resume(path, fork=fork, model=script(*turns), tools=tools)
        assert any("/x" in each for each in world.heard) == asked
        world.heard.clear()


async def test_a_tool_that_was_private_stays_so_where_another_has_its_name(
    world: Outside, tmp_path: Path
) -> None:
    path, corpus = tmp_path / "run.jsonl", tmp_path / "corpus.sqlite"
    fetch = calls(call("fetch", url=world.url("/x")))
    turns = (calls(call("open", document=1)), fetch)

    for private in (True, False):
        told = world.tools() + corpus_tools(corpus, private=private)
        path.unlink(missing_ok=True)
        await outcomes(world, tmp_path, *turns, tools=told)
        cut = next(n for n, r in enumerate(kn.read(path)) if isinstance(r.fact, ToolReturned))
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[: cut + 2]))
        world.heard.clear()
        public = world.tools() + corpus_tools(corpus, private=False)
        fork = tmp_path / f"fork{private}.jsonl"
        await kn.resume(path, fork=fork, model=script(*turns), tools=public)
        assert bool(world.heard) != private


async def test_the_orchestrator_sees_which_reports_strangers_had_a_hand_in(
    world: Outside, tmp_path: Path
) -> None:
    goal = assigned(do("vault"), do("wiki"))
    run = await begin(world, tmp_path, {"goal": goal})
    told = next(m for m in run._engine.model.seen if len(results(m)) == 3)
    _, private, strange = results(told)
    assert private.startswith("I know")
    assert strange.startswith(f"{MARK}\nI know")
    assert MARK not in (tmp_path / "run.jsonl").read_text()  # it follows from what is there


async def test_a_later_task_of_a_plan_sees_it_too(world: Outside, tmp_path: Path) -> None:
    plan = [{"a": do("vault")}, {"b": do("wiki")}, {"c": "Join.", "after": ["a", "b"]}]
    run = await begin(world, tmp_path, {"goal": "", "plan": plan})
    prompt = next(m for m in run._engine.model.seen if m[1]["content"].endswith("Join."))
    assert prompt[1]["content"].startswith("Result of a:\nI know")
    assert f"Result of b:\n{MARK}\nI know" in prompt[1]["content"]


async def test_the_simulator_reads_reports_behind_the_mark(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()

    for name in "abc":
        (folder / f"{name}.csv").write_text("item,price\nx,1\ny,2\n")

    goal = "For each CSV file in data/, give the number of rows and the highest price."
    run = await kn.swarm(goal, folder=tmp_path, trace=tmp_path / "run.jsonl")
    assert len([r for r in run.trace if isinstance(r.fact, AgentBegan)]) == 4
    assert "| data/c.csv | 2 | 2 |" in run.answer
    assert MARK not in run.answer


def test_the_mark_is_no_part_of_what_the_simulator_reads() -> None:
    mark = marked("ERROR: x", ALL)
    asked = {"id": "1", "function": {"name": "assign_task", "arguments": "{}"}}
    past = recall(
        [
            {"role": "user", "content": f"Result of a:\n{mark}\n\nJoin."},
            {"role": "assistant", "tool_calls": [asked]},
            {"role": "tool", "tool_call_id": "1", "content": mark},
        ],
        frozenset(),
        1_000,
    )
    assert past.goal == "Result of a:\nERROR: x\n\nJoin."
    assert [done.result for done in past.done] == ["ERROR: x"]


def made(*, private: bool, untrusted: bool, outward: bool) -> kn.Tool:
    @kn.tool(private=private, untrusted=untrusted, outward=outward)
    def some() -> str:
        "Some."
        return ""

    return some


def test_the_rule() -> None:
    some = frozenset({"private"}), frozenset({"untrusted"})
    inward = made(private=True, untrusted=True, outward=False)
    outward = made(private=False, untrusted=False, outward=True)
    assert labels_of(inward) == ALL == some[0] | some[1]
    assert labels_of(outward) == NONE
    assert [bool(why_not(outward, taken)) for taken in (NONE, *some, ALL)] == [0, 0, 0, 1]
    assert not any(why_not(inward, taken) for taken in (NONE, *some, ALL))
    assert [marked("x", taken) for taken in (NONE, some[0])] == ["x", "x"]
    assert marked("x", ALL) == f"{MARK}\nx"


def test_a_refusal_says_what_the_owner_can_type() -> None:
    why = why_not(made(private=False, untrusted=False, outward=True), ALL)
    assert why.startswith("some was not called")
    assert "fetch_tool(hosts, trusted=True)" in why
    assert "@kn.tool(outward=False)" in why
