"""Excel, Word and PDF files as text; and files that were made to do harm."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import json
import os
import random
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pypdf
import pytest
from reportlab.pdfgen.canvas import Canvas

from kimi_nb.tools import ToolContext, ToolOutcome, Toolset
from kimi_nb.tools.documents import document_tool, readers, worker
from kimi_nb.tools.shipped import shipped


@pytest.fixture(scope="module")
def tools() -> Iterator[Toolset]:
    """One set, and so the same processes, for all tests."""
    found = Toolset([document_tool()])
    yield found
    asyncio.run(found.close())


@pytest.fixture
def ask(tools: Toolset, tmp_path: Path) -> Callable[..., ToolOutcome]:
    """Read a file that has these bytes."""

    def asked(data: bytes, name: str = "file", /, **arguments: Any) -> ToolOutcome:
        (tmp_path / name).write_bytes(data)
        return called(tools, tmp_path, path=name, **arguments)

    return asked


def called(tools: Toolset, folder: Path, **arguments: Any) -> ToolOutcome:
    context = ToolContext(folder=folder, agent="a1", run="r1")
    return asyncio.run(tools.call("read_document", json.dumps(arguments), context))


def workbook(**sheets: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])

    for name, rows in sheets.items():
        sheet = book.create_sheet(name)

        for row in rows:
            sheet.append(row)

    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def word() -> bytes:
    document = docx.Document()
    document.add_heading("Lease", level=1)
    document.add_paragraph("Between A | B")
    table = document.add_table(2, 3)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "wide"
    table.cell(1, 2).text = "two\nlines"
    document.add_paragraph("Signed", style="List Bullet")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def pdf(*pages: list[tuple[int, int, str]]) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, invariant=True)

    for page in pages:
        for x, y, text in page:
            canvas.drawString(x, y, text)

        canvas.showPage()

    canvas.save()
    return out.getvalue()


def archive(**parts: bytes) -> bytes:
    out = io.BytesIO()

    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in parts.items():
            file.writestr(name, data)

    return out.getvalue()


def rewritten(data: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """An archive of which one part was changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        parts = {each: file.read(each) for each in file.namelist()}

    assert change(parts[name]) != parts[name]
    return archive(**{**parts, name: change(parts[name])})


def locked(data: bytes, password: str) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(data))
    writer.encrypt(password, "owner")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


# What is in a file


def test_a_workbook_is_its_sheets_with_days_as_iso(ask: Callable[..., ToolOutcome]) -> None:
    book = workbook(
        One=[["a|b", 1.5, dt.date(2024, 3, 1), None], [], [True, dt.datetime(2024, 3, 1, 4, 5)]],  # noqa: DTZ001
        Two=[[0.1 + 0.2, "x\ny"]],
    )
    assert ask(book).text == (
        "## Sheet 'One': 3 rows\n| a\\|b | 1.5 | 2024-03-01 |\n\n"
        "| TRUE | 2024-03-01 04:05:00 |\n\n## Sheet 'Two': 1 rows\n| 0.3 | x y |"
    )
    assert ask(book, part="two").text == "## Sheet 'Two': 1 rows\n| 0.3 | x y |"
    missing = ask(book, part="Three")
    assert not missing.ok
    assert missing.text == "ERROR: 'file' has no sheet 'Three'; there are: 'One', 'Two'"


def test_a_formula_shows_what_was_stored_with_it(ask: Callable[..., ToolOutcome]) -> None:
    book = workbook(One=[[2, "=A1*2", "=A1*3"]])

    def stored(sheet: bytes) -> bytes:
        return sheet.replace(b"<f>A1*2</f><v />", b"<f>A1*2</f><v>4</v>").replace(
            b"<f>A1*2</f><v></v>", b"<f>A1*2</f><v>4</v>"
        )

    text = ask(rewritten(book, "xl/worksheets/sheet1.xml", stored)).text
    assert text.splitlines()[1] == "| 2 | 4 | =A1*3 [not calculated] |"


def test_a_word_document_keeps_the_order_of_text_and_tables(
    ask: Callable[..., ToolOutcome],
) -> None:
    assert ask(word()).text == (
        "# Lease\nBetween A | B\n| wide |  |\n|  |  | two lines |\n\n- Signed"
    )
    assert "leave part out" in ask(word(), part="2").text


def test_what_stands_in_one_row_of_a_pdf_stands_in_one_line(
    ask: Callable[..., ToolOutcome],
) -> None:
    file = pdf([(60, 800, "Desk"), (300, 800, "2"), (500, 800, "1,234.50")], [], [(60, 800, "End")])
    assert ask(file).text.splitlines() == [
        "## Page 1 of 3",
        "Desk   2   1,234.50",
        "## Page 2 of 3",
        "[no text on this page; it may be a picture]",
        "## Page 3 of 3",
        "End",
    ]
    assert ask(file, part="3").text == "## Page 3 of 3\nEnd"
    assert "give a number from 1 to 3" in ask(file, part="4").text
    assert "give a number from 1 to 3" in ask(file, part="²").text


def test_a_long_document_is_read_on(ask: Callable[..., ToolOutcome]) -> None:
    book = workbook(One=[[n] for n in range(1000)])
    first = ask(book, limit=3).text
    assert first.splitlines()[1:] == [
        "| 0 |",
        "| 1 |",
        "[… 998 more lines; call again with offset=3]",
    ]
    assert ask(book, offset=1000).text == "| 999 |"


def test_its_name_does_not_matter(ask: Callable[..., ToolOutcome]) -> None:
    assert ask(word(), "lease.xlsx").text.startswith("# Lease")


