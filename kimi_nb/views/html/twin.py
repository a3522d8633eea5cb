"""A widget and its picture without script, of which a reader is to see exactly one.

A notebook that was saved and opened without its kernel has an empty place, or an apology, where
the widget stood; a page with a kernel has no use for the picture. Style sheets can tell: of a dead
widget there are words, and no element. Elsewhere than in JupyterLab and Notebook both are shown.
"""

from __future__ import annotations

__all__ = ["TWIN", "twin"]

TWIN = """
.jp-OutputArea:has(.kimi-nb-view) > .jp-OutputArea-child:has(.knb-twin) { display: none; }
.jp-OutputArea:has(.knb-twin) > .jp-OutputArea-child:not(:has(> .jp-OutputArea-output > *)) {
  display: none; }
"""


def twin(html: str) -> str:
    """`html` as what is shown in place of the widget above it."""
    return f'<div class="knb-twin"><style>{TWIN}</style>{html}</div>'
