"""verl's own loop plays the task with a scripted model; its configuration is one of verl's.

verl, with Ray and vLLM, is in no environment of this project: see kimi_nb/parl/llm/README.md.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from kimi_nb.parl.llm.recipe import MODEL, PAID
from kimi_nb.parl.llm.rewards import weights
from kimi_nb.parl.llm.wording import rows

HERE = Path(__file__).parents[1] / "kimi_nb" / "parl" / "llm"
needs_verl = pytest.mark.skipif(find_spec("verl") is None, reason="verl 0.9 is not installed here")


def test_the_files_are_yaml_and_name_what_there_is() -> None:
    (agent,) = yaml.safe_load((HERE / "verl_agents.yaml").read_text("utf-8"))
    module, _, name = agent["_target_"].rpartition(".")
    assert module == "kimi_nb.parl.llm.verl_loop"
    assert f"class {name}(" in (HERE / "verl_loop.py").read_text("utf-8")
    options = yaml.safe_load((HERE / "verl_train.yaml").read_text("utf-8"))
    assert options["algorithm"]["norm_adv_by_std_in_grpo"] is False
    assert options["trainer"]["val_before_train"] is False  # verl's own is true
    rollout = options["actor_rollout_ref"]["rollout"]
    assert rollout["agent"]["default_agent_loop"] == agent["name"]
    assert options["actor_rollout_ref"]["model"]["path"] == MODEL


@needs_verl
@pytest.mark.filterwarnings("ignore")
async def test_verls_loop_plays_the_task(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import hydra
    import pandas as pd
    import tiny_orchestrator as tiny
    from omegaconf import OmegaConf
    from verl.experimental.agent_loop.agent_loop import DictConfigWrap
    from verl.utils.dataset.rl_dataset import RLHFDataset
    from verl.workers.rollout.replica import TokenOutput

    monkeypatch.setenv("KIMI_NB_PARL", str(HERE))

    with hydra.initialize_config_dir(str(HERE), version_base=None):
        config = hydra.compose("verl_train")  # raises for a key that verl does not have

    words = tiny.tokenizer()
    turns = [[tiny.CREATE, *tiny.ASSIGN[:2]], []]

    class Scripted:
        async def generate(self, **_more: Any) -> TokenOutput:
            ids = [words.encode(call)[0] for call in turns.pop(0)] + [words.eos_token_id]
            return TokenOutput(
                token_ids=ids, log_probs=[-1.0] * len(ids), extra_fields={"max_global_steps": 50}
            )

    made = rows(1, 3)
    table = pd.DataFrame([{"prompt": r["prompt"], "extra_info": {"seed": r["seed"]}} for r in made])
    table.to_parquet(tmp_path / "train.parquet")
    row = RLHFDataset(str(tmp_path / "train.parquet"), words, config.data)[0]
    agent = OmegaConf.load(HERE / "verl_agents.yaml")[0]
    loop = hydra.utils.instantiate(
        {"_target_": agent["_target_"]},
        trainer_config=DictConfigWrap(config),
        server_manager=Scripted(),
        tokenizer=words,
        processor=None,
        dataset_cls=RLHFDataset,
        data_config=DictConfigWrap(config.data),
        _recursive_=False,
    )
    output = await loop.run({}, **row)
    paid = output.extra_fields["reward_extra_info"]
    assert paid["r_parallel"] == 2 / 8
    by = weights(PAID, 50 / config.trainer.total_training_steps)
    assert output.reward_score == pytest.approx(
        sum(weight * one for weight, one in zip(by, paid.values(), strict=True))
    )
    calls = {words.encode(call)[0] for call in tiny.CALLS}
    masked = [
        i for i, own in zip(output.response_ids, output.response_mask, strict=True) if not own
    ]
    assert sum(output.response_mask) == 4 + 1
    assert not calls & set(masked)
    assert "steps" in words.decode(masked)
