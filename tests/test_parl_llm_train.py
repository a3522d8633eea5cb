"""TRL trains an orchestrator of few weights on the CPU: the loop, the mask, the anneal, and λ.

The model is random and begins as a single agent; every call is one of its tokens. It shows that the
bridge carries what is learned, not that anything is learned about language.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
from queue import Queue
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

pytest.importorskip("trl", reason="TRL is not installed here: make test-train runs these")

import tiny_orchestrator as tiny
import torch
from faults.server import FaultServer
from faults.server import say as says
from transformers.utils import get_json_schema

from kimi_nb.models.chat import ChatModel
from kimi_nb.parl.llm import recipe
from kimi_nb.parl.llm.environment import Environments
from kimi_nb.parl.llm.rewards import REWARDS
from kimi_nb.parl.llm.wording import rows
from kimi_nb.parl.llm.workers import Behind, Workers
from kimi_nb.parl.reward import Reward
from kimi_nb.swarm.prompts import ORCHESTRATOR_TOOLS
from kimi_nb.views.anneal import Schedule

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # TRL's and PyTorch's own, of every kind
    pytest.mark.timeout(300),
]
DEEP = ("deep",)
WORDS = tiny.tokenizer()
DELEGATES = [WORDS.encode(call)[0] for call in (tiny.CREATE, *tiny.ASSIGN)]


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    torch.set_num_threads(1)


def environments(workers: Workers | None = None) -> Environments:
    return Environments(workers, families=DEEP, parts=tiny.PARTS, seed=1)


def trainer(
    folder: Path, paid: Reward, model: Any, workers: Workers | None = None, **more: Any
) -> Any:
    options = {
        "max_steps": 1,
        "learning_rate": 2e-3,
        "lr_scheduler_type": "constant",
        "num_generations": 16,
        "per_device_train_batch_size": 16,
        "max_completion_length": 160,
        "max_tool_calling_iterations": 4,
        "generation_kwargs": {"max_new_tokens": 8},
        "use_cpu": True,
        "bf16": False,
        "gradient_checkpointing": False,
        "save_strategy": "no",
        "logging_steps": 1,
        "disable_tqdm": True,
        "seed": 1,
    }
    args = recipe.config(folder, **options | more)
    return recipe.trainer(
        model, args, rows(64, 1), environments(workers), paid, processing_class=WORDS
    )


def constant(weight: float) -> Reward:
    """The overview's form: at 0 the outcome alone is paid, at 1 nothing but sub-agents."""
    return Reward(form="blog", parallel=Schedule(weight, weight, "constant", 1.0))


def dialogue(made: Any, row: dict[str, Any], calls: list[str]) -> tuple[list[int], list[int]]:
    """A turn of these calls and the end, as TRL joins them; which tokens are the model's."""
    environment = environments()()
    system, user = row["prompt"]
    asked = {**user, "content": user["content"] + environment.reset(row["seed"])}
    ids = WORDS.apply_chat_template(
        [system, asked], tools=made.tools, add_generation_prompt=True, return_dict=False
    )
    answers = made._get_tool_suffix_ids(asyncio.run(answered(environment, calls)))
    own = [WORDS.encode(call)[0] for call in calls]
    end = WORDS.eos_token_id
    mask = [0] * len(ids) + [1] * (len(calls) + 1) + [0] * len(answers) + [1]
    return [*ids, *own, end, *answers, end], mask


async def answered(environment: Any, calls: list[str]) -> list[dict[str, str]]:
    made = [json.loads(call.split("\n")[1]) for call in calls]
    texts = await asyncio.gather(
        *(getattr(environment, call["name"])(**call["arguments"]) for call in made)
    )
    return [
        {"role": "tool", "name": call["name"], "content": text}
        for call, text in zip(made, texts, strict=True)
    ]


def single_agent(made: Any) -> dict[str, torch.Tensor]:
    """Weights with which it does all alone, and seldom delegates: one time in five."""
    team = [tiny.CREATE, *tiny.ASSIGN]
    both = [dialogue(made, row, tiny.ALONE) for row in rows(4, 99)]
    both.append(dialogue(made, rows(1, 98)[0], team))
    length = max(len(ids) for ids, _ in both)
    ids = torch.tensor([[WORDS.pad_token_id] * (length - len(i)) + i for i, _ in both])
    own = torch.tensor([[0] * (length - len(o)) + o for _, o in both])
    wanted = torch.where(own == 1, ids, -100)[:, 1:].flatten()
    adam = torch.optim.Adam(made.model.parameters(), 1e-2)

    for _ in range(50):
        logits = made.model(ids, attention_mask=(ids != WORDS.pad_token_id).long()).logits
        loss = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), wanted)
        adam.zero_grad()
        loss.backward()
        adam.step()

    return {name: value.clone() for name, value in made.model.state_dict().items()}


