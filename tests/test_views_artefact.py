"""The files beside a log: which may be read, and what they are taken for."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from traces import Script

from kimi_nb.errors import UsageFault
from kimi_nb.views.artefact import LARGEST, artefact

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
IMAGES = {
    "image/png": PNG,
    "image/jpeg": b"\xff\xd8\xff\xe0" + bytes(20),
    "image/gif": b"GIF89a" + bytes(20),
    "image/webp": b"RIFF\x0a\x00\x00\x00WEBPVP8 ",
}


def beside(folder: Path, data: bytes, ending: str = "") -> tuple[Path, str]:
    """A log, and the name of a file with that content beside it."""
    name = hashlib.sha256(data).hexdigest() + ending
    (folder / name).write_bytes(data)
    return folder / "run.jsonl", name


@pytest.mark.parametrize("kind", IMAGES)
def test_an_image_is_known_by_its_first_bytes(tmp_path: Path, kind: str) -> None:
    log, name = beside(tmp_path, IMAGES[kind], ".txt")
    assert artefact(log, name) == (kind, IMAGES[kind])


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script>",
        b" \x89PNG\r\n\x1a\n",
        b"BM",
        b"%PDF-1.7",
        b"",
    ],
)
def test_all_else_is_text_whatever_its_name_says(tmp_path: Path, data: bytes) -> None:
    log, name = beside(tmp_path, data, ".png")
    assert artefact(log, name).type == "text/plain"


def test_a_text_is_clean(tmp_path: Path) -> None:
    log, name = beside(tmp_path, "a\x1b[31m\u202eb\x00 中\n".encode() + b"\xff")
    assert artefact(log, name).data.decode() == "a␛[31m\ufffdb␀ 中\n\ufffd"


def test_a_very_long_text_is_cut_and_says_so(tmp_path: Path) -> None:
    log, name = beside(tmp_path, b"x" * 1_000_123)
    text = artefact(log, name).data.decode()
    assert text == "x" * 1_000_000 + "\n… 123 more characters, in the file alone"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "run.jsonl",
        "../" + "a" * 64,
        "/etc/passwd",
        "a" * 64 + "/b",
        "a" * 64 + "\\b",
        "a" * 64 + "\n",
        "a" * 64 + ".png.exe",
        "A" * 64,
        "a" * 15,
        "g" * 64,
        "a" * 64 + "\x00",
        "\u202e" + "a" * 64,
    ],
)
def test_only_the_hash_of_a_content_is_a_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageFault, match="is not the name of a file beside a log"):
        artefact(tmp_path / "run.jsonl", name)


def test_what_cannot_be_read_is_said_in_one_sentence(tmp_path: Path) -> None:
    log, name = beside(tmp_path, PNG)

    with pytest.raises(UsageFault, match="the run has no log on disk"):
        artefact(None, name)

    with pytest.raises(UsageFault, match="is not there: copy it beside"):
        artefact(log, "0" * 64)

    (tmp_path / ("1" * 64)).symlink_to(tmp_path / name)
    (tmp_path / ("2" * 64)).mkdir()

    for other in ("1" * 64, "2" * 64):
        with pytest.raises(UsageFault, match="is not there"):
            artefact(log, other)


def test_a_file_too_large_for_a_page_is_not_sent(tmp_path: Path) -> None:
    log, name = beside(tmp_path, PNG)

    with (tmp_path / name).open("r+b") as file:
        file.truncate(LARGEST + 1)

    with pytest.raises(UsageFault, match="larger than 20 MB"):
        artefact(log, name)


class Saved:
    """What a desk needs of a run that was read from its log."""

    name = "museums"
    prices: dict[str, object] = {}  # noqa: RUF012
    done = True
    draft = pace = ""
    seconds = 0.0

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.records = Script().trace()

    def cancel(self, agent: str | None = None) -> None:
        raise AssertionError(agent)


def test_the_desk_sends_the_bytes_or_says_why_not(tmp_path: Path) -> None:
    from kimi_nb.widgets.desk import Desk

    log, name = beside(tmp_path, PNG)
    desk = Desk(Saved(log))
    (sent,) = desk.answer({"kind": "artefact", "name": name})
    told = {"kind": "artefact", "name": name, "type": "image/png", "why": ""}
    told |= {"small": False, "buffers": [PNG]}
    assert sent == told

    (refused,) = desk.answer({"kind": "artefact", "name": "../secret"})
    assert (refused["kind"], refused["name"], refused["type"]) == ("artefact", "../secret", "")
    assert "is not the name" in refused["why"]
    assert "buffers" not in refused
    assert [message["kind"] for message in desk.answer({"kind": "artefact"})] == ["told"]
