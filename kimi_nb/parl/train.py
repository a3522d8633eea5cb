"""The training of an orchestrator by PARL, as a log that grows: a source of the widgets.

'PARL' here is its update and its rewards on a small world: the policy has a few dozen weights and
sees numbers, no language; nothing that it learns carries over to a language model.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import cast

from kimi_nb._version import __version__
from kimi_nb.errors import TraceError, UsageFault
from kimi_nb.events import Fact, IterationEnded, ScheduleSet, TrainingBegan, TrainingEnded
from kimi_nb.parl.checkpoint import beside, load, save
from kimi_nb.parl.learner import Learner, begin, learn
from kimi_nb.parl.plan import Plan
from kimi_nb.parl.policy import POLICIES
from kimi_nb.parl.reward import NEVER, Reward
from kimi_nb.parl.tasks import Floats
from kimi_nb.trace import Log, Record, Trace, read
from kimi_nb.views.anneal import Schedule
from kimi_nb.views.learning import schedule_of
from kimi_nb.views.prices import PRICES
from kimi_nb.views.rewards import Rewards
from kimi_nb.views.words import count

__all__ = ["Training", "resume", "train"]

REWARDS = ("parallel", "finish")
KEPT = 20
"""Iterations between two checkpoints; those since the last are worked out again by a resume."""


def train(
    schedules: Mapping[str, Schedule] | None = None,
    /,
    plan: Plan | None = None,
    *,
    path: str | Path | None = None,
    told: Callable[[IterationEnded], None] | None = None,
) -> Training:
    """A training that has begun, in a thread of its own.

    `schedules` has the weights of the "parallel" and the "finish" reward; one that is missing is 0.
    With a `path` its log lies there and a checkpoint beside it. `told` hears of every iteration.
    Raises UsageFault where they do not fit together, or where a log is there already.
    """
    return Training(schedules or {}, plan or Plan(), path=path, told=told).start()


def resume(path: str | Path, *, told: Callable[[IterationEnded], None] | None = None) -> Training:
    """A training that was cancelled or killed goes on, to the weights that it would have had.

    Raises UsageFault for one that has finished and for what is no such training, TraceError where
    its log or its checkpoint cannot be read.
    """
    trace = read(path, strict=False)
    began = trace[0].fact if trace else None

    if not isinstance(began, TrainingBegan):
        raise UsageFault(f"{str(path)!r} is not the log of a training: type kn.resume for a run")

    if any(isinstance(r.fact, TrainingEnded) and r.fact.status == "finished" for r in trace):
        raise UsageFault(f"{str(path)!r} has finished: type kn.playground({str(path)!r})")

    plan = Plan.of(began.iterations, began.seed, began.options)
    return Training({}, plan, path=path, told=told, resumed=True).start()


class Training:
    """One that goes on in a thread (`start`) or in the caller's (`run`)."""

    name = "training"
    prices = PRICES
    draft = ""
    pace = ""

    def __init__(
        self,
        schedules: Mapping[str, Schedule],
        plan: Plan,
        *,
        path: str | Path | None = None,
        told: Callable[[IterationEnded], None] | None = None,
        resumed: bool = False,
    ) -> None:
        self.plan = plan
        self.path = None if path is None else Path(path)
        self._checkpoint = None if self.path is None else beside(self.path)
        self._told = told
        self._stop = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._error: BaseException | None = None
        self._asked: list[tuple[str, Schedule]] = []

        first = {} if resumed else {reward: schedules.get(reward, NEVER) for reward in REWARDS}

        for reward, schedule in first.items():
            self.set(reward, schedule)

        if unknown := sorted(set(schedules) - set(REWARDS)):
            raise UsageFault(f"the rewards with a schedule are parallel and finish, not {unknown}")

        if not resumed and self.path is not None and self.path.exists():
            message = f"{str(self.path)!r} is there already: give another path, or resume it"
            raise UsageFault(message)

        self._log = Log(self.path)
        self._rewards = Rewards()

        for record in self._log.records:
            self._rewards.add(record)

        try:
            self._learner = self._take_up()
        except BaseException:
            self._log.close()
            raise

    def _take_up(self) -> Learner:
        """As the checkpoint has it; without one, as it is at first."""
        at, known = self._checkpoint, len(self._rewards.rows)

        if at is None or not known or not at.exists():
            return begin(self.plan)

        learner = load(at)

        if learner.iteration > known:
            done = learner.iteration
            message = f"{at} knows of {done} iterations and its log of {known}: delete the former"
            raise TraceError(message)

        if learner.policy != self.plan.policy:
            message = f"{at} is of the policy {learner.policy}, its log is not: delete the former"
            raise TraceError(message)

        return learner

    @property
    def weights(self) -> Floats:
        """Of the policy, after the latest iteration."""
        return self._learner.weights

    @property
    def records(self) -> Sequence[Record]:
        return self._log.records

    @property
    def seconds(self) -> float:
        return self.records[-1].t if self.done else self._log.now

    @property
    def done(self) -> bool:
        return bool(self.records) and isinstance(self.records[-1].fact, TrainingEnded)

    def set(self, reward: str, schedule: Schedule) -> None:
        """From the next iteration on the weight of that reward follows this. From any thread."""
        if reward not in REWARDS:
            raise UsageFault(f"the rewards with a schedule are parallel and finish, not {reward!r}")

        if not isinstance(cast("object", schedule), Schedule):
            message = f"{reward} goes by a Schedule, as in Schedule(0.3, 0, 'linear', 0.7)"
            raise UsageFault(message)

        Reward(form=self.plan.form, **{reward: schedule})  # which refuses what does not fit
        self._asked.append((reward, schedule))

    def cancel(self, agent: str | None = None) -> None:
        """Ends it after the iteration that is under way; `resume` goes on with it."""
        if agent is not None:
            raise UsageFault("a training has no agents that could be cancelled one by one")

        self._stop.set()

    def start(self) -> Training:
        """Begin in a thread of its own; returns itself."""
        self._begin()
        threading.Thread(target=self._guarded, name="kimi_nb training", daemon=True).start()
        return self

    def run(self) -> Trace:
        """Train in this thread; the whole log. Raises what `told` raises."""
        self._begin()
        self._guarded()
        return self.result()

    def result(self) -> Trace:
        """The whole log, once it has ended. Raises what ended it before its time."""
        try:
            self._idle.wait()  # a Ctrl-C in Thread.join makes Python 3.11 think that it has ended
        except KeyboardInterrupt:
            self.cancel()
            raise

        if self._error is not None:
            raise self._error

        return self._log.trace()

    def _add(self, *facts: Fact) -> None:
        self._log.add("", *facts)

        for record in self.records[-len(facts) :]:
            self._rewards.add(record)

    def _begin(self) -> None:
        policy, families = POLICIES[self.plan.policy], ", ".join(self.plan.families)
        what = f"A {policy.what} of {policy.number} weights, on {families} tasks."
        began = TrainingBegan(
            what=what,
            seed=self.plan.seed,
            iterations=self.plan.iterations,
            started=time.time(),
            version=__version__,
            options=self.plan.options,
        )
        self._add(began, *self._sets())
        self._idle.clear()

    def _guarded(self) -> None:
        """Whatever happens, the log is given an end: what shows it waits for one."""
        ended = TrainingEnded(status="failed", why="It was broken off.")

        try:
            ended = self._iterate()
        except KeyboardInterrupt as error:
            self._error, ended = error, self._cancelled()
        except BaseException as error:  # noqa: BLE001 -- `result` raises it, in the caller's thread
            self._error = error
            ended = TrainingEnded(status="failed", why=f"{type(error).__name__}: {error}")
        finally:
            try:
                self._add(ended)
                self._log.close()
            finally:
                self._idle.set()

    def _iterate(self) -> TrainingEnded:
        if not self._rewards.rows:
            self._keep()  # over that of another training, if one lay there

        while self._learner.iteration < self.plan.iterations:
            if self._stop.is_set():
                self._keep()
                return self._cancelled()

            self._next()

        self._keep()
        return TrainingEnded(status="finished")

    def _cancelled(self) -> TrainingEnded:
        done = count(len(self._rewards.rows), "iteration")
        return TrainingEnded(status="cancelled", why=f"It was cancelled after {done}.")

    def _next(self) -> None:
        iteration = self._learner.iteration + 1
        fresh = iteration > len(self._rewards.rows)  # else the log has it: it only comes again

        if fresh and (sets := self._sets()):
            self._add(*sets)

        row = learn(self._learner, self.plan, self._reward(iteration))

        if fresh:
            self._add(row)

            if self._told is not None:
                self._told(row)

        if iteration % KEPT == 0:
            self._keep()

    def _sets(self) -> list[ScheduleSet]:
        """What was asked for since the last time, as facts."""
        found: list[ScheduleSet] = []

        while self._asked:
            reward, schedule = self._asked.pop(0)
            found.append(ScheduleSet(reward=reward, **asdict(schedule)))

        return found

    def _reward(self, iteration: int) -> Reward:
        """What an iteration pays for, by the schedules that the log has for it."""
        rows = [row for row in self._rewards.schedules if row.since <= iteration]
        found = {row.reward: made for row in rows if (made := schedule_of(row)) is not None}
        return Reward(form=self.plan.form, **found)

    def _keep(self) -> None:
        if self._checkpoint is not None:
            save(self._learner, self._checkpoint)
