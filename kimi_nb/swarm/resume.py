"""Take a run up again: in its own log, or in a new one that forks from it.

What the log says must still hold: a history of one goal, of one set of tools and of one version
proves nothing for another. What has changed is refused by name; a fork leaves the old log as it
is, takes over what was paid for, and goes on with what there is now.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kimi_nb._version import __version__
from kimi_nb.errors import CorruptTrace, TraceError, TraceLocked, UsageFault
from kimi_nb.events import RunBegan, RunEnded, RunForked, RunResumed
from kimi_nb.models.base import Model
from kimi_nb.models.rules import Manner, Rules
from kimi_nb.models.secret import Secret
from kimi_nb.redact import learn_environment
from kimi_nb.swarm.asked import (
    Plan,
    UserTools,
    all_prices,
    fits_plan,
    is_new,
    mode_of,
    price_of,
    ways_on,
)
from kimi_nb.swarm.budget import Account, Budget
from kimi_nb.swarm.changed import changed, check, check_judge, check_simulated, parted
from kimi_nb.swarm.connect import Connection, Limits
from kimi_nb.swarm.engine import Judge, Place, Settings
from kimi_nb.swarm.equipped import equipped
from kimi_nb.swarm.handle import Replay, Run
from kimi_nb.swarm.plan import Task, parse_plan
from kimi_nb.swarm.reconnect import reconnect
from kimi_nb.swarm.saved import Had, entries, had, options_of, this_process
from kimi_nb.swarm.start import launch, place_on
from kimi_nb.tools import Toolset
from kimi_nb.tools.render import clean
from kimi_nb.trace import Log, Record, TornTail, Trace, read
from kimi_nb.views.critical import run_cost
from kimi_nb.views.fold import fold
from kimi_nb.views.prices import Price

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["peek", "resume"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a run is to go on with. None: what it had."""

    goal: str | None
    tasks: list[Task] | None
    toolset: Callable[[Had], Toolset]
    judge: Judge | None
    cluster: object
    connected: Callable[[Had, Sequence[Record]], tuple[Connection, Account]]
    """For a run of which these records are what there is."""


class Taken(NamedTuple):
    """A log that is open and says how the run goes on, and what carries it on."""

    log: Log
    connection: Connection
    account: Account
    toolset: Toolset
    settings: Settings
    goal: str
    tasks: list[Task]
    place: Place | None


def resume(  # noqa: PLR0913 -- what a log does not keep: keys, clients, functions
    path: str | Path,
    *,
    goal: str | None = None,
    plan: Plan | None = None,
    fork: str | Path | None = None,
    name: str = "",
    model: str | Model | None = None,
    base_url: str | None = None,
    key: str | Secret | None = None,
    client: AsyncOpenAI | None = None,
    tools: UserTools = (),
    budget: Budget | None = None,
    limits: Limits | None = None,
    prices: Mapping[str, Price] | None = None,
    rules: Iterable[Rules] = (),
    judge: Judge | None = None,
    cluster: object = None,
) -> Run | Replay:
    """Go on with the run in a log where it ended, in the same file.

    Completed calls are not made again; a finished run is only read, or judged if it was not.
    Give the `judge` and the `tools` of your own that the run had, and `goal` and `plan` only to
    make sure of them; `budget` is the whole run's, what is spent included. A model and a budget
    that are given hold for later resumes too. `cluster` as in `kn.swarm`, whatever it was.

    `fork`: a new file. It begins with what the log has, which stays as it is even while another
    process writes it, and goes on with other tools or another version. With another goal or
    plan nothing can be taken over: it begins anew, with the log's other settings.

    Raises TraceMismatch where something has changed and there is no fork, TraceError,
    TraceLocked, and UsageFault.
    """
    key = Secret.of(key)
    learn_environment()

    def connected(was: Had, records: Sequence[Record]) -> tuple[Connection, Account]:
        manner = Manner(was.options.get("thinking"), tuple(rules))
        limit = budget or was.budget
        steps = limit.critical_steps
        connection = reconnect(was, model, base_url, key, client, limits, manner, steps)
        spent = run_cost(fold(records), all_prices(prices)) if records else 0.0
        return connection, Account(limit, price_of(connection, prices), spent)

    wanted = Wanted(
        goal=None if goal is None else clean(goal),
        tasks=None if plan is None else parse_plan(plan),
        toolset=lambda was: equipped(was, tools, fork=fork is not None),
        connected=connected,
        judge=judge,
        cluster=cluster,
    )
    path = _existing(path)
    name = name or Path(fork or path).stem
    taken = _take_up(path, wanted) if fork is None else _fork(path, Path(fork), wanted)

    if isinstance(taken, Trace):
        return Replay(taken, name=name, prices=all_prices(prices))

    log, connection, account, toolset, settings, goal, tasks, place = taken
    return launch(
        log, connection, account, toolset, settings, goal, tasks, name, prices, judge, place
    )


