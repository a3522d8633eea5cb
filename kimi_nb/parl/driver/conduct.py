"""The turns of a swarm whose orchestrator is a policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kimi_nb.errors import BadRequest
from kimi_nb.models.simulator import Options
from kimi_nb.models.simulator.division import Division, Part
from kimi_nb.models.simulator.memory import Past, text_of
from kimi_nb.models.simulator.orchestrator import most_agents
from kimi_nb.models.simulator.respond import divide, respond
from kimi_nb.models.simulator.script import Call, Script, Turn, perform
from kimi_nb.parl.driver.decide import FINISH, RUN, SELF, SPAWN, Decision, decided, kept, written
from kimi_nb.parl.driver.mirror import Situation
from kimi_nb.parl.driver.signed import signed
from kimi_nb.parl.driver.steps import ASSIGN, Steps
from kimi_nb.parl.policy import Policy
from kimi_nb.parl.tasks import Floats

__all__ = ["Conductor"]

CREATE = "create_subagent"
NO_PARTS = (
    "no rule of the simulator divides this goal into parts: take model='simulator' or a language "
    "model. A policy can be the orchestrator for the goals of kn.worlds (wide, deep, office, code, "
    "figure) and for those that ask for the same of many files, packages or named things, such as "
    "'Compare the opening hours of the museums in data/museums/'"
)


class Conductor:
    """Answers all requests of a run: those of its orchestrator by the policy."""

    def __init__(self, policy: Policy, weights: Floats, budget: int | None) -> None:
        self._policy = policy
        self._weights = weights
        self._budget = budget
        self._steps = Steps()

    def answer(self, request: dict[str, Any], options: Options) -> Script:
        """The same request, the same script, as long as the sub-agents took the same steps.

        Raises BadRequest for a goal that is in no parts.
        """
        tools = {str(spec["function"]["name"]) for spec in request.get("tools") or ()}
        sub_agent = not {CREATE, ASSIGN} <= tools
        self._steps.see(request, sub_agent=sub_agent)

        if sub_agent:
            return respond(request, options)

        past, goal = divide(request, options)

        if goal is None:
            raise BadRequest(NO_PARTS)

        looks = isinstance(goal, Turn)
        turn = goal if looks else signed(self._turn(goal, past, request, options))
        return perform(turn, request, options, past.calls)

    def _turn(self, goal: Division, past: Past, request: dict[str, Any], options: Options) -> Turn:
        """Goes on with what was decided; once that is done, decides anew."""
        turns = kept(past.said, goal.parts)
        begun = _begun(goal, past, turns[-1]) if turns else None

        if begun is not None:
            return replace(begun, text=goal.note if begun.calls else begun.text)

        alone = {one.part for turn in turns for one in turn if one.kind == SELF}
        parts = [replace(part, done=part.done or part.name in alone) for part in goal.parts]
        launched = sum(done.name == ASSIGN for done in past.done)
        now = Situation(
            critical_steps=self._taken(past, parts),
            budget=self._budget,
            context=_length(request["messages"]) / max(1, options.memory_chars),
            left=max(0, most_agents(past.system) - launched),
        )
        while True:
            made = decided(self._policy, self._weights, parts, now)

            if (turn := _said(goal, past, made)) is not None:
                return turn

            # Nothing is left that it could do for this part: so it has done what it could.
            parts = [replace(p, done=p.done or p.name == made[-1].part) for p in parts]

    def _taken(self, past: Past, parts: Sequence[Part]) -> int:
        """Critical steps: turns, and of each stage the longest sub-agent."""
        reckoned = {part.task: round(part.work) + 1 for part in parts}
        assigned = (done for done in past.done if done.name == ASSIGN)
        return past.turns + self._steps.longest(assigned, reckoned)


def _said(goal: Division, past: Past, made: Sequence[Decision]) -> Turn | None:
    """The first turn of a decision, with the words by which it is known later; None as `_begun`."""
    begun = _begun(goal, past, made, new=True)
    line = written(made)

    if begun is None:
        return None

    if not begun.calls:
        return replace(begun, thinking=line)

    text = "\n".join(filter(None, [goal.note, line]))
    return replace(begun, text=text)


def _begun(
    goal: Division, past: Past, made: Sequence[Decision], *, new: bool = False
) -> Turn | None:
    """The next turn of what was decided; None if nothing of it is left to do."""
    kind = made[-1].kind

    if kind == FINISH:
        return goal.join()

    places = {part.name: place for place, part in enumerate(goal.parts)}

    if kind == SELF:
        return goal.alone(places[made[-1].part]) if made[-1].part in places else None

    if kind != RUN or not (new or _waits(past)):
        return None

    if not any(done.name == CREATE and done.arguments["name"] == goal.agent for done in past.done):
        arguments = {"name": goal.agent, "system_prompt": goal.role}
        return Turn(calls=(Call(CREATE, arguments),))

    tasks = {part.name: part.task for part in goal.parts}
    names = [one.part for one in made if one.kind == SPAWN and one.part in tasks]
    calls = (Call(ASSIGN, {"agent": goal.agent, "prompt": tasks[name]}) for name in names)
    return Turn(calls=tuple(calls))


def _waits(past: Past) -> bool:
    """The sub-agent was created in the turn before, and nobody was assigned to anything yet."""
    return bool(past.done) and past.done[-1].name == CREATE


def _length(messages: Sequence[dict[str, Any]]) -> int:
    """Characters of a conversation, without its calls."""
    return sum(len(text_of(message.get("content"))) for message in messages)
