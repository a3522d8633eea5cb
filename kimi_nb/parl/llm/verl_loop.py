"""The same task for verl 0.9, on several machines: an agent loop that verl's workers make by name.

Named in verl_agents.yaml; verl_train.yaml has the rest. It imports verl, so only verl imports it.
"""

# verl is not installed where types are checked.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
from __future__ import annotations

import json
from typing import Any

from kimi_nb.errors import UsageFault
from kimi_nb.parl.llm.environment import Environments
from kimi_nb.parl.llm.optional import library
from kimi_nb.parl.llm.recipe import PAID
from kimi_nb.parl.llm.rewards import REWARDS, weights
from kimi_nb.parl.llm.wording import harmless

__all__ = ["ParlLoop"]

_loops = library("verl.experimental.agent_loop.tool_agent_loop", "verl")
_schemas = library("verl.tools.schemas", "verl")
_schema_of = library("transformers.utils", "transformers").get_json_schema


class ParlLoop(_loops.ToolAgentLoop):
    """One rollout; verl makes one of these for each. Its tools are those of `Orchestration`.

    verl masks what tools answer. Sub-agents are simulated, and their luck is the machine's own.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._environment = Environments(seed=None)()
        made = self._environment
        self._calls = {
            tool.__name__: tool for tool in (made.create_subagent, made.assign_task, made.do_part)
        }
        self.tool_schemas = [_schema_of(tool) for tool in self._calls.values()]
        self._data: Any = None

    async def run(self, sampling_params: dict[str, Any], priority: int = 0, **row: Any) -> Any:
        """A rollout of the row's task, with its reward."""
        *before, ask = row["raw_prompt"]
        task = self._environment.reset(row["extra_info"]["seed"])
        prompt = [*before, {**ask, "content": ask["content"] + task}]
        output = await super().run(sampling_params, priority, **{**row, "raw_prompt": prompt})
        paid = self._paid(self._data.messages[len(prompt) :])
        by = weights(PAID, self._progress(output))
        output.reward_score = sum(weight * one for weight, one in zip(by, paid, strict=True))
        names = [reward.__name__ for reward in REWARDS]
        output.extra_fields["reward_extra_info"] = dict(zip(names, paid, strict=True))
        return output

    async def _handle_generating_state(self, agent_data: Any, *args: Any, **more: Any) -> Any:
        self._data = agent_data
        return await super()._handle_generating_state(agent_data, *args, **more)

    async def _call_tool(self, tool_call: Any, *_more: Any) -> Any:
        try:
            text = await self._calls[tool_call.name](**json.loads(tool_call.arguments))
        except (KeyError, TypeError, ValueError) as error:  # a model wrote it; billed when graded
            text = harmless(f"ERROR: {type(error).__name__}: {error}")

        return _schemas.ToolResponse(text=text), 0.0, {}

    def _paid(self, completion: list[dict[str, Any]]) -> list[float]:
        return [reward([self._environment], [completion])[0] for reward in REWARDS]

    def _progress(self, output: Any) -> float:
        step = output.extra_fields.get("max_global_steps")
        steps = self.config.trainer.total_training_steps

        if step is None or not steps:
            raise UsageFault(
                "λ is annealed by the step, which verl did not tell: set "
                "trainer.total_training_steps, and a rollout engine that tells global_steps (vllm)"
            )

        return min(1.0, step / steps)
