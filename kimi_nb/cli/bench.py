"""`kimi-nb bench swarm`: swarms against single agents on tasks with a truth."""

from __future__ import annotations

import argparse
import csv
import shlex
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from kimi_nb.cli.output import print_json, tell
from kimi_nb.cli.progress import follow
from kimi_nb.errors import KimiNbError, UsageFault
from kimi_nb.models.endpoint import SIMULATOR as SIMULATOR_ID
from kimi_nb.models.named import is_named
from kimi_nb.swarm.asked import holds_run
from kimi_nb.swarm.connect import connect
from kimi_nb.swarm.handle import Replay, Run
from kimi_nb.swarm.resume import peek
from kimi_nb.trace import Trace
from kimi_nb.views.prices import Price
from kimi_nb.views.words import SIMULATOR
from kimi_nb.worlds import resume
from kimi_nb.worlds.learned import WAYS, Learned, learned
from kimi_nb.worlds.picture import drawn
from kimi_nb.worlds.targets import Gain, Reached, gains, reached
from kimi_nb.worlds.trials import (
    FAMILIES,
    Row,
    Summary,
    Trial,
    recorded,
    row,
    summaries,
    trials,
)

__all__ = ["bench"]

STEPS = 100_000
"""Steps that one agent may take: so many that the task decides, not the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where the logs lie, and how `kn.swarm` is to run."""

    folder: Path
    options: Mapping[str, Any]
    prices: Mapping[str, Price]

    @property
    def again(self) -> str:
        """What to type to go on with a benchmark that was cut off."""
        return f"type the same again with -o {shlex.quote(str(self.folder))}"

    def trace(self, trial: Trial) -> Trace:
        """The log of a trial: read, gone on with, or made.

        Raises KeyboardInterrupt, and KimiNbError for a log of another model than asked for.
        """
        path = self.folder / f"{trial.name}.jsonl"
        begun = holds_run(path)

        if begun:
            self._check_model(trial, path)

        if (known := recorded(trial, self.folder)) is not None:
            return known

        run = self._resumed(path) if begun else self._begun(trial, path)

        if isinstance(run, Run) and follow(run):
            raise KeyboardInterrupt

        if (ended := recorded(trial, self.folder)) is None:
            why = f"{trial.name} {run.status}: {run.why}; to go on, {self.again}"
            raise KimiNbError(why)

        return ended

    def _model(self, trial: Trial) -> str | None:
        """A trained policy runs beside the simulator: the pair is that one's."""
        asked = self.options.get("model")
        return SIMULATOR_ID if is_named(asked) and not trial.learned else asked

    def _check_model(self, trial: Trial, path: Path) -> None:
        asked, had = self._model(trial), peek(path).model

        if asked not in {None, had}:
            why = f"{path} is a run of {had}, not of {asked}: name another folder with -o"
            raise KimiNbError(why)

    def _resumed(self, path: Path) -> Run | Replay:
        """With all that the log of a run does not keep."""
        return resume(path, prices=self.prices, limits=self.options.get("limits"))

    def _begun(self, trial: Trial, path: Path) -> Run:
        shutil.rmtree(path.with_suffix(".files"), ignore_errors=True)  # of one killed at its start
        return trial.world().run(
            single=trial.single,
            trace=path,
            name=trial.name,
            max_steps=STEPS,
            seed=trial.seed,
            prices=self.prices,
            **{**self.options, "model": self._model(trial)},
        )


def bench(
    asked: argparse.Namespace, options: Mapping[str, Any], prices: Mapping[str, Price]
) -> int:
    """Run all trials that have not been run, and say what came of them.

    A trained policy as the model ("parl:CHECKPOINT") runs beside the simulator's pair.
    """
    seeds = range(asked.seed, asked.seed + asked.seeds)
    families = asked.families.split(",") if asked.families else list(FAMILIES)
    model = options.get("model")
    with_policy = is_named(model)
    planned = trials(families, _sizes(asked.sizes), seeds, learned=with_policy)

    if with_policy:  # which runs last, and says what it lacks before the others have run
        connect(model, options.get("base_url"), None, None, None, None)

    folder = Path(asked.output or f".kimi_nb/bench/{time.strftime('%Y%m%d-%H%M%S')}")
    folder.mkdir(parents=True, exist_ok=True)
    tell(f"bench: {len(planned)} runs, logs in {folder}")
    running = Bench(folder=folder, options=options, prices=prices)
    tell(f"if it is cut off, {running.again}")
    rows: list[Row] = []
    targets: list[Reached] = []
    left_out: dict[str, str] = {}

    for number, trial in enumerate(planned, start=1):
        if trial.family in left_out:
            continue

        try:
            trace = running.trace(trial)
        except KeyboardInterrupt:
            tell(f"bench: what was done is kept; to go on, {running.again}")
            raise
        except UsageFault as error:
            left_out[trial.family] = str(error)
            tell(f"bench: {trial.family} is left out: {error}")
            continue

        rows.append(row(trial, trace, prices))
        targets += reached(trial, trace)
        tell(f"bench: {number} of {len(planned)}: {_line(rows[-1])}")

    return _told(asked, folder, rows, targets, left_out)


