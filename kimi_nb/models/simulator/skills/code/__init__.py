"""The simulator mends Python packages: it reads, thinks, writes and lets the tests decide."""

from __future__ import annotations

from kimi_nb.models.simulator.memory import Past
from kimi_nb.models.simulator.options import Options
from kimi_nb.models.simulator.script import Turn
from kimi_nb.models.simulator.skills import team
from kimi_nb.models.simulator.skills.code.job import job_of
from kimi_nb.models.simulator.skills.code.known import Known
from kimi_nb.models.simulator.skills.code.orchestrate import HEADERS, whole
from kimi_nb.models.simulator.skills.code.shares import division
from kimi_nb.models.simulator.skills.code.worker import next_calls, what_changed
from kimi_nb.models.simulator.tables import write_table

__all__ = ["division", "turn"]


def turn(past: Past, tools: frozenset[str], options: Options) -> Turn | None:
    """The next turn for a goal about a package whose tests fail; None for any other goal."""
    del options
    job = job_of(past.goal)

    if job is None:
        return None

    known = Known(job, past)

    if not job.modules:
        return whole(known, alone=not team.can_hand_out(past, tools))

    calls = next_calls(known, job.modules)
    return Turn(calls=calls) if calls else Turn(text=_report(known))


def _report(known: Known) -> str:
    """What a sub-agent brings back: how the tests of each module ended when it last ran them."""
    words = {True: "tests pass", False: "tests fail", None: "not known"}
    rows = [
        (module, words[known.verdict(module)], what_changed(known, module) or "none")
        for module in known.job.modules
    ]
    return write_table(HEADERS, rows)
