"""A log goes on with what it was written with, or is forked: no history passes for another's."""

from __future__ import annotations

import inspect
import itertools
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from scripted import (
    Held,
    Scripted,
    _no_complaints,  # noqa: F401
    call,
    calls,
    results,
    say,
)
from test_resume import cut, look, respond, state, whole_run

import kimi_nb as kn
from kimi_nb.cli import main
from kimi_nb.errors import CorruptTrace, TraceError, TraceMismatch
from kimi_nb.events import RunBegan, RunForked, RunResumed, StepEnded, ToolCalled
from kimi_nb.models.base import Message, Reply
from kimi_nb.swarm import changed
from kimi_nb.trace import Log, TornTail, Trace
from kimi_nb.views.report import report_html
from kimi_nb.views.summary import summary_html

PLAN = [{"one": "first"}, {"two": "second", "after": ["one"]}]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Of a run with the tool `look` that was killed half-way."""
    path = tmp_path / "run.jsonl"
    whole_run(path)
    cut(path, 30)
    return path


def go_on(path: Path, **given: Any) -> tuple[kn.Run, int]:
    """The resumed run at its end, and how many calls it made."""
    model = Scripted(respond)
    run = kn.resume(path, **{"model": model, "tools": [look], **given})
    assert isinstance(run, kn.Run)
    return run.result(50), len(model.seen)


def refused(path: Path, **given: Any) -> str:
    """Why; nothing was paid and the log is as it was."""
    before = path.read_bytes()
    model = Scripted(respond)

    with pytest.raises(TraceMismatch) as caught:
        kn.resume(path, **{"model": model, "tools": [look], **given})

    assert path.read_bytes() == before
    assert model.seen == []
    Log(path).close()  # and nobody holds it
    return str(caught.value)


def steps(path: Path) -> list[tuple[str, int]]:
    return [(r.agent, r.fact.step) for r in kn.read(path) if isinstance(r.fact, StepEnded)]


def described(text: str) -> kn.Tool:
    return replace(look, description=text)


@kn.tool
async def other(n: int) -> str:
    "Look at something."
    return f"saw {n} otherwise"


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"goal": "stay"}, "its goal is 'go', not 'stay'"),
        ({"goal": "x" * 500}, f"its goal is 'go', not '{'x' * 59}…'"),
        ({"plan": PLAN}, "it has no plan"),
        ({"tools": []}, "it had look; pass tools=[look], or in a notebook run the cell"),
        ({"tools": [look, other]}, "it had no other"),
        ({"tools": [described("Stare.")]}, "what the model is told of look has changed"),
        ({"tools": [replace(other, name="look")]}, "the code of look has changed"),
    ],
    ids=["goal", "long goal", "plan", "gone", "new", "description", "code"],
)
def test_what_has_changed_is_refused_by_name_with_a_way_on(log, given, complaint):
    why = refused(log, **given)
    assert complaint in why
    assert "Give what it had" in why
    assert f"kn.resume({str(log)!r}, fork='new.jsonl')" in why
    assert f"%swarm resume {log} --fork new.jsonl" in why
    assert f"kimi-nb resume {log} --fork new.jsonl" in why
    assert ("nothing of it could be taken over" in why) == bool({"goal", "plan"} & given.keys())


def test_another_version_is_refused_and_the_fork_s_counts_from_there_on(log, monkeypatch):
    monkeypatch.setattr(changed, "__version__", "9.9.9")
    assert "kimi_nb 0.1.0 wrote it, and this is 9.9.9" in refused_once(log)
    monkeypatch.setattr(sys.modules["kimi_nb.swarm.resume"], "__version__", "9.9.9")
    new = log.with_name("new.jsonl")
    run, _ = go_on(log, fork=new)
    assert run.fold.version == "9.9.9"
    cut(new, len(run.trace) - 1)
    go_on(new)
    monkeypatch.undo()
    cut(new, len(run.trace) - 1)
    assert "kimi_nb 9.9.9 wrote it" in refused_once(new)


def refused_once(path: Path) -> str:
    with pytest.raises(TraceMismatch) as caught:
        kn.resume(path, model=Scripted(respond), tools=[look])

    return str(caught.value)


def test_a_finished_run_of_other_tools_and_versions_is_still_read(tmp_path, monkeypatch):
    full, _ = whole_run(tmp_path / "run.jsonl")
    monkeypatch.setattr(changed, "__version__", "9.9.9")
    assert kn.resume(tmp_path / "run.jsonl").answer == full.answer

    with pytest.raises(TraceMismatch, match="its goal is 'go', not 'stay'"):
        kn.resume(tmp_path / "run.jsonl", goal="stay")


@pytest.mark.parametrize("goal", ["go", " go\n", None])
def test_the_same_goal_is_the_same(log, goal):
    assert go_on(log, goal=goal)[0].status == "finished"


def test_a_plan_must_be_the_same_in_what_it_says_not_in_how_it_is_written(tmp_path):
    path = tmp_path / "run.jsonl"
    model = Scripted(lambda _m: "did")
    kn.swarm("", plan=PLAN, model=model, trace=path).result(50)
    cut(path, 4)
    written = '- one: first\n- {name: two, prompt: second, after: "one"}'

    with pytest.raises(TraceMismatch, match="its plan has other tasks"):
        kn.resume(path, plan=PLAN[:1], model=model)

    run = kn.resume(path, plan=written, model=model)
    assert isinstance(run, kn.Run)
    assert run.result(50).status == "finished"


def test_code_that_cannot_be_read_is_not_compared(log, monkeypatch):
    def no_source(_function: object) -> str:
        message = "source code not available"
        raise OSError(message)

    monkeypatch.setattr(inspect, "getsource", no_source)
    assert go_on(log, tools=[replace(other, name="look")])[0].status == "finished"


def test_an_older_log_that_has_the_names_of_tools_only_goes_on_with_those(log):
    lines = log.read_bytes().splitlines(keepends=True)
    began = orjson.loads(lines[1])
    options = orjson.loads(began["options"])
    began["options"] = orjson.dumps(options | {"tools": sorted(options["tools"])}).decode()
    del began["process"]
    log.write_bytes(b"".join([lines[0], orjson.dumps(began), b"\n", *lines[2:]]))
    assert "it had no other" in refused(log, tools=[look, other])
    assert go_on(log, tools=[replace(other, name="look")])[0].status == "finished"


def test_indented_or_not_the_code_is_the_same(tmp_path):
    def defined(source: str, name: str) -> kn.Tool:
        path = tmp_path / f"{name}.py"
        path.write_text(source)
        space: dict[str, Any] = {"kn": kn}
        exec(compile(source, str(path), "exec"), space)  # noqa: S102 -- a file of one's own
        return space["look"] if "look" in space else space["make"]()

    lines = ["@kn.tool", "def look(n: int) -> str:", "    'Look.'", "    return f'saw {n}'", ""]
    inside = ["def make():", *(f"    {line}" for line in lines), "    return look", ""]
    path = tmp_path / "run.jsonl"
    flat, indented = defined("\n".join(lines), "flat"), defined("\n".join(inside), "inside")
    kn.swarm("go", model=Scripted(respond), tools=[flat], trace=path).result(50)
    cut(path, 30)
    assert go_on(path, tools=[indented])[0].status == "finished"


def test_a_fork_at_every_record_pays_only_for_the_rest_and_leaves_the_log_alone(tmp_path):
    path = tmp_path / "run.jsonl"
    full, paid = whole_run(path)
    lines = path.read_bytes().splitlines(keepends=True)
    spare = replace(other, name="spare")

    for count in range(2, len(lines) + 1):
        path.write_bytes(b"".join(lines[:count]) + b'{"seq": 7, "t')  # and a torn tail
        before, done = path.read_bytes(), len(steps_of(lines[:count]))
        new = tmp_path / f"new{count}.jsonl"
        run, made = go_on(path, fork=new, tools=[look, spare])
        assert made == paid - done
        assert state(run) == state(full)
        assert path.read_bytes() == before
        assert new.read_bytes().startswith(b"".join(lines[:count]))
        forked = kn.read(new)[count - 1].fact
        assert isinstance(forked, RunForked)
        assert (forked.source, forked.copied) == (str(path), count - 1)
        assert kn.read(new) == run.trace
        assert len(set(steps(new))) == len(steps(new)) == paid


def steps_of(lines: list[bytes]) -> list[dict[str, Any]]:
    return [line for line in map(orjson.loads, lines) if line.get("fact") == "StepEnded"]


def test_a_fork_that_is_killed_goes_on_as_the_fork(log, tmp_path):
    new = tmp_path / "new.jsonl"
    run, _ = go_on(log, fork=new, tools=[look, other])
    place = next(r.seq for r in run.trace if isinstance(r.fact, RunForked))
    cut(new, place + 1)
    assert "it had other" in refused_once(new)
    again, _ = go_on(new, tools=[look, other])
    assert again.answer == run.answer
    assert "forked from" in repr(again)


def test_a_fork_begins_beside_a_run_that_goes_on(tmp_path):
    path, new = tmp_path / "run.jsonl", tmp_path / "new.jsonl"
    model = Held(respond, after=4)
    slow = kn.swarm("go", model=model, tools=[look], trace=path)

    while slow.fold.steps < 3:
        time.sleep(0.001)

    fork, _ = go_on(path, fork=new)
    assert not slow.done
    model.let_go()
    assert slow.result(50).answer == fork.answer
    assert not any(isinstance(r.fact, RunForked | RunResumed) for r in kn.read(path))


@pytest.mark.parametrize("mode", ["swarm", "single", "plan"])
def test_with_another_goal_a_fork_begins_anew_with_the_settings_of_the_old_run(tmp_path, mode):
    path, new = tmp_path / "run.jsonl", tmp_path / "new.jsonl"
    given: dict[str, Any] = {"single": {"single": True}, "plan": {"plan": PLAN}}.get(mode, {})
    options = {"max_agents": 7, "seed": 5, "max_steps": 9, "budget": kn.Budget(steps=90)}
    first = kn.swarm(
        "go", model=Scripted(respond), tools=[look], folder=tmp_path, trace=path, **options, **given
    )
    first.result(50)
    before = path.read_bytes()
    run, made = go_on(path, fork=new, goal="stay")
    began, forked = (r.fact for r in run.trace[:2])
    assert isinstance(began, RunBegan)
    assert isinstance(forked, RunForked)
    assert (began.goal, began.seed, forked.copied) == ("stay", 5, 0)
    old = orjson.loads(first.fold.options)
    assert orjson.loads(began.options) == old
    assert made == len(steps(new)) == first.fold.steps
    note = "run.jsonl, with another goal or plan: nothing of it could be taken over"
    assert note in repr(run)
    assert note in summary_html(run.trace)
    assert note in report_html(run.trace)
    assert path.read_bytes() == before


def test_another_plan_turns_a_swarm_into_that_plan(log, tmp_path):
    model = Scripted(lambda m: f"did {m[-1]['content'].splitlines()[-1]}")
    run = kn.resume(log, plan=PLAN, fork=tmp_path / "new.jsonl", model=model, tools=[look])
    assert isinstance(run, kn.Run)
    assert run.result(50).answer == "did second"
    assert orjson.loads(run.fold.options)["mode"] == "plan"
    wide = [{f"t{n}": "do"} for n in range(30)]

    with pytest.raises(kn.UsageFault, match="the plan has 30 tasks, but max_agents is 20"):
        kn.resume(log, plan=wide, fork=tmp_path / "wide.jsonl", model=model, tools=[look])

    assert not (tmp_path / "wide.jsonl").exists()


def test_a_fork_never_writes_over_a_file(log, tmp_path):
    for name in ("run.jsonl", "notes.txt"):
        kept = tmp_path / name
        kept.touch()
        before = kept.read_bytes()

        with pytest.raises(kn.UsageFault, match="is there already"):
            kn.resume(log, fork=kept, model=Scripted(respond), tools=[look])

        assert kept.read_bytes() == before


def test_of_two_forks_that_begin_at_once_one_is_refused(log, tmp_path, monkeypatch):
    save = Trace.save
    new = tmp_path / "new.jsonl"
    refused: list[str] = []

    def meanwhile(trace: Trace, path: Path) -> Path:
        monkeypatch.undo()

        with pytest.raises(kn.UsageFault, match="is there already") as error:
            go_on(log, fork=new)

        refused.append(str(error.value))
        return save(trace, path)

    monkeypatch.setattr(Trace, "save", meanwhile)
    run, _ = go_on(log, fork=new)
    assert refused
    assert kn.read(new) == run.trace


@pytest.mark.parametrize("broken", ["os.fsync", "pathlib.Path.replace"])
def test_a_fork_that_fails_leaves_no_new_log(log, tmp_path, monkeypatch, broken):
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(broken, full)
    new = tmp_path / "new.jsonl"

    with pytest.raises(TraceError, match=r"cannot write the log .*No space left"):
        kn.resume(log, fork=new, model=Scripted(respond), tools=[look])

    monkeypatch.undo()
    assert not new.exists()
    assert go_on(log, fork=new)[0].status == "finished"  # what is left over is in nobody's way
    assert new.stat().st_mode & 0o077 == 0  # as private as the log that it comes from


def test_a_budget_and_a_model_that_were_given_hold_for_the_next_resume(tmp_path):
    path = tmp_path / "run.jsonl"
    first = kn.Budget(steps=5, tokens=10**6)
    kn.swarm("go", model=Scripted(respond), tools=[look], trace=path, budget=first).result(50)
    retired = Scripted(respond)
    retired.name = "successor"
    run, made = go_on(path, budget=kn.Budget(steps=9), model=retired), len(retired.seen)
    assert (run[0].status, made) == ("over_budget", 4)
    assert (run[0].fold.model, run[0].metrics.total_steps) == ("successor", 9)
    again, made = go_on(path, model=retired)
    assert (again.status, made) == ("over_budget", 0)
    fact = next(r.fact for r in again.trace[::-1] if isinstance(r.fact, RunResumed))
    assert orjson.loads(fact.options)["budget"] == {"steps": 9}
    assert fact.model == "successor"


def test_each_model_costs_its_own_price_and_counts_against_the_dollars(log):
    price = {"scripted": kn.Price(1.0, 0.1, 4.0), "successor": kn.Price(9.0, 0.9, 36.0)}
    before = kn.metrics(kn.read(log), price)
    assert before.cost_usd
    successor = Scripted(respond)
    successor.name = "successor"
    run, _ = go_on(log, model=successor, prices=price, budget=kn.Budget(usd=1.0))
    more = run.metrics.tokens_in - before.tokens_in, run.metrics.tokens_out - before.tokens_out
    assert min(more) > 0
    assert run.metrics.cost_usd == pytest.approx(before.cost_usd + price["successor"].usd(*more))
    assert run._engine.account.usd == pytest.approx(run.metrics.cost_usd)


def test_dollars_cannot_be_counted_where_the_first_model_s_price_is_not_known(log):
    successor = Scripted(respond)
    successor.name = "successor"
    price = {"successor": kn.Price(9.0, 0.9, 36.0)}

    with pytest.raises(kn.UsageFault, match="needs the price of every model"):
        go_on(log, model=successor, prices=price, budget=kn.Budget(usd=1.0))

    run, _ = go_on(log, model=successor, prices=price)
    assert run.metrics.cost_usd is None


def test_the_simulator_does_not_go_on_for_a_language_model_nor_the_reverse(log, tmp_path):
    with pytest.raises(TraceMismatch, match=r"a language model answered so far, and the simulator"):
        kn.resume(log, model="simulator", tools=[look])

    simulated = tmp_path / "simulated.jsonl"
    quick = kn.Simulator(latency=0.0)
    kn.swarm("List the files.", folder=tmp_path, trace=simulated, simulator=quick).result(50)
    cut(simulated, 5)

    for fork in (None, tmp_path / "new.jsonl"):
        with pytest.raises(TraceMismatch, match=r"the simulator answered so far, and a language"):
            kn.resume(simulated, model=Scripted(respond), fork=fork)

    run = kn.resume(simulated)
    assert isinstance(run, kn.Run)
    assert run.result(50).status == "finished"
    assert run.fold.simulated


def test_a_damaged_line_is_refused_with_its_number_and_a_fork_keeps_what_stands_before(tmp_path):
    path, new = tmp_path / "run.jsonl", tmp_path / "new.jsonl"
    full, paid = whole_run(path)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[20] = b"\0" * 80 + b"\n"
    path.write_bytes(b"".join(lines))

    with pytest.raises(CorruptTrace, match=r"line 21: not a record .*fork='new.jsonl'"):
        kn.resume(path, model=Scripted(respond), tools=[look])

    with pytest.warns(TornTail, match=r"line 21: .*left behind, with all that follows"):
        run, made = go_on(path, fork=new)

    assert state(run) == state(full)
    assert made == paid - len(steps_of(lines[:20]))
    assert path.read_bytes() == b"".join(lines)


def test_a_fork_does_not_repeat_what_may_have_had_its_effect(tmp_path):
    effects: list[str] = []

    @kn.tool(side_effects=True)
    async def send(text: str) -> str:
        "Send a letter."
        effects.append(text)
        return "sent"

    def writer(messages: list[Message]) -> Reply | str:
        return say(results(messages)[0]) if results(messages) else calls(call("send", text="x"))

    path = tmp_path / "run.jsonl"
    kn.swarm("go", model=Scripted(writer), tools=[send], single=True, trace=path).result(50)
    cut(path, next(r.seq for r in kn.read(path) if isinstance(r.fact, ToolCalled)) + 2)
    run = kn.resume(path, model=Scripted(writer), tools=[send], fork=tmp_path / "new.jsonl")
    assert isinstance(run, kn.Run)
    assert "whether it took effect is unknown" in run.result(50).answer
    assert effects == ["x"]


def test_the_key_in_a_goal_is_no_other_goal(tmp_path, monkeypatch):
    secret = f"sk-canary-{'0123456789abcdef' * 2}"
    monkeypatch.setenv("MOONSHOT_API_KEY", secret)
    path = tmp_path / "run.jsonl"
    goal = f"go with {secret}"
    kn.swarm(goal, model=Scripted(respond), tools=[look], trace=path).result(50)
    cut(path, 30)
    new = tmp_path / "new.jsonl"
    go_on(path, goal=goal)
    assert go_on(path, goal=f"stay with {secret}", fork=new)[0].status == "finished"
    plan, planned = [{"one": f"use {secret}"}], tmp_path / "plan.jsonl"
    kn.swarm("", plan=plan, model=Scripted(lambda _m: "did"), trace=planned).result(50)
    assert kn.resume(planned, plan=plan).status == "finished"
    assert not any(secret.encode() in each.read_bytes() for each in (path, new, planned))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--goal", "stay"], "its goal is 'go', not 'stay'"),
        (["--plan", "plan.yaml"], "it has no plan"),
        ([], "it had look; pass tools=[look], or in a notebook run the cell that defines it"),
        (["--fork", "run.jsonl"], "is there already"),
    ],
    ids=["goal", "plan", "tools", "fork"],
)
def test_the_command_line_says_what_has_changed(log, monkeypatch, capsys, arguments, complaint):
    monkeypatch.chdir(log.parent)
    Path("plan.yaml").write_text("- one: first\n")
    model = ["--model", "other", "--base-url", "http://127.0.0.1:9/v1"]
    assert main(["resume", "run.jsonl", *model, *arguments]) in {1, 2}
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("kimi-nb: ")
    assert complaint in err
    assert err.count("\n") == 1


def test_the_command_line_forks_and_keeps_the_other_limits(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text("one\ntwo\n")
    goal = "For each text file here, give the number of lines."
    quick = kn.Simulator(latency=0.0)
    had = kn.Budget(tokens=10**6, steps=1)
    kn.swarm(goal, trace="run.jsonl", simulator=quick, budget=had).result(50)
    before = Path("run.jsonl").read_bytes()
    options = ["--fork", "new.jsonl", "--goal", goal, "--steps", "50"]
    assert main(["resume", "run.jsonl", *options]) == 0
    assert "forked from run.jsonl" in capsys.readouterr().out
    assert Path("run.jsonl").read_bytes() == before
    budget = orjson.loads(kn.replay("new.jsonl").fold.options)["budget"]
    assert budget == {"tokens": 10**6, "steps": 50}


def test_digests_tell_every_small_change_apart():
    def spec(description: str, parameters: dict[str, Any]) -> Callable[[], kn.Tool]:
        return lambda: replace(look, description=description, parameters=parameters)

    shapes = [
        {"type": "object", "properties": {"n": {"type": kind}}} for kind in ("string", "null")
    ]
    made = [spec(text, shape)() for text, shape in itertools.product(("Look.", "Look!"), shapes)]
    found = [changed.digests(kn.tools.Toolset([each]))["look"][0] for each in made]
    assert len(set(found)) == 4
