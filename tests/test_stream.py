"""However an endpoint cuts its answer up, the same turn comes out."""

from __future__ import annotations

import itertools
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_nb.errors import (
    AccessDenied,
    ModelError,
    Overloaded,
    QuotaExhausted,
    RateLimited,
    ServerFault,
    Unreachable,
)
from kimi_nb.models import draft
from kimi_nb.models.base import Reply, ToolCall, Usage
from kimi_nb.models.sse import Splitter
from kimi_nb.models.stream import Assembler


class Heard:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.text = self.thinking = ""
        self.calls: list[ToolCall] = []

    def on_text(self, text: str) -> None:
        self.text += text

    def on_thinking(self, text: str) -> None:
        self.thinking += text

    def on_call(self, call: ToolCall) -> None:
        self.calls.append(call)


def delta(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def part(arguments: str = "", **fields: Any) -> dict[str, Any]:
    name = {"name": fields.pop("name")} if "name" in fields else {}
    return delta(tool_calls=[{**fields, "function": {**name, "arguments": arguments}}])


def end(reason: str = "stop", **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason, **fields}]}


def assemble(*chunks: dict[str, Any]) -> tuple[Reply, Heard]:
    heard = Heard()
    assembler = Assembler(heard)

    for chunk in chunks:
        assembler.feed(chunk)

    return assembler.finish(7), heard


def seen(reply: Reply) -> list[tuple[str, str, str]]:
    return [(call.id, call.name, call.arguments) for call in reply.calls]


# Any chunking of the same turn ------------------------------------------------------------

words = st.text(max_size=30)
json_objects = st.dictionaries(
    st.text(max_size=6), st.text('{}"\\ab中\n', max_size=12) | st.integers(-9, 9), max_size=3
)
names = st.sampled_from(["read_file", "assign_task", "python"])


@st.composite
def pieces(draw: st.DrawFn, text: str) -> list[str]:
    cuts = draw(st.lists(st.integers(0, len(text)), max_size=6).map(sorted))
    return [text[a:b] for a, b in itertools.pairwise([0, *cuts, len(text)])]


@st.composite
def turns(draw: st.DrawFn) -> tuple[list[dict[str, Any]], Reply]:
    """Chunks as some endpoint would send them, and the turn that they say."""
    thinking, text = draw(words), draw(words)
    made = draw(st.lists(st.tuples(names, json_objects), max_size=4))
    key = draw(st.sampled_from(["reasoning_content", "reasoning"]))
    index_style = draw(st.sampled_from(["index", "zero", "none"]))
    id_style = draw(st.sampled_from(["own", "same", "none", "repeated"]))
    chunks = [delta(**{key: piece}) for piece in draw(pieces(thinking))]
    chunks += [delta(content=piece) for piece in draw(pieces(text))]
    calls: list[ToolCall] = []

    for position, (name, value) in enumerate(made):
        arguments = orjson.dumps(value).decode()
        own = {"own": f"{name}:{position}", "repeated": f"id-{position}", "same": "id", "none": ""}
        call_id = own[id_style]
        index = {"index": {"index": position}, "zero": {"index": 0}, "none": {}}[index_style]
        ids = {"id": call_id} if call_id else {}
        first, *rest = draw(pieces(arguments))
        first, *rest = [first, *rest] if first else ["{", arguments[1:]]
        chunks.append(part(first, name=name, **index, **ids))
        always = ids if id_style == "repeated" else {}
        chunks += [part(piece, **index, **always) for piece in rest]
        chunks += draw(st.sampled_from([[], [part("", **index)], [delta(tool_calls=[])]]))
        calls.append(
            ToolCall(
                index=position, id=call_id or f"call_{position}", name=name, arguments=arguments
            )
        )

    counts = {"prompt_tokens": 11, "completion_tokens": 5}
    cached = draw(
        st.sampled_from([{"cached_tokens": 3}, {"prompt_tokens_details": {"cached_tokens": 3}}])
    )
    usage = counts | cached
    chunks += draw(
        st.sampled_from(
            [
                [end(usage=usage)],
                [end("tool_calls"), {"choices": [], "usage": usage}],
                [{**end(), "usage": usage}],
                [{"usage": usage}, end("length" if not made else "stop")],
            ]
        )
    )
    cut = "length" if chunks[-1] == end("length") and not made else "stop"
    reply = Reply(
        text=text,
        thinking=thinking,
        thinking_key=key,  # be it empty: the model did think
        calls=tuple(calls),
        finish="tool_calls" if made else cut,
        usage=Usage(tokens_in=11, tokens_out=5, tokens_cached=3),
    )
    return chunks, reply


