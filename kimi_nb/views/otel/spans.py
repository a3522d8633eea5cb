"""Spans that others wrote, read and bounded: OTLP JSON, a dictionary of it, or the SDK's own.

All of it is untrusted. What is no span is refused with its place; what only an attribute has
wrong is dropped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import orjson

from kimi_nb.errors import TraceError, UsageFault
from kimi_nb.trace import FORMAT

__all__ = ["Span", "read_spans", "text_of"]

LARGEST = 512 * 2**20
"""Bytes of a file."""
MOST = 500_000
"""Spans."""
LONGEST = 1_000_000
"""Characters of a text that are kept."""
DEEPEST = 6
"""Levels of a structured attribute."""


@dataclass(slots=True, eq=False)
class Span:
    """One span. Times are nanoseconds since the epoch."""

    id: str
    trace: str
    parent: str
    """"" if it has none."""
    name: str
    began: int
    ended: int | None
    """None if it had not ended."""
    error: str = ""
    """Why it failed; "" where nothing says that it did."""
    scope: str = ""
    """The instrumentation that wrote it."""
    attributes: dict[str, Any] = field(default_factory=dict[str, Any])
    links: tuple[str, ...] = ()
    """Ids of spans."""

    @property
    def until(self) -> int:
        """When it ended, or when it began if it has not ended."""
        return self.began if self.ended is None else self.ended


def text_of(value: object) -> str:
    """A text of bounded length that can be written; "" for what is no text."""
    return value[:LONGEST].encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def read_spans(source: object) -> list[Span]:
    """The spans of a file, of an object of OTLP JSON or of a list of the SDK's ReadableSpan.

    Raises TraceError, with the place, for what is no span, and UsageFault for any other source.
    """
    if isinstance(source, str | Path):
        return _counted(_of_file(Path(source)), str(source))

    if isinstance(source, Mapping):
        return _counted(_of_object(cast("Mapping[str, Any]", source), "spans"), "spans")

    if isinstance(source, Iterable):
        listed = enumerate(cast("Iterable[Any]", source))
        return _counted((_of_sdk(span, f"span {n}") for n, span in listed), "spans")

    kinds = "a path to OTLP JSON, such an object, or a list of the SDK's spans"
    raise UsageFault(f"from_spans takes {kinds}, not {type(source).__name__}")


def _counted(spans: Iterable[Span], where: str) -> list[Span]:
    found: list[Span] = []

    for span in spans:
        if len(found) == MOST:
            message = f"{where} has more than {MOST:,} spans: export one trace, or fewer, at a time"
            raise TraceError(message)

        found.append(span)

    return found


def _of_file(path: Path) -> Iterator[Span]:
    try:
        if path.stat().st_size > LARGEST:
            message = f"{path} is larger than {LARGEST // 2**20} MiB: split it by trace"
            raise TraceError(message)

        data = path.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise TraceError(f"cannot read the spans in {str(path)!r}: {why}") from None

    try:
        whole = orjson.loads(data)
    except orjson.JSONDecodeError:
        for number, line in enumerate(data.split(b"\n"), start=1):
            if line.strip():
                yield from _of_object(_loaded(line, path, number), f"{path}, line {number}")
    else:  # one object, over as many lines as it likes
        yield from _of_object(whole, str(path))


def _loaded(line: bytes, path: Path, number: int) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        what = "OTLP JSON has an object with resourceSpans, or one on each line"
        raise TraceError(f"{path}, line {number}: not JSON ({error}); {what}") from None


def _of_object(data: object, where: str) -> Iterator[Span]:
    """The spans of one object with `resourceSpans`."""
    resources = cast("Any", data).get("resourceSpans") if isinstance(data, Mapping) else None

    if not isinstance(resources, list):
        if isinstance(data, Mapping) and cast("Any", data).get("format") == FORMAT:
            raise UsageFault(f"{where}: it is a trace already: type kn.read, or kimi-nb report")

        raise TraceError(f"{where}: not OTLP JSON: it has no list resourceSpans")

    number = 0

    for resource in _objects(resources, where):
        for scope in _objects(resource.get("scopeSpans", []), where):
            name = text_of(_object(scope.get("scope")).get("name"))

            for span in _objects(scope.get("spans", []), where):
                yield _of_json(span, name, f"{where}, span {number}")
                number += 1


def _objects(value: Any, where: str) -> Iterator[dict[str, Any]]:
    if not isinstance(value, list):
        raise TraceError(f"{where}: {value!r:.40} is not a list")

    for item in cast("list[Any]", value):
        if not isinstance(item, dict):
            raise TraceError(f"{where}: {item!r:.40} is not an object")

        yield item


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _of_json(span: dict[str, Any], scope: str, where: str) -> Span:
    status = _object(span.get("status"))
    attributes = _attributes(span.get("attributes"))
    failed = status.get("code") in (2, "STATUS_CODE_ERROR")
    began = _nanoseconds(span.get("startTimeUnixNano"), where, "startTimeUnixNano")
    ended = _nanoseconds(span.get("endTimeUnixNano", 0), where, "endTimeUnixNano")

    if not began or not text_of(span.get("spanId")):
        raise TraceError(f"{where}: it has no startTimeUnixNano or no spanId")

    return Span(
        id=text_of(span["spanId"]),
        trace=text_of(span.get("traceId")),
        parent=text_of(span.get("parentSpanId")),
        name=text_of(span.get("name")),
        began=began,
        ended=max(began, ended) if ended else None,
        error=_why(attributes, status.get("message")) if failed else "",
        scope=scope,
        attributes=attributes,
        links=tuple(text_of(_object(k).get("spanId")) for k in _list(span.get("links"))),
    )


def _nanoseconds(value: Any, where: str, name: str) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = -1

    if not 0 <= number < 2**63 or isinstance(value, bool):
        raise TraceError(f"{where}: {name} is {value!r:.40}, not nanoseconds since 1970")

    return number


def _why(attributes: dict[str, Any], message: object) -> str:
    return text_of(message) or text_of(attributes.get("error.type")) or "failed"


def _attributes(listed: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}

    for item in map(_object, _list(listed)):
        found[text_of(item.get("key"))] = _value(item.get("value"), 0)

    return found


def _value(wrapped: Any, depth: int) -> Any:
    """The value in an AnyValue; None for what cannot be read, or lies too deep."""
    (kind, value), *_ = _object(wrapped).items() or [("", None)]
    found = None

    match kind, value:
        case "stringValue", str():
            found = text_of(value)
        case "boolValue", bool():
            found = value
        case "intValue", int() | str():
            found = _integer(value)
        case "doubleValue", int() | float() if math.isfinite(value):
            found = float(value)
        case "arrayValue", {"values": [*values]} if depth < DEEPEST:
            found = [_value(part, depth + 1) for part in values]
        case "kvlistValue", {"values": [*values]} if depth < DEEPEST:
            pairs = [_object(part) for part in values]
            found = {text_of(p.get("key")): _value(p.get("value"), depth + 1) for p in pairs}
        case _:
            pass

    return found


def _integer(value: int | str) -> int | None:
    try:
        return int(value)
    except ValueError:
        return None


def _of_sdk(span: Any, where: str) -> Span:
    """A ReadableSpan of the SDK, or what looks like one."""
    try:
        context, parent, status = span.context, span.parent, span.status
        began = _nanoseconds(span.start_time, where, "start_time")
        ended = span.end_time and _nanoseconds(span.end_time, where, "end_time")
        about = cast("Mapping[str, Any]", span.attributes or {})
        attributes = {str(name): _plain(value) for name, value in about.items()}
        failed = status.status_code.name == "ERROR"
        return Span(
            id=f"{context.span_id:016x}",
            trace=f"{context.trace_id:032x}",
            parent="" if parent is None else f"{parent.span_id:016x}",
            name=text_of(span.name),
            began=began,
            ended=max(began, ended) if ended else None,
            error=_why(attributes, status.description) if failed else "",
            scope=text_of(getattr(span.instrumentation_scope, "name", "")),
            attributes=attributes,
            links=tuple(f"{link.context.span_id:016x}" for link in span.links or ()),
        )
    except (AttributeError, TypeError, ValueError) as error:
        what = f"{where} is a {type(span).__name__}, not a span of the SDK ({error})"
        raise UsageFault(f"{what}: give a list of ReadableSpan") from None


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(part) for part in cast("Iterable[Any]", value)]

    return text_of(value) if isinstance(value, str) else value
