"""A limiter on the cluster's scheduler, as the engine uses one of its own process."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from kimi_nb.errors import Allowed, ModelError
from kimi_nb.swarm.cluster.mailbox import Message
from kimi_nb.swarm.cluster.post import Post

if TYPE_CHECKING:
    from kimi_nb.models.gate import Gate

__all__ = ["RemoteGate"]

FRESH_S = 1.0
"""What the scheduler has said of its limiter is not asked again for so long."""


class RemoteGate:
    """The one limiter for `key`, shared by all who use the cluster.

    `key` names an endpoint and an account, the same in every process, and holds no key. What is
    asked is what `Limiter` does; who restricts it last is heard. When the post is lost `acquire`
    raises ConnectionError, and releases are not needed any more: the scheduler took all back.
    """

    def __init__(self, post: Post, key: str) -> None:
        self._post = post
        self._key = key
        self._state: Message = {"hopeless": False, "waiting": 0}
        self._asked = False
        """An answer about the state is on its way."""
        self._heard = -FRESH_S

    @property
    def waiting(self) -> int:
        """Calls in the queue, of the whole cluster; about a second old while it is looked at."""
        self._refresh_later()
        return self._state["waiting"]

    async def acquire(
        self, tokens: int, *, again: bool = False, queued: Callable[[], object] | None = None
    ) -> bool:
        """Return when a call may go; see `Limiter.acquire`. Raises ConnectionError."""
        waited = False

        def wait(state: Message) -> None:
            nonlocal waited
            waited = True
            self._hear(state)

            if queued is not None:
                queued()

        name = secrets.token_hex(8)
        call = {"gate": self._key, "id": name, "tokens": tokens}

        try:
            self._hear(
                await self._post.ask("", {"op": "acquire", "again": again, **call}, meanwhile=wait)
            )
        except BaseException:  # whoever raised in `queued` does not wait either
            self._post.send("", {"op": "cancel", **call})
            raise

        return waited

    def release(
        self,
        tokens_reserved: int,
        tokens_used: int | None,
        error: ModelError | None,
        allowed: Allowed | None = None,
    ) -> None:
        """End a call that was let go; see `Limiter.release`. It returns at once."""
        told = allowed if error is None else error.allowed
        message: dict[str, Any] = {"reserved": tokens_reserved, "used": tokens_used}

        if error is not None:
            message |= {"error": type(error).__name__, "retry_after": error.retry_after}

        if told is not None:
            message["allowed"] = list(told)

        self._post.send("", {"op": "release", "gate": self._key, **message})

    def restrict(
        self,
        *,
        concurrency: int | None = None,
        rpm: float | None = None,
        tpm: float | None = None,
    ) -> None:
        """Set what the user allows from now on, for all who use the cluster; None: any number."""
        limits = {"concurrency": concurrency, "rpm": rpm, "tpm": tpm}
        self._post.send("", {"op": "restrict", "gate": self._key, **limits})

    def hopeless(self) -> bool:
        """Whether more waiting is pointless, by what the scheduler said last."""
        return self._state["hopeless"]

    def status(self) -> str:
        """One line about the whole cluster's limiter.

        From another thread than the post's it is asked for, for a second at most.
        """
        if _running() is self._post.loop:
            self._refresh_later()
        else:
            with contextlib.suppress(TimeoutError, RuntimeError):
                self._refresh_from_outside().result(FRESH_S)

        if self._post.lost.done():
            return f"the cluster is lost: {self._post.lost.result()}"

        return f"of the whole cluster: {self._state.get('status', 'not yet known')}"

    def _hear(self, state: Message) -> None:
        self._state = {**self._state, **state}

    def _refresh_later(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: so is the run
            self._post.loop.call_soon_threadsafe(self._refresh_soon)

    def _refresh_soon(self) -> None:
        if not self._asked and self._post.loop.time() - self._heard >= FRESH_S:
            self._asked = True
            self._refreshing = self._post.loop.create_task(self._refresh())

    def _refresh_from_outside(self) -> Future[None]:
        work = self._refresh()

        try:
            return asyncio.run_coroutine_threadsafe(work, self._post.loop)
        except RuntimeError:
            work.close()
            raise

    async def _refresh(self) -> None:
        try:
            with contextlib.suppress(ConnectionError):
                self._hear(await self._post.ask("", {"op": "status", "gate": self._key}))
        finally:
            self._asked = False
            self._heard = self._post.loop.time()


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


if TYPE_CHECKING:

    def is_gate(gate: RemoteGate) -> Gate:
        """See whether the protocol is kept, where types are checked."""
        return gate
