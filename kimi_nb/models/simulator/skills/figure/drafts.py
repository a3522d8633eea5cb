"""The drafts of one file, each worked out from the looks at those before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kimi_nb.models.simulator.skills.figure.charting import chart_code
from kimi_nb.models.simulator.skills.figure.coding import python_of
from kimi_nb.models.simulator.skills.figure.mend import LAST, mended
from kimi_nb.models.simulator.skills.figure.paging import html_of
from kimi_nb.models.simulator.skills.figure.scene import Scene
from kimi_nb.models.simulator.skills.figure.shapes import glance

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Look", "next_draft"]

ENOUGH = 0.05
"""Mean difference of a channel, of 255, at which nobody sees one."""


class Look(NamedTuple):
    """What a draft looked like."""

    drawn: NDArray[Any]
    apart: NDArray[Any]
    """Its difference to the target."""

    @property
    def off(self) -> float:
        """The mean difference of a channel, of 255."""
        return float(self.apart.mean())


def next_draft(target: NDArray[Any], looks: list[Look], *, page: bool) -> str:
    """The text of the next draft; "" if the last one is good enough, or nothing better is known."""
    scene = glance(target)
    level = 0
    code = ""

    for look in [None, *looks]:
        if look is not None and look.off <= ENOUGH:
            return ""

        text = _code(scene, page=page) if look is None else code

        while look is not None and text == code and level < LAST:
            level += 1
            scene = mended(scene, level, target, look.drawn, look.apart)
            text = _code(scene, page=page)

        if look is not None and text == code:
            return ""

        code = text

    return code


def _code(scene: Scene, *, page: bool) -> str:
    if page:
        return html_of(scene)

    return chart_code(scene, scene.axes) if scene.axes is not None else python_of(scene)