def _sizes(typed: str) -> list[int]:
    try:
        return [int(word) for word in typed.split(",") if word]
    except ValueError:
        raise UsageFault(f"sizes are numbers, as 10,50: not {typed!r}") from None


def _line(found: Row) -> str:
    who = "learned" if found.learned else "single" if found.single else "swarm "
    return (
        f"{found.family}({found.items}) seed {found.seed} {who} quality {found.quality:.2f} · "
        f"{found.critical_steps} critical of {found.total_steps} steps · {found.wall_s:.1f} s"
    )


def _told(
    asked: argparse.Namespace,
    folder: Path,
    rows: Sequence[Row],
    targets: Sequence[Reached],
    left_out: Mapping[str, str],
) -> int:
    """Print the tables, write them and their picture, and give the exit code."""
    if not rows:
        raise UsageFault("; ".join(left_out.values()))

    found, gained, taught = summaries(rows), gains(targets), learned(rows)
    simulated = any(each.simulated for each in rows)
    _write(folder / "rows.csv", [asdict(each) for each in rows])
    _write(folder / "summary.csv", [each._asdict() for each in found])
    _write(folder / "targets.csv", [asdict(each) for each in targets])
    _write(folder / "learned.csv", [each._asdict() for each in taught])
    picture = drawn(found, gained, folder / "swarm.png", simulated=simulated)

    if asked.json:
        print_json(
            {
                "simulated": simulated,
                "rows": [asdict(each) for each in rows],
                "summary": [each._asdict() for each in found],
                "targets": [asdict(each) for each in targets],
                "learned": [each._asdict() for each in taught],
                "left_out": dict(left_out),
                "folder": str(folder),
            }
        )
    else:
        print("\n".join([*_tables(found, gained, simulated=simulated), *_three(taught)]))

    more = ", learned.csv" if taught else ""
    more += ", swarm.png" if picture else "; for a picture, pip install 'kimi-nb[images]'"
    tell(f"bench: {folder}/rows.csv, summary.csv, targets.csv{more}")
    return 0 if not left_out else 1


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return

    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def _tables(found: Sequence[Summary], gained: Sequence[Gain], *, simulated: bool) -> Iterable[str]:
    if simulated:
        yield SIMULATOR + ": it shows what the arrangement does, not what a model would do"

    yield (
        "task          seeds  quality swarm/single  critical steps ÷  (least–most)  "
        "total steps ×  tokens ×  time ÷"
    )

    for each in found:
        least, most = each.least_and_most
        yield (
            f"{f'{each.family}({each.items})':<13} {each.pairs:>5}  "
            f"{each.quality_swarm:>13.2f} / {each.quality_single:.2f}  "
            f"{each.fewer_critical_steps:>16.2f}  {f'({least:.2f}–{most:.2f})':>12}  "
            f"{each.more_steps:>13.2f}  {each.more_tokens:>8.2f}  {each.faster:>6.2f}"
        )

    yield "÷: the single agent's for one of the swarm; ×: the swarm's for one of the single agent's"

    if gained:
        yield ""
        yield "wide: critical steps until so much is known  swarm  single  fewer  tokens ×"

    for gain in gained:
        more = gain.tokens_swarm / gain.tokens_single
        yield (
            f"{gain.items:>6} items, item-F1 {gain.target:.0%}                "
            f"{gain.critical_steps_swarm:>9.1f} {gain.critical_steps_single:>7.1f}"
            f"  {gain.fewer_critical_steps:>5.2f}  {more:>8.2f}"
        )


def _three(taught: Sequence[Learned]) -> Iterable[str]:
    """The table of the three ways."""
    if taught:
        yield ""
        yield f"{' / '.join(WAYS)}: a trained policy as the orchestrator, the rules' own, one agent"
        yield (
            f"{'task':<13} seeds  {'quality':>18}  {'critical steps':>22}  {'total steps':>22}  "
            f"{'sub-agents':>16}"
        )

    for _, group in groupby(taught, lambda each: (each.family, each.items)):
        ways = list(group)
        first = ways[0]
        quality, critical, total, agents = (
            " / ".join(f"{getattr(way, name):.{digits}f}" for way in ways)
            for name, digits in _COLUMNS
        )
        yield (
            f"{f'{first.family}({first.items})':<13} {first.seeds:>5}  {quality:>18}  "
            f"{critical:>22}  {total:>22}  {agents:>16}"
        )


_COLUMNS = (("quality", 2), ("critical_steps", 1), ("total_steps", 1), ("sub_agents", 1))
"""Of a `Learned`, with the decimals that are told."""
