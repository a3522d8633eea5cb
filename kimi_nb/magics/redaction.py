"""In a notebook: no known key leaves the kernel, whoever prints it.

All that a kernel sends (streams, displays, values, errors, widget state) is packed by one
function of its session, in whatever thread it was made. That function is wrapped here:
ipykernel's hooks hear neither errors nor widgets, and only the thread that registers them.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable
from typing import Any, cast

from IPython.core.interactiveshell import InteractiveShell

from kimi_nb.redact import hide, holds_key, learn_environment

__all__ = ["Redaction"]

IN_THE_NOTEBOOK = (
    "kimi_nb: this cell holds a key, and saving the notebook saves it too. Take it out of the "
    "cell and revoke it, then set MOONSHOT_API_KEY before the kernel starts, or type the new "
    "one with %swarm key, which keeps it nowhere.\n"
)


class Redaction:
    """Keeps keys out of what a shell shows and logs, from its making until `undo`."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = cast("Any", shell)
        self._warned = False
        self._undo = [_record_factory()]
        learn_environment()
        session = getattr(getattr(shell, "kernel", None), "session", None)
        self._undo.append(_tracebacks(self._shell) if session is None else _packer(session))
        self._shell.events.register("post_run_cell", self._look)

    def undo(self) -> None:
        """Show and log as before."""
        with contextlib.suppress(ValueError):
            self._shell.events.unregister("post_run_cell", self._look)

        while self._undo:
            self._undo.pop()()

    def _look(self, result: Any) -> None:
        """Say once that a key typed into a cell stays in the notebook, which no kernel can mend."""
        learn_environment()

        if not self._warned and holds_key(str(result.info.raw_cell)):
            self._warned = True
            sys.stderr.write(IN_THE_NOTEBOOK)


def _packer(session: Any) -> Callable[[], None]:
    before = session.pack
    active = True

    def pack(message: Any) -> bytes:
        packed: bytes = before(message)

        if not active or not message or "msg_id" in message:  # no content, or a header
            return packed

        learn_environment()
        text = packed.decode("utf-8", "replace")
        return packed if hide(text) == text else before(_hidden(message))

    def undo() -> None:
        nonlocal active
        active = False  # also where somebody has wrapped this one meanwhile

        if session.pack is pack:
            session.pack = before

    session.pack = pack
    return undo


def _hidden(value: Any) -> Any:
    """A message's content without keys."""
    match value:
        case str():
            return hide(value)
        case dict():
            items = cast("dict[Any, Any]", value).items()
            return {_hidden(name): _hidden(item) for name, item in items}
        case list() | tuple():
            return [_hidden(item) for item in cast("list[Any]", value)]
        case _:
            return value


def _tracebacks(shell: Any) -> Callable[[], None]:
    """In a terminal, where only errors are copied to other places."""
    name = "_showtraceback"  # IPython's own subclasses override it to show errors elsewhere
    before = getattr(shell, name)

    def show(kind: Any, error: Any, lines: list[str]) -> None:
        learn_environment()
        before(kind, error, [hide(line) for line in lines])

    def undo() -> None:
        if getattr(shell, name) is show:
            setattr(shell, name, before)

    setattr(shell, name, show)
    return undo


def _record_factory() -> Callable[[], None]:
    """Log records without keys, for whatever handler and file."""
    before = logging.getLogRecordFactory()

    def make(*arguments: Any, **more: Any) -> logging.LogRecord:
        record = before(*arguments, **more)

        with contextlib.suppress(Exception):  # a wrong format is told by the handler, as ever
            text = record.getMessage()

            if (hidden := hide(text)) != text:
                record.msg, record.args = hidden, ()

        return record

    def undo() -> None:
        if logging.getLogRecordFactory() is make:
            logging.setLogRecordFactory(before)

    logging.setLogRecordFactory(make)
    return undo
