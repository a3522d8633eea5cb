"""What the facts of a step, and of its tools, do to the state of a run.

Each function takes one fact of one agent in; `fold.Fold` calls them.
"""

from __future__ import annotations

from kimi_nb.events import (
    Said,
    StepBegan,
    StepEnded,
    StepQueued,
    StepRetried,
    StepSent,
    ToolCalled,
    ToolReturned,
)
from kimi_nb.views.state import Agent, Run, Stage, Tokens

__all__ = [
    "DELEGATES",
    "reopen",
    "resume",
    "said",
    "stage_of",
    "step_began",
    "step_ended",
    "step_queued",
    "step_retried",
    "step_sent",
    "tool_called",
    "tool_returned",
]

DELEGATES = frozenset({"assign_task", "map_task"})
"""Tools whose time is that of sub-agents: waiting for them is not work."""


def stage_of(run: Run, parent: str, number: int, t: float) -> Stage:
    """The stage of that main agent and number, begun at `t` if it is new."""
    stage = run.stages.get((parent, number))

    if stage is None:
        stage = run.stages[parent, number] = Stage(parent=parent, number=number, began=t)

    return stage


def reopen(agent: Agent) -> None:
    """A resumed run may go on with an agent that had been cancelled."""
    if agent.ended is not None:
        agent.ended = None
        agent.state = "waiting"


def resume(agent: Agent, t: float) -> None:
    """The calls that were out went down with the old process; its finished work stays."""
    agent.settle(t)
    agent.asked.clear()
    agent.idle = True

    if agent.kind == "tool":
        agent.open("tool", t)
    elif agent.kind is not None:
        agent.close(t, "failed" if agent.kind == "call" else None)
        agent.state = "waiting"

    if agent.interrupted and agent.outstanding:  # else it has had its answers since
        reopen(agent)

        if agent.tools_out:
            agent.open("tool", t)
            agent.state = "tool"


def step_began(run: Run, agent: Agent, fact: StepBegan, t: float) -> None:
    """The agent's next call goes out, with what its sub-agents handed back."""
    reopen(agent)
    agent.idle = False
    agent.settle(t)
    agent.open("call", t)
    agent.asked.clear()

    if agent.role != "sub-agent":
        stage_of(run, agent.id, fact.step, t)
        _join(run, agent, fact.step)

    agent.step, agent.state = fact.step, "thinking"
    agent.step_chain = agent.chain


def _join(run: Run, agent: Agent, step: int) -> None:
    """A step waits for those sub-agents of the stage before that have ended when it first begins.

    Begun again, it has waited for what these did since; never for those that it launched itself.
    """
    before = run.stages.get((agent.id, step - 1))

    for name in before.sub_agents if before else ():
        sub = run.agents[name]
        sub.joined = sub.joined or (sub.ended is not None and step != agent.step)

        if sub.joined:
            agent.chain = max(agent.chain, sub.chain)


def step_queued(_run: Run, agent: Agent, _fact: StepQueued, t: float) -> None:
    """The call waits."""
    agent.settle(t)
    agent.open("queued", t)
    agent.state = "queued"


def step_sent(_run: Run, agent: Agent, _fact: StepSent, t: float) -> None:
    """The wait is over."""
    agent.open("call", t)
    agent.state = "thinking"


def step_retried(run: Run, agent: Agent, fact: StepRetried, t: float) -> None:
    """The attempt failed: its calls are void, and another follows after a wait."""
    agent.settle(t)
    agent.close(t, "failed" if agent.kind == "call" else None)
    agent.open("retry", t)
    agent.until, agent.state, agent.why = t + fact.wait, "retrying", fact.why
    agent.asked.clear()
    agent.retries += 1
    run.retries += 1
    run.estimated = run.estimated or bool(fact.tokens_in)

    if fact.tokens_in:
        _count_tokens(run, agent, Tokens(fact.tokens_in, fact.tokens_out), t)


def _count_tokens(run: Run, agent: Agent, more: Tokens, t: float) -> None:
    if agent.role != "sub-agent":
        stage_of(run, agent.id, agent.step, t).main_tokens += more.tokens_in + more.tokens_out

    for owner in (agent, run):
        owner.tokens_in += more.tokens_in
        owner.tokens_out += more.tokens_out
        owner.tokens_cached += more.tokens_cached
        so_far = owner.by_model.get(run.model, Tokens())
        owner.by_model[run.model] = Tokens(
            so_far.tokens_in + more.tokens_in,
            so_far.tokens_out + more.tokens_out,
            so_far.tokens_cached + more.tokens_cached,
        )


def step_ended(run: Run, agent: Agent, fact: StepEnded, t: float) -> None:
    """The step is complete: it counts, and its tools begin."""
    failed = fact.finish == "failed"
    agent.settle(t)
    agent.close(t, "failed" if failed and agent.kind == "call" else None)
    agent.state = "waiting"
    _count_tokens(run, agent, Tokens(fact.tokens_in, fact.tokens_out, fact.tokens_cached), t)
    run.estimated = run.estimated or fact.estimated

    if failed:
        agent.asked.clear()
    else:
        agent.steps += 1
        run.steps += 1
        _count_stage(run, agent, fact.step, t)
        _start_tools(run, agent, t)


def _count_stage(run: Run, agent: Agent, step: int, t: float) -> None:
    if agent.role != "sub-agent":
        stage = stage_of(run, agent.id, step, t)
        stage.main_steps += 1
        stage.ended = t
        run.critical_steps += 1
        return

    stage = run.stages[agent.parent, agent.stage]

    if agent.steps > stage.max_sub_steps:
        stage.max_sub_steps = agent.steps
        run.critical_steps += 1


def said(_run: Run, agent: Agent, fact: Said, _t: float) -> None:
    """The text of the turn; what a stream brought before it broke off is none."""
    if fact.text and not fact.cut:
        agent.said = fact.text


def tool_called(_run: Run, agent: Agent, fact: ToolCalled, _t: float) -> None:
    """A call in the turn that is being written."""
    agent.asked[fact.call] = fact


def _start_tools(run: Run, agent: Agent, t: float) -> None:
    calls = agent.asked
    agent.outstanding, agent.asked = calls, {}
    agent.tools_out = sum(call.tool not in DELEGATES for call in calls.values())

    agent.interrupted = False

    if calls:
        agent.tool_calls += len(calls)
        run.tool_calls += len(calls)
        agent.tool = next(iter(calls.values()))

    if agent.tools_out:
        agent.open("tool", t)
        agent.state = "tool"


def tool_returned(run: Run, agent: Agent, fact: ToolReturned, t: float) -> None:
    """A tool answered; after the last ordinary one the agent's tool time ends."""
    agent.idle = False

    if fact.interrupted:  # it stays outstanding: a resumed run asks again
        agent.interrupted = True
        return

    reopen(agent)
    call = agent.outstanding.pop(fact.call, None)

    if not fact.ok:
        agent.failed_tool_calls += 1
        run.failed_tool_calls += 1

    if call is None or call.tool in DELEGATES:
        return

    agent.tools_out -= 1

    if agent.tools_out == 0:
        agent.close(t)
        agent.state = "waiting"
