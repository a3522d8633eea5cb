"""The tools that a run had, found again where its log is taken up."""

from __future__ import annotations

from kimi_nb.swarm.asked import UserTools, toolset_of
from kimi_nb.swarm.saved import Had
from kimi_nb.tools import Toolset, standard_tools
from kimi_nb.tools.shipped import SHIPPED

__all__ = ["equipped", "named_in", "own_tools"]


def named_in(listed: str) -> list[str]:
    """The names in a list such as "a,b"."""
    return [name.strip() for name in listed.split(",") if name.strip()]


def own_tools(was: Had) -> list[str]:
    """The functions of the user's that a run had as tools."""
    return sorted(was.tools.keys() - set(standard_tools().names) - set(_shipped(was)))


def equipped(was: Had, tools: UserTools, *, fork: bool) -> Toolset:
    """What a run goes on with: tools that come with kimi_nb are found without being named.

    A fork that is given tools has these and no others, for only a fork may have others; a
    Toolset is taken as it is. Raises UsageFault as `toolset_of` does.
    """
    if isinstance(tools, Toolset):
        return toolset_of(tools)

    given = list(tools)

    if fork and given:
        return toolset_of(given)

    names = {item if isinstance(item, str) else _name(item) for item in given}
    return toolset_of([*given, *(name for name in _shipped(was) if name not in names)])


def _shipped(was: Had) -> list[str]:
    """Those of its tools that came with kimi_nb: a user's own of that name has a digest of code."""
    return sorted(name for name, (_, code) in was.tools.items() if name in SHIPPED and not code)


def _name(item: object) -> object:
    return getattr(item, "name", None) or getattr(item, "__name__", None)
