"""A deck as one HTML file: arrow keys, notes, nothing from the network."""

from __future__ import annotations

import html
from pathlib import Path

from markdown_it import MarkdownIt

from building.source import Source
from building.teaching.filling import filled, said
from kimi_nb.teach.text import Language, Text

__all__ = ["NOTES", "deck", "parts"]

NOTES = "\n???\n"
"""Between what is shown and what is said."""
PARSER = MarkdownIt("commonmark").enable("table")
KEYS = Text(
    "Arrow keys: next and back · Z: the picture, large · N: notes · P: print, with notes",
    "方向键：翻页 · Z：放大图片 · N：备注 · P：打印（含备注）",
)
NOTE = Text("Notes", "备注")
HERE = Path(__file__).parent


def parts(text: str) -> tuple[str, str]:
    """What a slide shows, and what is said to it."""
    shown, _, notes = text.partition(NOTES)
    return shown.strip(), notes.strip()


def deck(source: Source, language: Language) -> str:
    """The page of one language."""
    title = html.escape(source.front["title"][language])
    slides = [
        _slide(*parts(filled(said(pair, language), language, {})), language)
        for pair in source.pairs()
    ]
    keys = KEYS.said(language)
    return (
        f'<!doctype html>\n<html lang="{language}">\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{title}</title>\n'
        f"<!-- Made by python notebooks/build.py; edit src/{source.path.name}. -->\n"
        f"<style>\n{_file('slides.css')}</style>\n<main>\n{''.join(slides)}</main>\n"
        f'<footer><span id="place" aria-live="polite"></span> · {keys}</footer>\n'
        f"<script>\n{_file('slides.js')}</script>\n</html>\n"
    )


def _slide(shown: str, notes: str, language: Language) -> str:
    said_to_it = f"<aside><b>{NOTE.said(language)}</b>{_html(notes)}</aside>" if notes else ""
    return f"<section>\n{_html(shown)}{said_to_it}</section>\n"


def _html(text: str) -> str:
    return PARSER.render(text)


def _file(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
