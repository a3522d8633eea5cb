"""Calls to the scheduler from another event loop than Dask's."""

from __future__ import annotations

import asyncio
from typing import Any

from kimi_nb.swarm.cluster.mailbox import POLL_S

__all__ = ["Line"]

PATIENCE_S = 10.0
"""A scheduler that cannot be reached for so long is lost."""
RETRY_S = 0.25

LOOK_S = 5.0
"""Seconds between two looks whether Dask's loop still runs."""

CLOSED = "Dask's client or worker is closed"


class Line:
    """One party's line to the scheduler; `rpc` is used on `dask_loop` alone."""

    def __init__(
        self, rpc: Any, dask_loop: asyncio.AbstractEventLoop, prefix: str, who: dict[str, Any]
    ) -> None:
        self._rpc = rpc
        self._loop = dask_loop
        self._prefix = prefix
        self._who = who

    async def call(self, name: str, **message: Any) -> Any:
        """The scheduler's answer; None where it knows no such call.

        Raises ConnectionError when it stays out of reach, and when Dask is closed here.
        """
        work = _insist(self._rpc, f"{self._prefix}_{name}", self._who | message)

        try:
            there = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError as error:
            work.close()
            raise ConnectionError(CLOSED) from error

        answer = asyncio.wrap_future(there)

        try:
            while not answer.done():
                await asyncio.wait([answer], timeout=LOOK_S)

                if not (answer.done() or self._loop.is_running()):
                    raise ConnectionError(CLOSED)

            return answer.result()
        finally:
            answer.cancel()


async def _insist(rpc: Any, name: str, message: dict[str, Any]) -> Any:
    """The scheduler's answer; None where it knows no such call. It is asked again after a break.

    For Dask's own loop. Raises ConnectionError.
    """
    clock = asyncio.get_running_loop().time
    given_up: float | None = None

    while True:
        patience = None if given_up is None else POLL_S + PATIENCE_S  # it may keep a call so long

        try:
            async with asyncio.timeout(patience):
                return await getattr(rpc, name)(**message)
        except OSError as error:  # Dask's CommClosedError and every TimeoutError are such
            if given_up is None:
                given_up = clock() + PATIENCE_S
                continue  # a comm from the pool may have been closed long ago

            if clock() >= given_up:
                raise ConnectionError(
                    f"the Dask scheduler cannot be reached any more ({error or 'no answer'})"
                ) from error
        except RuntimeError as error:  # what Dask's pool of comms says when it is closed
            raise ConnectionError(f"{CLOSED} ({error})") from error

        await asyncio.sleep(RETRY_S)
