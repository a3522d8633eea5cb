"""The tool that runs the tests of the working folder, in the native sandbox."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections import Counter
from collections.abc import Iterator

from kimi_nb.errors import ToolError
from kimi_nb.tools import native
from kimi_nb.tools.base import ToolContext
from kimi_nb.tools.beneath import Folder
from kimi_nb.tools.decorator import tool
from kimi_nb.tools.threads import Slots

__all__ = ["run_tests"]

AT_ONCE = 3
"""Each pytest costs half a second of a processor before its first test."""
SECONDS = {"file": 20.0, "folder": 120.0}
ROOM = 6_000
"""Characters of tracebacks; the table before them is never cut."""
OPTIONS = (
    "-q",
    "-rA",
    "--tb=short",
    "--color=no",
    "--capture=sys",  # the other kind needs files
    "--rootdir=.",
    "--confcutdir=.",  # nothing above the folder can be read
    "--continue-on-collection-errors",
    "--disable-plugin-autoload",
    "-p",
    "no:cacheprovider",
)
INI = ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")

_RESULT = re.compile(r"^(PASSED|FAILED|ERROR) (\S+?\.py)(::\S+)?(?: - .*)?$")
_SLOTS = Slots(AT_ONCE)


@tool(private=True, untrusted=True)
async def run_tests(context: ToolContext, path: str = "") -> str:
    """Run the tests of the working folder with pytest, or those of one file or folder.

    Gives one line for each test file: how many of its tests passed, failed, or could not be
    run. Short tracebacks follow. The tests can write no files.

    Args:
        path: A test file, or a folder; "" runs all tests there are.
    """
    if why := native.available():
        raise ToolError(why)

    if importlib.util.find_spec("pytest") is None:
        raise ToolError("pytest is not installed; type: pip install 'kimi-nb[worlds]'")

    with Folder(context.folder) as root:
        parts = root.parts(path)
        is_folder = root.entry(parts).is_folder
        ini = next((name for name in INI if _has(root, name)), "/dev/null")

    target = "/".join(parts)
    command = [sys.executable, "-m", "pytest", *OPTIONS, "-c", ini, *filter(None, [target])]
    seconds = SECONDS["folder" if is_folder else "file"]

    async with _SLOTS.taken():
        ended = await native.run(command, folder=context.folder, writable=False, seconds=seconds)

    if ended.why:
        raise ToolError(f"the tests were ended: {_told(ended.why, seconds)}{_last(ended.output)}")

    return _report(ended.output, ended.code)


def _has(root: Folder, name: str) -> bool:
    try:
        return not root.entry((name,)).is_folder
    except ToolError:
        return False


def _told(why: str, seconds: float) -> str:
    if why == "timeout":
        return f"they took more than {seconds:.0f} s; run one file, and look for an endless loop"

    return f"too much {why}"


def _last(output: str) -> str:
    return f"\n{output[-1_000:]}" if output.strip() else ""


def _report(output: str, code: int) -> str:
    """The table by file, what pytest says of each failure, and its last line."""
    body, _, summary = output.rpartition("short test summary info")
    counts: dict[str, Counter[str]] = {}
    messages: list[str] = []

    for line in summary.splitlines():
        if found := _RESULT.match(line):
            counts.setdefault(found[2], Counter())[found[1]] += 1

            if found[1] != "PASSED":
                messages.append(line)

    if not counts:
        return f"{output.strip()[-ROOM:]}\n[pytest ended with {code}]"

    last = next((line for line in reversed(summary.splitlines()) if line.strip()), "")
    return "\n".join([*_table(counts), "", *_failures(body, messages), last])


def _table(counts: dict[str, Counter[str]]) -> Iterator[str]:
    for path, count in counts.items():
        told = [
            f"{count[kind]} {word}"
            for kind, word in (("FAILED", "failed"), ("ERROR", "not run"), ("PASSED", "passed"))
            if count[kind]
        ]
        yield f"{path}: {', '.join(told)}"


def _failures(body: str, messages: list[str]) -> Iterator[str]:
    """The tracebacks if there is room for all, else the lines that name each failure."""
    _, _, traces = body.partition("\n=")
    traces = traces.partition("\n")[2]
    traces = re.split(r"\n=+ PASSES =+\n", traces)[0].rstrip("= \n")

    if not messages:
        return

    if len(traces) <= ROOM:
        yield f"{traces}\n"
        return

    room = ROOM

    for number, line in enumerate(messages):
        room -= min(len(line), 200) + 1

        if room < 0:
            yield f"[… {len(messages) - number} more; run one file to see its failures]\n"
            return

        yield line[:200]