def delegating(made: Any) -> float:
    """Probability that the first turn on a task that was not trained on begins by delegating."""
    found = []

    for row in rows(4, 7):
        ids, own = dialogue(made, row, tiny.ALONE)

        with torch.no_grad():
            odds = made.model(torch.tensor([ids])).logits[0].softmax(-1)

        found.append(float(odds[own.index(1) - 1][DELEGATES].sum()))

    return sum(found) / len(found)


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    made = trainer(tmp_path_factory.mktemp("taught"), constant(0), tiny.model(WORDS, 1))
    return single_agent(made)


def begun(
    folder: Path,
    taught: dict[str, torch.Tensor],
    weight: float,
    steps: int,
    *,
    paid: Reward | None = None,
    workers: Workers | None = None,
    small: bool = False,
    **more: Any,
) -> Any:
    model = tiny.model(WORDS, 1)
    model.load_state_dict(taught)
    more |= {"num_generations": 4, "per_device_train_batch_size": 8} if small else {}
    return trainer(folder, paid or constant(weight), model, workers, max_steps=steps, **more)


def column(made: Any, name: str) -> list[float]:
    return [float(row[name]) for row in made.state.log_history if name in row]


@pytest.mark.parametrize(("weight", "low", "high"), [(0.0, 0.0, 0.12), (0.9, 0.4, 1.0)])
def test_what_is_learned_hangs_on_lambda(
    tmp_path: Path, taught, weight: float, low: float, high: float
) -> None:
    made = begun(tmp_path, taught, weight, 10)
    before = delegating(made)
    made.train()
    assert 0.14 < before < 0.26  # one dialogue in five, from which it was taught
    assert low < delegating(made) < high
    perf, parallel = column(made, "rewards/r_perf/mean"), column(made, "rewards/r_parallel/mean")

    if weight:  # spurious parallelism
        assert min(parallel[-3:]) > max(parallel[:3])
        assert max(perf[-3:]) < min(perf[:2])
    else:  # serial collapse
        assert max(parallel[-3:]) < max(parallel[:2])
        assert sum(perf[-3:]) > sum(perf[:3])


class Watched(NamedTuple):
    """One step of a trainer, as it was taken."""

    inputs: dict[str, torch.Tensor]
    slope: torch.Tensor
    """Of the loss, by each token's log-probability."""
    before: dict[str, torch.Tensor]
    made: Any


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, taught) -> Watched:
    made = begun(tmp_path_factory.mktemp("watched"), taught, 1.0, 1)
    before = {name: value.clone() for name, value in made.model.state_dict().items()}
    seen: dict[str, Any] = {}
    loss, odds = made._compute_loss, made._get_per_token_logps_and_entropies

    def watch_loss(model: Any, inputs: dict[str, torch.Tensor]) -> Any:
        seen["inputs"] = inputs
        return loss(model, inputs)

    def watch_odds(*args: Any, **more: Any) -> Any:
        found = odds(*args, **more)

        if found[0].requires_grad:
            found[0].retain_grad()
            seen["odds"] = found[0]

        return found

    made._compute_loss, made._get_per_token_logps_and_entropies = watch_loss, watch_odds
    made.train()
    return Watched(seen["inputs"], seen["odds"].grad, before, made)


def test_gradients_flow_into_every_weight_and_are_finite(watched: Watched) -> None:
    after = watched.made.model.state_dict()
    assert all(torch.isfinite(value).all() for value in after.values())
    moved = {name for name, value in after.items() if not torch.equal(value, watched.before[name])}
    assert moved == set(after)
    assert math.isfinite(column(watched.made, "grad_norm")[0])


def test_the_loss_is_of_the_orchestrators_tokens_alone(watched: Watched) -> None:
    inputs = watched.inputs
    own = (inputs["completion_mask"] * inputs["tool_mask"]).bool()
    theirs = inputs["completion_mask"].bool() & ~own
    ids = inputs["completion_ids"]
    calls = {WORDS.encode(call)[0] for call in tiny.CALLS}
    heard = WORDS.decode(ids[theirs])
    assert "steps" in heard  # tools tell what was spent
    assert "done" in heard  # what sub-agents say
    assert not calls & set(ids[theirs].tolist())
    assert calls & set(ids[own].tolist())
    assert watched.slope[~own].abs().max() == 0
    paid = own & (inputs["advantages"][:, None] != 0)
    assert watched.slope[paid].abs().min() > 0


def test_the_reward_arrives_on_delegating_turns_and_is_not_divided(watched: Watched) -> None:
    ids, gains = watched.inputs["completion_ids"], watched.inputs["advantages"]
    rewards = torch.tensor(REWARDS[1](watched.made.environments, [[]] * len(gains)))
    above = rewards - rewards.mean()
    assert above.std() > 0
    assert torch.allclose(gains.sort().values, above.sort().values)  # TRL shuffles the rollouts
    team = torch.tensor([WORDS.encode(call)[0] for call in tiny.ASSIGN])
    delegates = torch.isin(ids, team).any(dim=1)
    assert 0 < int(delegates.sum()) < len(ids)
    assert gains[delegates].mean() > 0 > gains[~delegates].max()


