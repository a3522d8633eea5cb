"""Entry point of `kimi-nb`."""

from __future__ import annotations

import argparse
import importlib.util
import shlex
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from kimi_nb.cli.exchange import export_run, import_spans
from kimi_nb.cli.output import hang_up, prepare, print_json, show, tell
from kimi_nb.cli.parser import build_parser
from kimi_nb.cli.progress import follow
from kimi_nb.cli.telemetry import begin_telemetry, send_spans, wait_for_spans
from kimi_nb.errors import KimiNbError, UsageFault
from kimi_nb.models.endpoint import DEFAULT_MODEL
from kimi_nb.patience import patience
from kimi_nb.swarm.budget import Budget
from kimi_nb.swarm.connect import Limits
from kimi_nb.swarm.doctor import examine
from kimi_nb.swarm.equipped import named_in
from kimi_nb.swarm.handle import Replay, Run
from kimi_nb.swarm.plan import read_plan
from kimi_nb.swarm.resume import peek, resume
from kimi_nb.swarm.start import replay, swarm
from kimi_nb.trace import read
from kimi_nb.views.critical import metrics
from kimi_nb.views.diagnose import diagnose
from kimi_nb.views.export import write_whole
from kimi_nb.views.fold import fold
from kimi_nb.views.prices import Price
from kimi_nb.views.report import report_html
from kimi_nb.views.rows import rows
from kimi_nb.views.words import needed_model
from kimi_nb.worlds.known import is_world
from kimi_nb.worlds.known import resume as resume_world

__all__ = ["main"]

INTERRUPTED = 130
"""What a shell expects of a program that Ctrl-C ended."""
UNREAD = 141
"""And of one whose reader, such as `head`, has gone."""
TYPED = ("steps", "critical_steps", "tokens", "usd", "seconds")
"""Limits of the budget that are options."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; returns the exit code, 0 only if what was asked was done."""
    parser = build_parser()
    asked = parser.parse_args(arguments)

    if asked.command is None:
        parser.print_help(sys.stderr)
        return 2

    prepare()
    warnings.showwarning = _warn

    try:
        return COMMANDS[asked.command](asked)
    except KimiNbError as error:
        return _refuse(asked, str(error), 2 if isinstance(error, UsageFault) else 1)
    except BrokenPipeError:
        hang_up()
        return UNREAD
    except OSError as error:
        name = str(error.filename or asked.command).removesuffix(".part")
        return _refuse(asked, f"{name}: {error.strerror}", 1)
    except KeyboardInterrupt:
        tell("kimi-nb: stopped")
        return INTERRUPTED


def _refuse(asked: argparse.Namespace, why: str, code: int) -> int:
    tell(f"kimi-nb: {why}")

    if getattr(asked, "json", False):
        print_json({"error": why})

    return code


def _run(asked: argparse.Namespace) -> int:
    plan = read_plan(asked.plan) if asked.plan else None
    begin_telemetry(asked)
    run = swarm(
        _goal(asked.goal, needed=plan is None),
        model=asked.model,
        base_url=asked.base_url,
        max_agents=asked.agents,
        budget=_budget(asked, Budget()),
        limits=_limits(asked),
        single=asked.single,
        plan=plan,
        folder=asked.folder,
        tools=named_in(asked.tools),
        trace=asked.trace,
        prices=_prices(asked, DEFAULT_MODEL),
        seed=asked.seed,
        early_start=not asked.no_early_start,
        thinking=asked.thinking,
        cluster=asked.cluster,
    )
    return _finish(run, asked)


def _goal(goal: str, *, needed: bool = True) -> str:
    """The goal. Raises UsageFault where one is needed and there is none."""
    if goal == "-":
        goal = sys.stdin.buffer.read().decode("utf-8-sig", "replace")

    if needed and not goal.strip():
        message = "the goal is empty: say what the swarm is to do, as in kimi-nb run 'Compare …'"
        raise UsageFault(message)

    return goal


def _prices(asked: argparse.Namespace, usual: str) -> dict[str, Price]:
    """The price that was typed, for the model that will answer."""
    return {asked.model or usual: asked.price} if asked.price else {}


def _resume(asked: argparse.Namespace) -> int:
    begin_telemetry(asked)
    was = peek(asked.trace)
    go_on = resume_world if is_world(was) else resume
    run = go_on(
        asked.trace,
        goal=None if asked.goal is None else _goal(asked.goal),
        plan=read_plan(asked.plan) if asked.plan else None,
        fork=asked.fork,
        model=asked.model,
        base_url=asked.base_url,
        budget=_budget(asked, was.budget),
        limits=_limits(asked),
        prices=_prices(asked, was.model),
        cluster=asked.cluster,
    )
    return _finish(run, asked)


