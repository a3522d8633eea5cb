"""The page's save button: a file beside the notebook, which never replaces another."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path

from kimi_nb.errors import UsageFault
from kimi_nb.trace import Trace
from kimi_nb.views.export import write_whole
from kimi_nb.views.report import report_html
from kimi_nb.widgets.source import Source

__all__ = ["save"]

ENDINGS = {"trace": ".jsonl", "report": ".html"}


def save(source: Source, what: str) -> Path:
    """Write the "trace" or the "report" of a run; returns the file, named after the run."""
    if what not in ENDINGS:
        message = f"a run is saved as {' or '.join(ENDINGS)}, not as {what!r}"
        raise UsageFault(message)

    plain = re.sub(r"[^\w-]+", "-", source.name).strip("-")  # a file here, whatever its name
    target = _free(plain or "swarm", ENDINGS[what])
    trace = Trace(source.records, path=source.path)

    if what == "trace":
        return trace.save(target)

    return write_whole(target, report_html(trace, prices=source.prices).encode())


def _free(name: str, ending: str) -> Path:
    """The first of name, name-2, name-3 … that is no file yet."""
    names = (Path(f"{name}{f'-{n}' if n > 1 else ''}{ending}") for n in count(1))
    return next(path for path in names if not path.exists())
