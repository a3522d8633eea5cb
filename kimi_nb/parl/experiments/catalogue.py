"""The nine experiments: which conditions each compares, and on which tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kimi_nb.parl.experiments.conditions import CHEAP, Condition, annealed, blog, constant, report
from kimi_nb.parl.experiments.measure import BLURRED, SURE, WIDER
from kimi_nb.parl.experiments.rules import EXPECTED, LEAST, LOWER, Rule
from kimi_nb.parl.heuristics import HEURISTICS
from kimi_nb.parl.reward import NEVER
from kimi_nb.parl.tasks import FAMILIES
from kimi_nb.views.anneal import Schedule

__all__ = [
    "ANNEALED",
    "EXPERIMENTS",
    "LAMBDAS",
    "NOTHING",
    "PRIORS",
    "Experiment",
    "phase",
    "without",
]

LAMBDAS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
"""λ₀ of the phase diagram; the overview's published value is among them."""
PRIORS = ((-1.0, 0.0), (0.0, 0.0), (1.0, 0.0), (2.0, 0.0), (0.0, -2.0))
"""What is added to the logits of SPAWN and of RUN before the training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """What is compared; `parl reproduce` knows it by its name in the catalogue."""

    title: str
    question: str
    conditions: tuple[Condition, ...]
    """In the order of the table."""
    rules: tuple[Rule, ...] = ()
    more: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """By name, those that are measured on other sets as well as on the held-out tasks."""

    def sets(self, of: Condition | Rule) -> tuple[str, ...]:
        """What to measure it on."""
        return ("held-out", *self.more.get(of.name, ()))


def phase(start: float, prior: tuple[float, float]) -> Condition:
    """The cell of the phase diagram with that λ₀."""
    spawning, running = prior
    name = f"λ₀ = {start:g}, SPAWN {spawning:+g}, RUN {running:+g}"
    schedule = annealed(start) if start else NEVER
    return blog(name, schedule, running=running, spawning=spawning, **CHEAP)


def without(family: str) -> Condition:
    """A training that never sees that family."""
    left = tuple(name for name in FAMILIES if name != family)
    return blog(f"λ 0.3 → 0, without {family}", annealed(0.3), families=left)


NOTHING = blog("λ = 0", NEVER)
PUBLISHED = blog("λ 0.1 → 0", annealed(0.1))
ANNEALED = blog("λ 0.3 → 0", annealed(0.3))
LARGE = {value: blog(f"λ = {value:g}", constant(value)) for value in (0.1, 0.3, 0.5, 0.8)}
WHOLE = blog("λ 0.3 → 0 at 100 %", annealed(0.3, 1.0))
LATE = Schedule(0.3, 0.0, "step", 0.95)
TRAPPED = {
    "λ 0.3 → 0 at 100 %": annealed(0.3, 1.0),
    "λ = 0.3": constant(0.3),
    "λ = 0.01": constant(0.01),
}
SUMMED = {
    "λ = 0": NEVER,
    "λ 0.3 → 0": annealed(0.3),
    "λ = 0.3": constant(0.3),
}
NOISY = blog("λ 0.3 → 0, trained with noise 0.3", annealed(0.3), noise=0.3)
NETWORK = blog("λ 0.3 → 0, network", annealed(0.3), policy="network", rate=0.02)
RULES = tuple(Rule(name=name) for name in HEURISTICS)

EXPERIMENTS: Mapping[str, Experiment] = {
    "collapse": Experiment(
        title="Serial collapse",
        question="Does an orchestrator that begins as a single agent learn to delegate from the "
        "outcome alone?",
        conditions=(NOTHING, PUBLISHED, ANNEALED),
    ),
    "spurious": Experiment(
        title="Spurious parallelism",
        question="What does a constant λ do when it is never taken away?",
        conditions=(NOTHING, *LARGE.values(), ANNEALED),
    ),
    "anneal": Experiment(
        title="The anneal that gets both right",
        question="Is λ that goes to 0 better than no λ and than a constant one, seed by seed?",
        conditions=(ANNEALED, NOTHING, LARGE[0.3], LARGE[0.5]),
    ),
    "finish": Experiment(
        title="r_finish",
        question="Which sub-agents does a reward for completed assignments prevent, and which not?",
        conditions=(
            report("λ₁ = 1, λ₂ = 0", constant(1.0), NEVER),
            report("λ₁ = λ₂ = 1", constant(1.0), constant(1.0)),
            report("λ₁ = 0, λ₂ = 0.5", NEVER, constant(0.5)),
            report("λ₁ = 0, λ₂ 0.3 → 0", NEVER, annealed(0.3)),
            report("λ₁ 0.3 → 0, λ₂ = 0", annealed(0.3), NEVER),
            report("λ₁ = λ₂ 0.3 → 0", annealed(0.3), annealed(0.3)),
        ),
    ),
    "phase": Experiment(
        title="How much λ a prior needs",
        question="From which λ₀ on does a prior not collapse, and is the published 0.1 enough?",
        conditions=tuple(phase(start, prior) for prior in PRIORS for start in LAMBDAS),
    ),
    "when": Experiment(
        title="When to anneal",
        question="What if λ = 0.3 goes to 0 too early, too late or never?",
        conditions=(
            *(blog(f"λ 0.3 → 0 at {100 * t:g} %", annealed(0.3, t)) for t in (0.03, 0.3)),
            ANNEALED,
            WHOLE,
            blog("λ = 0.3 until 95 %", LATE),
            LARGE[0.3],
        ),
    ),
    "normalised": Experiment(
        title="Advantages that are divided by their standard deviation",
        question="What is left of the anneal if the update divides by the standard deviation?",
        conditions=(
            *(WHOLE, LARGE[0.3]),
            *(
                blog(f"each by its own, {name}", schedule, apart=True)
                for name, schedule in TRAPPED.items()
            ),
            *(
                blog(f"the sum, {name}", schedule, baseline="normalised")
                for name, schedule in SUMMED.items()
            ),
        ),
    ),
    "wider": Experiment(
        title="Larger graphs, unseen families",
        question="Does what was learned on at most 12 parts hold on larger graphs, and on a family "
        "that the training never saw?",
        conditions=(NOTHING, ANNEALED, *map(without, FAMILIES)),
        rules=RULES,
        more={of.name: WIDER for of in (NOTHING, ANNEALED, *RULES)},
    ),
    "bounds": Experiment(
        title="How far from the best",
        question="How do learned policies compare with rules and with the least critical steps?",
        conditions=(NOTHING, ANNEALED, NOISY, NETWORK),
        rules=(*RULES, *(Rule(name=name) for name in (EXPECTED, LEAST, LOWER))),
        more={
            **{of.name: (SURE, BLURRED) for of in (NOTHING, ANNEALED, NOISY, NETWORK)},
            **{rule.name: (BLURRED,) for rule in RULES},
        },
    ),
}