def test_nothing_outside_the_folder_is_read(tools: Toolset, tmp_path: Path) -> None:
    (tmp_path / "secret.docx").write_bytes(word())
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "link.docx").symlink_to(tmp_path / "secret.docx")

    for path in ("../secret.docx", str(tmp_path / "secret.docx"), "link.docx"):
        outcome = called(tools, tmp_path / "work", path=path)
        assert not outcome.ok
        assert "Lease" not in outcome.text


def test_it_comes_by_its_name_and_is_private_and_untrusted() -> None:
    tool = shipped("read_document")
    assert (tool.name, tool.private, tool.untrusted) == ("read_document", True, True)


# Files that do harm, or none any more


def test_encrypted_files_are_refused_unless_anybody_may_read_them(
    ask: Callable[..., ToolOutcome],
) -> None:
    file = pdf([(60, 800, "Secret")])
    assert "has a password; save a copy without one" in ask(locked(file, "abc")).text
    assert ask(locked(file, "")).text == "## Page 1 of 1\nSecret"
    old = ask(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000), "a.xls")
    assert "save it again as .xlsx" in old.text


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(
    ask: Callable[..., ToolOutcome],
) -> None:
    out = io.BytesIO()

    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file,
        file.open("xl/workbook.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(210):
            part.write(bytes(1_000_000))

    outcome = ask(out.getvalue())
    assert len(out.getvalue()) < 300_000
    assert (outcome.ok, "unpacks to 1 parts of 210 MB" in outcome.text) == (False, True)
    many = archive(**{f"p{n}": b"" for n in range(5_001)}, **{"word/document.xml": b""})
    assert "unpacks to 5,002 parts" in ask(many).text


def test_a_part_that_says_it_is_small_gives_no_more(ask: Callable[..., ToolOutcome]) -> None:
    honest = archive(**{"word/document.xml": b"<a>" + bytes(3_000_000) + b"</a>"})
    size = (3_000_007).to_bytes(4, "little")
    assert honest.count(size) == 2
    outcome = ask(honest.replace(size, (10).to_bytes(4, "little")))
    assert not outcome.ok
    assert "broken" in outcome.text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_before_a_parser_sees_them(
    ask: Callable[..., ToolOutcome], encoding: str
) -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY e0 "ha">{levels}]><w>&e9;</w>'
    outcome = ask(rewritten(word(), "word/document.xml", lambda _: bomb.encode(encoding)))
    assert not outcome.ok
    assert "document type declaration in 'word/document.xml'" in outcome.text


def test_a_file_that_takes_too_long_costs_a_process_and_no_more(
    ask: Callable[..., ToolOutcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = pypdf.PdfWriter()
    page = writer.add_blank_page(100, 100)
    stream = pypdf.generic.StreamObject()
    stream.set_data(b"q Q " * 5_000_000)
    page[pypdf.generic.NameObject("/Contents")] = writer._add_object(stream.flate_encode())
    out = io.BytesIO()
    writer.write(out)
    monkeypatch.setattr(readers, "SECONDS", 1)
    outcome = ask(out.getvalue())
    assert outcome.text == "ERROR: 'file' takes longer than 1 s to read; it is too large or broken"
    monkeypatch.undo()
    assert ask(word()).ok


def test_memory_that_ran_out_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*_: object) -> str:
        raise MemoryError

    monkeypatch.setattr(worker, "text_of", greedy)
    assert worker.answered(b"", "") == {"error": "is too large to read, or broken", "last": True}


@pytest.mark.skipif(sys.platform != "linux", reason="others do not limit the address space")
def test_a_process_has_a_limit_of_memory_and_none_of_the_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MOONSHOT_API_KEY", "sk-canary")
    found = readers.Readers()

    try:
        assert found.text(word(), "").startswith("# Lease")
        (process,) = found._idle
        proc = Path(f"/proc/{process.pid}")
        limits = (proc / "limits").read_text()
        assert f"{worker.MEMORY}" in next(s for s in limits.splitlines() if "address space" in s)
        assert "sk-canary" not in (proc / "environ").read_text()
    finally:
        asyncio.run(found.close())

    assert process.poll() is not None


def test_processes_that_died_while_idle_are_replaced() -> None:
    found = readers.Readers()

    try:
        found.text(word(), "")
        os.kill(found._idle[0].pid, 9)
        found._idle[0].wait()
        assert found.text(word(), "").startswith("# Lease")
    finally:
        asyncio.run(found.close())


@pytest.mark.parametrize("name", ["a.docx", "b.xlsx", "c.pdf"])
def test_what_is_no_such_file_is_said(ask: Callable[..., ToolOutcome], name: str) -> None:
    outcome = ask(b"just text, no archive", name)
    assert outcome.text == (
        f"ERROR: '{name}' is not an Excel, Word or PDF file, or is broken; try read_file"
    )
    assert not ask(b"", name).ok
    assert not ask(b"PK\x03\x04 and nothing", name).ok
    assert not ask(b"%PDF-1.7 and nothing", name).ok


def book() -> bytes:
    return workbook(A=[[1, "x"]] * 20)


def leaf() -> bytes:
    return pdf([(9, 9, "x")])


@pytest.mark.parametrize("make", [word, book, leaf])
def test_damaged_files_are_errors_or_text(
    ask: Callable[..., ToolOutcome], make: Callable[[], bytes]
) -> None:
    draw = random.Random(7)

    for _ in range(25):
        data = bytearray(make())

        for _ in range(draw.randint(1, 30)):
            data[draw.randrange(len(data))] = draw.randrange(256)

        outcome = ask(bytes(data[: draw.randint(1, len(data))]))
        assert outcome.ok or outcome.text.startswith("ERROR: 'file' ")