def peek(path: str | Path) -> Had:
    """How the run in a log was asked for, also while it goes on. Raises TraceError."""
    with warnings.catch_warnings():  # whoever resumes it hears of its damage
        warnings.simplefilter("ignore", TornTail)
        return had(path, read(_existing(path), strict=False))


def _existing(path: str | Path) -> Path:
    if not Path(path).is_file():
        message = f"there is no trace {str(path)!r}"
        raise TraceError(message)

    return Path(path)


def _take_up(path: Path, wanted: Wanted) -> Taken | Trace:
    """The log, open, with the fact that it goes on; closed and as it was if it is finished."""
    log = _open(path)

    try:
        was = had(path, log.records)
        finished = _finished(log.records, was, wanted)
        other = parted(was, wanted.goal, wanted.tasks)

        if finished:
            check(path, other, anew=bool(other))
            log.close()
            return log.trace()

        if not other:
            check_judge(path, was, wanted.judge)

        toolset = wanted.toolset(was)
        check(path, [*other, *changed(was, toolset)], anew=bool(other))
        connection, account = wanted.connected(was, log.records)
        check_simulated(was, simulated=connection.model.simulated)
        tasks = _tasks(was)
        place = place_on(wanted.cluster, connection, toolset)
        resumed = RunResumed(
            started=time.time(),
            version=__version__,
            model=connection.model.name,
            options=options_of(
                was.settings, connection, account.budget, toolset, tasks, wanted.judge
            ),
            process=this_process(),
        )
        log.add("", resumed)
    except BaseException:
        log.close()
        raise

    return Taken(log, connection, account, toolset, was.settings, was.goal, tasks, place)


def _finished(records: Sequence[Record], was: Had, wanted: Wanted) -> bool:
    """Whether nothing is left to do, for a judge that the run lacks its verdict of neither."""
    end = records[-1].fact

    if not (isinstance(end, RunEnded) and end.status == "finished"):
        return False

    unjudged = was.options.get("judge") and not fold(records).judgements
    return not (unjudged and wanted.judge is not None)


def _fork(path: Path, new: Path, wanted: Wanted) -> Taken:
    """The new log, open, with what could be taken over from the old one."""
    if new.exists():
        raise _taken(new)

    records = read(path, strict=False)
    was = had(path, records)
    goal = was.goal if wanted.goal is None else wanted.goal
    tasks = _tasks(was) if wanted.tasks is None else wanted.tasks
    settings = was.settings
    toolset = wanted.toolset(was)
    anew = bool(parted(was, wanted.goal, wanted.tasks))
    connection, account = wanted.connected(was, () if anew else records)

    if anew:
        single = settings.mode == "single" and not tasks
        settings = replace(settings, mode=mode_of(goal, single=single, plan=entries(tasks) or None))
        fits_plan(tasks, settings.max_agents)
    else:
        check_judge(path, was, wanted.judge)
        check_simulated(was, simulated=connection.model.simulated)

    place = place_on(wanted.cluster, connection, toolset)
    common: dict[str, Any] = {
        "started": time.time(),
        "version": __version__,
        "model": connection.model.name,
        "options": options_of(settings, connection, account.budget, toolset, tasks, wanted.judge),
        "process": this_process(),
    }
    began = RunBegan(
        goal=goal, seed=was.seed, simulated=connection.model.simulated, **common
    ).without_keys()
    forked = RunForked(source=str(path), copied=0 if anew else len(records), **common)
    kept = [Record(0, 0.0, "", began)] if anew else list(records)
    kept.append(Record(len(kept), kept[-1].t, "", forked.without_keys()))

    if not is_new(new):  # another process has had the same idea since
        raise _taken(new)

    try:
        Trace(kept, path=path).save(new).chmod(0o600)
    except OSError as error:
        if new.is_file():
            new.unlink()

        message = f"cannot write the log {str(new)!r}: {error.strerror}"
        raise TraceError(message) from None

    return Taken(Log(new), connection, account, toolset, settings, goal, tasks, place)


def _taken(new: Path) -> UsageFault:
    message = f"{new} is there already, and a fork begins a log of its own: name another file"
    return UsageFault(message)


def _open(path: Path) -> Log:
    try:
        return Log(path)
    except CorruptTrace as error:
        message = f"{error}; what stands before it can go on elsewhere: {ways_on(path, fork=True)}"
        raise CorruptTrace(message) from None
    except TraceLocked as error:
        raise _locked(path, error) from None


def _locked(path: Path, error: TraceLocked) -> TraceLocked:
    """The same with who has it and since when, if its log says so."""
    try:
        was = had(path, read(path, strict=False))
    except TraceError:
        return error

    host, _, pid = was.process.rpartition(":")
    other = f"process {pid} on {host}" if pid else "another process"
    who = "this very process" if was.process == this_process() else other
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(was.started))
    message = (
        f"{path} is being written by another run, in {who} since {since}: cancel it there, "
        f"or go on beside it in a log of your own: {ways_on(path, fork=True)}"
    )
    return TraceLocked(message)


def _tasks(was: Had) -> list[Task]:
    return parse_plan(was.options["plan"]) if was.options["plan"] else []
