"""`%%swarm` and `%swarm`."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Awaitable
from typing import Any, cast

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.core.magic_arguments import MagicArgumentParser, argument, magic_arguments
from traitlets import Int, Unicode

from kimi_nb.errors import UsageFault
from kimi_nb.magics.awaiting import prefix_await
from kimi_nb.magics.commands import complete, place, run_command
from kimi_nb.magics.live import watch
from kimi_nb.magics.redaction import Redaction
from kimi_nb.magics.resuming import cluster_typed, prices_typed, take_up, tools_named
from kimi_nb.magics.showing import Showing, has_page
from kimi_nb.magics.words import words_of
from kimi_nb.models.endpoint import DEFAULT_MODEL, SIMULATOR
from kimi_nb.models.named import is_named
from kimi_nb.models.secret import Secret
from kimi_nb.swarm.budget import Budget
from kimi_nb.swarm.connect import Limits
from kimi_nb.swarm.handle import Replay, Run
from kimi_nb.swarm.plan import read_plan
from kimi_nb.swarm.runtime import runtime
from kimi_nb.swarm.start import runs, swarm
from kimi_nb.views.otel import check_otlp, export_live

__all__ = ["SwarmMagics", "load", "unload"]


@magics_class
class SwarmMagics(Magics):
    """Defaults of `%%swarm`; set them with `%config SwarmMagics.max_agents = 50`."""

    model = Unicode("", help="Model id; '' asks the environment's key, or the simulator.").tag(
        config=True
    )
    base_url = Unicode("", help="An OpenAI-compatible endpoint; '' is Moonshot's.").tag(config=True)
    max_agents = Int(20, min=1, help="Sub-agents in one run.").tag(config=True)
    max_tokens = Int(16_384, min=256, help="Longest answer of one call, in tokens.").tag(
        config=True
    )
    tier = Unicode("", help="The account's tier at Moonshot, T0 to T5.").tag(config=True)
    concurrency = Int(None, allow_none=True, min=1, help="Calls at once.").tag(config=True)
    rpm = Int(None, allow_none=True, min=1, help="Requests a minute.").tag(config=True)
    tpm = Int(None, allow_none=True, min=1, help="Tokens a minute.").tag(config=True)
    cluster = Unicode("", help="A Dask scheduler, tcp://HOST:8786; '' is this kernel.").tag(
        config=True
    )
    budget_tokens = Int(None, allow_none=True, min=0, help="Tokens of one run.").tag(config=True)
    budget_seconds = Int(None, allow_none=True, min=0, help="Seconds of one run.").tag(config=True)

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell=shell)
        self.keys: dict[str, Secret] = {}
        """What `%swarm key` was told, by `commands.place`. In no trait: those are shown."""
        self.redaction = Redaction(shell)
        self.showing = Showing(shell)

    @magic_arguments()
    @argument("name", nargs="?", help="variable that holds the run, from its start")
    @argument("--agents", type=int, metavar="N", help="sub-agents at most")
    @argument("--model", metavar="ID", help="model id, 'simulator', or 'parl:CHECKPOINT'")
    @argument("--base-url", metavar="URL", help="an OpenAI-compatible endpoint")
    @argument("--thinking", metavar="WAY", help="low, high, max, on or off")
    @argument("--price", metavar="IN,CACHED,OUT", help="the model's, in USD for 1M tokens")
    @argument("--single", action="store_true", help="one agent does it all alone")
    @argument("--plan", metavar="FILE", help="a task graph (YAML); '-' is the cell itself")
    @argument("--background", action="store_true", help="give the prompt back at once")
    @argument("--folder", metavar="PATH", help="what the file tools see (default: here)")
    @argument("--tools", metavar="NAMES", help="functions of this notebook, tools of kimi_nb: a,b")
    @argument("--cluster", metavar="WHERE", help="a Dask scheduler's address, or a variable")
    @argument("--trace", metavar="FILE", help="where the log goes")
    @argument("--resume", metavar="FILE", help="go on with the run in this log")
    @argument("--fork", metavar="NEW", help="go on in a new log, whatever has changed")
    @argument("--otlp", nargs="?", const="", metavar="URL", help="send spans while it goes on")
    @argument("--seed", type=int, metavar="N", help="of the simulator and of jitter")
    @argument("--steps", type=int, metavar="N", help="budget: model calls in all")
    @argument("--critical-steps", type=int, metavar="N", help="budget: critical steps")
    @argument("--tokens", type=int, metavar="N", help="budget: tokens")
    @argument("--usd", type=float, metavar="X", help="budget: US dollars")
    @argument("--seconds", type=float, metavar="X", help="budget: wall time")
    @argument("--no-early-start", action="store_true", help="wait for the turn's end")  # pyright: ignore[reportUntypedFunctionDecorator]
    @line_cell_magic
    def swarm(self, line: str, cell: str | None = None) -> Any:
        """Launch an orchestrator and its sub-agents on the goal in the cell.

        The value of the cell is the run: its `answer`, `metrics`, `trace`, `graph`, `status`.

            %%swarm museums --agents 20
            Compare the opening hours of the museums in data/museums/.

        `%swarm` on a line of its own: status [NAME], list, cancel [NAME [AGENT]],
        replay FILE, resume FILE [NAME] [OPTIONS], model [ID], key [forget], doctor,
        metrics [PORT].
        """
        if cell is None:
            return run_command(cast("Any", self), line)

        return self._run(_parse(line), cell)

    def resumed(self, words: list[str]) -> Any:
        """What a `%%swarm` line of these words gives over an empty cell."""
        return self._run(cast("Any", _parser()).parse_args(words), "")

    def _run(self, arguments: argparse.Namespace, cell: str) -> Any:
        if arguments.otlp is not None:
            check_otlp(arguments.otlp or None)

        run = self._start(arguments, cell)

        if arguments.otlp is not None:
            export_live(run, endpoint=arguments.otlp or None)

        if arguments.name:
            self._names[arguments.name] = run

        return run if arguments.background else self._watched(run)

    @property
    def _shell(self) -> InteractiveShell:
        if self.shell is None:
            message = "the magics are not attached to a shell; use %load_ext kimi_nb"
            raise UsageFault(message)

        return self.shell

    @property
    def _names(self) -> dict[str, Any]:
        """The notebook's variables."""
        return cast("dict[str, Any]", self._shell.user_ns)

    def _start(self, arguments: argparse.Namespace, cell: str) -> Replay:
        name = arguments.name or _free_name()

        if not name.isidentifier():
            message = f"{name!r} is not a name for a variable; such as: %%swarm museums"
            raise UsageError(message)

        if name in runs() and not runs()[name].done:
            message = f"{name!r} is still running; `%swarm cancel {name}`, or take another name"
            raise UsageFault(message)

        limits = Limits(
            tier=self.tier or None, concurrency=self.concurrency, rpm=self.rpm, tpm=self.tpm
        )

        if arguments.resume:
            return take_up(cast("Any", self), self._names, arguments, cell, limits)

        if arguments.fork:
            message = "--fork goes with --resume FILE: which run is it to fork from?"
            raise UsageFault(message)

        return swarm(
            "" if arguments.plan == "-" else cell.strip(),
            name=name,
            model=arguments.model or self.model or None,
            base_url=self._base_url(arguments),
            key=self.keys.get(place(self._base_url(arguments))),
            tools=tools_named(self._names, arguments.tools or ""),
            max_agents=self.max_agents if arguments.agents is None else arguments.agents,
            max_tokens=self.max_tokens,
            budget=self._budget(arguments),
            limits=limits,
            single=arguments.single,
            plan=cell if arguments.plan == "-" else arguments.plan and read_plan(arguments.plan),
            folder=arguments.folder or ".",
            trace=arguments.trace,
            prices=prices_typed(arguments, self.model or DEFAULT_MODEL),
            seed=arguments.seed or 0,
            early_start=not arguments.no_early_start,
            thinking=arguments.thinking,
            cluster=cluster_typed(self._names, arguments.cluster or self.cluster),
        )

    def _base_url(self, arguments: argparse.Namespace) -> str | None:
        """What was typed; the default one, unless what answers is in this process.

        A simulator that is the default beside a default endpoint is the one that a class shares.
        """
        here = arguments.model == SIMULATOR or is_named(arguments.model or self.model)
        default = "" if here else self.base_url
        return arguments.base_url or default or None

    def _budget(self, arguments: argparse.Namespace) -> Budget:
        return Budget(
            steps=arguments.steps,
            critical_steps=arguments.critical_steps,
            tokens=self.budget_tokens if arguments.tokens is None else arguments.tokens,
            usd=arguments.usd,
            seconds=self.budget_seconds if arguments.seconds is None else arguments.seconds,
        )

    def _watched(self, run: Replay) -> Replay | Awaitable[Replay]:
        """Where cells can await, the cell's `await` (see `awaiting`) does the waiting."""
        showing = self.showing if has_page(self._shell) else None

        if self._shell.autoawait:
            return watch(run, showing) if isinstance(run, Run) else _at_once(run)

        if showing:
            showing.show(run)

        return run.result() if isinstance(run, Run) else run


