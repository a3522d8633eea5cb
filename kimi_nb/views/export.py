"""A run as a file for other programs, by the file's ending."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import orjson

from kimi_nb.errors import KimiNbError, UsageFault
from kimi_nb.trace import FORMAT, Record, Trace
from kimi_nb.views.chrome import chrome_trace
from kimi_nb.views.fold import records_of
from kimi_nb.views.graph import graph
from kimi_nb.views.report import report_html
from kimi_nb.views.rows import Scalar, columns, rows
from kimi_nb.views.text import clean

__all__ = ["FORMULAS", "export", "write_whole"]

FORMULAS = "=+-@＝＋－＠"
"""With what a spreadsheet begins to reckon."""
NO_XML = {0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}
"""What `clean` leaves and XML 1.0 forbids."""


def export(run: Iterable[Record], path: str | Path, of: str | None = None) -> Path:
    """Write a trace, or a run so far, to `path` and return that.

    .json     Chrome trace events: open it at ui.perfetto.dev or chrome://tracing
    .csv      the table `of`, as `rows` names them; agents unless said
    .graphml  the graph, for networkx, Gephi or yEd
    .html     the report

    The file is replaced whole or not at all. Raises UsageFault for another ending, and where
    a trace would be overwritten; KimiNbError where the file cannot be written.
    """
    target = Path(path) if isinstance(cast("object", path), str | Path) else Path()
    write = WRITERS.get(target.suffix.lower())

    if of is not None and target.suffix.lower() != ".csv":
        message = f"rows go to a .csv file, not to {str(path)!r}"
        raise UsageFault(message)

    if write is None:
        message = f"no export to {str(path)!r}: give a file that ends with {', '.join(WRITERS)}"
        raise UsageFault(message)

    trace = run if isinstance(run, Trace) else Trace(records_of(run))
    return write_whole(target, write(trace, of or "agents"))


def write_whole(target: Path, data: bytes) -> Path:
    """Write a file whole or not at all, and return its path.

    Raises UsageFault where a trace would be overwritten, and KimiNbError where it cannot be
    written.
    """
    scratch = target.parent / f"{target.name}.part"

    try:
        if _is_trace(target):
            message = f"{target} is a trace and stays as it is: give another file"
            raise UsageFault(message)

        target.parent.mkdir(parents=True, exist_ok=True)

        try:
            scratch.write_bytes(data)
            scratch.replace(target)
        finally:
            scratch.unlink(missing_ok=True)
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        why = error.strerror if isinstance(error, OSError) else error
        raise KimiNbError(f"cannot write {str(target)!r}: {why}; give another file") from None

    return target


def _is_trace(path: Path) -> bool:
    if not path.is_file():
        return False

    with path.open("rb") as file:
        return FORMAT.encode() in file.readline(200)


def _json(trace: Trace, _of: str) -> bytes:
    return orjson.dumps(chrome_trace(trace))


def _csv(trace: Trace, of: str) -> bytes:
    table = rows(trace, of)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns(of))
    writer.writerows([_cell(value) for value in row.values()] for row in table)
    return text.getvalue().encode()


def _cell(value: Scalar) -> Scalar:
    """A text that no spreadsheet takes for a formula: with an apostrophe in front."""
    if not isinstance(value, str):
        return value

    text = clean(value)
    return f"'{text}" if text.lstrip()[:1] in tuple(FORMULAS) else text


def _graphml(trace: Trace, _of: str) -> bytes:
    import networkx as nx

    was = graph(trace)
    found: nx.DiGraph[str] = nx.relabel_nodes(was, {node: _plain(node) for node in was})

    for node in found:
        about = found.nodes[node]
        about.update({name: _plain(v) for name, v in about.items() if isinstance(v, str)})

    file = io.BytesIO()
    cast("Any", nx).write_graphml_xml(found, file, infer_numeric_types=True)  # half annotated
    return file.getvalue()


def _plain(text: str) -> str:
    return clean(text).translate(NO_XML)


def _html(trace: Trace, _of: str) -> bytes:
    return report_html(trace).encode()


WRITERS: Mapping[str, Callable[[Trace, str], bytes]] = {
    ".json": _json,
    ".csv": _csv,
    ".graphml": _graphml,
    ".html": _html,
}
