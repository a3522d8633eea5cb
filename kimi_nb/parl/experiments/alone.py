"""What a worker of a cluster does with a trial: it carries it out in a process of its own.

So a worker of many threads has as many trials under way, which in its own process would take turns
on one core; and a trial that nobody waits for any more can be ended.
"""

from __future__ import annotations

import asyncio
import os
import pickle
from typing import Any

from kimi_nb.tools.processes import Processes

__all__ = ["THREADS", "apart"]

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Of so small matrices two threads cost twice the time."""
PATIENCE = 0.5
"""Seconds between two looks at whether somebody still waits."""


async def apart(trial: bytes, key: tuple[str, int]) -> list[dict[str, Any]]:
    """The rows of a pickled trial; none once its task, of this key, was cancelled.

    Runs on the event loop of a Dask worker. Raises ToolError for what the trial raises, and where
    its process dies.
    """
    processes = Processes()
    call = asyncio.ensure_future(processes.call(alone, {"trial": trial}))

    try:
        while not (await asyncio.wait({call}, timeout=PATIENCE))[0]:
            if not _awaited(key):
                return []

        return call.result()
    finally:
        call.cancel()
        await asyncio.wait({call})
        await processes.close()


def alone(trial: bytes) -> list[dict[str, Any]]:
    """The rows of a pickled trial, in a process that has not imported NumPy yet."""
    os.environ.update(dict.fromkeys(THREADS, "1"))

    from kimi_nb.parl.experiments.trial import done

    return done(pickle.loads(trial))  # noqa: S301 -- from the one who gave the task


def _awaited(key: tuple[str, int]) -> bool:
    from distributed import get_worker

    task = get_worker().state.tasks.get(key)
    return task is not None and task.state == "executing"
