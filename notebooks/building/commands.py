"""What one types: build, execute, stamp, check."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from building.source import FOLDER, Source, SourceFault, read, sources
from building.stale import drifted, orphans, stamp, untranslated
from building.teaching import documents
from building.write import LANGUAGES, notebook, place, written
from kimi_nb.errors import UsageFault

__all__ = ["main"]

TEACHERS = "instructor"
"""Beside the numbers: what is made in notebooks/instructor."""

ABOUT = "Make the notebooks of both languages from notebooks/src."


def main(arguments: list[str] | None = None, folder: Path = FOLDER) -> int:
    """Do it for the notebooks that are named, or for all; 1 if something is left to do."""
    options = _parser().parse_args(arguments)
    does: Callable[[Source], bool] = build

    if options.check:
        does = check
    elif options.execute:
        does = execute
    elif options.translated:
        does = translated

    if options.translated and not options.numbers:
        raise SystemExit("say of which you have read the Chinese: --translated 03")

    numbers = [number for number in options.numbers if number != TEACHERS]
    chosen = _chosen(numbers, folder) if numbers or not options.numbers else []
    done = [_tried(does, path) for path in chosen]
    lost = list(orphans(folder)) if options.check else []

    for finding in lost:
        print(finding)

    taught = folder != FOLDER or _taught(
        check=options.check, read=options.translated and TEACHERS in options.numbers
    )
    return int(bool(lost) or not all(done) or not taught)


def _taught(*, check: bool, read: bool) -> bool:
    """Whether what teachers get is up to date: it quotes the notebooks, so every build makes it."""
    try:
        if read:
            print(f"{TEACHERS}: {documents.translated()} translations stamped")

        found = list(documents.stale()) if check else []
        written = [] if check else documents.build()
    except (SourceFault, UsageFault) as fault:
        print(f"{TEACHERS}: {fault}", file=sys.stderr)
        return False

    for finding in found:
        print(f"  {finding}")

    print(f"{TEACHERS}: {len(found)} to mend" if check else f"{TEACHERS}: {len(written)} written")
    return not found


def build(source: Source) -> bool:
    """Write both notebooks, with the outputs that they have."""
    changed = [
        language
        for language in LANGUAGES
        if written(notebook(source, language), place(source, language))
    ]
    _say(source, f"{' and '.join(changed)} written" if changed else "unchanged")

    for finding in untranslated(source):
        print(f"  {finding}")

    return True


def execute(source: Source) -> bool:
    """Run both notebooks and write them with the outputs that the tests compare."""
    from building.execute import executed  # nbclient, which a mere build does without

    for language in LANGUAGES:
        print(f"{source.path.stem}: {language} runs …", end="", flush=True)
        began = time.monotonic()
        changed = written(executed(source, language), place(source, language))
        print(f" {time.monotonic() - began:.1f} s{', written' if changed else ', unchanged'}")

    return True


def translated(source: Source) -> bool:
    """Stamp the Chinese cells, then build."""
    _say(source, f"{stamp(source)} translations stamped")
    return build(read(source.path))


def check(source: Source) -> bool:
    """Say what is stale."""
    found = [*untranslated(source), *drifted(source)]
    _say(source, "up to date" if not found else f"{len(found)} to mend")

    for finding in found:
        print(f"  {finding}")

    return not found


def _tried(does: Callable[[Source], bool], path: Path) -> bool:
    """Whether it could be done: one source with a fault does not hold up the others."""
    from nbclient.exceptions import CellControlSignal, DeadKernelError
    from nbformat import ValidationError

    try:
        return does(read(path))
    except (SourceFault, UsageFault, ValidationError, CellControlSignal, DeadKernelError) as fault:
        print(f"{path.stem}: {fault}", file=sys.stderr)
        return False


def _chosen(numbers: list[str], folder: Path) -> list[Path]:
    """The sources with these numbers; all of them for no number."""
    found = sources(folder)

    for number in numbers:
        if not any(path.name.startswith(f"{number}-") for path in found):
            raise SystemExit(f"there is no {folder}/{number}-….md: write it first")

    return [path for path in found if not numbers or path.name[:2] in numbers]


def _say(source: Source, text: str) -> None:
    print(f"{source.path.stem}: {text}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python notebooks/build.py", description=ABOUT)
    parser.add_argument(
        "numbers", nargs="*", metavar="NN", help=f"which; all if left out; or {TEACHERS}"
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--execute", action="store_true", help="run them, and keep the outputs that are compared"
    )
    instead.add_argument(
        "--translated", action="store_true", help="say that the Chinese says what the English says"
    )
    instead.add_argument("--check", action="store_true", help="say what is stale; exit with 1")
    return parser
