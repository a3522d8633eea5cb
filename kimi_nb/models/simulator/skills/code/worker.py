"""An agent that mends modules, one after the other: look, write, run, again if need be."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kimi_nb.models.simulator.script import Call
from kimi_nb.models.simulator.skills.code.job import tests_path
from kimi_nb.models.simulator.skills.code.known import Known
from kimi_nb.models.simulator.skills.code.proposals import (
    Proposal,
    proposals,
    wanted_elsewhere,
)

__all__ = ["next_calls", "what_changed"]

TRIES = 5
"""Sources that are written for one module before it is given up."""
LOOKS = 4
"""Times that one file is read: what is forgotten faster than it is used is no use."""


def next_calls(known: Known, modules: Sequence[str]) -> tuple[Call, ...]:
    """What to do next about these modules, in their order; () when nothing is left to do."""
    for place, module in enumerate(modules):
        later = modules[place + 1 :]

        if any(known.tries(each) for each in later):
            continue  # it was left behind, mended or not

        calls = _about(known, module)

        if calls:
            ran = calls[0].name == "run_tests" and len(calls) == 1
            return (*calls, *(_looks(known, later[0]) if ran and later else ()))

    return ()


def what_changed(known: Known, module: str) -> str:
    """What the agent did to the module, as far as it remembers; "" if it did nothing."""
    tries = known.tries(module)

    if not tries:
        return ""

    found = [each.what for each in _proposed(known, module) if each.source == tries[-1]]
    return found[0] if found else f"rewritten {len(tries)} times"


def _about(known: Known, module: str) -> tuple[Call, ...]:
    """The next calls about one module; () if it is mended, or given up."""
    tries = known.tries(module)
    verdict = known.verdict(module)

    if verdict is None:
        looks = () if tries else _looks(known, module)
        run = Call("run_tests", {"path": tests_path(module)})
        return looks or (
            (run,) if known.asked("run_tests", tests_path(module)) <= 2 * TRIES else ()
        )

    if verdict or len(tries) >= TRIES:
        return ()

    missing = _unread(known, module)

    if missing:
        return tuple(Call("read_file", {"path": path}) for path in missing)

    wanted = _search(known, module)

    if wanted:
        return wanted

    fresh = [each for each in _proposed(known, module) if each.source not in tries]
    return _written(known, module, fresh[0]) if fresh else ()


def _looks(known: Known, module: str) -> tuple[Call, ...]:
    """Read the module and its tests, and run these, as far as that was not done."""
    calls = [Call("read_file", {"path": path}) for path in _unread(known, module)]

    if known.verdict(module) is None and not known.tries(module) and calls:
        calls.append(Call("run_tests", {"path": tests_path(module)}))

    return tuple(calls)


def _unread(known: Known, module: str) -> list[str]:
    paths = [known.job.path(module), tests_path(module)]
    missing = [path for path in paths if known.text(path) is None]

    if known.text(paths[0]) is not None and isinstance(path := _all_sources(known, module), str):
        missing.append(path)

    return [path for path in missing if known.asked("read_file", path) < LOOKS]


def _all_sources(known: Known, module: str) -> object:
    return known.sources(module, known.text(known.job.path(module)) or "")


def _proposed(known: Known, module: str) -> tuple[Proposal, ...]:
    """What could be written: worked out from the module as it was before the first try."""
    source = known.first_text(known.job.path(module))
    tests = known.text(tests_path(module))

    if not source or not tests:
        return ()

    sources = known.sources(module, source)

    if isinstance(sources, str):
        return ()

    return proposals(known.job.dotted(module), sources, tests, _moved(known, module)[1])


def _elsewhere(known: Known, module: str) -> list[str]:
    source = known.first_text(known.job.path(module)) or ""
    tests = known.text(tests_path(module)) or ""
    return wanted_elsewhere(source, tests, known.job.dotted(module))


def _pattern(name: str) -> str:
    return rf"^def {name}\b"


def _search(known: Known, module: str) -> tuple[Call, ...]:
    """The calls that find a function which the tests expect here and which lies elsewhere."""
    for name in _elsewhere(known, module):
        where = known.searched(_pattern(name))

        if where is None and known.asked("grep", known.job.package) < LOOKS:
            return (Call("grep", {"pattern": _pattern(name), "path": known.job.package}),)

        path = _found_in(where or "", known.job.path(module))

        if path and known.text(path) is None and known.asked("read_file", path) < LOOKS:
            return (Call("read_file", {"path": path}),)

    return ()


def _found_in(where: str, own: str) -> str:
    paths = re.findall(r"(?m)^(\S+\.py):\d+: ", where)
    return next((path for path in paths if path != own), "")


def _moved(known: Known, module: str) -> tuple[str, str]:
    """The file that has a function which belongs into the module, and its source there."""
    for name in _elsewhere(known, module):
        path = _found_in(known.searched(_pattern(name)) or "", known.job.path(module))
        text = _before(known, path) if path else None
        found = re.search(rf"(?ms)^def {name}\b.*?(?=^\S|\Z)", text or "")

        if found:
            return path, found[0].strip()

    return "", ""


def _before(known: Known, path: str) -> str | None:
    return known.first_text(path) or known.text(path)


def _written(known: Known, module: str, chosen: Proposal) -> tuple[Call, ...]:
    calls = [Call("write_file", {"path": known.job.path(module), "text": chosen.source})]
    path, text = _moved(known, module)

    if path and not known.tries(module):
        rest = (_before(known, path) or "").replace(text, "").rstrip() + "\n"
        calls.append(Call("write_file", {"path": path, "text": rest}))

    return tuple(calls)
