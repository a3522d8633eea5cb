"""`python -m kimi_nb.parl.llm`: an open language model is trained as an orchestrator, by TRL."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence

from kimi_nb.errors import KimiNbError, UsageFault
from kimi_nb.models.chat import ChatModel
from kimi_nb.models.endpoint import resolve
from kimi_nb.models.limiter import limiter_for
from kimi_nb.parl.llm.environment import Environments
from kimi_nb.parl.llm.optional import library
from kimi_nb.parl.llm.recipe import MODEL, config, on_one_gpu, trainer
from kimi_nb.parl.llm.wording import rows
from kimi_nb.parl.llm.workers import Behind, Simulated, Workers
from kimi_nb.redact import Environment

__all__ = ["main", "workers"]

RANK = 32
"""Of the LoRA matrices."""


def main(given: Sequence[str] | None = None) -> None:
    """Train, and leave the adapter and the checkpoints in --out."""
    asked = _parser().parse_args(given)
    frozen = workers(asked.subagents, asked.subagent_model)
    args = config(asked.out, **on_one_gpu(max_steps=asked.steps, seed=asked.seed))
    tasks = 8 * asked.steps
    lora = library("peft", "peft").LoraConfig(
        r=RANK, lora_alpha=2 * RANK, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    made = trainer(
        asked.model,
        args,
        rows(tasks, asked.seed),
        Environments(frozen, seed=asked.seed),
        peft_config=lora,
    )

    try:
        made.train(resume_from_checkpoint=asked.resume or None)
        made.save_model()
    finally:  # in the loop in which the calls were made
        asyncio.run_coroutine_threadsafe(frozen.close(), made.async_loop).result()


def workers(base_url: str | None, model: str | None) -> Workers:
    """Simulated sub-agents, or a model behind an endpoint with the key that the environment has.

    Raises UsageFault where a URL comes without a model, or the other way round.
    """
    if not base_url and not model:
        return Simulated()

    found = resolve(model, base_url, None, Environment()) if base_url and model else None

    if found is None:
        raise UsageFault("give both: --subagents https://… and --subagent-model NAME")

    chat = ChatModel(found.model, base_url=found.base_url, key=found.key)
    return Behind(chat, limiter_for(f"{found.base_url} {hash(found.key)}"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kimi_nb.parl.llm", description=__doc__)
    parser.add_argument("--out", required=True, help="folder for checkpoints and the adapter")
    parser.add_argument("--model", default=MODEL, help="a model of the hub, or its folder")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true", help="from the last checkpoint in --out")
    parser.add_argument("--subagents", help="base URL of an endpoint; without it, simulated ones")
    parser.add_argument("--subagent-model", help="the model behind it")
    return parser


if __name__ == "__main__":
    try:
        main()
    except KimiNbError as error:
        raise SystemExit(str(error)) from None
