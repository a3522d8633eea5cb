"""Make the notebooks of both languages from notebooks/src.

python notebooks/build.py                    # all
python notebooks/build.py 03 04              # these
python notebooks/build.py --execute 03       # run it, and keep the outputs that are compared
python notebooks/build.py --translated 03    # the Chinese says what the English says
python notebooks/build.py --check            # what is stale; 1 if anything is
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from building.source import FOLDER, Source, SourceFault, read, sources
from building.write import LANGUAGES, notebook, place, written

from kimi_nb.errors import UsageFault


def main(arguments: list[str] | None = None) -> int:
    """Build what is asked for; 1 if something could not be."""
    options = _parser().parse_args(arguments)
    failed = False

    for path in chosen(options.numbers):
        try:
            build(read(path))
        except (SourceFault, UsageFault, KeyError) as fault:
            failed = True
            print(f"{path.stem}: {fault!r}", file=sys.stderr)

    return int(failed)


def chosen(numbers: list[str], folder: Path = FOLDER) -> list[Path]:
    """The sources with these numbers; all of them for no number."""
    found = sources(folder)

    for number in numbers:
        if not any(path.name.startswith(f"{number}-") for path in found):
            raise SystemExit(f"there is no {folder}/{number}-….md; write it first")

    return [path for path in found if not numbers or path.name[:2] in numbers]


def build(source: Source) -> None:
    """Write both notebooks, and say what came of it."""
    changed = [
        language
        for language in LANGUAGES
        if written(notebook(source, language), place(source, language))
    ]
    print(f"{source.path.stem}: {', '.join(changed) + ' written' if changed else 'unchanged'}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("numbers", nargs="*", metavar="NN", help="of the sources; all without")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
