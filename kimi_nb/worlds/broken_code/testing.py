"""The tests of a module as its package has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kimi_nb.worlds.broken_code.cases import Case

__all__ = ["tests_of"]


def tests_of(package: str, module: str, cases: Sequence[Case]) -> str:
    """The source of tests/test_<module>.py: the cases that are not hidden."""
    shown = [case for case in cases if not case.hidden]
    functions = list(dict.fromkeys(case.function for case in shown))
    lines = [f'"""What {package}.{module} has to do."""', ""]

    if any(case.error for case in shown):
        lines += ["import pytest", ""]

    lines += [f"from {package}.{module} import {', '.join(functions)}", ""]

    for function in functions:
        own = [case for case in shown if case.function == function]
        lines += _test(f"test_{function}", [each for each in own if not each.error])
        lines += _test(f"test_{function}_refuses", [each for each in own if each.error])

    return "\n".join(lines) + "\n"


def _test(name: str, cases: Sequence[Case]) -> Iterator[str]:
    if not cases:
        return

    yield from ("", f"def {name}():")

    for case in cases:
        yield from _checked(case)

    yield ""


def _checked(case: Case) -> Iterator[str]:
    call = f"{case.function}({', '.join(map(repr, case.arguments))})"

    if case.error:
        yield f"    with pytest.raises({case.error}):"
        yield f"        {call}"
    elif case.value is None or isinstance(case.value, bool):
        yield f"    assert {call} is {case.value!r}"
    else:
        yield f"    assert {call} == {case.value!r}"
