"""What runs in a process of its own, to be killed, held or starved there.

python matrix_child.py KIND FOLDER BASE_URL          with the key in MOCK_KEY
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from invariants import check_invariants, held
from processes import ENVIRONMENT

import kimi_nb as kn

MOST_BYTES = 6_000
"""That a file may have where disks are small."""


@kn.tool
async def look(n: int) -> str:
    "Look at something."
    return f"saw {n}"


@kn.tool
async def hold(context: kn.ToolContext) -> str:
    "Wait until a file is there."
    while not (context.folder / "go").exists():  # noqa: ASYNC110 -- another process makes it
        await asyncio.sleep(0.02)

    return "held"


@kn.tool
def block(context: kn.ToolContext) -> str:
    "Wait in a thread until a file is there."
    (context.folder / "entered").touch()

    while not (context.folder / "go").exists():
        time.sleep(0.02)

    return "blocked"


@kn.tool
async def linger(context: kn.ToolContext) -> str:
    "Wait until a file is there; told to leave, wait for another one first."
    (context.folder / "entered").touch()

    try:
        return (await hold(context)).replace("held", "lingered")
    except asyncio.CancelledError:
        (context.folder / "leaving").touch()

        while not (context.folder / "left").exists():  # noqa: ASYNC110 -- as above
            await asyncio.sleep(0.02)

        raise


@kn.tool(side_effects=True)
def send(text: str, context: kn.ToolContext) -> str:
    "Send a letter."
    with (context.folder / "letters").open("a") as file:
        file.write(f"{text}\n")

    if "MOCK_KEY" in os.environ:  # only in the child
        os.kill(os.getpid(), signal.SIGKILL)

    return "sent"


TOOLS = {"limited": look, "holding": hold, "dying": send, "blocking": block}


def swarm(base_url: str, key: str, path: str, tool: Any = look, folder: str = ".") -> kn.Run:
    """A run against the mock platform."""
    where = {"base_url": base_url, "key": key, "model": "kimi-k3"}
    return kn.swarm("go", tools=[tool], trace=path, folder=folder, **where)


async def follow(run: kn.Run, path: str) -> None:
    """Write down each record that a follower has seen."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    async for record in run:
        os.write(fd, f"{record.seq} {type(record.fact).__name__}\n".encode())


@contextmanager
def begin(trial: Any, kind: str) -> Iterator[subprocess.Popen[str]]:
    """The process; killed if it is not through by the end."""
    command = [sys.executable, __file__, kind, str(trial.folder), trial.server.base_url]
    extra = {"MOCK_KEY": trial.server.key, "PYTHONDONTWRITEBYTECODE": "1"}

    with subprocess.Popen(
        command,
        env=ENVIRONMENT | extra,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def main(kind: str, folder: str, base_url: str) -> None:
    before = held()

    if kind == "limited":
        resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_BYTES, MOST_BYTES))

    key = os.environ["MOCK_KEY"]
    run = swarm(base_url, key, f"{folder}/run.jsonl", TOOLS[kind], folder).result()
    check_invariants(run, before=before, secrets=[key], paths=[Path(folder)])
    told = {"status": run.status, "answer": run.answer, "why": run.why, "records": len(run.trace)}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
