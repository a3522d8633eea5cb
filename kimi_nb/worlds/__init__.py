"""Tasks with a truth, in sizes from 3 to 300, after the families that Kimi was measured on.

    run = kn.worlds.wide(items=50, seed=7).run()  # the simulator, or model="kimi-k3"
    kn.worlds.wide(items=50, seed=7).run(single=True) # one agent does it all alone

Every run ends with its judgement: success, and a quality in [0, 1]. `kn.worlds.resume(path)` goes
on with one that did not end; `kn.worlds.of(path)` is the world of a log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kimi_nb.worlds.known import of, resume

if TYPE_CHECKING:
    from kimi_nb.worlds.base import World

__all__ = ["code", "deep", "figure", "of", "office", "resume", "wide"]


def wide(items: int = 50, seed: int = 7) -> World:
    """A table of so many items and some attributes, to be filled from thousands of documents.

    After WideSearch; graded by item-F1. Raises UsageFault for a size outside 3 to 300.
    """
    from kimi_nb.worlds import wide_search

    return wide_search.make(items, seed)


def deep(items: int = 6, seed: int = 7) -> World:
    """A chain of so many clues with dead ends, and one exact answer.

    After BrowseComp. Raises UsageFault for a size outside 3 to 300.
    """
    from kimi_nb.worlds import deep_search

    return deep_search.make(items, seed)


def office(items: int = 12, seed: int = 7) -> World:
    """A folder of so many CSV, XLSX, DOCX and PDF files, of which a report is to be written.

    Graded by the facts in the report. Raises UsageFault for a size outside 3 to 300, and where
    the libraries that write the files are not installed.
    """
    from kimi_nb.worlds import office_files

    return office_files.make(items, seed)


def code(items: int = 6, seed: int = 7) -> World:
    """A Python package of so many modules with faults, to be mended until its own pytest passes.

    Raises UsageFault for a size outside 3 to 300, and where no sandbox can run its tests.
    """
    from kimi_nb.worlds import broken_code

    return broken_code.make(items, seed)


def figure(items: int = 3, seed: int = 7) -> World:
    """So many pictures and page mock-ups, each to be drawn again by code.

    Graded by structural similarity and by the objects found. Raises UsageFault for a size
    outside 3 to 300, and where nothing can draw.
    """
    from kimi_nb.worlds import figures

    return figures.make(items, seed)
