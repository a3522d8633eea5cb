"""Runs in processes that kill themselves at a chosen record, forked from one that is warm.

    with ForkServer() as forks:
        assert forks.run(url=…, key=…, path=…, folder=…, mode="swarm", after=17) == -signal.SIGKILL

The forking process has no thread and no event loop: each child makes its own. As a script this
file is that process: a job a line on its standard input, the child's fate a line on its output.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import aiohttp
from processes import ENVIRONMENT
from scripted import call, calls, is_orchestrator, results, say

import kimi_nb as kn
import kimi_nb.models.chat
from kimi_nb.models.base import Message, Reply
from kimi_nb.trace import Log

WARM = (aiohttp, kimi_nb.models.chat)
"""What a run imports when it begins, here imported before the first fork."""
GOAL = "Write to all of them."
LETTERS = "letters.txt"
LIMIT_S = 40
"""After which a child ends that has not been killed: its run hangs."""
PLAN = [
    {"first": "task p0"},
    {"second": "task p1"},
    {"last": "task p2", "after": ["first", "second"]},
]


@kn.tool
async def look(n: int) -> str:
    "Look at something."
    return f"saw {n}"


@kn.tool(side_effects=True)
def send(text: str, context: kn.ToolContext) -> str:
    "Send a letter."
    with (context.folder / LETTERS).open("a") as file:  # one write, at once on its way
        file.write(f"{text}\n")

    return "sent"


TOOLS = [look, send]


def respond(messages: list[Message]) -> Reply | str:
    """Two stages of two sub-agents, each of which looks twice, then sends a letter.

    What is said does not depend on whether a letter's fate is known. No two tasks are alike.
    """
    got = results(messages)

    if not is_orchestrator(messages):
        return _work(messages[1]["content"].splitlines()[-1], got)

    if not got:
        made = call("create_subagent", name="w", system_prompt="Work.")
        return calls(made, call("look", n=9), thinking="first a team")

    if len(got) == 2:
        tasks = [call("assign_task", agent="w", prompt=f"task a{n}") for n in range(2)]
        return calls(*tasks, text="The first two.")

    if len(got) == 4:
        items = [f"b{n}" for n in range(2)]
        return calls(call("map_task", agent="w", template="task {{item}}", items=items))

    return say("; ".join(got[2:]))


def _work(task: str, got: list[str]) -> Reply | str:
    match len(got):
        case 0:
            return calls(call("look", n=1), call("look", n=2), thinking="look")
        case 2:
            return calls(call("send", text=task), text="Now the letter.")
        case _:
            return f"{task}: {'+'.join(got[:2])}, and a letter"


def options(mode: str) -> dict[str, Any]:
    """What `kn.swarm` is given for a mode."""
    return {"swarm": {}, "single": {"single": True}, "plan": {"plan": PLAN}}[mode]


# The processes


def start(job: dict[str, Any]) -> None:
    """Begin a run, or resume it where there is a log, and see it to its end."""
    place = {"base_url": job["url"], "key": job["key"], "model": "kimi-k3", "tools": TOOLS}

    if Path(job["path"]).exists():
        run = kn.resume(job["path"], **place)
    else:
        more = options(job["mode"])
        run = kn.swarm(GOAL, trace=job["path"], folder=job["folder"], **place, **more)

    if isinstance(run, kn.Run):
        run.result()


def die_after(lines: int, *, torn: bool) -> None:
    """Have this process killed when so many lines of its log are written, as records are.

    `torn`: half of the line behind them is written as well.
    """
    write, left = Log._write, lines

    @functools.wraps(write)
    def writes(self: Log, data: bytes) -> None:
        nonlocal left
        parts = data.splitlines(keepends=True)

        if len(parts) < left + torn:
            left -= len(parts)
            write(self, data)
            return

        cut = b"".join(parts[:left]) + (parts[left][: len(parts[left]) // 2] if torn else b"")
        os.write(self._fd, cut)
        os.kill(os.getpid(), signal.SIGKILL)

    Log._write = writes  # type: ignore[method-assign]


def _child(job: dict[str, Any]) -> None:
    signal.alarm(LIMIT_S)

    if job["after"] is not None:
        die_after(job["after"], torn=job["torn"])

    start(job)


def _serve() -> None:
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()

        if child == 0:
            code = 1

            try:
                _child(job)
                code = 0
            except BaseException:  # noqa: BLE001 -- a child must never go on as its parent
                import traceback

                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)

        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


class ForkServer:
    """A process that has imported all and forks one child a job."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.communicate(timeout=LIMIT_S)

    def run(self, *, after: int | None = None, torn: bool = False, **job: Any) -> int:
        """The exit code of a run that dies after so many lines; None: that comes to its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"after": after, "torn": torn, **job}) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


if __name__ == "__main__":
    _serve()
