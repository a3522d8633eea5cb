"""PARL's three rewards as TRL's GRPOTrainer calls them, and the anneal of their weights.

The trainer adds them up with `trainer.reward_weights`, so that its logs show each by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kimi_nb.parl import reward
from kimi_nb.parl.llm.environment import Orchestration
from kimi_nb.parl.llm.optional import library
from kimi_nb.parl.state import Outcome

__all__ = ["REWARDS", "annealer", "outcome", "r_finish", "r_parallel", "r_perf", "weights"]

Messages = Sequence[dict[str, Any]]
Tokens = Sequence[int]


def outcome(
    environment: Orchestration, completion: Messages, tokens: Tokens | None = None
) -> Outcome:
    """What became of a rollout that is over; asked again, the same.

    A completion that ends otherwise than with a turn without a call has submitted nothing; nor has
    one whose last turn was cut, as its `tokens` tell. Calls that never came to a tool, as its name
    or its arguments were wrong, are billed here. Raises ModelError where the sub-agents' endpoint
    takes no calls at all.
    """
    if environment.made_by.fault is not None:
        raise environment.made_by.fault

    episode = environment.episode
    answered = sum(message["role"] == "tool" for message in completion)

    if unheard := max(0, answered - episode.heard):
        episode.idle(unheard)

    last = completion[-1] if completion else {"role": ""}

    if last["role"] == "assistant" and not last.get("tool_calls") and not _cut(environment, tokens):
        episode.submit()

    return episode.outcome()


def r_perf(
    environments: Sequence[Orchestration],
    completions: Sequence[Messages],
    completion_ids: Sequence[Tokens] | None = None,
    **_more: Any,
) -> list[float]:
    """1[success]·Q of each rollout."""
    found = _outcomes(environments, completions, completion_ids)
    return [float(reward.r_perf(one.success, one.quality)[0]) for one in found]


def r_parallel(
    environments: Sequence[Orchestration],
    completions: Sequence[Messages],
    completion_ids: Sequence[Tokens] | None = None,
    **_more: Any,
) -> list[float]:
    """The instantiation reward of each rollout."""
    found = _outcomes(environments, completions, completion_ids)
    return [float(reward.r_parallel(one.sub_agents)[0]) for one in found]


def r_finish(
    environments: Sequence[Orchestration],
    completions: Sequence[Messages],
    completion_ids: Sequence[Tokens] | None = None,
    **_more: Any,
) -> list[float]:
    """The part of each rollout's assignments that was completed."""
    found = _outcomes(environments, completions, completion_ids)
    return [float(reward.r_finish(one.completed, one.sub_agents)[0]) for one in found]


REWARDS = [r_perf, r_parallel, r_finish]
"""In the order of `weights`."""


def weights(paid: reward.Reward, progress: float) -> list[float]:
    """What REWARDS are weighed by when that part of the training, in [0, 1], is done."""
    parallel, finish = paid.weights(progress)
    return [1.0 - parallel if paid.form == "blog" else 1.0, parallel, finish]


def annealer(trainer: Any, paid: reward.Reward) -> Any:
    """A callback that weighs the rewards of each step of this trainer by its progress.

    Progress is global_step / max_steps, so that a training that is resumed goes on where it was.
    Raises UsageFault without TRL.
    """

    class Annealer(library("transformers").TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **_more: Any) -> None:
            del args, control

            for at, weight in enumerate(weights(paid, state.global_step / state.max_steps)):
                trainer.reward_weights[at] = weight

    return Annealer()


def _cut(environment: Orchestration, tokens: Tokens | None) -> bool:
    """Whether the last turn is known to have been cut at a limit, and not ended by the model."""
    ends = environment.made_by.ends
    return bool(tokens) and ends is not None and tokens[-1] not in ends


def _outcomes(
    environments: Sequence[Orchestration],
    completions: Sequence[Messages],
    completion_ids: Sequence[Tokens] | None,
) -> list[Outcome]:
    tokens = completion_ids or [None] * len(completions)
    return [outcome(*one) for one in zip(environments, completions, tokens, strict=True)]
