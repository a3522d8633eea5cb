"""The README's tables against the programs that they describe."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from inspect import signature
from pathlib import Path

from building.frame import minutes
from building.source import read, sources

import kimi_nb as kn
from kimi_nb.cli.parser import build_parser
from kimi_nb.magics import SwarmMagics
from kimi_nb.magics.commands import COMMANDS

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def first_cells(heading: str) -> str:
    """The first column of the table below a heading."""
    section = README.partition(f"### {heading}")[2].partition("\n#")[0]
    return "\n".join(re.findall(r"^\| (`.*?) \|", section, re.MULTILINE))


def commands() -> dict[str, ArgumentParser]:
    return dict(next(action.choices for action in build_parser()._actions if action.choices))


def options(parser: ArgumentParser) -> set[str]:
    return {text for action in parser._actions for text in action.option_strings}


def test_the_options_of_the_magic() -> None:
    told = set(re.findall(r"--[\w-]+", first_cells("`%%swarm")))
    assert told == options(SwarmMagics.swarm.parser)


def test_the_commands_of_the_line_magic() -> None:
    assert re.findall(r"^`(\w+)", first_cells("`%swarm`"), re.MULTILINE) == list(COMMANDS)


def test_the_commands_of_the_command_line() -> None:
    real = commands()
    assert re.findall(r"^`(\w+)", first_cells("`kimi-nb`"), re.MULTILINE) == list(real)


def test_the_names_of_the_package() -> None:
    told = set(re.findall(r"\bkn\.(\w+)", README))
    assert {"measures", "from_spans", "read"} <= told <= set(kn.__all__)


def test_the_keywords_of_what_if() -> None:
    row = next(line for line in README.splitlines() if line.startswith("| `kn.what_if("))
    told = set(re.findall(r"`(\w+)[=`]", row.partition(" | ")[2]))
    assert told == set(signature(kn.what_if).parameters) - {"run", "workers", "order"}


def test_the_options_of_run_are_those_of_the_magic() -> None:
    magic, run = options(SwarmMagics.swarm.parser), options(commands()["run"])
    assert magic - run == {"--background", "--resume", "--fork"}
    limits = {"--tier", "--concurrency", "--rpm", "--tpm"}
    assert run - magic == {*limits, "--metrics-port", "--json", "-h", "--help"}


def test_the_notebooks_their_titles_and_minutes() -> None:
    row = r"^\| \[(\d\d) · (.+?)\]\(notebooks/en/(\S+)\.ipynb\) · .*?zh/(\S+)\.ipynb\) \| (\d+) \|"
    told = re.findall(row, README, re.MULTILINE)
    real = [(path, read(path)) for path in sources()]
    assert told == [
        (
            source.number,
            source.front["title"]["en"],
            path.stem,
            path.stem,
            str(minutes(source, "en")),
        )
        for path, source in real
    ]
