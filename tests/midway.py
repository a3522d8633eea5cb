"""In a kernel: a simulated run that stands still in the middle until a file lets it go on.

What a test does to a run that goes on, it does here in its own time, on a machine however slow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kimi_nb.models.simulator.local import Simulator

__all__ = ["SETUP", "stand"]

SETUP = f"import sys; sys.path.append({str(Path(__file__).parent)!r}); import midway"
"""What a kernel is told first."""


def stand(answers: int, until: str) -> None:
    """The next simulator that is made gives so many answers, and others once `until` is there.

    `until`: a file in the kernel's folder.
    """
    make: Callable[..., None] = Simulator.__init__
    reply = Simulator.reply
    left = answers

    def stands() -> bool:
        return left < 0 and not Path(until).exists()

    async def slowly(self: Simulator, *given: Any) -> Any:
        nonlocal left
        left -= 1

        while stands():  # noqa: ASYNC110 -- a file has no event
            await asyncio.sleep(0.02)

        return await reply(self, *given)

    def made(self: Simulator, *given: Any, **more: Any) -> None:
        Simulator.__init__ = make  # type: ignore[method-assign]
        make(self, *given, **more)
        self.reply = slowly.__get__(self)  # type: ignore[method-assign]

    Simulator.__init__ = made  # type: ignore[method-assign]
