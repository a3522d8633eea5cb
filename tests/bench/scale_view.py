"""A widget without a kernel: what it would send is packed, signed and counted."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from comm.base_comm import BaseComm
from jupyter_client.session import Session

import kimi_nb as kn
from kimi_nb.widgets.view import SwarmView

__all__ = ["SENT", "Counted", "Watched", "quantile", "shown"]


@dataclass(slots=True)
class Sent:
    """What a kernel would have sent to the page."""

    frames: list[float] = field(default_factory=list[float])
    """When, by the monotonic clock."""
    sizes: list[int] = field(default_factory=list[int])
    snapshots: list[int] = field(default_factory=list[int])
    """Bytes of each."""
    session: Any = field(default_factory=lambda: Session(key=b"secret"))

    def forget(self) -> None:
        for known in (self.frames, self.sizes, self.snapshots):
            known.clear()


SENT = Sent()


class Counted(BaseComm):
    """A comm without a kernel: packs and signs what is sent, and counts it."""

    def publish_msg(
        self,
        msg_type: str,
        data: Any = None,
        metadata: Any = None,
        buffers: Any = None,
        **_keys: Any,
    ) -> None:
        del metadata, buffers
        content = {"comm_id": self.comm_id, "data": data}
        size = sum(map(len, SENT.session.serialize(SENT.session.msg(msg_type, content))))

        if data and data.get("method") == "custom":
            SENT.frames.append(time.monotonic())
            SENT.sizes.append(size)
        elif data and data.get("method") == "update":
            SENT.snapshots.append(size)


class Watched(SwarmView):
    """The widget, with the processor's time that each of its beats takes."""

    def __init__(self, run: kn.Run) -> None:
        self.beats: list[tuple[float, float]] = []
        """When, and how long."""
        super().__init__(run)

    def beat(self) -> None:
        began = time.thread_time()
        super().beat()
        self.beats.append((time.monotonic(), time.thread_time() - began))


def quantile(values: Iterable[float], part: float) -> float:
    """0 with no values."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else 0.0


def shown(views: list[Watched]) -> dict[str, Any]:
    """What the last view cost, and what it has sent."""
    if not views:
        return {}

    beats = views[-1].beats
    took = [seconds for _, seconds in beats]
    gaps = [b - a for (a, _), (b, _) in itertools.pairwise(beats)]
    return {
        "frames": len(SENT.frames),
        "frame_bytes": sum(SENT.sizes) / max(1, len(SENT.sizes)),
        "frame_most": max(SENT.sizes, default=0),
        "snapshots": len(SENT.snapshots),
        "snapshot_bytes": max(SENT.snapshots, default=0),
        "view_cpu": sum(took),
        "beat_cpu": sum(took) / max(1, len(took)),
        "beat_late": sum(took[-len(took) // 10 :]) / max(1, len(took[-len(took) // 10 :])),
        "beat_most": max(took),
        "gap_most": max(gaps, default=0.0),
        "gap_p99": quantile(gaps, 0.99),
    }
