"""Everything that decides a training but the weights of its auxiliary rewards."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from kimi_nb.errors import UsageFault
from kimi_nb.parl.policy import POLICIES
from kimi_nb.parl.reward import FORMS, Form
from kimi_nb.parl.tasks import FAMILIES
from kimi_nb.parl.update import BASELINES, Baseline

__all__ = ["Plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long is trained, on what, and by which update. Raises UsageFault for what cannot be.

    The report names K, α, β and τ and publishes no values: these are ours.
    """

    iterations: int = 300
    seed: int = 0
    tasks: int = 32
    """Of each iteration."""
    rollouts: int = 16
    """K, of each task: a group."""
    epochs: int = 2
    """Updates from the same rollouts; from the second on the policy has moved away from them."""
    rate: float = 0.03
    """Adam's step."""
    mask: float = 0.2
    """log β = −log α: how far log π/π_old may be off for a reward to have a say."""
    tau: float = 0.01
    """τ, how much moving away from the old policy costs."""
    baseline: Baseline = "mean"
    form: Form = "report"
    """How the rewards are put together; the overview's form is "blog"."""
    spawning: float = 0.0
    """Added to the logit of every SPAWN before the training begins: below 0 it is more serial."""
    families: tuple[str, ...] = FAMILIES
    policy: str = "linear"
    """Which of POLICIES learns."""
    noise: float = 0.0
    """Standard deviation of what is seen of the coupling."""

    def __post_init__(self) -> None:
        for name, fits, what in _RULES:
            value = getattr(self, name)

            if not fits(value):
                raise UsageFault(f"{name} is {what}, not {value!r}: type Plan({name}=…)")

    @property
    def options(self) -> str:
        """Canonical JSON of all but the iterations and the seed, which TrainingBegan has."""
        fields = {k: v for k, v in asdict(self).items() if k not in {"iterations", "seed"}}
        return json.dumps(fields, sort_keys=True)

    @classmethod
    def of(cls, iterations: int, seed: int, options: str) -> Plan:
        """The plan that a log tells. Raises UsageFault where it is of another kind of training."""
        try:
            fields = json.loads(options)
            fields["families"] = tuple(fields["families"])
            return cls(iterations=iterations, seed=seed, **fields)
        except (ValueError, KeyError, TypeError) as error:
            message = f"the log is of another kind of training, which cannot go on here ({error})"
            raise UsageFault(message) from None


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _seed(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _known(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and set(value) <= set(FAMILIES)  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType] -- compared, whatever it has


def _number(low: float, high: float) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int | float) and low <= value <= high


_RULES: tuple[tuple[str, Callable[[object], bool], str], ...] = (
    ("iterations", _count, "a number from 1 on"),
    ("seed", _seed, "a whole number from 0 on"),
    ("tasks", _count, "a number from 1 on"),
    ("rollouts", _count, "a number from 1 on"),
    ("epochs", _count, "a number from 1 on"),
    ("rate", _number(0, 10), "a number from 0 to 10"),
    ("mask", _number(0, 10), "a number from 0 to 10"),
    ("tau", _number(0, 1e3), "a number from 0 to 1000"),
    ("spawning", _number(-20, 20), "a number from −20 to 20"),
    ("baseline", lambda value: value in BASELINES, f"one of {', '.join(BASELINES)}"),
    ("form", lambda value: value in FORMS, f"one of {', '.join(FORMS)}"),
    ("policy", lambda value: value in tuple(POLICIES), f"one of {', '.join(POLICIES)}"),
    ("noise", _number(0, 1), "a number from 0 to 1"),
    ("families", _known, f"a tuple of some of {', '.join(FAMILIES)}"),
)