def test_a_turn_that_was_cut_is_not_paid(tmp_path: Path) -> None:
    made = trainer(tmp_path, constant(0), tiny.model(WORDS, 1))
    made.environments = [made.environment_factories[None]() for _ in range(2)]

    for one in made.environments:
        asyncio.run(answered(one, tiny.ALONE))

    said = [[{"role": "assistant", "content": "P1 done"}]] * 2
    cut = WORDS.encode("P1 done")
    rows_ = [{"seed": 0}] * 2
    paid = made._calculate_rewards(rows_, [[], []], said, [[*cut, WORDS.eos_token_id], cut])
    assert paid[0, 0] > 0
    assert paid[1, 0] == 0


def test_lambda_is_annealed_by_the_trainers_progress(tmp_path: Path, taught) -> None:
    fall = Schedule(0.8, 0.0, "linear", 0.5)
    made = begun(tmp_path, taught, 0, 4, paid=Reward(parallel=fall, finish=fall), small=True)
    made.train()
    parts = [column(made, f"rewards/{reward.__name__}/mean") for reward in REWARDS]
    expected = [
        perf + weight * (parallel + finish)
        for weight, perf, parallel, finish in zip((0.8, 0.4, 0, 0), *parts, strict=True)
    ]
    assert column(made, "reward") == pytest.approx(expected, abs=1e-4)
    assert sum(parts[1][:2]) > 0


def test_a_training_that_is_resumed_goes_on_where_lambda_was(tmp_path: Path, taught) -> None:
    fall = Reward(form="blog", parallel=Schedule(1.0, 0.0, "linear", 1.0))
    more = {"paid": fall, "small": True, "save_strategy": "steps", "save_steps": 2}
    begun(tmp_path, taught, 0, 4, **more).train()
    again = begun(tmp_path, taught, 0, 4, **more)
    again.train(resume_from_checkpoint=str(tmp_path / "checkpoint-2"))
    names = ("reward", "rewards/r_perf/mean", "rewards/r_parallel/mean")
    total, perf, parallel = (column(again, name) for name in names)
    expected = [
        weight * other + (1 - weight) * one
        for weight, one, other in zip((1, 0.75, 0.5, 0.25), perf, parallel, strict=True)
    ]
    assert total == pytest.approx(expected, abs=1e-4)
    assert min(perf[2:]) > 0.1  # so that another λ would show


def test_no_usage_statistics_are_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = Queue()
    monkeypatch.setattr("huggingface_hub.utils._telemetry._TELEMETRY_QUEUE", sent)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", False)
    monkeypatch.setattr("huggingface_hub.constants.is_offline_mode", lambda: False)
    monkeypatch.delenv("CI", raising=False)
    made = trainer(tmp_path, constant(0), tiny.model(WORDS, 1))
    assert sent.empty()
    assert (made.args.report_to, made.args.push_to_hub) == ([], False)


async def test_sub_agents_behind_an_endpoint(tmp_path: Path, taught) -> None:
    """The same training step with a server that does the sums; TRL has a loop of its own."""

    def adds(body: dict[str, Any]) -> Any:
        numbers = re.findall(r"(?<!P)\b(\d+)\b", body["messages"][1]["content"].split("\n\n")[-1])
        return says(f"It is {sum(map(int, numbers))}")

    async with FaultServer(adds) as server:
        workers = Behind(ChatModel("small", base_url=server.base_url, key=None))
        made = begun(tmp_path, taught, 1, 1, workers=workers)
        await asyncio.to_thread(made.train)
        closing = asyncio.run_coroutine_threadsafe(workers.close(), made.async_loop)
        await asyncio.wrap_future(closing)

    assert server.requests
    assert column(made, "rewards/r_finish/mean")[0] > 0
    done = sum(int(one.episode.outcome().completed[0]) for one in made.environments)
    assert done == len(server.requests)  # each was asked for a part that was ready, and is right


def test_the_two_published_tools_are_those_of_the_swarm() -> None:
    made = environments()()
    published = {spec["function"]["name"]: spec["function"] for spec in ORCHESTRATOR_TOOLS}

    for tool in (made.create_subagent, made.assign_task):
        found = get_json_schema(tool)["function"]
        assert {key: found[key] for key in ("name", "description", "parameters")} == published[
            found["name"]
        ]


def test_the_recipes_configuration_is_one(tmp_path: Path) -> None:
    made = recipe.config(tmp_path, **recipe.on_one_gpu(use_cpu=True))
    assert (made.scale_rewards, made.loss_type, made.beta) == ("none", "dapo", 0)
    assert made.generation_batch_size == 8 * made.num_generations  # whole groups
    assert made.num_iterations == 1
