"""Checks by small calls: streaming, tools, thinking on its way back, parallel calls, images."""

from __future__ import annotations

import random
import re
from pathlib import Path

from kimi_nb.errors import BadRequest, ModelError, UnknownModel
from kimi_nb.models.base import Message
from kimi_nb.models.endpoint import SIMULATOR
from kimi_nb.swarm.doctor.asking import LONGEST, Answer, Caller
from kimi_nb.swarm.doctor.picture import COLOURS, data_url, named
from kimi_nb.swarm.doctor.report import Finding, failed, passed, unfit
from kimi_nb.swarm.doctor.validity import validity
from kimi_nb.swarm.prompts import ORCHESTRATOR_TOOLS, orchestrator_prompt
from kimi_nb.swarm.reply import echo

__all__ = ["Calls"]

COUNT = "Count from one to forty in English words, in one line."
ITEMS = ("Prado", "Louvre", "Uffizi")
GOAL = (
    f"Give the ticket price of each of these: {', '.join(ITEMS)}\n"
    "First create one sub-agent with create_subagent, and nothing else. When it is there, call "
    "assign_task three times in one turn, once for each of the three."
)
SEEN_AHEAD = 0.01
"""Seconds between the first whole call and the turn's end, from which on they are apart."""
_ABOUT_IMAGES = re.compile(r"image|vision|multi-?modal|content type|图", re.IGNORECASE)
_PARSER = "on a server of your own, set its tool-call parser (vLLM, SGLang: --tool-call-parser)"


class Calls:
    """The checks of one model. Each goes on where the one before it ended."""

    def __init__(self, caller: Caller, sees: bool | None) -> None:  # noqa: FBT001
        self._caller = caller
        self._sees = sees
        self._first: Answer | None = None
        self._created: Answer | None = None
        self._assigned: Answer | None = None
        self._messages: list[Message] = []

    async def call(self) -> Finding:
        """One streamed call."""
        self._first = await self._caller.ask([{"role": "user", "content": COUNT}])
        reply, ear = self._first
        spoken = f"whole after {ear.seconds:.1f} s"

        if not (reply.text.strip() or reply.calls):
            detail = f"no word of an answer ({reply.finish}), {spoken}"

            if reply.finish == "length":
                return failed(
                    f"{detail}: thinking used up all {LONGEST:,} tokens",
                    "let it think less (--thinking low or off, whichever it knows)",
                )

            return failed(detail, "take another model, or look into the server's log")

        if ear.pieces < 2:
            return failed(
                f"the answer came in one piece: it is not streamed; {spoken}",
                "switch streaming on in the server, and buffering off in a proxy before it "
                "(nginx: proxy_buffering off)",
            )

        return passed(f"first token after {ear.first or 0:.1f} s, {spoken}, in {ear.pieces} pieces")

    async def usage(self) -> Finding:
        """Whether that call said what it cost."""
        if self._first is None:
            return unfit("not tried: no answer to read it from")

        usage = self._first.reply.usage
        counts = f"{usage.tokens_in:,} tokens in ({usage.tokens_cached:,} cached)"
        counts += f", {usage.tokens_out:,} out"

        if usage.estimated:
            return failed(
                f"not reported; estimated: {counts}",
                "let the server heed stream_options.include_usage, or take budgets in tokens and "
                "USD for rough",
            )

        return passed(f"reported: {counts}")

    async def tools(self) -> Finding:
        """Whether it calls one of the swarm's own tools."""
        model = self._caller.model

        if model.simulated and model.name != SIMULATOR:
            return unfit("a trained policy decides that by itself, whatever it is asked")

        self._messages = [
            {"role": "system", "content": orchestrator_prompt(Path.cwd(), len(ITEMS))},
            {"role": "user", "content": GOAL},
        ]
        answer = await self._caller.ask(self._messages, ORCHESTRATOR_TOOLS)
        reply = answer.reply

        if not reply.calls:
            said = f" and said {reply.text[:80]!r}" if reply.text.strip() else ""
            cut = ", cut off" if reply.finish == "length" else ""
            return failed(
                f"asked for create_subagent, it called no tool{cut}{said}",
                f"take a model that calls tools; {_PARSER}",
            )

        self._created = answer
        return passed(f"{reply.calls[0].name} in {answer.ear.seconds:.1f} s")

    async def round_trip(self) -> Finding:
        """Whether that turn, sent back with its thinking and the tool's result, is taken."""
        if self._created is None:
            return unfit("not tried: there is no tool call to send back")

        reply = self._created.reply
        results = [
            {"role": "tool", "tool_call_id": call.id, "content": "Created."} for call in reply.calls
        ]
        self._messages += [echo(reply), *results]
        key = reply.thinking_key

        try:
            self._assigned = await self._caller.ask(self._messages, ORCHESTRATOR_TOOLS)
        except BadRequest as error:
            what = f"a turn with its thinking ({key})" if key else "a tool call with its result"
            return failed(
                f"{what} is refused when it goes back: {error}",
                "update the server, or take another one: agents send every turn back",
            )

        if not key:
            return unfit("it sends no thinking; the tool's result was taken")

        return passed(f"the thinking went back as {key} and was taken")

    async def parallel(self) -> Finding:
        """Whether the next turn makes several calls, and when the first of them is whole."""
        if self._assigned is None:
            return unfit("not tried: the conversation did not get so far")

        reply, ear = self._assigned
        wanted = len(ITEMS)
        made = len(reply.calls)

        if made < wanted and any(call.name == "map_task" for call in reply.calls):
            return unfit("it took map_task instead, which starts all at once")

        if made < wanted:
            return failed(
                f"{made} of {wanted} calls in one turn: its sub-agents work one after the other",
                f"take another model; {_PARSER}; or give the tasks yourself with --plan",
            )

        if ear.ahead < SEEN_AHEAD:
            return passed(f"{made} in one turn, all whole only at its end: no early start")

        when = f"the first was whole {ear.ahead:.2f} s before its end"
        return passed(f"{made} in one turn; {when}: sub-agents start early")

    async def arguments(self) -> Finding:
        """The validity rate over the fixed set of schemas."""
        if self._caller.model.simulated:
            return unfit("the simulator follows rules, and fills in no tools of others")

        if self._created is None:
            return unfit("not tried: it calls no tools")

        return await validity(self._caller)

    async def images(self) -> Finding:
        """Whether it sees the colour of a picture."""
        if self._caller.model.simulated:
            return unfit("the simulator has no eyes")

        if self._sees is False:
            return unfit("this model has no eyes: its card says so")

        colour = random.choice(sorted(COLOURS))  # noqa: S311 -- a guess is not to be right always
        question = f"Which colour is this picture: {', '.join(COLOURS)}? Answer with one word."
        content = [
            {"type": "text", "text": question},
            {"type": "image_url", "image_url": {"url": data_url(colour)}},
        ]

        try:
            reply = (await self._caller.ask([{"role": "user", "content": content}])).reply
        except ModelError as error:
            if isinstance(error, BadRequest | UnknownModel) or _ABOUT_IMAGES.search(str(error)):
                return unfit(f"this model has no eyes: {error}")

            raise

        if named(reply.text) == {colour}:
            return passed(f"saw that a picture is {colour}")

        return failed(
            f"shown a {colour} picture, it said {reply.text[:60]!r}",
            "give it no pictures: it does not see them; or take a model that does",
        )
