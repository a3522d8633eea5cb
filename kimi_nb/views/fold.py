"""One pass over the records of a run: the only reading of the facts that the views share.

`Fold.add` costs the same for every record but a main agent's StepBegan, which looks at the
sub-agents of the stage before; so a live run and a finished one are one code path.
Readers may look at its fields between two records; only `add` changes them.

How facts count:
- A step counts when its StepEnded is there. One whose attempts all failed (finish "failed")
  counts as no step; the time and the tokens that it took do count.
- Calls of a turn that was retried or failed are void.
- A stage is one step of a main agent (orchestrator or single) with the sub-agents that it
  launched. In an explicit plan, where nobody launches anybody, the stages are the levels: an
  agent's level is one more than the highest among those that it came after.
- An interrupted tool call is still outstanding: the resumed run asks again. Its time is work
  again from there on, unless the agent ends without a sign that it went on.
- Ordinary tools run from the end of their step until the last of them returned.
- The span is kept as it grows: each agent carries the longest chain of busy seconds that ends
  in it, takes it over from the step that launched it, and hands it to the step after that one. A
  step that a resumed run begins again does not come after what it had launched itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from os import PathLike
from typing import Any, cast

from kimi_nb import events
from kimi_nb.errors import CorruptTrace, UsageFault
from kimi_nb.trace import Record
from kimi_nb.views import steps
from kimi_nb.views.state import Agent, Run

__all__ = ["Fold", "as_fold", "fold", "records_of", "training_fault"]


def fold(records: Iterable[Record]) -> Fold:
    """What the records of a run, or of the part of it that has happened, add up to.

    Raises CorruptTrace where an agent does something before it began.
    """
    state = Fold()

    for record in records:
        state.add(record)

    return state


def as_fold(run: Fold | Iterable[Record]) -> Fold:
    """`run` itself if it is folded already."""
    return run if isinstance(run, Fold) else fold(records_of(run))


def records_of(run: Iterable[Record]) -> Iterator[Record]:
    """The records of what was typed for a run. Raises UsageFault where it is none."""
    what = cast("object", run)

    if isinstance(what, str | PathLike):
        path = str(cast("object", what))
        raise UsageFault(f"{path!r} is the name of a file, not a run: type kn.read({path!r})")

    for record in run if isinstance(what, Iterable) else [what]:
        if not isinstance(record, Record):
            kind = type(run).__name__
            message = f"{kind} is no run: give what kn.swarm or %%swarm made, or kn.read('FILE')"
            raise UsageFault(message)

        if isinstance(record.fact, events.TrainingBegan):
            raise training_fault(getattr(cast("object", what), "path", None))

        yield record


def training_fault(path: object = None) -> UsageFault:
    """What is raised where the log of a training is taken for that of a run."""
    file = "'FILE'" if path is None else repr(str(path))
    return UsageFault(f"this is the log of a training, not of a run: type kn.playground({file})")


class Fold(Run):
    """A run so far."""

    def add(self, record: Record) -> None:
        """Take in the next record.

        Raises CorruptTrace if its agent has not begun, and UsageFault if it is of a training.
        """
        fact, t = record.fact, record.t
        cls = type(fact)
        handler = _OF_AGENTS.get(cls)
        self.count += 1

        if not (cls is events.Judged or (cls is events.RunEnded and self.judgements)):
            self.now = t  # what the judge takes is not the run's time

        if handler is None:
            _of_the_run(self, fact, t)
            return

        agent = self.agents.get(record.agent)

        if agent is None:
            if isinstance(fact, events.AgentBegan):
                _new_agent(self, record, fact)
                return

            message = f"record {record.seq}: agent {record.agent!r} has not begun"
            raise CorruptTrace(message)

        agent.last_record = record.seq
        handler(self, agent, fact, t)


# The run.


def _of_the_run(run: Run, fact: events.Fact, t: float) -> None:
    handler = _OF_RUNS.get(type(fact))

    if handler is None:
        raise training_fault()

    handler(run, fact, t)


def _run_began(run: Run, fact: events.RunBegan, _t: float) -> None:
    run.goal, run.model, run.simulated = fact.goal, fact.model, fact.simulated
    run.options, run.started, run.version = fact.options, fact.started, fact.version


def _run_resumed(run: Run, fact: events.RunResumed, t: float) -> None:
    run.resumed += 1
    _go_on(run, fact, t)


def _run_forked(run: Run, fact: events.RunForked, t: float) -> None:
    run.forked_from, run.copied = fact.source, fact.copied
    _go_on(run, fact, t)


def _go_on(run: Run, fact: events.RunResumed | events.RunForked, t: float) -> None:
    run.model, run.options = fact.model or run.model, fact.options or run.options
    run.version = fact.version
    run.status, run.answer, run.why = "running", "", ""
    run.judgements.clear()

    for agent in run.agents.values():
        steps.resume(agent, t)

        if agent.ended is None:  # it goes on beside its orchestrator, unless it is placed again
            agent.where = ""


def _run_ended(run: Run, fact: events.RunEnded, _t: float) -> None:
    run.status, run.answer, run.why = fact.status, fact.answer, fact.why


def _judged(run: Run, fact: events.Judged, _t: float) -> None:
    run.judgements.append(fact)


# Agents.


def _new_agent(run: Run, record: Record, fact: events.AgentBegan) -> None:
    name, t = record.agent, record.t
    parent = run.agents.get(fact.parent)

    if parent is None and fact.parent:
        message = f"agent {name!r} was launched by {fact.parent!r}, which has not begun"
        raise CorruptTrace(message)

    before = [run.agents[other] for other in fact.after.split() if other in run.agents]
    agent = Agent(
        id=name,
        role=fact.role,
        name=fact.name,
        task=fact.task,
        parent=fact.parent,
        stage=fact.stage,
        call=fact.call,
        after=tuple(other.id for other in before),
        began=t,
        record=record.seq,
        last_record=record.seq,
    )
    run.agents[name] = agent

    if fact.role != "sub-agent":
        return

    if parent is None:
        agent.stage = 1 + max((other.stage for other in before), default=0)
        agent.chain = max((other.chain for other in before), default=0.0)
    else:
        agent.chain = parent.launches_at(t)

    steps.stage_of(run, fact.parent, agent.stage, t).sub_agents.append(name)


def _agent_began(_run: Run, agent: Agent, _fact: events.AgentBegan, _t: float) -> None:
    steps.reopen(agent)
    agent.where = ""


def _agent_placed(run: Run, agent: Agent, fact: events.AgentPlaced, t: float) -> None:
    agent.where, agent.unplaced = fact.where, not fact.where

    if fact.where:
        run.workers.add(fact.where)
        agent.moves += fact.number > 1

    if fact.number > bool(fact.where):  # a worker was lost under it
        steps.resume(agent, t)


def _agent_ended(run: Run, agent: Agent, fact: events.AgentEnded, t: float) -> None:
    agent.settle(t)

    if agent.idle:  # nobody has asked for its tools again, so none has run since
        agent.kind = None

    agent.close(t, "failed" if agent.kind == "call" else None)
    agent.asked.clear()
    agent.state, agent.outcome, agent.ended = fact.outcome, fact.text, t

    if agent.role == "sub-agent":
        run.stages[agent.parent, agent.stage].ended = t


_OF_AGENTS: Mapping[type, Callable[[Run, Agent, Any, float], None]] = {
    events.AgentBegan: _agent_began,
    events.AgentPlaced: _agent_placed,
    events.AgentEnded: _agent_ended,
    events.StepBegan: steps.step_began,
    events.StepQueued: steps.step_queued,
    events.StepSent: steps.step_sent,
    events.StepRetried: steps.step_retried,
    events.StepEnded: steps.step_ended,
    events.Said: steps.said,
    events.ToolCalled: steps.tool_called,
    events.ToolReturned: steps.tool_returned,
}

_OF_RUNS: Mapping[type, Callable[[Run, Any, float], None]] = {
    events.RunBegan: _run_began,
    events.RunResumed: _run_resumed,
    events.RunForked: _run_forked,
    events.RunEnded: _run_ended,
    events.Judged: _judged,
}
