"""What a run's sub-agents need in another process, packed into bytes. No key is in it."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from kimi_nb.errors import UsageFault
from kimi_nb.models.base import Model
from kimi_nb.models.secret import Secret
from kimi_nb.swarm.budget import Budget
from kimi_nb.swarm.connect import Connection
from kimi_nb.swarm.engine import Settings
from kimi_nb.tools import Tool, Toolset, python_tool
from kimi_nb.tools.shipped import SHIPPED, shipped

__all__ = ["Baggage", "Kit", "pack", "unpack_model", "unpack_tools"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What agents work with: a model and tools."""

    model: bytes
    tools: bytes
    gate: str
    """Names who keeps the pace."""
    base_url: str | None
    keyed: bool
    """The model needs a key: it comes apart from this, or is in the worker's environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baggage:
    """All that a worker asks for once in a run."""

    kit: Kit
    settings: Settings
    budget: Budget
    cache_key: str
    facts: bytes
    """The run's own facts so far, as lines of its log."""


def pack(connection: Connection, toolset: Toolset) -> Kit:
    """The kit of a run. Raises UsageFault if the model or a tool cannot go to other processes."""
    elsewhere = connection.elsewhere

    if elsewhere is None:
        raise UsageFault(
            "a client of one's own cannot go to other machines: leave client= out, and give "
            "base_url= and key= instead"
        )

    try:
        model = _dumps(elsewhere.make)
    except Exception as error:
        raise UsageFault(
            f"the model {connection.model.name!r} cannot go to other machines "
            f"({type(error).__name__}: {error}): give what can be pickled, or leave cluster= out"
        ) from error

    return Kit(
        model=model,
        tools=pickle.dumps((toolset.output_limit, [_packed(tool) for tool in toolset])),
        gate=elsewhere.gate,
        base_url=connection.base_url,
        keyed=elsewhere.key is not None,
    )


def unpack_model(packed: bytes, key: Secret | None) -> Model:
    """The model. Raises whatever its making raises there."""
    make = cast("Callable[[Secret | None], Model]", pickle.loads(packed))  # noqa: S301 -- our own
    return make(key)


def unpack_tools(packed: bytes) -> Toolset:
    """The tools. Raises UsageFault where one of them needs what is not there."""
    tools: list[Tool] = []
    limit, each = cast("tuple[int, list[tuple[str, bytes]]]", pickle.loads(packed))  # noqa: S301

    for name, data in each:
        try:
            tools.append(pickle.loads(data) if data else _made(name))  # noqa: S301
        except ModuleNotFoundError as error:
            raise UsageFault(
                f"the tool {name!r} needs the module {error.name!r}, which the workers do not "
                f"have: client.upload_file('{error.name}.py'), or define it in the notebook"
            ) from error

    return Toolset(tools, output_limit=limit)


def _packed(tool: Tool) -> tuple[str, bytes]:
    try:
        return tool.name, _dumps(tool)
    except Exception as error:
        if _is_ours(tool):
            return tool.name, b""

        raise UsageFault(
            f"the tool {tool.name!r} cannot go to other machines ({type(error).__name__}: "
            f"{error}): let it make inside the function what cannot be pickled, as a connection"
        ) from error


def _is_ours(tool: Tool) -> bool:
    module = str(getattr(tool.function, "__module__", ""))
    known = tool.name == "python" or tool.name in SHIPPED
    return known and module.startswith("kimi_nb.tools.")


def _made(name: str) -> Tool:
    return python_tool() if name == "python" else shipped(name)


def _dumps(thing: Any) -> bytes:
    import cloudpickle  # pyright: ignore[reportMissingTypeStubs]

    return cloudpickle.dumps(thing)  # pyright: ignore[reportUnknownMemberType]
