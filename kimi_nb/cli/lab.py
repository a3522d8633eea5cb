"""`kimi-nb lab`: a copy of the curriculum to work in, opened in JupyterLab."""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

from kimi_nb._version import __version__
from kimi_nb.cli.output import print_json, tell
from kimi_nb.errors import UsageFault
from kimi_nb.teach.language import language
from kimi_nb.views.export import write_whole

__all__ = ["PICTURES", "Copied", "copy_curriculum", "lab", "shipped"]

PACKAGE = Path(__file__).parents[1]
PLACES = (PACKAGE / "curriculum", PACKAGE.parent / "notebooks")
"""Of the notebooks: in a wheel, and in a checkout."""
LANGUAGES = ("en", "zh")
PICTURES = ("parl/phase.png", "parl/when.png")
"""Beside the folders of the languages; notebooks show them."""
RECORD = Path(".kimi_nb", "curriculum.json")
"""Below the copy: the hash of each file as it was last handed out."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy changed; paths below the folder."""

    new: list[str] = field(default_factory=list[str])
    renewed: list[str] = field(default_factory=list[str])
    """Not changed by the learner, and replaced by this release's."""
    beside: dict[str, str] = field(default_factory=dict[str, str])
    """Changed by the learner, so they stay; and where this release's lies instead."""


def lab(asked: argparse.Namespace) -> int:
    """Copy what is missing, then become JupyterLab; 1 if that is not installed."""
    source, folder = shipped(), Path(asked.folder)
    done = copy_curriculum(source, folder)
    spoken = asked.language or language()
    first = min((source / spoken).glob("*.ipynb")).relative_to(source)
    there = importlib.util.find_spec("jupyterlab") is not None
    _tell(done, folder)

    if asked.json:
        about = {"folder": str(folder), "language": spoken, "open": str(folder / first)}
        changed = {"new": done.new, "renewed": done.renewed, "beside": done.beside}
        print_json(about | changed | {"jupyterlab": there})

    if asked.copy_only:
        tell(f"lab: to open it, type: kimi-nb lab {shlex.quote(str(folder))}")
        return 0

    if there:
        _open(folder, first)

    tell("lab: JupyterLab is not installed; type: pip install 'kimi-nb[lab]'")
    tell(f"lab: or open {folder / first} elsewhere, with {sys.executable} as its kernel")
    return 1


def _open(folder: Path, first: Path) -> NoReturn:
    tell("lab: JupyterLab opens in the browser; stop it with Ctrl-C")
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder.resolve()}"]
    command.append(f"--LabApp.default_url=/lab/tree/{first.as_posix()}")
    # In place of this process, so that the Ctrl-C that JupyterLab asks about reaches it alone.
    os.execv(command[0], command)  # noqa: S606 -- no shell, and no argument of a stranger's


def shipped() -> Path:
    """The folder of the notebooks that came with kimi_nb. Raises UsageFault if none did."""
    for place in PLACES:
        if any(place.glob("en/*.ipynb")):
            return place

    raise UsageFault(
        "this installation of kimi_nb has no notebooks; "
        "type: pip install --force-reinstall --no-deps kimi-nb"
    )


def copy_curriculum(source: Path, folder: Path) -> Copied:
    """Bring what lies in `source` into `folder`; what a learner has changed there stays.

    Raises KimiNbError or OSError where something cannot be read or written.
    """
    done, known, files = Copied(), _known(folder), _files(source)

    for name, data in files.items():
        _bring(folder, name, data, known.get(name, ""), done)

    known |= {name: _hash(data) for name, data in files.items()}
    write_whole(folder / RECORD, json.dumps(known, indent=1).encode())
    return done


def _bring(folder: Path, name: str, data: bytes, handed_out: str, done: Copied) -> None:
    target = folder / name

    if not target.exists():
        write_whole(target, data)
        done.new.append(name)
        return

    had = target.read_bytes()

    if had == data or handed_out == _hash(data):
        return  # the learner's own work on this very release, or nothing done yet

    if _hash(had) == handed_out:
        write_whole(target, data)
        done.renewed.append(name)
        return

    other = _free(target, data)
    write_whole(other, data)
    done.beside[name] = other.relative_to(folder).as_posix()


def _free(target: Path, data: bytes) -> Path:
    """A name for this release's file that takes nobody's place."""
    marks = (f".v{__version__}{f'-{number}' if number > 1 else ''}" for number in count(1))
    others = (target.with_name(f"{target.stem}{mark}{target.suffix}") for mark in marks)
    return next(other for other in others if not other.exists() or other.read_bytes() == data)


def _files(source: Path) -> dict[str, bytes]:
    """What is handed out, by its path; hidden folders hold logs and checkpoints."""
    paths = sorted(path for name in LANGUAGES for path in (source / name).rglob("*"))
    paths += [source / name for name in PICTURES]
    named = {path.relative_to(source): path for path in paths if path.is_file()}
    return {
        name.as_posix(): path.read_bytes()
        for name, path in named.items()
        if not any(part.startswith((".", "__")) for part in name.parts)
    }


def _known(folder: Path) -> dict[str, str]:
    """What was handed out before; nothing, where the record is damaged: then all is theirs."""
    try:
        found: Any = json.loads((folder / RECORD).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}

    return dict(found) if isinstance(found, Mapping) else {}  # pyright: ignore[reportUnknownArgumentType]


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _tell(done: Copied, folder: Path) -> None:
    if done.new:
        tell(f"lab: {len(done.new)} new files in {folder}")

    for name in done.renewed:
        tell(f"lab: {folder / name} is this release's now; you had not changed it")

    for name, other in done.beside.items():
        tell(f"lab: {folder / name} is yours and stays; this release's is {folder / other}")
