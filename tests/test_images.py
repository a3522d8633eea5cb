"""Images that tools return: in the request, beside the log, counted, and there again later."""

from __future__ import annotations

import base64
import hashlib
import io
import resource
import stat
from collections import defaultdict
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image as Picture
from scripted import Scripted, call, calls, check_ended, is_orchestrator, say

import kimi_nb as kn
from kimi_nb.beside import put
from kimi_nb.errors import ToolError
from kimi_nb.events import ToolReturned
from kimi_nb.models.base import IMAGE_TOKENS, Conversation, Message, Reply
from kimi_nb.models.simulator.options import Options
from kimi_nb.models.simulator.respond import respond as simulate
from kimi_nb.swarm import artefacts
from kimi_nb.tools import Image, ToolContext, Toolset
from kimi_nb.tools.pictures import view_image
from kimi_nb.widgets.saving import save as save_button

GONE = "no longer beside the log"


def png(shade: int, side: int = 8) -> bytes:
    out = io.BytesIO()
    Picture.new("RGB", (side, side), (shade, 0, 255 - shade)).save(out, "PNG")
    return out.getvalue()


def part(data: bytes) -> dict[str, Any]:
    url = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def name_of(data: bytes) -> str:
    return f"{hashlib.sha256(data).hexdigest()[:32]}.png"


@kn.tool
def draw(shade: int) -> list[str | Image]:
    "Draw a square."
    return [f"shade {shade}", Image(png(shade))]


@kn.tool
def pair() -> list[Image]:
    "Draw two squares."
    return [Image(png(1)), Image(png(2))]


def asked(messages: list[Message]) -> list[Any]:
    return [m["content"] for m in messages if m["role"] == "tool"]


def alone(name: str, **arguments: Any) -> Scripted:
    """A model that calls one tool and then says so."""
    return Scripted(lambda m: "done" if asked(m) else calls(call(name, **arguments)))


def run_alone(path: Path, model: Scripted, *tools: Any, **more: Any) -> kn.Run:
    return kn.swarm("go", model=model, tools=tools, single=True, trace=path, **more).result(30)


def returned(run: kn.Replay) -> list[ToolReturned]:
    return [record.fact for record in run.trace if isinstance(record.fact, ToolReturned)]


def images(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.png")}


def test_the_model_sees_it_and_the_log_names_its_file(tmp_path: Path) -> None:
    model = alone("draw", shade=7)
    run = run_alone(tmp_path / "run.jsonl", model, draw)
    check_ended(run)
    assert asked(model.seen[1]) == [[{"type": "text", "text": "shade 7"}, part(png(7))]]
    assert [(fact.text, fact.artefact) for fact in returned(run)] == [("shade 7", name_of(png(7)))]
    assert images(tmp_path) == {name_of(png(7)): png(7)}
    assert stat.S_IMODE((tmp_path / name_of(png(7))).stat().st_mode) == 0o600
    assert {path.suffix for path in tmp_path.iterdir()} == {".png", ".jsonl"}


def test_several_keep_their_order_and_need_no_text(tmp_path: Path) -> None:
    model = alone("pair")
    run = run_alone(tmp_path / "run.jsonl", model, pair)
    assert asked(model.seen[1]) == [[part(png(1)), part(png(2))]]
    assert returned(run)[0].artefact.split() == [name_of(png(1)), name_of(png(2))]
    assert len(images(tmp_path)) == 2


def test_the_same_image_twice_is_one_file(tmp_path: Path) -> None:
    both = [call("draw", shade=3), call("draw", shade=3)]
    model = Scripted(lambda m: "done" if asked(m) else calls(*both))
    run_alone(tmp_path / "run.jsonl", model, draw)
    assert list(images(tmp_path)) == [name_of(png(3))]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: Image(png(1)[:8] + bytes(5_000_001)), "5 MB can be shown"),
        (lambda: Image(b"<svg/>"), "not a PNG, JPEG, GIF or WebP"),
        (lambda: [Image(png(1))] * 9, "9 images at once, and 8 can be shown"),
    ],
)
def test_what_cannot_be_shown_is_an_error_that_the_model_hears(
    tmp_path: Path, made: Any, said: str
) -> None:
    @kn.tool
    def bad() -> Any:
        "Fail."
        return made()

    model = alone("bad")
    run = run_alone(tmp_path / "run.jsonl", model, bad)
    (text,) = asked(model.seen[1])
    assert said in text
    assert not returned(run)[0].ok
    assert images(tmp_path) == {}


def test_a_run_without_a_place_on_disk_shows_them_all_the_same() -> None:
    assert artefacts.keep(None, [Image(png(1))]) == ""