def _finish(run: Run | Replay, asked: argparse.Namespace) -> int:
    sending = send_spans(run, asked)
    code = follow(run) if isinstance(run, Run) else 0
    show(run, as_json=asked.json)
    wait_for_spans(sending)

    if run.status != "finished":
        model = needed_model(run.fold)
        other = model and f" --model {model}"
        typed = f"kimi-nb resume {shlex.quote(str(run.path))}{other}"
        tell(f"kimi-nb: {run.status}; to go on: {typed}")

    return INTERRUPTED if code else 0 if run.status == "finished" else 1


def _replay(asked: argparse.Namespace) -> int:
    show(replay(asked.trace), as_json=asked.json)
    return 0


def _report(asked: argparse.Namespace) -> int:
    trace = read(asked.trace)
    target = Path(asked.output) if asked.output else Path(asked.trace).with_suffix(".html")

    with patience(f"report: writing {target}"):
        write_whole(target, report_html(trace).encode())

    tell(f"report: {target}")

    if asked.json:
        found = {"critical_path": rows(trace, "path"), "diagnosis": diagnose(trace).as_rows()}
        state = fold(trace)
        about = {"simulated": state.simulated, "metrics": metrics(state).as_dict()}
        print_json(about | found)

    return 0


def _simulator(asked: argparse.Namespace) -> int:
    from kimi_nb.cli.simulator import serve_simulator

    return serve_simulator(asked)


def _mcp(asked: argparse.Namespace) -> int:
    if importlib.util.find_spec("mcp") is None:
        message = "the MCP server needs the MCP SDK; type: pip install 'kimi-nb[mcp]'"
        raise UsageFault(message)

    from kimi_nb.cli.mcp_server import serve_mcp

    options = {
        "model": asked.model,
        "base_url": asked.base_url,
        "budget": _budget(asked, Budget()),
        "limits": _limits(asked),
        "prices": _prices(asked, DEFAULT_MODEL),
    }
    return serve_mcp(asked, options)


def _bench(asked: argparse.Namespace) -> int:
    from kimi_nb.cli.bench import bench

    options = {
        "model": asked.model,
        "base_url": asked.base_url,
        "max_agents": asked.agents,
        "budget": _budget(asked, Budget()),
        "limits": _limits(asked),
    }
    return bench(asked, options, _prices(asked, DEFAULT_MODEL))


def _parl(asked: argparse.Namespace) -> int:
    from kimi_nb.cli.parl import reproduce, train_one

    return {"reproduce": reproduce, "train": train_one}[asked.what](asked)


def _grade(asked: argparse.Namespace) -> int:
    from kimi_nb.cli.grade import grade_class

    return grade_class(asked)


def _proxy(asked: argparse.Namespace) -> int:
    from kimi_nb.cli.proxy import proxy

    return proxy(asked)


def _lab(asked: argparse.Namespace) -> int:
    from kimi_nb.cli.lab import lab

    return lab(asked)


def _doctor(asked: argparse.Namespace) -> int:
    told = tell if asked.json else partial(print, flush=True)
    report = examine(asked.model, asked.base_url, thinking=asked.thinking, told=told)

    if asked.json:
        print_json(report.as_dict())

    return 0 if report.ok else 1


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "replay": _replay,
    "resume": _resume,
    "report": _report,
    "export": export_run,
    "import": import_spans,
    "simulator": _simulator,
    "proxy": _proxy,
    "mcp": _mcp,
    "bench": _bench,
    "parl": _parl,
    "grade": _grade,
    "lab": _lab,
    "doctor": _doctor,
}


def _budget(asked: argparse.Namespace, had: Budget) -> Budget:
    """What was typed, and for the rest the limits that there were."""
    typed = {name: getattr(asked, name) for name in TYPED}
    return replace(had, **{name: value for name, value in typed.items() if value is not None})


def _limits(asked: argparse.Namespace) -> Limits:
    return Limits(tier=asked.tier, concurrency=asked.concurrency, rpm=asked.rpm, tpm=asked.tpm)


def _warn(message: Warning | str, *_rest: Any, **_more: Any) -> None:
    tell(f"kimi-nb: {message}")
