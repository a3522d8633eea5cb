"""What a model sees of a corpus: a search, and the documents by their numbers."""

from __future__ import annotations

import textwrap
from pathlib import Path

from kimi_nb.errors import ToolError
from kimi_nb.tools.base import Tool
from kimi_nb.tools.corpus.store import Hit, check, found, text_of
from kimi_nb.tools.corpus.words import parsed
from kimi_nb.tools.decorator import tool
from kimi_nb.tools.paging import LINE, cut, page, split_lines

__all__ = ["corpus_tools"]

MOST_HITS = 50
TITLE = 150
"""Characters of a title that are shown."""
SNIPPET = 300
LARGEST_ID = 2**63 - 1


def corpus_tools(path: str | Path, *, private: bool = True) -> list[Tool]:
    """The tools `search` and `open` on the corpus in this file, which they only read.

    What they return counts as text of strangers, and as the user's own: say `private=False` of
    documents that anybody may have, and who has read them may still `fetch`.

    Raises UsageFault if there is none.
    """
    corpus = Path(path).expanduser().absolute()
    count = check(corpus)

    @tool(private=private, untrusted=True)
    def search(query: str, limit: int = 5) -> str:
        """Search a collection of documents by their words.

        Best first, a line for each: [number] title — a snippet. The last line says how many
        match. Any of the words counts, rare ones more; words in "double quotes" must stand
        together, in that order. There are no other operators.

        Args:
            query: The words to look for, in any language.
            limit: How many documents to show, 50 at most.
        """
        if limit < 1:
            raise ToolError(f"limit {limit} must be 1 or more")

        wanted = parsed(query)

        if not wanted.words:
            raise ToolError(f"{query!r} has no words to look for")

        hits, matches, exact = found(corpus, wanted, min(limit, MOST_HITS))
        notes = [] if exact else ["[no document has what stood in quotes; by its single words:]"]
        total = f"[{matches:,} of {count:,} documents match; {len(hits)} shown]"
        return "\n".join([*notes, *map(_line, hits), total])

    @tool(name="open", private=private, untrusted=True)
    def open_document(document: int, offset: int = 0, limit: int = 200) -> str:
        """Read lines of a document. If more remain, the last line says how to get them.

        Args:
            document: The number that search shows in [brackets].
            offset: How many lines to skip.
            limit: How many lines to give at most.
        """
        there = text_of(corpus, document) if 1 <= document <= LARGEST_ID else None

        if there is None:
            raise ToolError(f"no document {document}; search shows the numbers, in [brackets]")

        shown = page(_folded(there.text), offset, limit, what="document")
        return shown if offset else f"# {_flat(there.title)}\n{shown}"

    return [search, open_document]


def _line(hit: Hit) -> str:
    return f"[{hit.id}] {cut(_flat(hit.title), TITLE)} — {cut(_flat(hit.snippet), SNIPPET)}"


def _flat(text: str) -> str:
    return " ".join(text.split())


def _folded(text: str) -> list[str]:
    """Its lines, the overlong in pieces: unlike in a file, nobody counts them."""
    found: list[str] = []

    for line in split_lines(text):
        found += [line] if len(line) <= LINE else _pieces(line)

    return found


def _pieces(line: str) -> list[str]:
    return textwrap.wrap(
        line, LINE, break_on_hyphens=False, replace_whitespace=False, expand_tabs=False
    )