def team(messages: list[Message]) -> Reply | str:
    """Two sub-agents; each looks at a file and draws, one after the other."""
    got = asked(messages)

    if not is_orchestrator(messages):
        number = int(messages[1]["content"].splitlines()[-1][-1])
        path = f"{number}.png"
        made = [call("view_image", path=path), call("draw", shade=number), call("pair")]
        return calls(made[len(got)]) if len(got) < 3 else f"saw {number}"

    if not got:
        return calls(call("create_subagent", name="w", system_prompt="Look."))

    if len(got) == 1:
        tasks = [call("assign_task", agent="w", prompt=f"look at {n}") for n in (5, 6)]
        return calls(*tasks, call("draw", shade=9))

    return say("; ".join(got[1:3]))


TOOLS = Toolset([view_image, draw, pair])


def sights(model: Scripted) -> dict[tuple[str, int], str]:
    """Who was shown what at which turn: the very contents of all tool messages."""
    found: dict[tuple[str, int], str] = {}

    for messages in model.seen:
        who = messages[1]["content"].splitlines()[-1]
        found[who, len(messages)] = repr(asked(messages))

    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "work"
    made.mkdir()

    for number in (5, 6):
        (made / f"{number}.png").write_bytes(png(number, side=30))

    return made


def full_run(path: Path, folder: Path) -> tuple[kn.Run, Scripted]:
    model = Scripted(team)
    run = kn.swarm("go", model=model, tools=TOOLS, folder=folder, trace=path).result(60)
    assert run.status == "finished"
    assert "saw 5" in run.answer
    assert "saw 6" in run.answer
    return run, model


def test_resumed_from_every_record_the_very_same_bytes_go_out_again(
    tmp_path: Path, folder: Path
) -> None:
    path = tmp_path / "run.jsonl"
    run, model = full_run(path, folder)
    shown = sights(model)
    again: dict[tuple[str, int], str] = defaultdict(str)
    lines = path.read_bytes().splitlines(keepends=True)
    (tmp_path / "half-written.png.0.part").write_bytes(b"half")

    for count in range(2, len(lines)):
        path.write_bytes(b"".join(lines[:count]))
        other = Scripted(team)
        resumed = kn.resume(path, model=other, tools=TOOLS)
        assert isinstance(resumed, kn.Run)
        assert resumed.result(30).answer == run.answer
        found = sights(other)
        assert found.items() <= shown.items(), f"after {count} lines"
        again |= found

    assert again.keys() == shown.keys()


def test_where_the_file_is_gone_or_another_the_model_is_told(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "run.jsonl"
    run, _ = full_run(path, folder)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-2]))
    (tmp_path / name_of(png(1))).unlink()
    (tmp_path / name_of(png(9))).write_bytes(png(8))
    last = [record.seq for record in run.trace if record.agent == "a1"][-2]
    path.write_bytes(b"".join(lines[: last + 1]))
    model = Scripted(team)
    kn.resume(path, model=model, tools=TOOLS).result(30)
    seen = {who: content for (who, _), content in sorted(sights(model).items())}
    assert repr(part(png(1)))[:200] not in seen["look at 5"]
    assert repr(part(png(2)))[:200] in seen["look at 5"]
    assert GONE in seen["look at 5"]
    assert GONE in seen["go"]


def test_what_could_not_be_written_is_shown_and_named_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(artefacts, "put", full)
    path, model = tmp_path / "run.jsonl", alone("draw", shade=7)
    run = run_alone(path, model, draw)
    check_ended(run)
    assert part(png(7)) in asked(model.seen[1])[0]
    assert returned(run)[0].artefact == name_of(png(7))
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-3]))
    later = alone("draw", shade=7)
    kn.resume(path, model=later, tools=[draw]).result(30)
    assert asked(later.seen[0]) == [f"shade 7\n[an image that came with this is {GONE}]"]


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))

    try:
        with pytest.raises(OSError, match="too large"):
            put(tmp_path, "0" * 32, bytes(1_500))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert list(tmp_path.iterdir()) == []
    put(tmp_path, "0" * 32, b"first")
    put(tmp_path, "0" * 32, b"second")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"first"]


HUGE = Image(png(1) + bytes(4_000_000))


def test_four_megabytes_count_as_one_image(tmp_path: Path) -> None:
    @kn.tool
    def huge() -> Image:
        "Draw."
        return HUGE

    talk = Conversation([{"role": "tool", "tool_call_id": "a", "content": [HUGE.part]}])
    assert talk.size < 4 * IMAGE_TOKENS + 200
    assert len(talk.wire) > 5_000_000
    limits = kn.Budget(tokens=40_000)
    run = run_alone(tmp_path / "run.jsonl", alone("huge"), huge, budget=limits, max_tokens=9_000)
    assert run.status == "finished"


