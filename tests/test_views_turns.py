"""What one agent said and did: by hand, piece by piece as a page gets it, and of hostile models."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Any

from hostile import HOSTILE, hostile_trace, unsafe_characters
from hypothesis import given
from hypothesis import strategies as st
from traces import Actor, Script, swarms

from kimi_nb import events as e
from kimi_nb.trace import Trace
from kimi_nb.views.fold import fold
from kimi_nb.views.turns import changed_since, detail

READ = ("read_file", {"path": "zoo.txt"}, 0.5)


def only(script: Script, id: str = "a00") -> dict[str, Any]:
    """The one turn of an agent in a script."""
    (turn,) = detail(script.trace(), id)["turns"]
    return turn


def alone() -> tuple[Script, Actor]:
    script = Script()
    return script, script.orchestrator(role="single")


def test_a_turn_by_hand() -> None:
    script, main = alone()
    main.step(2.0, tools=(READ,), said="I look.").end("It opens at 9.")
    assert detail(script.trace(), "a00") == {
        "id": "a00",
        "since": 0,
        "task": "Compare the museums.",
        "prompt": "",
        "outcome": "It opens at 9.",
        "turns": [
            {
                "step": 1,
                "began": 0.0,
                "ended": 2.0,
                "text": "I look.",
                "thinking": "",
                "cut": False,
                "finish": "tool_calls",
                "tokens_in": 100,
                "tokens_out": 20,
                "tokens_cached": 50,
                "estimated": False,
                "retries": [],
                "calls": [
                    {
                        "call": 0,
                        "tool": "read_file",
                        "arguments": '{"path": "zoo.txt"}',
                        "began": 2.0,
                        "ended": 2.5,
                        "outcome": "ok",
                        "text": "ok",
                        "artefacts": [],
                        "launched": [],
                    }
                ],
            }
        ],
    }


def test_an_agent_that_has_not_begun_has_no_turns() -> None:
    assert detail(Script().trace(), "a07", 3) == {
        "id": "a07",
        "since": 3,
        "task": "",
        "prompt": "",
        "outcome": "",
        "turns": [],
    }


def test_the_calls_of_an_attempt_that_failed_are_void_and_what_it_said_is_kept_as_such() -> None:
    script, main = alone()
    main.begin()
    main._add(main.called(0, "delete_all", "{}"))
    main._add(e.Said(step=1, text="I del", thinking="Hm.", cut=True))
    main._add(e.StepRetried(step=1, attempt=1, error="Unreachable", why="cut", wait=1.0))
    main.t += 2.0
    main._turn([("read_file", {})], "I read.", (1, 1, 0))
    turn = only(script)
    assert [call["tool"] for call in turn["calls"]] == ["read_file"]
    assert (turn["text"], turn["thinking"], turn["cut"]) == ("I read.", "", False)
    retry = {"t": 0.0, "error": "Unreachable", "why": "cut", "wait": 1.0, "text": "I del"}
    assert turn["retries"] == [retry]


def test_a_turn_that_is_written_again_has_none_of_the_calls_of_before() -> None:
    script, main = alone()
    main.begin()
    main._add(main.called(0, "delete_all", "{}"))
    main._add(e.StepRetried(step=1, attempt=1, error="Unreachable", why="cut", wait=1.0))
    turn = only(script)
    assert (turn["ended"], turn["calls"]) == (None, [])


def test_a_turn_whose_attempts_all_failed_has_the_text_that_came_and_no_calls() -> None:
    script, main = alone()
    main.begin()
    main._add(main.called(0, "delete_all", "{}"))
    main._add(e.Said(step=1, text="I del", cut=True))
    main._turn([], "", (1, 1, 0), finish="failed")
    turn = only(script)
    assert (turn["text"], turn["cut"], turn["finish"]) == ("I del", True, "failed")
    assert turn["calls"] == []


def test_a_turn_that_is_written_shows_the_calls_that_have_come() -> None:
    script, main = alone()
    main.begin()
    main.t += 1.0
    main._add(main.called(0, "read_file", "{}"))
    turn = only(script)
    assert (turn["ended"], turn["finish"]) == (None, "")
    (call,) = turn["calls"]
    assert (call["began"], call["ended"], call["outcome"]) == (1.0, None, "running")


def test_a_tool_that_runs_failed_or_was_interrupted_is_said_to() -> None:
    script, main = alone()
    main.begin()._turn([(name, {}) for name in "abc"], "", (1, 1, 0))
    main.returned(0, 1.0, ok=False, text="ERROR: no such file")
    script.add(2.0, "a00", e.ToolReturned(step=1, call=1, ok=False, text="", interrupted=True))
    failed, interrupted, running = only(script)["calls"]
    assert (failed["outcome"], failed["text"]) == ("failed", "ERROR: no such file")
    assert (interrupted["outcome"], interrupted["ended"]) == ("interrupted", 2.0)
    assert (running["outcome"], running["ended"]) == ("running", None)


def test_an_agent_that_was_cancelled_leaves_no_turn_open() -> None:
    script, main = alone()
    main.begin()
    main.t += 3.0
    main.end("cancelled", "cancelled")
    turn = only(script)
    assert (turn["ended"], turn["finish"]) == (3.0, "interrupted")


def resumed() -> tuple[Script, Actor]:
    """A process that was killed in its first turn, and another that went on."""
    script, main = alone()
    main.begin()
    main._add(main.called(0, "delete_all", "{}"))
    main.t += 4.0
    script.add(main.t, "", e.RunResumed(started=0.0, version="0.1.0"))
    return script, main


def test_a_step_that_was_begun_twice_is_one_turn() -> None:
    script, main = resumed()
    main.n = 0
    main.step(1.0, said="Once more.").end("done")
    turn = only(script)
    assert (turn["began"], turn["ended"], turn["text"]) == (4.0, 5.0, "Once more.")
    assert turn["calls"] == []
    assert [(retry["t"], retry["error"]) for retry in turn["retries"]] == [(4.0, "")]


def test_between_the_two_processes_the_turn_is_interrupted() -> None:
    script, _ = resumed()
    turn = only(script)
    assert (turn["ended"], turn["finish"], turn["calls"]) == (4.0, "interrupted", [])


def test_an_interrupted_tool_that_is_asked_again_shows_its_answer() -> None:
    script, main = alone()
    main.begin()._turn([READ[:2]], "", (1, 1, 0))
    interrupted = e.ToolReturned(step=1, call=0, ok=False, text="", interrupted=True)
    script.add(2.0, "a00", interrupted)
    script.add(3.0, "", e.RunResumed(started=0.0, version="0.1.0"))
    assert [call["outcome"] for call in only(script)["calls"]] == ["running"]
    main.returned(0, 5.0, text="found")
    (call,) = only(script)["calls"]
    assert (call["began"], call["ended"], call["outcome"], call["text"]) == (
        3.0,
        5.0,
        "ok",
        "found",
    )


def test_the_file_that_holds_the_whole_result_is_named() -> None:
    script, main = alone()
    main.begin()._turn([READ[:2]], "", (1, 1, 0))
    fact = e.ToolReturned(step=1, call=0, ok=True, text="long", artefact="00ff.png")
    script.add(1.0, "a00", fact)
    assert only(script)["calls"][0]["artefacts"] == ["00ff.png"]


def sub(script: Script, name: str, task: str, call: int, parent: Actor) -> Actor:
    return script.actor(parent.t, name=name, task=task, parent=parent.id, stage=parent.n, call=call)


def test_calls_name_the_sub_agents_that_they_launched() -> None:
    script = Script()
    main = script.orchestrator()
    main.launch(1, 1)
    calls = only(script)["calls"]
    assert [call["launched"] for call in calls] == [["a01"], ["a02"]]


def test_a_map_names_all_its_sub_agents_in_the_order_of_its_items() -> None:
    script = Script()
    main = script.orchestrator().begin()
    template = {"agent": "reader", "template": "Read {{item}}.", "items": ["b", "a", "b"]}
    main._turn([("map_task", template)], "", (1, 1, 0))

    for item in ("a", "b", "b"):
        sub(script, "reader", f"Read {item}.", 0, main)

    assert only(script)["calls"][0]["launched"] == ["a02", "a01", "a03"]


def test_a_repeated_turn_in_another_order_has_the_sub_agents_that_it_took_over() -> None:
    script = Script()
    main = script.orchestrator().begin()
    asked: list[tuple[str, dict[str, object]]] = [
        ("assign_task", {"agent": "reader", "prompt": task}) for task in ("one", "two")
    ]

    for call, (tool, arguments) in enumerate(asked):
        main._add(main.called(call, tool, json.dumps(arguments)))
        sub(script, "reader", str(arguments["prompt"]), call, main)

    main._add(e.StepRetried(step=1, attempt=1, error="Unreachable", why="cut", wait=0.0))
    main._turn(asked[::-1], "", (1, 1, 0))
    assert [call["launched"] for call in only(script)["calls"]] == [["a02"], ["a01"]]


def test_a_sub_agent_whose_task_is_written_otherwise_goes_by_its_position() -> None:
    script = Script()
    main = script.orchestrator().begin()
    sub(script, "reader", "without the key", 0, main)
    arguments: dict[str, object] = {"agent": "reader", "prompt": "with the key"}
    main._turn([("assign_task", arguments)], "", (1, 1, 0))
    assert only(script)["calls"][0]["launched"] == ["a01"]


def test_a_sub_agent_has_the_first_system_prompt_of_its_name() -> None:
    script = Script()
    main = script.orchestrator()

    for name, prompt in (("x", "other"), ("reader", "Read well."), ("reader", "refused")):
        arguments: dict[str, object] = {"name": name, "system_prompt": prompt}
        main.step(tools=(("create_subagent", arguments, 0.0),))

    main.step(tools=(("create_subagent", {"name": 1}, 0.0), ("create_subagent", {}, 0.0)))
    main.begin()
    reader = sub(script, "reader", "Read.", 0, main)
    writer = sub(script, "writer", "Write.", 1, main)
    trace = script.trace()
    assert detail(trace, reader.id)["prompt"] == "Read well."
    assert detail(trace, writer.id)["prompt"] == ""


def test_long_texts_are_cut_and_say_by_how_much() -> None:
    script, main = alone()
    main.step(said="x" * 21_234)
    text = only(script)["text"]
    assert text == "x" * 20_000 + "\n… 1,234 more characters"


def arguments_of(text: str) -> str:
    script, main = alone()
    main.begin()
    main._add(main.called(0, "tool", text))
    return only(script)["calls"][0]["arguments"]


def test_json_is_indented_and_nothing_of_it_is_lost() -> None:
    big = '{"n": 123456789012345678901234567890, "text": "中文, and more"}'
    assert json.loads(arguments_of(big)) == json.loads(big)
    assert arguments_of(big).count("\n") == 3
    code = json.dumps({"code": 'print("a\\n")\nprint(1)\n', "n": 1})
    assert json.loads(arguments_of(code), strict=False) == json.loads(code)
    assert arguments_of(code).split("\n")[2] == "print(1)"
    assert arguments_of('{"a":[1,  2]}') == '{"a": [1, 2]}'

    for odd in ('{"a": 1, "a": 2}', '{"a": ', "[" * 5_000, "{" + "x" * 30_000, '"a"', "", " 7"):
        shown = arguments_of(odd)
        assert shown == odd if len(odd) < 20_000 else shown.startswith(odd[:20_000])


@given(st.text(max_size=80), st.sampled_from(HOSTILE))
def test_what_a_model_writes_is_clean(text: str, hostile: str) -> None:
    trace = hostile_trace(text + hostile)
    told = [str(value) for id in fold(trace).agents for value in leaves(detail(trace, id))]
    assert not set().union(*map(unsafe_characters, told))
    assert len(told) > 40


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [leaf for item in inner for leaf in leaves(item)]

    return [value]


def merge(known: dict[str, Any] | None, told: dict[str, Any]) -> dict[str, Any]:
    """As `widgets/src/pure/detail.ts` does it."""
    turns = known["turns"] if known and known["id"] == told["id"] else []
    before = [turn for turn in turns if turn["step"] < told["since"]]
    return {**told, "turns": before + told["turns"]}


def whole(trace: Trace, id: str) -> dict[str, Any]:
    return {**detail(trace, id), "since": None}


@st.composite
def interrupted_swarms(draw: st.DrawFn) -> Trace:
    """Traces of runs that stopped once, some of them anywhere, and were taken up again."""
    trace = draw(swarms(prefixes=False))
    at = draw(st.integers(2, len(trace)))
    script = Script()
    script.facts = [(record.t, record.agent, record.fact) for record in trace[:at]]
    t = trace[at - 1].t
    script.add(t, "", e.RunResumed(started=0.0, version="0.1.0"))
    script.facts += [(t + 1 + r.t, r.agent, r.fact) for r in trace[at:]]

    for agent in fold(script.trace()).agents.values():  # a step that was open is begun once more
        if draw(st.booleans()):
            again = e.StepBegan(step=max(1, agent.step + draw(st.integers(0, 1))))
            script.add(max(t, agent.began) + draw(st.floats(0, 9)), agent.id, again)

    return script.trace()


@given(st.one_of(swarms(), interrupted_swarms()), st.lists(st.integers(0, 60), max_size=8))
def test_what_a_page_gets_piece_by_piece_is_the_whole(trace: Trace, cuts: list[int]) -> None:
    places = sorted({min(cut, len(trace)) for cut in [0, *cuts, len(trace)]})

    for id in fold(trace).agents:
        known: dict[str, Any] = detail(trace[:0], id)

        for begin, end in pairwise(places):
            since = changed_since(trace[begin:end], id)

            if since is not None:
                known = merge(known, detail(trace[:end], id, since))

            assert {**known, "since": None} == whole(trace[:end], id)


@given(swarms())
def test_steps_calls_and_tokens_are_those_of_the_fold(trace: Trace) -> None:
    for agent in fold(trace).agents.values():
        turns = detail(trace, agent.id)["turns"]
        ended = [turn for turn in turns if turn["finish"] not in {"", "interrupted", "failed"}]
        calls = [call for turn in ended for call in turn["calls"]]
        assert len(ended) == agent.steps
        assert len(calls) == agent.tool_calls
        assert sum(call["outcome"] == "failed" for call in calls) == agent.failed_tool_calls
        assert sum(turn["tokens_out"] for turn in turns) == agent.tokens_out
        assert sum(len(turn["retries"]) for turn in turns) == agent.retries
        assert [turn["step"] for turn in turns] == sorted({turn["step"] for turn in turns})


def test_a_sub_agent_that_begins_after_its_call_was_written_is_a_change_of_that_turn() -> None:
    script = Script()
    main = script.orchestrator().step().step().begin()
    main._add(main.called(0, "assign_task", json.dumps({"agent": "x", "prompt": "y"})))
    main.t += 1.0
    sub(script, "x", "y", 0, main)
    assert changed_since(script.trace()[-1:], main.id) == 3


def test_a_step_that_begins_leaves_nothing_running_in_the_one_before() -> None:
    script, main = alone()
    main.begin()._turn([READ[:2]], "", (1, 1, 0))
    main.t += 1.0
    main.begin()
    trace = script.trace()
    assert detail(trace, "a00")["turns"][0]["calls"][0]["outcome"] == "interrupted"
    assert changed_since(trace[-1:], "a00") == 1


def test_nothing_of_another_agent_is_a_change() -> None:
    script = Script()
    main = script.orchestrator()
    first, second = main.launch(2, 2)
    trace = script.trace()
    others = [record for record in trace if record.agent not in {"", first.id}]
    assert changed_since(others, first.id) is None
    assert changed_since(others, second.id) == 0
    begun = [record for record in trace if record.agent == first.id and record.t > 1.5]
    assert changed_since(begun[:2], first.id) == 1
    assert math.isfinite(changed_since(begun, main.id) or 0)
