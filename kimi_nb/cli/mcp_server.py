"""`kimi-nb mcp`: swarms as tools of an editor or another agent, over the Model Context Protocol."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

from kimi_nb._version import __version__
from kimi_nb.cli.output import as_dict, tell
from kimi_nb.cli.progress import progress_line
from kimi_nb.errors import KimiNbError, UsageFault
from kimi_nb.models.endpoint import resolve
from kimi_nb.redact import Environment
from kimi_nb.swarm.budget import Budget
from kimi_nb.swarm.handle import Replay, Run
from kimi_nb.swarm.resume import peek, resume
from kimi_nb.swarm.start import runs, swarm
from kimi_nb.tools import standard_tools
from kimi_nb.trace import read
from kimi_nb.views.critical import metrics
from kimi_nb.views.diagnose import diagnose
from kimi_nb.views.export import write_whole
from kimi_nb.views.fold import fold
from kimi_nb.views.report import report_html
from kimi_nb.views.rows import rows
from kimi_nb.views.text import one_line

__all__ = ["Swarms", "build", "serve_mcp"]

LOOK = 0.2
BEAT = 1.0
"""Seconds between two notes of progress."""
INSTRUCTIONS = (
    "Runs swarms of parallel sub-agents on one goal. A call of swarm waits for the run; where it "
    "returns with status 'running', call resume with its trace to wait on. A run that ended "
    "early, for its budget or a crash, goes on with resume and pays for nothing twice."
)
Told = Callable[[str, int], Awaitable[None]]
"""Says where a run is: in words, and as the number of steps so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swarms:
    """What whoever started the server allows: its folder, and how `kn.swarm` is to run."""

    root: Path
    agents: int
    options: Mapping[str, Any]
    """As `kn.swarm` has them: model, base_url, budget, limits, prices, tools."""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)
    """Each run has a name of its own, by which it is kept: several may go on at once."""

    async def swarm(
        self, goal: str, folder: str, agents: int, *, single: bool, wait: float, told: Told
    ) -> dict[str, Any]:
        """Start a run and wait for it. Raises UsageFault."""
        run = swarm(
            goal,
            name=f"swarm-{next(self.numbers)}",
            folder=self._inside(folder),
            max_agents=min(agents, self.agents),
            single=single,
            **self.options,
        )
        return await _waited(run, wait, told)

    async def resume(self, trace: str, *, wait: float, told: Told) -> dict[str, Any]:
        """Wait on for a run, or take it up where its log ends. Raises KimiNbError."""
        path = self._inside(trace)
        budget = self._allowed(path)
        running = [run for run in runs().values() if run.path and run.path.absolute() == path]
        options = {name: self.options[name] for name in ("model", "base_url", "limits", "prices")}

        if running and not running[-1].done:
            return await _waited(running[-1], wait, told)

        taken = await asyncio.to_thread(resume, path, budget=budget, **options)
        return await _waited(taken, wait, told)

    def report(self, trace: str) -> dict[str, Any]:
        """Write the page of a run beside its log, and say what is in it. Raises KimiNbError."""
        path = self._inside(trace)
        found = read(path, strict=False)
        page = path.with_suffix(".html")
        write_whole(page, report_html(found).encode())
        state = fold(found)
        return {
            "page": str(page),
            "simulated": state.simulated,
            "metrics": metrics(state).as_dict(),
            "critical_path": rows(found, "path"),
            "diagnosis": diagnose(found).as_rows(),
        }

    def _allowed(self, path: Path) -> Budget:
        """The budget with which the run in a log may go on.

        Whoever can write a file here can write a log: it gets no more than `swarm` would give.
        Raises UsageFault for a log that wants more, and TraceError.
        """
        was = peek(path)
        self._inside(str(was.settings.folder))
        ours = resolve(self.options["model"], self.options["base_url"], None, Environment())
        theirs = was.options["base_url"]

        if theirs and not self.options["base_url"] and (ours is None or theirs != ours.base_url):
            raise UsageFault(
                f"the log sends what the agents read to {theirs}, which this server was not told "
                f"to do; to allow it, start it with --base-url {theirs}"
            )

        if more := sorted(was.tools.keys() - set(standard_tools().names)):
            raise UsageFault(
                f"the log has tools that this server does not give to agents: {', '.join(more)}; "
                f"type: kimi-nb resume {path}"
            )

        if was.settings.max_agents > self.agents:
            raise UsageFault(
                f"the log allows {was.settings.max_agents} sub-agents, and this server "
                f"{self.agents}; start it with --agents {was.settings.max_agents}"
            )

        told = asdict(self.options["budget"])
        return replace(
            was.budget, **{name: each for name, each in told.items() if each is not None}
        )

    def _inside(self, path: str) -> Path:
        """The absolute path. Raises UsageFault for one that leads out of the server's folder."""
        found = (self.root / path).resolve()

        if not found.is_relative_to(self.root):
            raise UsageFault(
                f"{path!r} leads out of the folder of this server, {self.root}; to allow another, "
                "start it with --folder"
            )

        return found


