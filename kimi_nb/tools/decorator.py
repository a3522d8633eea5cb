"""`@kn.tool`: any typed function becomes something that a model can call."""

from __future__ import annotations

import contextlib
import inspect
import re
import typing
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any, Literal, overload

from kimi_nb.errors import UsageFault
from kimi_nb.tools import docstring
from kimi_nb.tools.base import Tool, ToolContext
from kimi_nb.tools.processes.carried import needs_cloudpickle
from kimi_nb.tools.schema import object_shape

__all__ = ["tool"]

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]{2,63}")
_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@overload
def tool(function: Callable[..., Any]) -> Tool: ...
@overload
def tool(
    *,
    name: str | None = None,
    side_effects: bool = False,
    private: bool = False,
    untrusted: bool = False,
    outward: bool = False,
    executor: Executor | Literal["processes"] | None = None,
    close: Callable[[], Awaitable[None]] | None = None,
) -> Callable[[Callable[..., Any]], Tool]: ...
def tool(  # noqa: PLR0913 -- what a tool is; all but the function have defaults
    function: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    side_effects: bool = False,
    private: bool = False,
    untrusted: bool = False,
    outward: bool = False,
    executor: Executor | Literal["processes"] | None = None,
    close: Callable[[], Awaitable[None]] | None = None,
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Make a typed function, sync or async, a tool; it can still be called as before.

    The docstring is what the model reads. Say `side_effects=True` if calling it twice does
    harm: a resumed run then asks instead of calling it again. `close` frees what the tool
    holds; it runs when the run ends.

    Say what it does with data, for nobody else knows. `private`: what it returns may be the
    user's own; `untrusted`: strangers may have written it, a model may obey it; `outward`: the
    call sends its arguments to others. An agent that has taken in both of the first is refused
    every outward call.

    `executor`: for a plain function that computes for long. "processes": in processes of the
    run's own, one for each core, which end with the run, and with a call that is cancelled.
    Or a `concurrent.futures.Executor`, such as `dask.distributed.Client().get_executor(pure=False)`
    (that computes equal calls anew). Dask calls a function again whose worker died, and cannot end
    one that has begun. The function, its arguments and its result must be such as can be carried
    there.

    Raises UsageFault where a parameter cannot be described to a model, and where a function
    cannot run in the executor.
    """

    def made(function: Callable[..., Any]) -> Tool:
        if executor is not None:
            _check_executor(executor)
            _check_carried(function)

        return replace(
            _tool(function, name),
            side_effects=side_effects,
            private=private,
            untrusted=untrusted,
            outward=outward,
            executor=executor,
            close=close,
        )

    return made if function is None else made(function)


def _tool(function: Callable[..., Any], name: str | None) -> Tool:
    named = name or getattr(function, "__name__", type(function).__name__)
    _check_name(named)
    hints = _hints(function)
    parameters = inspect.signature(function).parameters
    context = [key for key in parameters if hints.get(key) is ToolContext]
    told = {key: each for key, each in parameters.items() if key not in context}
    doc = docstring.parse(inspect.getdoc(function))
    shape = object_shape(
        {key: _annotation(each, hints) for key, each in told.items()},
        {key: each.default for key, each in told.items() if each.default is not each.empty},
        doc.parameters,
        "",
    )
    return Tool(
        name=named,
        description=doc.description or named.replace("_", " "),
        parameters=shape.schema,
        function=function,
        context_parameter=context[0] if context else None,
        reader=shape.reader,
    )


def _check_executor(executor: object) -> None:
    if executor != "processes" and not isinstance(executor, Executor):
        raise UsageFault(
            f"executor={executor!r}: write executor='processes', or give a "
            "concurrent.futures.Executor"
        )


def _check_carried(function: Callable[..., Any]) -> None:
    if inspect.iscoroutinefunction(function):
        raise UsageFault(
            f"{function.__name__} is async, so it runs on the event loop; make it a plain "
            "function to run it in an executor"
        )

    needs_cloudpickle()


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UsageFault(
            f"a tool cannot be called {name!r}: 3 to 64 letters, digits, _ or -, and no digit or "
            f"- first; give it one with @kn.tool(name='…')"
        )


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    target = function if inspect.isroutine(function) else type(function).__call__
    target = inspect.unwrap(target)

    try:
        return typing.get_type_hints(target, localns=_enclosed(target), include_extras=True)
    except NameError as error:
        raise UsageFault(
            f"the annotations of {target.__name__} mention {error.name!r}, which is not defined; "
            f"define or import it above the function"
        ) from error


def _enclosed(function: Any) -> dict[str, Any]:
    """Names of the enclosing function: annotations written as strings may mention them."""
    cells = getattr(function, "__closure__", None) or ()
    names = function.__code__.co_freevars if cells else ()
    found: dict[str, Any] = {}

    for name, cell in zip(names, cells, strict=True):
        with contextlib.suppress(ValueError):  # a variable that has no value yet
            found[name] = cell.cell_contents

    return found


def _annotation(parameter: inspect.Parameter, hints: dict[str, Any]) -> Any:
    name = parameter.name

    if parameter.kind not in _BY_NAME:
        raise UsageFault(
            f"parameter {name!r}: a model gives every argument by name; write plain parameters "
            f"instead of *{name}, **{name} or a / after {name}"
        )

    if name not in hints:
        raise UsageFault(f"parameter {name!r} has no type; write for example {name}: str")

    return hints[name]
