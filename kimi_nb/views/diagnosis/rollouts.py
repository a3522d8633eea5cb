"""What to change where the run is a rollout of PARL's world: nobody can be told anything there."""

from __future__ import annotations

import re

from kimi_nb.views.diagnosis.findings import Finding, Kind

__all__ = ["fitting"]

_ROLLOUT = re.compile(r'"rollout":')
_ADVICE: dict[Kind, str] = {
    "serial collapse": (
        "Train with a larger weight of the parallel reward at the beginning, as "
        'train({"parallel": Schedule(0.3, 0.0, "linear", 0.7)}), or from a prior that spawns more: '
        "Plan(spawning=1)."
    ),
    "spurious parallelism": (
        "Let the weight of the parallel reward end at 0, so that launches that help nobody are "
        "not paid for, or train longer; that a sub-agent fails is chance (Costs(reliability=…))."
    ),
}
_OTHERWISE = (
    "Nothing in this one rollout: it is the world's costs and chance (kn.parl.Costs); compare the "
    "means over many rollouts with those of kn.parl.HEURISTICS."
)


def fitting(finding: Finding, options: str) -> Finding:
    """The finding with advice that can be followed, for a run of these options."""
    if not _ROLLOUT.search(options):
        return finding

    return finding._replace(advice=_ADVICE.get(finding.kind, _OTHERWISE))