async def _waited(run: Run | Replay, wait: float, told: Told) -> dict[str, Any]:
    """The run as a result, once it has ended or after `wait` seconds; cancelled with the call."""
    loop = asyncio.get_running_loop()
    until, beat = loop.time() + wait, loop.time()

    try:
        while not run.done and loop.time() < until:
            if isinstance(run, Run) and loop.time() >= beat:
                await told(progress_line(run), run.fold.steps)
                beat += BEAT

            await asyncio.sleep(LOOK)
    except asyncio.CancelledError:
        run.cancel()
        raise

    return as_dict(run)


def build(swarms: Swarms) -> MCPServer[Any]:
    """The server with its three tools."""
    server: MCPServer[Any] = MCPServer(
        "kimi_nb", version=__version__, instructions=INSTRUCTIONS, log_level="WARNING"
    )

    @server.tool()
    async def swarm(
        goal: str,
        context: Context[Any, Any],
        folder: str = ".",
        agents: int = swarms.agents,
        single: bool = False,  # noqa: FBT001, FBT002 -- given by name
        wait_seconds: float = 600.0,
    ) -> dict[str, Any]:
        """Hand a goal to an orchestrator that splits it among parallel sub-agents.

        Says the status, the answer, the trace (a log file) and the metrics: steps, critical
        steps, time, tokens, cost. `folder` is what the agents' file tools see; `single` lets one
        agent do it all alone, for comparison. After `wait_seconds` it returns while the run goes
        on: call resume with the trace.
        """
        told = _telling(context)
        return await _carried(
            swarms.swarm(goal, folder, agents, single=single, wait=wait_seconds, told=told)
        )

    @server.tool()
    async def resume(
        trace: str, context: Context[Any, Any], wait_seconds: float = 600.0
    ) -> dict[str, Any]:
        """Wait on for a run that goes on, or take up one that ended early where its log ends.

        Completed calls are not paid for again. Says what swarm says.
        """
        return await _carried(swarms.resume(trace, wait=wait_seconds, told=_telling(context)))

    @server.tool()
    async def report(trace: str) -> dict[str, Any]:
        """Write one self-contained HTML page about a run, and say where its time and steps went.

        Says the page's path, the metrics, the critical path, and a diagnosis: serial collapse,
        spurious parallelism, stragglers, and what to do about them.
        """
        return await _carried(asyncio.to_thread(swarms.report, trace))

    return server


def _telling(context: Context[Any, Any]) -> Told:
    async def told(line: str, steps: int) -> None:
        await context.report_progress(steps, message=line)

    return told


async def _carried(work: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    """The result; our errors as the text that the client's model reads."""
    try:
        return await work
    except (KimiNbError, OSError) as error:
        raise ToolError(one_line(str(error))) from None


def serve_mcp(asked: argparse.Namespace, options: Mapping[str, Any]) -> int:
    """Serve until the client goes (stdio) or Ctrl-C (HTTP). Raises UsageFault."""
    root = Path(asked.folder).expanduser().resolve()

    if not root.is_dir():
        raise UsageFault(f"the folder {asked.folder!r} is not there; name one with --folder")

    os.chdir(root)  # logs go below it
    server = build(Swarms(root=root, agents=asked.agents, options=options))

    if asked.port is None:
        server.run("stdio")
        return 0

    tell(f"kimi-nb mcp at http://{asked.host}:{asked.port}/mcp; stop it with Ctrl-C")
    server.run("streamable-http", host=asked.host, port=asked.port)
    return 0
