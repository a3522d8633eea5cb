"""Spans and work of runs that were broken off and taken up again: by hand, and by brute force."""

from __future__ import annotations

import random

import pytest
from invariants import _went_back
from traces import Actor, Script

from kimi_nb import events as e
from kimi_nb.trace import Trace
from kimi_nb.views.critical import metrics
from kimi_nb.views.fold import Fold, fold
from kimi_nb.views.graph import graph
from kimi_nb.views.measures import measures

EPS = 1e-4


def take_up(script: Script, t: float) -> None:
    script.add(t, "", e.RunResumed(started=0.0, version="0.1.0"))


def again(actor: Actor, t: float) -> None:
    """Begin the turn that it was at again."""
    actor.t = t
    actor.n -= 1
    actor.begin()


def turn(actor: Actor, t: float, *tools: str) -> None:
    """End the turn that it is at, with calls of these tools."""
    actor.t = t
    actor._turn([(tool, {}) for tool in tools], "", (1, 1, 0))


def spans(trace: Trace) -> tuple[float, float]:
    """As the log has it, and as the graph has it."""
    return metrics(trace).span_s, measures(trace).seconds.span


@pytest.mark.parametrize("how", ["killed", "cancelled"])
def test_a_turn_begun_again_did_not_wait_for_what_it_had_launched(how: str) -> None:
    script = Script()
    main = script.orchestrator().begin()
    script.actor(1.0, parent=main.id, stage=1, call=0).step(5.0).end()  # early, and until 6.0
    main.t = 2.0

    if how == "cancelled":
        main.end("cancelled", "cancelled")  # the first of the two that ends
        script.add(6.0, "", e.RunEnded(status="cancelled", answer="", why="by the user"))
    else:
        main._add(e.StepRetried(step=1, attempt=1, error="Overloaded", why="", wait=60.0))

    take_up(script, 7.0)
    again(main, 7.0)
    turn(main, 9.0, "assign_task")
    main.returned(0, 9.0)
    main.t = 9.0
    main.step(3.0).end()
    assert spans(script.end()) == (1 + 5 + 3, 1 + 5 + 3)  # its own 2 + 2 are less than 1 + 5


def test_the_next_turn_waits_for_it_also_where_that_is_begun_again() -> None:
    script = Script()
    main = script.orchestrator().begin()
    script.actor(1.0, parent=main.id, stage=1, call=0).step(9.0).end()
    turn(main, 2.0, "assign_task")
    main.returned(0, 10.0)
    main.t = 10.0
    main.begin()
    take_up(script, 11.0)
    again(main, 11.0)
    turn(main, 13.0)
    assert spans(script.end()) == (1 + 9 + 1 + 2, 1 + 9 + 1 + 2)


def test_nobody_waited_for_a_sub_agent_that_was_not_asked_for_again() -> None:
    script = Script()
    main = script.orchestrator().begin()
    lost = script.actor(1.0, parent=main.id, stage=1, call=0).step(4.0).begin()
    take_up(script, 6.0)
    again(main, 6.0)
    turn(main, 7.0)
    main.t = 7.0
    main.begin()
    turn(main, 8.0)
    lost.t = 8.0
    lost.end("not asked for again", "cancelled")
    trace = script.end()
    assert spans(trace) == (6 + 1 + 1, 6 + 1 + 1)
    assert not graph(trace).has_edge(lost.id, "a00/2")


@pytest.mark.parametrize("how", ["killed", "cancelled"])
def test_a_tool_that_was_not_asked_for_again_did_not_run(how: str) -> None:
    script = Script()
    main = script.orchestrator().begin()
    lost = script.actor(1.0, parent=main.id, stage=1, call=0).begin()
    turn(lost, 3.0, "read_file")

    if how == "cancelled":
        open_call = e.ToolReturned(step=1, call=0, ok=False, text="", interrupted=True)
        script.add(4.0, lost.id, open_call)
        lost.t = 4.0
        lost.end("cancelled", "cancelled")

    take_up(script, 4.0)
    again(main, 4.0)
    turn(main, 50.0)
    main.end()
    lost.t = 50.0
    lost.end("not asked for again", "cancelled")
    found = fold(script.end()).agents
    assert (found[main.id].busy_s, found[lost.id].busy_s) == (50.0, 2.0 + 1.0)


def test_a_tool_that_was_asked_for_again_did_run() -> None:
    script = Script()
    main = script.orchestrator(role="single").begin()
    turn(main, 1.0, "read_file", "grep")
    take_up(script, 2.0)
    main.returned(1, 5.0)
    main.t = 6.0
    main.end("cancelled", "cancelled")
    assert metrics(script.end()).work_s == 6.0


