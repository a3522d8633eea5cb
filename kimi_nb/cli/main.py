"""Entry point of `kimi-nb`."""

from __future__ import annotations

import argparse
import asyncio
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import orjson

from kimi_nb.cli.parser import build_parser
from kimi_nb.cli.progress import follow
from kimi_nb.errors import KimiNbError, UsageFault
from kimi_nb.swarm.budget import Budget
from kimi_nb.swarm.connect import Limits
from kimi_nb.swarm.doctor import Check, Report, examine
from kimi_nb.swarm.handle import Replay, Run
from kimi_nb.swarm.plan import read_plan
from kimi_nb.swarm.start import replay, resume, swarm
from kimi_nb.trace import read
from kimi_nb.views.critical import metrics
from kimi_nb.views.path import critical_path
from kimi_nb.views.report import report_html

__all__ = ["main"]

INTERRUPTED = 130
"""What a shell expects of a program that Ctrl-C ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; returns the exit code, 0 only if what was asked was done."""
    parser = build_parser()
    asked = parser.parse_args(arguments)

    if asked.command is None:
        parser.print_help(sys.stderr)
        return 2

    warnings.showwarning = _warn

    try:
        return COMMANDS[asked.command](asked)
    except KimiNbError as error:
        _tell(f"kimi-nb: {error}")

        if getattr(asked, "json", False):
            _print_json({"error": str(error)})

        return 2 if isinstance(error, UsageFault) else 1
    except KeyboardInterrupt:
        _tell("kimi-nb: stopped")
        return INTERRUPTED


def _run(asked: argparse.Namespace) -> int:
    goal = sys.stdin.read() if asked.goal == "-" else asked.goal
    plan = read_plan(asked.plan) if asked.plan else None
    run = swarm(
        goal,
        model=asked.model,
        base_url=asked.base_url,
        max_agents=asked.agents,
        budget=_budget(asked),
        limits=_limits(asked),
        single=asked.single,
        plan=plan,
        folder=asked.folder,
        trace=asked.trace,
        seed=asked.seed,
    )
    return _finish(run, asked)


def _resume(asked: argparse.Namespace) -> int:
    budget = _budget(asked)
    run = resume(
        asked.trace,
        model=asked.model,
        base_url=asked.base_url,
        budget=None if budget == Budget() else budget,
        limits=_limits(asked),
    )
    return _finish(run, asked)


def _finish(run: Run | Replay, asked: argparse.Namespace) -> int:
    if isinstance(run, Run):
        try:
            follow(run)
        except KeyboardInterrupt:
            _show(run, asked)
            return INTERRUPTED

    _show(run, asked)
    return 0 if run.status == "finished" else 1


def _show(run: Replay, asked: argparse.Namespace) -> None:
    if not asked.json:
        print(run)
        return

    _print_json(
        {
            "status": run.status,
            "answer": run.answer,
            "why": run.why,
            "simulated": run.fold.simulated,
            "trace": str(run.path),
            "metrics": run.metrics.as_dict(),
        }
    )


def _replay(asked: argparse.Namespace) -> int:
    _show(replay(asked.trace), asked)
    return 0


def _report(asked: argparse.Namespace) -> int:
    trace = read(asked.trace)
    target = Path(asked.output) if asked.output else Path(asked.trace).with_suffix(".html")
    target.write_text(report_html(trace), encoding="utf-8")
    _tell(f"report: {target}")

    if asked.json:
        path = [segment._asdict() for segment in critical_path(trace).segments]
        _print_json({"metrics": metrics(trace).as_dict(), "critical_path": path})

    return 0


def _simulator(asked: argparse.Namespace) -> int:
    from kimi_nb.models.simulator import Options
    from kimi_nb.models.simulator.server import serve

    names = [field.name for field in fields(Options)]
    options = Options(**{name: getattr(asked, name) for name in names if hasattr(asked, name)})
    _tell(f"simulator (rules, no language model) at http://{asked.host}:{asked.port}/v1")
    asyncio.run(serve(asked.host, asked.port, options))
    return 0


def _doctor(asked: argparse.Namespace) -> int:
    report: Report = examine(asked.model, asked.base_url, told=_tell_check)

    if asked.json:
        _print_json(report.as_dict())

    return 0 if report.ok else 1


def _tell_check(check: Check) -> None:
    _tell(repr(Report([check])))


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "replay": _replay,
    "resume": _resume,
    "report": _report,
    "simulator": _simulator,
    "doctor": _doctor,
}


def _budget(asked: argparse.Namespace) -> Budget:
    return Budget(
        steps=asked.steps,
        critical_steps=asked.critical_steps,
        tokens=asked.tokens,
        usd=asked.usd,
        seconds=asked.seconds,
    )


def _limits(asked: argparse.Namespace) -> Limits:
    return Limits(concurrency=asked.concurrency, rpm=asked.rpm, tpm=asked.tpm)


def _print_json(value: dict[str, Any]) -> None:
    print(orjson.dumps(value).decode())


def _tell(line: str) -> None:
    """Progress and complaints go to standard error."""
    print(line, file=sys.stderr, flush=True)


def _warn(message: Warning | str, *_rest: Any, **_more: Any) -> None:
    _tell(f"kimi-nb: {message}")