async def _at_once(run: Replay) -> Replay:
    """A finished run, where the cell awaits."""
    return run


def _free_name() -> str:
    number = 1

    while f"swarm_{number}" in runs():
        number += 1

    return f"swarm_{number}"


def _parse(line: str) -> argparse.Namespace:
    return cast("argparse.Namespace", cast("Any", _parser()).parse_args(words_of(line)))


def _parser() -> MagicArgumentParser:
    """The parser that the decorators above have made."""
    return cast("Any", SwarmMagics.swarm).parser


def _transformers(shell: InteractiveShell) -> list[Any]:
    return cast("list[Any]", shell.input_transformers_post)


def load(shell: InteractiveShell) -> None:
    """Register the magics, their completion, and the `await` that lets cells be stopped."""
    magics = SwarmMagics(shell=shell)
    shell.register_magics(magics)
    cast("list[Any]", shell.configurables).append(magics)

    if prefix_await not in _transformers(shell):
        _transformers(shell).append(prefix_await)

    def completer(_shell: object, event: Any) -> list[str]:
        return complete(event.line, event.symbol, _parser(), list(runs()))

    for key in ("%%swarm", "%swarm"):
        cast("Any", shell).set_hook("complete_command", completer, str_key=key)


def unload(shell: InteractiveShell) -> None:
    """Undo `load` and end all runs; they keep what they did."""
    with contextlib.suppress(ValueError):
        _transformers(shell).remove(prefix_await)

    registered = cast("dict[str, dict[str, Any]]", cast("Any", shell.magics_manager).magics)

    for kind in ("line", "cell"):
        registered[kind].pop("swarm", None)

    for item in [item for item in shell.configurables if isinstance(item, SwarmMagics)]:
        item.redaction.undo()
        item.showing.undo()
        cast("list[Any]", shell.configurables).remove(item)

    runtime().stop()
