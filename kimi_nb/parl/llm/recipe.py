"""What trains an orchestrating language model with TRL, on one machine.

README.md beside this file has the commands, and says of each what was run.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kimi_nb.parl.llm.environment import Environments
from kimi_nb.parl.llm.optional import library, untold
from kimi_nb.parl.llm.rewards import REWARDS, annealer
from kimi_nb.parl.reward import Reward
from kimi_nb.views.anneal import Schedule

__all__ = ["MODEL", "PAID", "config", "on_one_gpu", "trainer"]

MODEL = "Qwen/Qwen3-4B-Instruct-2507"
"""Open weights under Apache-2.0. Its chat template has tools, lets one turn hold several calls and
keeps earlier turns as they were, and TRL parses it; it does not think, so that turns are short."""
PAID = Reward(
    form="report",
    parallel=Schedule(0.3, 0.0, "linear", 0.7),
    finish=Schedule(0.3, 0.0, "linear", 0.7),
)
"""Ours; the report publishes no λ1, no λ2 and no shape."""
AS_PUBLISHED = {
    "scale_rewards": "none",  # less the group's mean, and not divided by its standard deviation
    "loss_type": "dapo",  # over all tokens of the batch
    "beta": 0.0,
    "num_iterations": 1,
}
"""What of the report's update (§4.4) TRL has. Not in it: τ·(log π/π_old)²."""


def config(out: str | Path, **more: Any) -> Any:
    """A GRPOConfig with the report's update, and otherwise as TRL has it or `more` says.

    Raises UsageFault without TRL.
    """
    return library("trl").GRPOConfig(output_dir=str(out), report_to="none", **AS_PUBLISHED | more)


def on_one_gpu(**more: Any) -> dict[str, Any]:
    """Options of `config` for MODEL with LoRA on one GPU of 80 GB, with vLLM beside it.

    Eight tasks of 16 rollouts each are one step.
    """
    return {
        "max_steps": 200,
        "learning_rate": 1e-5,
        "lr_scheduler_type": "constant_with_warmup",
        "warmup_steps": 5,
        "num_generations": 16,
        "per_device_train_batch_size": 4,
        "gradient_accumulation_steps": 32,
        "max_completion_length": 4096,
        "max_tool_calling_iterations": 16,
        "bf16": True,
        "gradient_checkpointing": True,
        "use_vllm": True,
        "vllm_mode": "colocate",
        "vllm_gpu_memory_utilization": 0.35,
        "vllm_max_model_length": 6144,
        # Outside of [α, β] a token has no say, whatever the sign: for the ratio between the policy
        # that is trained and the one that vLLM sampled from.
        "vllm_importance_sampling_mode": "token_mask",
        "vllm_importance_sampling_clip_min": 0.5,
        "vllm_importance_sampling_clip_max": 2.0,
        "logging_steps": 1,
        "save_steps": 20,
        **more,
    }


def trainer(
    model: Any,
    args: Any,
    rows: Sequence[dict[str, Any]],
    environments: Environments,
    paid: Reward = PAID,
    **more: Any,
) -> Any:
    """A GRPOTrainer of `model`, a name or a model, whose rewards are annealed as `paid` has it.

    `args` is a `config`, `rows` are those of `wording.rows`; `more` goes to the trainer. From then
    on this process sends no usage statistics. Raises UsageFault without TRL.
    """
    untold()
    made = library("trl").GRPOTrainer(
        model=model,
        args=args,
        train_dataset=library("datasets").Dataset.from_list(list(rows)),
        reward_funcs=list(REWARDS),
        environment_factory=environments,
        **more,
    )
    environments.ends = made.eos_token_ids
    made.add_callback(annealer(made, paid))
    return made