@given(turns())
def test_any_chunking_gives_the_same_turn(turn: tuple[list[dict[str, Any]], Reply]) -> None:
    chunks, expected = turn
    reply, heard = assemble(*chunks)
    assert reply == expected
    assert (heard.text, heard.thinking) == (expected.text, expected.thinking)
    assert heard.calls == list(expected.calls)


@given(st.data(), st.lists(json_objects, min_size=2, max_size=4))
def test_calls_interleaved_by_index(data: st.DataObject, values: list[dict[str, Any]]) -> None:
    texts = [orjson.dumps(value).decode() for value in values]
    queues = [list(text) for text in texts]
    chunks = [part(name=f"tool_{i}", index=i, id=f"id{i}") for i in range(len(values))]

    while live := [i for i, queue in enumerate(queues) if queue]:
        i = data.draw(st.sampled_from(live))
        chunks.append(part(queues[i].pop(0), index=i))

    reply, heard = assemble(*chunks, end())
    assert [call.arguments for call in reply.calls] == texts
    assert [call.id for call in heard.calls] == [call.id for call in reply.calls]
    pairs = zip(heard.calls, reply.calls, strict=True)
    assert all(call.arguments.startswith(early.arguments) for early, call in pairs)


@given(st.data(), st.lists(json_objects, min_size=1, max_size=5), st.sampled_from(["\n", "\r\n"]))
def test_events_from_bytes_cut_anywhere(
    data: st.DataObject, values: list[dict[str, Any]], newline: str
) -> None:
    events = [orjson.dumps(value) for value in values]
    noise = data.draw(st.sampled_from([": keep-alive", "event: message", "id: 7", ""]))
    gap = data.draw(st.sampled_from([" ", ""]))
    lines = [f"{noise}{newline}{newline}data:{gap}{event.decode()}{newline}" for event in events]
    whole = newline.join(lines).encode()
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=8).map(sorted))
    splitter = Splitter()
    found: list[bytes] = []

    for a, b in itertools.pairwise([0, *cuts, len(whole)]):
        found += splitter.feed(whole[a:b])

    assert found + splitter.flush() == events


def test_data_over_several_lines_is_one_event() -> None:
    assert Splitter().feed(b'data: {"a":\ndata: 1}\n\n') == [b'{"a":\n 1}']


# When a call is announced ------------------------------------------------------------------


def test_a_call_is_announced_when_its_arguments_close() -> None:
    heard = Heard()
    assembler = Assembler(heard)
    assembler.feed(part(name="f", index=0, id="a"))
    assembler.feed(part('{"x": "}', index=0))
    assert heard.calls == []
    assembler.feed(part('{"}', index=0))
    assert [call.arguments for call in heard.calls] == ['{"x": "}{"}']
    assembler.finish(1)
    assert len(heard.calls) == 1


def test_a_broken_call_is_announced_with_the_next_complete_one() -> None:
    heard = Heard()
    assembler = Assembler(heard)
    assembler.feed(part('{"x": oops}', name="f", index=0, id="a"))
    assembler.feed(part("{", name="g", index=1, id="b"))
    assert heard.calls == []
    assembler.feed(part("}", index=1))
    assert [call.name for call in heard.calls] == ["f", "g"]


def test_an_incomplete_call_is_announced_at_the_end() -> None:
    reply, heard = assemble(part('{"x": 1', name="f", index=0), end("length"))
    assert heard.calls == list(reply.calls)
    assert reply.finish == "length"


def test_what_follows_a_complete_call_is_in_the_final_one() -> None:
    reply, heard = assemble(part("{}", name="f", index=0), part("junk", index=0), end())
    assert [call.arguments for call in heard.calls] == ["{}"]
    assert [call.arguments for call in reply.calls] == ["{}junk"]


def test_long_arguments_are_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    really = draft._is_object
    monkeypatch.setattr(draft, "_is_object", lambda text: parsed.append(text) or really(text))
    text = orjson.dumps({"deep": [{"a": {"b": "}" * 50}}] * 20}).decode()
    reply, _ = assemble(part(name="f", index=0), *(part(letter, index=0) for letter in text))
    assert reply.calls[0].arguments == text
    assert parsed == [text]


# Endpoints' habits ---------------------------------------------------------------------------


def test_arguments_before_the_name() -> None:
    reply, heard = assemble(part('{"a":1}', index=0), part(index=0, name="f", id="x"), end())
    assert seen(reply) == [("x", "f", '{"a":1}')]
    assert heard.calls == list(reply.calls)


def test_a_new_id_with_every_delta_is_still_one_call() -> None:
    chunks = [
        part(name="f", index=0, id="r1"),
        part('{"a":', index=0, id="r2"),
        part("1}", index=0, id="r3"),
        part("", index=0, id="r4"),
    ]
    assert seen(assemble(*chunks, end())[0]) == [("r1", "f", '{"a":1}')]