def test_the_simulator_counts_them_alike() -> None:
    def read(*parts: Any) -> int:
        content = [{"type": "text", "text": "look"}, *parts]
        messages = [
            {"role": "system", "content": "s"},
            {"role": "user", "content": "go"},
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "x", "arguments": "{}"}}
                ],
            },
            {"role": "tool", "tool_call_id": "a", "content": content},
        ]
        events = simulate({"model": "simulator", "messages": messages, "seed": 0}, Options())
        return int(events[-1].what["usage"]["prompt_tokens"])

    without, one, two = read(), read(HUGE.part), read(HUGE.part, part(png(2)))
    assert 0.9 * IMAGE_TOKENS < one - without < 1.1 * IMAGE_TOKENS
    assert 1.8 * IMAGE_TOKENS < two - without < 2.2 * IMAGE_TOKENS


def test_saved_elsewhere_they_come_along(tmp_path: Path, folder: Path) -> None:
    full_run(tmp_path / "run.jsonl", folder)
    there = images(tmp_path)
    assert len(there) == 7
    kn.replay(tmp_path / "run.jsonl").save(tmp_path / "other" / "copy.jsonl")
    assert images(tmp_path / "other") == there
    kn.replay(tmp_path / "run.jsonl").save(tmp_path / "beside.jsonl")
    assert images(tmp_path) == there


def test_the_pages_button_brings_them_beside_the_notebook(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = full_run(tmp_path / "run.jsonl", folder)
    (tmp_path / "notebook").mkdir()
    monkeypatch.chdir(tmp_path / "notebook")
    save_button(run, "trace")
    assert images(tmp_path / "notebook") == images(tmp_path)


def test_a_fork_in_another_folder_shows_the_same_and_leaves_the_old_one(
    tmp_path: Path, folder: Path
) -> None:
    path, fork = tmp_path / "run.jsonl", tmp_path / "fork" / "run.jsonl"
    _, model = full_run(path, folder)
    shown = sights(model)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-3]))
    before = path.read_bytes()
    other = Scripted(team)
    kn.resume(path, fork=fork, model=other, tools=TOOLS).result(30)
    assert sights(other).items() <= shown.items()
    assert path.read_bytes() == before
    assert images(fork.parent) == images(tmp_path)


def test_a_strangers_log_copies_nothing_but_plain_files_of_such_names(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    secret = tmp_path / "secret"
    secret.write_text("canary")
    (here / "plain.png").write_bytes(png(1))
    (here / ("a" * 32)).symlink_to(secret)
    (here / ("b" * 32)).mkdir()
    run = run_alone(here / "run.jsonl", alone("draw", shade=7), draw)
    name = name_of(png(7))
    hostile = f"../secret {secret} plain.png {'a' * 32} {'b' * 32} {'c' * 32} {name}"
    lines = (here / "run.jsonl").read_bytes()
    (here / "run.jsonl").write_bytes(lines.replace(name.encode(), hostile.encode()))
    kn.replay(here / "run.jsonl").save(there / "run.jsonl")
    assert {path.name for path in there.iterdir()} == {"run.jsonl", name}
    assert run.status == "finished"


def test_a_notebook_shows_an_image_as_what_it_is() -> None:
    shown = {"image/png": base64.b64encode(png(1)).decode(), "text/plain": "[image: png, 8×8]"}
    assert Image(png(1))._repr_mimebundle_() == shown


def test_view_image_is_the_same_by_hand(folder: Path) -> None:
    context = ToolContext(folder=folder, agent="a1", run="r1")
    text, image = view_image(context, "5.png")
    assert text == "5.png: 30×30, shown at 30×30"
    assert Picture.open(io.BytesIO(image.data)).size == (30, 30)

    with pytest.raises(ToolError, match="no file"):
        view_image(context, "7.png")


def test_a_notebook_that_is_run_saved_and_converted_shows_it() -> None:
    nbconvert = pytest.importorskip("nbconvert")
    code = f"from kimi_nb.tools import Image\nImage({png(1)!r})"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(notebook, timeout=50, kernel_name="python3").execute()
    nbformat.validate(notebook)
    plain = base64.b64encode(png(1)).decode()
    html, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    assert f"data:image/png;base64,{plain}" in html.replace("\n", "")
    text, more = nbconvert.MarkdownExporter().from_notebook_node(notebook)
    assert "![png](" in text
    assert list(more["outputs"].values()) == [png(1)]
