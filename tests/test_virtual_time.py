"""The virtual clock itself: what really takes time takes none by it."""

from __future__ import annotations

import time

import pytest
from scripted import Scripted, call, calls, is_orchestrator, results, say
from virtual_time import WorkingSelector, swarms_in_virtual_time

import kimi_nb as kn
from kimi_nb.models.base import Message, Reply


@pytest.mark.parametrize("slow", ["the tool", "the loop"])
def test_no_time_passes_while_a_tool_works_nor_when_it_has_just_ended(tmp_path, monkeypatch, slow):
    select = WorkingSelector.select

    @kn.tool
    def work() -> str:
        "Work."
        time.sleep(0.02 if slow == "the tool" else 0.0)
        return "worked"

    def late(selector, timeout=None):
        time.sleep(0.02 if slow == "the loop" and timeout else 0.0)
        return select(selector, timeout)

    def answer(messages: list[Message]) -> Reply | str:
        got = results(messages)

        if not is_orchestrator(messages):
            return say(got[0]) if got else calls(call("work"))

        made = call("create_subagent", name="w", system_prompt="Work.")
        return say(got[1]) if got else calls(made, call("assign_task", agent="w", prompt="t"))

    monkeypatch.setattr(WorkingSelector, "select", late)
    model = Scripted(answer, delay=1.0)

    with swarms_in_virtual_time():
        run = kn.swarm("go", model=model, tools=[work], trace=tmp_path / "run.jsonl").result()

    assert run.answer == "worked"
    assert run.seconds == 4.0  # seconds, one for each answer
