"""`kimi-nb export` and `kimi-nb import`: runs to other programs and from them."""

from __future__ import annotations

import argparse
import json
import shlex
from pathlib import Path

from kimi_nb.cli.output import print_json, tell
from kimi_nb.errors import UsageFault
from kimi_nb.patience import patience
from kimi_nb.trace import Trace, read
from kimi_nb.views.critical import metrics
from kimi_nb.views.export import export
from kimi_nb.views.fold import fold
from kimi_nb.views.text import one_line
from kimi_nb.views.words import count

__all__ = ["export_run", "import_spans"]


def export_run(asked: argparse.Namespace) -> int:
    """Write a run to a file, or send it as OpenTelemetry spans."""
    trace = read(asked.trace)

    if asked.otlp is not None:
        return _send(trace, asked)

    ending = ".json" if asked.rows is None else f".{asked.rows}.csv"
    target = Path(asked.output or f"{Path(asked.trace).with_suffix('')}{ending}")

    with patience(f"export: writing {target}"):
        export(trace, target, asked.rows)

    tell(f"export: {target}")

    if target.suffix.lower() == ".json":
        tell("open it at https://ui.perfetto.dev or chrome://tracing")

    if asked.json:
        print_json({"file": str(target)})

    return 0


def _send(trace: Trace, asked: argparse.Namespace) -> int:
    from kimi_nb.views.otel import export_spans

    if asked.output or asked.rows:
        raise UsageFault("--otlp writes no file: leave out -o and --rows, or export twice")

    where = asked.otlp or "where OTEL_EXPORTER_OTLP_ENDPOINT says"

    with patience(f"export: sending spans to {where}; Ctrl-C stops it"):
        number = export_spans(trace, endpoint=asked.otlp or None)

    tell(f"export: {count(number, 'span')} sent")

    if asked.json:
        print_json({"spans": number})

    return 0


def import_spans(asked: argparse.Namespace) -> int:
    """Make a trace of the spans that another library wrote."""
    target = Path(asked.output)

    if target.exists():
        message = f"{target} exists and stays as it is: give another file with -o"
        raise UsageFault(message)

    from kimi_nb.views.otel import from_spans

    with patience(f"import: reading {asked.spans}"):
        trace = from_spans(asked.spans, trace_id=asked.trace_id)
        trace.save(target)

    found = metrics(trace)
    what = f"{count(found.agents, 'agent')}, {count(found.total_steps, 'step')}"
    tell(f"import: {target}: {what}, from {_writers(trace)}")
    tell(f"now type: kimi-nb report {shlex.quote(str(target))}")

    if asked.json:
        about = {"trace": str(target), "simulated": fold(trace).simulated}
        print_json(about | {"metrics": found.as_dict()})

    return 0


def _writers(trace: Trace) -> str:
    """The libraries that wrote the spans, as they named themselves."""
    names = json.loads(fold(trace).options)["imported"]["from"]
    return one_line(", ".join(names)) or "a library that did not name itself"
