"""Parallel multi-agent orchestration in a notebook, live, measured and resumable.

    %load_ext kimi_nb

    %%swarm museums --agents 20
    Compare the opening hours and ticket prices of the museums in data/museums/.

Without a key the simulator answers, and says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kimi_nb import parl, tools, worlds
from kimi_nb._version import __version__
from kimi_nb.errors import KimiNbError, ToolError, UsageFault
from kimi_nb.models.named import register as _register
from kimi_nb.models.rules import Rules
from kimi_nb.models.simulator import Options as Simulator
from kimi_nb.swarm.budget import Budget
from kimi_nb.swarm.connect import Limits
from kimi_nb.swarm.handle import Replay, Run
from kimi_nb.swarm.resume import resume
from kimi_nb.swarm.start import replay, swarm
from kimi_nb.swarm.telemetry import metrics_server
from kimi_nb.tools import Image, Tool, ToolContext, tool
from kimi_nb.trace import Record, Trace, read
from kimi_nb.views.compare import compare
from kimi_nb.views.concurrency import concurrency
from kimi_nb.views.critical import Metrics, metrics
from kimi_nb.views.diagnose import diagnose
from kimi_nb.views.export import export
from kimi_nb.views.measures import measures
from kimi_nb.views.otel import export_live, export_spans, from_spans
from kimi_nb.views.path import critical_path
from kimi_nb.views.prices import Price
from kimi_nb.views.rows import rows
from kimi_nb.views.whatif import what_if

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from IPython.core.interactiveshell import InteractiveShell

    from kimi_nb.models.base import Model
    from kimi_nb.teach.check import Checked
    from kimi_nb.teach.guess import Guess
    from kimi_nb.teach.page import Page
    from kimi_nb.teach.sitting import Sitting
    from kimi_nb.widgets.playground import Playground
    from kimi_nb.widgets.source import Trainer

__all__ = [
    "Budget",
    "Image",
    "KimiNbError",
    "Limits",
    "Metrics",
    "Price",
    "Record",
    "Replay",
    "Rules",
    "Run",
    "Simulator",
    "Tool",
    "ToolContext",
    "ToolError",
    "Trace",
    "UsageFault",
    "__version__",
    "check",
    "compare",
    "concurrency",
    "critical_path",
    "diagnose",
    "export",
    "export_live",
    "export_spans",
    "from_spans",
    "given",
    "load_ipython_extension",
    "measures",
    "metrics",
    "metrics_server",
    "parl",
    "playground",
    "predict",
    "quiz",
    "read",
    "replay",
    "resume",
    "rows",
    "student",
    "swarm",
    "tool",
    "tools",
    "unload_ipython_extension",
    "what_if",
    "worlds",
]


def playground(training: object = None, *, trainer: Trainer | None = None) -> Playground:
    """Sliders for the weights λ of PARL's reward, beside the rewards of a training.

    `training`: the log of one (a path, a trace or its records), whose components are re-weighed
    as the sliders say; nothing is trained. Or one that runs, whose weights follow the sliders
    from the next iteration on. `trainer`: begins a training under the schedules that the sliders
    set, {"parallel": Schedule, "finish": Schedule}, whenever "Train" is pressed.

    Raises UsageFault where there is neither, and TraceError where the log cannot be read.
    """
    from kimi_nb.widgets.playground import Playground  # it costs `%load_ext` more than all the rest

    return Playground(training, trainer=trainer)


def predict(
    question: str,
    *,
    of: str | Callable[[Any], object] | None = None,
    choices: Sequence[object] | None = None,
    curve: bool | tuple[float, int] = False,
) -> Guess:
    """Ask for a prediction before a run: show it and press Lock, or `.lock(value)`.

    question: in words; or the id of one of the curriculum, as "p03.critical", and nothing else.
    of: what it is about. A key of `run.metrics.as_dict()`, as "critical_steps"; or a function of
        the run that gives the true number, or, with `choices`, the true one of them.
    choices: the answers that one may choose from; numbers are taken as text.
    curve: with of="concurrency": draw how many agents are at work. True: over the share of the
        run, up to 20 agents. (seconds, agents): on axes that end there.

    After the run, `.against(run)` sets it beside the truth. The same question, asked again, is
    the same prediction, locked or not, until the kernel ends or `.anew()` asks once more.
    Raises UsageFault where nothing can be asked in that way.
    """
    from kimi_nb.teach.guess import guess
    from kimi_nb.teach.predict import ask

    return guess(ask(question, of, choices, curve), _in_page)


def check(exercise: str, answer: object) -> Checked:
    """Whether the answer to an exercise is right; if not, a message for each known misconception.

    exercise: its id, as "ex03.critical". The result is true if the answer is right.
    Raises UsageFault where no exercise has that id.
    """
    from kimi_nb.teach.check import check as checked

    return checked(exercise, answer)


def given(exercise: str) -> Any:
    """The data of an exercise, which differ from student to student: see `student`.

    Raises UsageFault where no exercise has that id.
    """
    from kimi_nb.teach.check import given as data

    return data(exercise)


def quiz(identity: str) -> Sitting:
    """The quiz of a notebook, by its id, as "quiz03": press an option, or `.answer(1, "b")`.

    A wrong answer tells what is true of the misconception behind it, and may be mended once; the
    first one counts. Each student has the options in an order of their own.
    Raises UsageFault where no quiz has that id.
    """
    from kimi_nb.teach.sitting import sitting

    return sitting(identity, _quiz_in_page)


def student(name: str | None = None) -> str:
    """Say who you are, `kn.student("anna")`, for exercises with data of your own; or ask.

    Raises UsageFault for a name that is no plain word.
    """
    from kimi_nb.teach.student import student as who

    return who(name)


def _in_page(guess: Guess) -> Page:
    from kimi_nb.widgets.asked import GuessView  # only for a page: a terminal needs none

    return GuessView(guess)


def _quiz_in_page(sitting: Sitting) -> Page:
    from kimi_nb.widgets.asked import QuizView

    return QuizView(sitting)


def _learned(checkpoint: str, options: Simulator, critical_steps: int | None) -> Model:
    from kimi_nb.parl.driver import driver  # it needs NumPy

    return driver(checkpoint, options, critical_steps)


_register("parl", _learned)  # here, for models and swarm know nothing of parl


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext kimi_nb`: register %%swarm and %swarm."""
    from kimi_nb.magics import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """`%unload_ext kimi_nb`: take them away again and end all runs."""
    from kimi_nb.magics import unload

    unload(shell)