def test_a_name_repeated_with_every_delta_is_one_call() -> None:
    chunks = [part(piece, name="f", index=0) for piece in ("", "{", "}", "")]
    assert seen(assemble(*chunks, end())[0]) == [("call_0", "f", "{}")]


def test_two_calls_without_ids_at_index_0() -> None:
    chunks = [part("{}", name="f", index=0), part(name="g", index=0), part("{}", index=0)]
    assert seen(assemble(*chunks)[0]) == [("call_0", "f", "{}"), ("call_1", "g", "{}")]


def test_arguments_sent_as_an_object() -> None:
    call = {"function": {"name": "f", "arguments": {"a": "é"}}}
    assert seen(assemble(delta(tool_calls=[call]))[0]) == [("call_0", "f", '{"a":"é"}')]


def test_a_plain_response_is_one_chunk() -> None:
    calls = [{"id": "same", "function": {"name": "f", "arguments": text}} for text in ("{}", "{}")]
    message = {"role": "assistant", "content": None, "reasoning": "hm", "tool_calls": calls}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    reply, heard = assemble({"choices": [choice], "usage": {"prompt_tokens": 1}})
    assert seen(reply) == [("same", "f", "{}"), ("same", "f", "{}")]
    assert reply.finish == "tool_calls"
    assert reply.message()["reasoning"] == "hm"
    assert heard.calls == list(reply.calls)


def test_a_call_without_arguments_or_name_is_none() -> None:
    reply, heard = assemble(part(index=0, id="x"), delta(tool_calls=[{}]), delta(), end())
    assert reply.calls == ()
    assert heard.calls == []
    assert reply.finish == "stop"


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_reasons_that_count(reason: str) -> None:
    assert assemble(delta(content="a"), end(reason))[0].finish == reason


def test_tool_calls_as_a_reason_without_calls() -> None:
    assert assemble(delta(content="a"), end("tool_calls"))[0].finish == "stop"


def test_no_usage_is_estimated() -> None:
    usage = assemble(delta(content="x" * 400), end())[0].usage
    assert usage == Usage(tokens_in=7, tokens_out=101, estimated=True)


def test_ended_says_whether_a_reason_came() -> None:
    assembler = Assembler(Heard())
    assembler.feed(delta(content="a"))
    assert not assembler.ended
    assembler.feed(end())
    assert assembler.ended


def test_what_is_far_longer_than_allowed_is_cut_off() -> None:
    heard = Heard()
    assembler = Assembler(heard, max_tokens=2)
    assembler.feed(delta(reasoning_content="t" * 30))
    assert not assembler.full
    assembler.feed(delta(content="x" * 5))
    assembler.feed(delta(content="y", tool_calls=[{"function": {"name": "f", "arguments": "{}"}}]))
    assembler.feed(end("stop"))
    reply = assembler.finish(1)
    assert assembler.full
    assert assembler.ended
    assert (reply.thinking, reply.text, reply.calls) == ("t" * 30, "xx", ())
    assert (reply.finish, reply.usage.estimated) == ("length", True)


def test_a_call_that_is_far_longer_than_allowed_is_cut_off() -> None:
    assembler = Assembler(Heard(), max_tokens=1)
    assembler.feed(part('{"x": "', name="f", index=0, id="a"))
    assembler.feed(part("y" * 100 + '"}', index=0))
    reply = assembler.finish(1)
    assert reply.finish == "length"
    assert reply.calls[0].arguments == '{"x": "' + "y" * 9


# What is no answer ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"type": "engine_overloaded_error", "message": "busy"}, Overloaded),
        ({"type": "rate_limit_reached_error", "message": "slow"}, RateLimited),
        ({"type": "exceeded_current_quota_error", "message": "broke"}, QuotaExhausted),
        ({"type": "invalid_authentication_error", "message": "who"}, AccessDenied),
        ({"message": "oops", "code": 429}, RateLimited),
        ({"message": "oops", "code": 503}, ServerFault),
        ("just words", ServerFault),
    ],
)
def test_an_error_inside_the_stream_has_its_class(error: object, expected: type) -> None:
    with pytest.raises(ModelError) as caught:
        assemble(delta(content="a"), {"error": error})

    assert type(caught.value) is expected


@pytest.mark.parametrize(
    "chunk",
    [
        {"choices": {"a": 1}},
        {"choices": [3]},
        {"choices": [{"delta": [1]}]},
        delta(content={"a": 1}),
        delta(tool_calls="f"),
        delta(tool_calls=["f"]),
        delta(tool_calls=[{"function": "f"}]),
        delta(tool_calls=[{"function": {"name": 3}}]),
        {"usage": 3, "choices": []},
    ],
)
def test_what_is_no_chunk_is_refused(chunk: dict[str, Any]) -> None:
    with pytest.raises(Unreachable, match="no chat chunk"):
        assemble(chunk)
