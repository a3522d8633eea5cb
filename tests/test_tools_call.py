"""A Toolset answers whatever a model sends, and whatever a function does."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import textwrap
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_nb.errors import ToolError, UsageFault
from kimi_nb.tools import Tool, ToolContext, ToolOutcome, Toolset, standard_tools, tool

HERE = ToolContext(folder=Path(), agent="a1", run="r1")


@tool
async def price(museum: str, year: int = 2026, tags: list[str] | None = None) -> str:
    """The ticket price."""
    return f"{museum} {year} {tags}"


def call(made: Tool, arguments: Any, **options: Any) -> ToolOutcome:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return asyncio.run(Toolset([made], **options).call(made.name, text, HERE))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"museum": "Louvre"}, "Louvre 2026 None"),
        ({"museum": "Louvre", "year": "1999"}, "Louvre 1999 None"),
        ({"museum": "Louvre", "year": 1999.0}, "Louvre 1999 None"),
        ({"museum": "Louvre", "year": None, "tags": None}, "Louvre 2026 None"),
        ({"museum": "Louvre", "tags": "art"}, "Louvre 2026 ['art']"),
        ({"museum": "Louvre", "tags": '["a", "b"]'}, "Louvre 2026 ['a', 'b']"),
        (json.dumps(json.dumps({"museum": "Louvre"})), "Louvre 2026 None"),
    ],
)
def test_small_errors_are_mended(arguments: Any, text: str) -> None:
    assert call(price, arguments) == ToolOutcome(ok=True, text=text)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("", "argument 'museum' is missing"),
        ("null", "argument 'museum' is missing"),
        ("{", "the arguments are not valid JSON"),
        ('{"museum": "x"', "the arguments are not valid JSON"),
        ("[1]", "the arguments must be one JSON object, not [1]"),
        ({"museum": 3}, "argument 'museum' must be a string, not 3"),
        ({"museum": None}, "argument 'museum' must be a string, not null"),
        ({"museum": "x", "year": "soon"}, "argument 'year' must be an integer, not \"soon\""),
        ({"museum": "x", "year": 2.5}, "argument 'year' must be an integer, not 2.5"),
        ({"museum": "x", "year": True}, "argument 'year' must be an integer, not true"),
        ({"museum": "x", "tags": [1]}, "argument 'tags' must be array or null, not [1]"),
        ({"musuem": "x"}, "unknown argument 'musuem'; did you mean 'museum'?"),
        ({"museum": "x", "zzz": 1}, "unknown argument 'zzz'; there are: museum, year, tags"),
    ],
)
def test_a_wrong_argument_is_named_with_what_was_expected(arguments: Any, told: str) -> None:
    outcome = call(price, arguments)
    assert not outcome.ok
    assert outcome.text.startswith(f"ERROR: {told}")
    assert outcome.text.endswith(
        "price takes: museum (string), year (integer, optional), tags (array, optional)"
    )


def test_an_unknown_tool_is_answered_with_the_nearest_names() -> None:
    tools = standard_tools()
    near = asyncio.run(tools.call("list_file", "{}", HERE))
    far = asyncio.run(tools.call("qqq", "{}", HERE))
    assert near.text.startswith("ERROR: no tool 'list_file'; did you mean 'list_files'")
    assert far.text == "ERROR: no tool 'qqq'; there are: " + ", ".join(tools.names)
    assert not near.ok
    assert not far.ok


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text() | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.one_of(st.text(), json_values.map(json.dumps)), st.text())
def test_no_argument_text_makes_it_raise(arguments: str, name: str) -> None:
    tools = Toolset([price])

    for each in ("price", name):
        outcome = asyncio.run(tools.call(each, arguments, HERE))
        orjson.dumps(outcome.text)
        assert outcome.ok or outcome.text.startswith("ERROR: ")


def raising(error: BaseException) -> list[Tool]:
    @tool(name="plain")
    def plain() -> str:
        raise error

    @tool(name="coroutine")
    async def coroutine() -> str:
        raise error

    return [plain, coroutine]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ToolError("no such museum"), "ERROR: no such museum"),
        (KeyError("x"), "ERROR: KeyError: 'x'"),
        (ValueError("lone \ud800 surrogate"), "ERROR: ValueError: lone \ufffd surrogate"),
        (RecursionError("deep"), "ERROR: RecursionError: deep"),
    ],
)
def test_an_exception_is_an_answer(error: Exception, text: str) -> None:
    for made in raising(error):
        assert call(made, {}) == ToolOutcome(ok=False, text=text)


@pytest.mark.parametrize("error", [SystemExit(3), StopIteration("x"), KeyboardInterrupt()])
def test_a_plain_function_can_neither_exit_nor_interrupt(error: BaseException) -> None:
    outcome = call(raising(error)[0], {})
    assert outcome.text.startswith(f"ERROR: RuntimeError: {type(error).__name__}")


def test_a_cancellation_of_the_tools_own_is_an_answer() -> None:
    assert not call(raising(asyncio.CancelledError())[1], {}).ok


def test_a_result_that_cannot_be_written_is_an_answer() -> None:
    class Broken:
        def __str__(self) -> str:
            raise LookupError("no text")

    @tool
    async def broken() -> Broken:
        return Broken()

    assert call(broken, {}).text == "ERROR: LookupError: no text"


@dataclass
class Point:
    x: int
    y: set[int]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        ("", ""),
        (None, "(nothing)"),
        (3, "3"),
        (True, "true"),
        (float("nan"), "nan"),
        ({"a": [1, None]}, '{"a":[1,null]}'),
        ({1: "é"}, '{"1":"é"}'),
        (Point(1, {3, 2}), '{"x":1,"y":[2,3]}'),
        ([2**70], f"[{2**70}]"),
        ((1, Path("x")), '[1,"x"]'),
        (b"caf\xe9", "caf\ufffd"),
        ("lone \udcff", "lone \ufffd"),
        (["lone \ud800"], '["lone \ufffd"]'),
        ("pair \U0001f600 é", "pair \U0001f600 é"),
    ],
)
def test_any_result_becomes_text_that_a_log_can_hold(value: Any, text: str) -> None:
    @tool
    async def give() -> Any:
        return value

    outcome = call(give, {})
    assert outcome == ToolOutcome(ok=True, text=text)
    orjson.dumps(outcome.text)


@given(st.lists(st.text(st.characters(exclude_characters="\n"), max_size=60), max_size=200))
def test_a_long_result_is_cut_at_a_line_and_marked(lines: list[str]) -> None:
    whole = "\n".join(lines)

    @tool
    async def give(offset: int = 0) -> str:  # noqa: ARG001
        return whole

    outcome = call(give, {}, output_limit=500)
    assert len(outcome.text) <= 500
    assert outcome.truncated is (len(whole) > 500)

    if outcome.truncated:
        kept, note = outcome.text.rsplit("\n", 1)
        assert whole.startswith(kept + "\n")
        assert note == (
            f"[truncated: the first {len(kept):,} of {len(whole):,} characters; "
            "call again with another offset, or a smaller limit]"
        )


def test_one_endless_line_is_cut_too() -> None:
    @tool
    async def give() -> str:
        return "x" * 10**6

    outcome = call(give, {})
    assert outcome.truncated
    assert 19_000 < len(outcome.text) <= 20_000
    assert outcome.text.endswith("of 1,000,000 characters; ask for less to see the rest]")


def test_an_error_is_capped_too() -> None:
    outcome = call(raising(ToolError("x" * 10**6))[1], {})
    assert (outcome.ok, outcome.truncated) == (False, True)
    assert len(outcome.text) <= 20_000


async def test_plain_functions_run_beside_the_loop() -> None:
    meeting = threading.Barrier(3, timeout=50)

    @tool
    def meet() -> str:
        meeting.wait()
        return threading.current_thread().name

    tools = Toolset([meet])
    found = await asyncio.gather(*(tools.call("meet", "{}", HERE) for _ in range(3)))
    assert all(outcome.ok for outcome in found)
    assert threading.current_thread().name not in {outcome.text for outcome in found}


async def test_a_plain_function_may_return_a_coroutine() -> None:
    @tool
    def later() -> Any:
        return asyncio.sleep(0, "here")

    assert (await Toolset([later]).call("later", "{}", HERE)).text == "here"


async def test_a_cancelled_call_does_not_wait_for_its_thread() -> None:
    began, release = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    @tool
    def stuck() -> None:
        loop.call_soon_threadsafe(began.set)
        release.wait(30)

    tools = Toolset([stuck])
    task = asyncio.create_task(tools.call("stuck", "{}", HERE))
    await began.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task

    assert not release.is_set()
    release.set()


async def test_stuck_threads_of_cancelled_calls_take_no_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kimi_nb.tools.base.THREADS", 2)
    release = threading.Event()
    meeting = threading.Barrier(3)

    @tool
    def stuck(seconds: int) -> str:
        if seconds:
            meeting.wait()

        return str(release.wait(seconds))

    tools = Toolset([stuck])
    tasks = [asyncio.create_task(tools.call("stuck", '{"seconds": 600}', HERE)) for _ in range(4)]
    await asyncio.to_thread(meeting.wait)  # as many as there are places

    for task in tasks:
        task.cancel()

    await asyncio.gather(*tasks, return_exceptions=True)
    assert (await tools.call("stuck", '{"seconds": 0}', HERE)).text == "False"
    release.set()


def test_the_interpreter_exits_though_a_tool_is_stuck() -> None:
    code = """
        import asyncio, time
        from pathlib import Path
        from kimi_nb.tools import ToolContext, Toolset, tool

        begun = asyncio.Event()

        @tool
        def stuck() -> None:
            loop.call_soon_threadsafe(begun.set)
            time.sleep(1000)

        async def main():
            global loop
            loop = asyncio.get_running_loop()
            here = ToolContext(folder=Path(), agent="", run="")
            call = asyncio.create_task(Toolset([stuck]).call("stuck", "{}", here))
            await begun.wait()
            call.cancel()
            print("out")

        asyncio.run(main())
    """
    done = run_python(code)
    assert (done.returncode, done.stdout.strip()) == (0, "out")


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
    )


def test_sets_add_up_and_keep_their_order() -> None:
    @tool
    def other() -> None: ...

    both = Toolset([price]) + Toolset([other])
    assert both.names == ("price", "other")
    assert both.get("other") is other
    assert both.get("nothing") is None
    assert json.dumps(both.specs) == json.dumps(Toolset([price, other]).specs)
    assert both.specs[0] == {
        "type": "function",
        "function": {
            "name": "price",
            "description": "The ticket price.",
            "parameters": price.parameters,
        },
    }


def test_two_tools_of_one_name_are_refused() -> None:
    @tool(name="price")
    def impostor() -> None: ...

    with pytest.raises(UsageFault, match="two tools are called 'price'"):
        Toolset([price, impostor])

    assert len(Toolset([price, price])) == 1


def test_more_tools_than_kimi_takes_are_refused() -> None:
    made = [tool(name=f"tool_{number}")(lambda: None) for number in range(129)]

    with pytest.raises(UsageFault, match="128 at most"):
        Toolset(made)


def test_a_handwritten_schema_is_checked_too() -> None:
    by_hand = Tool(
        name="by_hand",
        description="Made without the decorator.",
        parameters={
            "type": "object",
            "properties": {
                "n": {"type": "integer"},
                "kind": {"type": "string", "enum": ["a", "b"]},
                "many": {"type": "array", "items": {"type": "number"}},
                "free": {"type": "object"},
            },
            "required": ["n"],
        },
        function=lambda **found: found,
    )
    good = call(by_hand, {"n": "3", "kind": "A", "many": 1, "free": {"x": [1]}})
    assert json.loads(good.text) == {"n": 3, "kind": "a", "many": [1.0], "free": {"x": [1]}}
    assert "must be one of" in call(by_hand, {"n": 3, "kind": "c"}).text
    assert "'n' is missing" in call(by_hand, {}).text


async def test_closing_a_set_closes_its_tools() -> None:
    closed: list[str] = []

    async def close() -> None:
        closed.append("closed")

    @tool(close=close)
    async def held() -> None: ...

    await Toolset([price, held]).close()
    assert closed == ["closed"]
