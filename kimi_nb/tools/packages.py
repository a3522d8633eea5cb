"""Tools that look at the Python packages of this environment."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from kimi_nb.errors import ToolError
from kimi_nb.tools.decorator import tool
from kimi_nb.tools.nearest import suggest

if TYPE_CHECKING:  # a tenth of what `%load_ext` takes, for tools that may not be called
    from importlib.metadata import Distribution

__all__ = ["list_packages", "package_info"]

SHORT = 60
"""Characters: a longer License field is the text of a licence, not its name."""
_CODE = re.compile(rb"^[ \t\f]*[^\s#]", re.MULTILINE)
_OSI = "License :: OSI Approved :: "


@tool(private=True, untrusted=True)
def list_packages() -> str:
    """The names of the Python packages that are installed here, one a line, sorted."""
    from importlib.metadata import distributions

    found = {
        _normal(name): name
        for distribution in distributions()
        if (name := _stated(distribution, "Name"))
    }
    return "\n".join(found[key] for key in sorted(found))


@tool(private=True, untrusted=True)
def package_info(name: str) -> str:
    """Facts about one installed Python package, one a line.

    Name, version, licence, direct dependencies (those that apply on this machine, without
    extras), modules (its .py files), lines of code (lines of those files that are neither
    blank nor only a comment) and summary.

    Args:
        name: The name as list_packages gives it.
    """
    from importlib import metadata

    try:
        distribution = metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError):
        known = list_packages().splitlines()
        raise ToolError(f"no package {name!r} is installed; {suggest(name, known)}") from None

    dependencies = _dependencies(distribution)
    files, unknown = _modules(distribution)
    summary = _stated(distribution, "Summary").partition("\n")[0]
    lines = unknown or str(sum(map(_lines_of_code, files)))
    return "\n".join(
        [
            f"name: {_stated(distribution, 'Name') or name}",
            f"version: {_stated(distribution, 'Version') or 'not stated'}",
            f"licence: {_licence(distribution)}",
            f"direct dependencies: {', '.join(dependencies) or 'none'} ({len(dependencies)})",
            f"modules: {unknown or len(files)}",
            f"lines of code: {lines}",
            f"summary: {summary or 'none'}",
        ]
    )


def _stated(distribution: Distribution, key: str) -> str:
    """A field of the metadata, "" if absent: an aborted pip run leaves folders without any.

    The importlib_metadata of PyPI, once some library has imported it, raises there.
    """
    with contextlib.suppress(FileNotFoundError):
        return str((distribution.metadata.get_all(key) or [""])[0]).strip()

    return ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _licence(distribution: Distribution) -> str:
    if expression := _stated(distribution, "License-Expression"):
        return expression

    stated = _stated(distribution, "License")

    if stated and len(stated) <= SHORT and "\n" not in stated and stated.upper() != "UNKNOWN":
        return stated

    classifiers: list[str] = distribution.metadata.get_all("Classifier") or []
    names = [each.removeprefix(_OSI) for each in classifiers if each.startswith("License :: ")]
    return "; ".join(name.removeprefix("License :: ") for name in names) or "not stated"


def _dependencies(distribution: Distribution) -> list[str]:
    """Names of what it needs here, each once, sorted."""
    from packaging.requirements import InvalidRequirement, Requirement

    found: dict[str, str] = {}

    for line in distribution.requires or ():
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue

        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found.setdefault(_normal(requirement.name), requirement.name)

    return [found[key] for key in sorted(found)]


def _modules(distribution: Distribution) -> tuple[list[Path], str]:
    """Its .py files, or why they cannot be told."""
    if place := _editable(distribution):
        return [], f"unknown (editable install: {place})"

    listed = distribution.files

    if listed is None:
        return [], "unknown (the package has no list of its files)"

    paths = {Path(str(file.locate())) for file in listed if file.suffix == ".py"}
    there = sorted(path for path in paths if path.is_file())
    named = paths or ".py," in (
        distribution.read_text("RECORD") or ""
    )  # PyPI's lists what is there

    if named and not there:
        return [], "unknown (the files of its list are not there)"

    return there, ""


def _editable(distribution: Distribution) -> str:
    """Where its source lies, if that is not where packages are installed."""
    text = distribution.read_text("direct_url.json")

    try:
        origin: Any = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return ""

    return str(origin["url"]) if origin.get("dir_info", {}).get("editable") else ""


def _lines_of_code(path: Path) -> int:
    try:
        return len(_CODE.findall(path.read_bytes()))
    except OSError:
        return 0  # gone since it was listed