def test_a_step_that_waits_twice_is_one_task_of_the_graph() -> None:
    """The budget ends a sub-agent, and its orchestrator one second later; both get more of it."""
    script = Script()
    main = script.orchestrator().begin()
    turn(main, 1.0, "assign_task")
    sub = script.actor(1.0, parent=main.id, stage=1, call=0).step(4.0)
    sub.end("no more budget", "over_budget")
    part = e.ToolReturned(step=1, call=0, ok=False, text="", interrupted=True)
    script.add(5.0, main.id, part)
    main.t = 5.0
    main.begin()
    main.t = 6.0
    main.end("no more budget", "over_budget")
    take_up(script, 6.0)
    sub.t = 6.0
    sub.step(3.0).end()
    main.returned(0, 9.0)
    again(main, 9.0)
    turn(main, 11.0)
    trace = script.end()
    assert _went_back(trace)
    assert spans(trace) == (1 + (4 + 3) + 2, 1 + (4 + 3) + (1 + 2))


def test_a_sub_agent_launched_as_a_retry_begins_waited_for_the_attempt_before() -> None:
    script = Script()
    main = script.orchestrator().step(3.0).begin()
    main.t = 5.0
    main._add(e.StepRetried(step=2, attempt=1, error="Overloaded", why="", wait=0.0))
    script.actor(5.0, parent=main.id, stage=2, call=0).step(4.0).end()
    turn(main, 6.0, "assign_task")
    main.returned(0, 9.0)
    assert spans(script.end()) == (3 + 2 + 4, 3 + 2 + 4)


class Broken:
    """A swarm whose processes end anywhere: killed, or cancelled with all that goes with it."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.script = Script()
        self.main = self.script.orchestrator()
        self.open: dict[str, Actor] = {self.main.id: self.main}
        """Who has begun and not ended."""
        self.t = 0.0

    def trace(self) -> Trace:
        for number in range(1, 4):
            self.stage(number)

        for actor in list(self.open.values()):  # among them those that were not asked for again
            self.end(actor)

        return self.script.end()

    def pass_time(self) -> float:
        self.t += self.dice.choice((0.0, 0.5, 1.0, 3.0))
        return self.t

    def stage(self, number: int) -> None:
        subs: list[Actor] = []

        while not self.attempt(number, subs):
            pass

        while todo := [sub for sub in subs if sub.id in self.open]:
            self.act(self.dice.choice(todo))

            if self.dice.random() < 0.15:
                self.break_off()

        for call in range(len(subs)):
            self.main.returned(call, self.pass_time())

    def attempt(self, number: int, subs: list[Actor]) -> bool:
        """A try at the orchestrator's turn; false where its process ended. Fills `subs`."""
        self.main.t, self.main.n = self.pass_time(), number - 1
        self.main.begin()
        subs[:] = [sub for sub in subs if self.dice.random() < 0.8]  # what it asks for again

        for _ in range(self.dice.randint(0, 5)):
            self.pass_time()
            todo = [sub for sub in subs if sub.id in self.open]

            if self.dice.random() < 0.2:
                self.break_off()
                return False

            if self.dice.random() < 0.2:
                self.main.t = self.t
                self.main._add(e.StepRetried(step=number, attempt=1, error="", why="", wait=2.0))
            elif todo and self.dice.random() < 0.6:
                self.act(self.dice.choice(todo))
            else:
                sub = self.script.actor(self.t, parent=self.main.id, stage=number, call=len(subs))
                subs.append(sub)
                self.open[sub.id] = sub

        turn(self.main, self.pass_time(), *("assign_task" for _ in subs))
        return True

    def act(self, sub: Actor) -> None:
        """A turn of a sub-agent, whole or broken off with its process later; or its end."""
        sub.t = self.pass_time()

        if self.dice.random() < 0.3:
            self.end(sub)
            return

        sub.begin()

        if self.dice.random() < 0.8:
            turn(sub, self.pass_time())

    def end(self, actor: Actor) -> None:
        actor.t = self.pass_time()
        actor.end()
        del self.open[actor.id]

    def break_off(self) -> None:
        cancelled = self.dice.random() < 0.5

        for actor in self.open.values() if cancelled else ():
            actor.t = self.pass_time()
            actor.end("cancelled", "cancelled")

        take_up(self.script, self.pass_time())


@pytest.mark.parametrize("seed", range(100))
def test_two_reckonings_of_a_broken_run_agree_on_every_prefix(seed: int) -> None:
    state = Fold()

    for record in Broken(seed).trace():
        state.add(record)
        assert measures(state).seconds.span == pytest.approx(metrics(state).span_s, abs=EPS)
