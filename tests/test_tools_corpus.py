"""A corpus finds what its documents have, in any script, and no query breaks it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import kimi_nb as kn
from kimi_nb.tools import ToolContext, ToolOutcome, Toolset
from kimi_nb.tools.corpus import Document, build, corpus_tools

LIBRARY = [
    Document("Harbour museum", "The museum of the harbour opens at nine. Ships of all ages."),
    Document("City museum", "It is closed on Mondays; a state-of-the-art hall shows the city."),
    Document("北京自然博物馆", "北京自然博物馆每周一闭馆,开放时间为九点至十七点。"),
    Document("東京国立博物館", "東京国立博物館は月曜日に休館します。"),
    Document("국립중앙박물관", "국립중앙박물관은 월요일에 휴관합니다."),
    Document("Café Zürich", "A café beside the lake, open at night. 100% organic."),
    Document("Long", "\n".join(f"line {number}" for number in range(1000))),
]


def ask(path: Path, name: str, **arguments: Any) -> ToolOutcome:
    context = ToolContext(folder=path.parent, agent="a1", run="r1")
    return asyncio.run(Toolset(corpus_tools(path)).call(name, json.dumps(arguments), context))


def hits(path: Path, query: str, limit: int = 5) -> list[int]:
    """The numbers that a search shows, best first."""
    text = ask(path, "search", query=query, limit=limit).text
    return [int(number) for number in re.findall(r"^\[(\d+)\] ", text, re.MULTILINE)]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "library.sqlite"
    assert build(path, LIBRARY) == len(LIBRARY)
    return path


# What is found


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("harbour", 1),
        ("HARBOUR MUSEUMS", 1),
        ("ship", 1),
        ("museum closed monday", 2),
        ("state of the art", 2),
        ("state-of-the-art", 2),
        ("博物馆什么时候开放", 3),
        ("闭馆", 3),
        ("休館", 4),
        ("휴관", 5),
        ("월요일", 5),
        ("cafe zurich", 6),
        ("CAFE\u0301", 6),
        ("100%", 6),
    ],
)
def test_words_of_any_script_are_found(library: Path, query: str, first: int) -> None:
    assert hits(library, query)[0] == first


def test_the_answer_is_a_line_for_each_and_the_count(library: Path) -> None:
    assert ask(library, "search", query="museum", limit=1).text.splitlines() == [
        "[1] Harbour museum — The museum of the harbour opens at nine. Ships of all ages.",
        "[2 of 7 documents match; 1 shown]",
    ]
    assert ask(library, "search", query="闭馆").text.splitlines() == [
        "[3] 北京自然博物馆 — 北京自然博物馆每周一闭馆,开放时间为九点至十七点。",
        "[1 of 7 documents match; 1 shown]",
    ]
    assert ask(library, "search", query="zeppelin").text == "[0 of 7 documents match; 0 shown]"


def test_what_stands_in_quotes_must_stand_there(library: Path) -> None:
    assert hits(library, '"opens at nine" museum') == [1]
    assert hits(library, '"opens at nine" zeppelin') == [1]
    assert hits(library, "“on Mondays”") == [2]
    assert hits(library, '"博物馆每周"') == [3]
    loose = ask(library, "search", query='"nine at opens"').text
    assert loose.startswith("[no document has what stood in quotes; by its single words:]\n[1] ")


def test_rare_words_count_more_and_titles_too(tmp_path: Path) -> None:
    filler = [Document(f"page {n}", "common words are here " * 5) for n in range(50)]
    rare = Document("rare", "common words and a zeppelin")
    titled = Document("balloon", "nothing of note stands in here")
    told = Document("air", "a balloon stands in here, of note")
    path = tmp_path / "c.sqlite"
    build(path, [*filler, rare, told, titled])
    assert hits(path, "common zeppelin")[0] == 51
    assert hits(path, "balloon") == [53, 52]
    assert "[51 of 53 documents match; 5 shown]" in ask(path, "search", query="common").text


def test_a_limit_must_make_sense(library: Path) -> None:
    assert not ask(library, "search", query="museum", limit=0).ok
    assert ask(library, "search", query="museum", limit=10_000).ok


@pytest.mark.parametrize("query", ["", "  ", "…—!", "AND", "NOT OR", '""', "\0", "* ^ ( )"])
def test_a_query_without_words_says_so(library: Path, query: str) -> None:
    outcome = ask(library, "search", query=query)
    assert not outcome.ok
    assert "has no words to look for" in outcome.text


fragments = st.sampled_from(
    ['"', "'", "*", "^", "(", ")", ":", "-", "+", "{", "}", "NEAR(", "AND", "OR", "NOT", "title:",
     "museum", "harbour", "博物馆", "北", "\0", "\x1f", "“", "”", "「", ";", "--", "é",
     "e\u0301", "\U0002070e", "ﬁ", "\u200b", "\n", ", 1) /*", "rowid", "documents"]
)  # fmt: skip


@given(st.one_of(st.lists(fragments, max_size=12).map(" ".join),
                 st.lists(fragments, max_size=12).map("".join), st.text(max_size=60)))  # fmt: skip
@example('"' * 501)
@example("(" * 2000)
@example(" ".join(f"w{number}" for number in range(5000)))
@example("北" * 100_000)
@example('"a" ' * 3000)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_no_query_breaks_a_search(library: Path, query: str) -> None:
    outcome = ask(library, "search", query=query)
    assert outcome.ok or "has no words to look for" in outcome.text, outcome.text
    assert not outcome.ok or re.search(r"\[\d of 7 documents match; \d shown\]$", outcome.text)


words = st.text(st.sampled_from("abcdefg北京博物"), min_size=1, max_size=6)


@given(st.lists(st.lists(words, min_size=1, max_size=5), min_size=1, max_size=6), st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
def test_every_word_of_a_document_finds_it(
    tmp_path: Path, texts: list[list[str]], data: st.DataObject
) -> None:
    path = tmp_path / "c.sqlite"
    build(path, [Document("", " ".join(text)) for text in texts])
    at = data.draw(st.integers(0, len(texts) - 1))
    word = data.draw(st.sampled_from(texts[at]))
    assert at + 1 in hits(path, word, limit=50)
    assert at + 1 in hits(path, f'"{" ".join(texts[at])}"', limit=50)


# What is read


def read_through(path: Path, document: int, limit: int) -> list[str]:
    """All lines of a document, page by page, as a model follows them."""
    lines: list[str] = []
    offset = 0

    while True:
        shown = ask(path, "open", document=document, offset=offset, limit=limit).text.split("\n")
        shown = shown if offset else shown[1:]
        more = re.fullmatch(r"\[… (\d+) more lines; call again with offset=(\d+)\]", shown[-1])
        lines += shown[:-1] if more else shown

        if not more:
            return lines

        offset = int(more[2])


def test_a_document_is_read_to_its_end(library: Path) -> None:
    assert ask(library, "open", document=1).text == f"# Harbour museum\n{LIBRARY[0].text}"
    assert read_through(library, 7, 300) == LIBRARY[6].text.split("\n")


def test_a_line_of_any_length_is_read_to_its_end(tmp_path: Path) -> None:
    text = " ".join(f"word{number}" for number in range(20_000))
    path = tmp_path / "c.sqlite"
    build(path, [Document("t", text), Document("t", "字" * 30_000)])
    assert " ".join(read_through(path, 1, 200)) == text
    assert "".join(read_through(path, 2, 200)) == "字" * 30_000


def test_a_number_without_a_document_says_so(library: Path) -> None:
    for number in (0, -1, 8, 2**63):
        outcome = ask(library, "open", document=number)
        assert outcome.text == (
            f"ERROR: no document {number}; search shows the numbers, in [brackets]"
        )


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=80)), max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_any_text_can_be_a_document(tmp_path: Path, texts: list[tuple[str, str]]) -> None:
    path = tmp_path / "c.sqlite"
    assert build(path, [Document(*each) for each in texts]) == len(texts)

    for number, (_, text) in enumerate(texts, 1):
        kept = text.replace("\0", " ").replace("\x1f", " ")
        shown = ask(path, "open", document=number).text.partition("\n")[2]
        assert shown == "[the document is empty]" if not kept else shown.split() == kept.split()


def test_half_a_character_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    build(path, [Document("\udce9", "caf\udce9 au lait")])
    search, _ = corpus_tools(path)
    assert search("lait \ud800").startswith("[1] \ufffd — caf\ufffd au lait\n")


# What is written


def test_a_corpus_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    build(path, [Document("old", "old text")])

    def broken() -> Iterator[Document]:
        yield Document("new", "new text")
        raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        build(path, broken())

    assert [each.name for each in tmp_path.iterdir()] == ["c.sqlite"]
    assert hits(path, "old") == [1]
    build(path, [Document("new", "new text")])
    assert (hits(path, "old"), hits(path, "new")) == ([], [1])


def test_a_corpus_is_for_whom_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o077)

    try:
        build(tmp_path / "c.sqlite", LIBRARY)
    finally:
        os.umask(before)

    assert (tmp_path / "c.sqlite").stat().st_mode & 0o777 == 0o600


def test_tools_only_read(library: Path) -> None:
    before = library.read_bytes()
    ask(library, "search", query="museum'; DROP TABLE documents; --")
    ask(library, "open", document=1)
    assert library.read_bytes() == before
    assert [each.name for each in library.parent.iterdir()] == ["library.sqlite"]


def test_many_threads_read_at_once(library: Path) -> None:
    tools = Toolset(corpus_tools(library))
    context = ToolContext(folder=library.parent, agent="a1", run="r1")

    async def all_at_once() -> list[ToolOutcome]:
        calls = [tools.call("search", json.dumps({"query": "museum"}), context) for _ in range(64)]
        return await asyncio.gather(*calls)

    texts = {outcome.text for outcome in asyncio.run(all_at_once())}
    assert len(texts) == 1


def test_what_is_no_corpus_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(kn.UsageFault, match="index_folder"):
        corpus_tools(tmp_path / "gone.sqlite")

    (tmp_path / "text.sqlite").write_text("no database " * 100)

    with pytest.raises(kn.UsageFault, match="is no corpus"):
        corpus_tools(tmp_path / "text.sqlite")

    sqlite3.connect(tmp_path / "other.sqlite").execute("CREATE TABLE t (x)")

    with pytest.raises(kn.UsageFault, match="but no corpus"):
        corpus_tools(tmp_path / "other.sqlite")


def test_a_folder_becomes_a_corpus(tmp_path: Path) -> None:
    folder, path = tmp_path / "papers", tmp_path / "a corpus?#.sqlite"
    (folder / "sub").mkdir(parents=True)
    (folder / ".git").mkdir()
    (tmp_path / "secret.txt").write_text("canary")
    (folder / "a.txt").write_text("swarms of agents")
    (folder / "sub" / "b.md").write_text("中文论文")
    (folder / ".git" / "c.txt").write_text("swarms")
    (folder / "d.bin").write_bytes(b"swarms\0")
    (folder / "link.txt").symlink_to("../secret.txt")
    assert kn.tools.index_folder(folder, path) == (2, ("'d.bin' is binary",))
    assert "[1] a.txt — swarms of agents\n" in ask(path, "search", query="swarm").text
    assert "[2] sub/b.md — 中文论文\n" in ask(path, "search", query="论文").text
    assert hits(path, "canary") == []

    assert kn.tools.index_folder(folder, folder / "own.sqlite") == (2, ("'d.bin' is binary",))
    assert hits(folder / "own.sqlite", "swarm") == [1]

    with pytest.raises(kn.ToolError, match=r"there is no folder .*gone"):
        kn.tools.index_folder(tmp_path / "gone", path)
