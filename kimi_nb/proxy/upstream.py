"""The endpoint behind the proxy: the only place that knows the real key."""

from __future__ import annotations

import time
from collections.abc import Collection
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from kimi_nb.errors import ModelError, ServerFault, UsageFault
from kimi_nb.models.allowed import read_allowed
from kimi_nb.models.catalogue import as_json
from kimi_nb.models.endpoint import SIMULATOR, resolve
from kimi_nb.models.faults import fault, read_retry_after
from kimi_nb.models.limiter import Limiter
from kimi_nb.models.secret import Secret
from kimi_nb.models.transport import Timeouts, Transport
from kimi_nb.proxy.sheet import Sheet
from kimi_nb.proxy.turnstile import Turnstile
from kimi_nb.redact import Environment

if TYPE_CHECKING:
    import aiohttp

__all__ = ["Upstream", "refusal"]

ERROR_BYTES = 65_536
FRESH_S = 600.0
"""For so long a list of models is not asked for again."""


class Upstream:
    """Connections, the account's limiter, and the list of models."""

    def __init__(self, sheet: Sheet, base_url: str) -> None:
        key = _key(sheet)

        try:
            endpoint = resolve(sheet.models[0], base_url, key, Environment())
        except UsageFault as error:
            hint = "" if key else f"; {sheet.path} names its file as upstream: {{key_file: FILE}}"
            raise UsageFault(f"{error}{hint}") from None

        if endpoint is None:  # the environment of a model that needs none
            raise UsageFault(f"{base_url!r} is not the base URL of an endpoint")

        self.gate = Turnstile(Limiter(**sheet.limits._asdict()))
        self.host = endpoint.base_url
        self.transport = Transport(endpoint.base_url, endpoint.key, Timeouts())
        self._models = sheet.models
        self._listed: list[dict[str, Any]] = []
        self._asked_at = 0.0

    async def send(self, body: bytes, *, streamed: bool) -> aiohttp.ClientResponse:
        """The answer, not yet read; redirects are not followed. Raises what aiohttp raises."""
        import aiohttp

        url, limits = self.transport.base_url + "/chat/completions", self.transport.timeouts
        silence = limits.first if streamed else limits.whole
        timeout = aiohttp.ClientTimeout(sock_connect=limits.connect, sock_read=silence)
        session = self.transport.session()
        return await session.post(url, data=body, allow_redirects=False, timeout=timeout)

    async def models(self) -> list[dict[str, Any]]:
        """The cards of the models that learners may use; where the endpoint lists none, names."""
        import aiohttp

        if not self._listed or time.monotonic() - self._asked_at > FRESH_S:
            self._asked_at = time.monotonic()

            try:
                url = self.transport.base_url + "/models"
                timeout = aiohttp.ClientTimeout(total=10)
                session = self.transport.session()
                async with session.get(url, allow_redirects=False, timeout=timeout) as response:
                    found = as_json(await response.read())
            except (aiohttp.ClientError, OSError):
                found = None

            self._listed = _cards(found, self._models)

        return self._listed


async def refusal(response: aiohttp.ClientResponse) -> ModelError:
    """What an answer that is no 200 means."""
    if response.status < HTTPStatus.BAD_REQUEST:
        return ServerFault("the endpoint redirects", status=502)

    return fault(
        response.status,
        as_json(await response.content.read(ERROR_BYTES)),
        retry_after=read_retry_after(response.headers),
        allowed=read_allowed(response.headers),
    )


def _key(sheet: Sheet) -> Secret | None:
    if sheet.key_file is None or sheet.base_url == SIMULATOR:
        return None

    key = Secret.of(sheet.key_file.read_text("utf-8").strip())

    if key is None:
        raise UsageFault(f"{sheet.key_file} is empty: write the endpoint's key into it")

    return key


def _cards(listing: object, models: Collection[str]) -> list[dict[str, Any]]:
    data = cast("dict[str, Any]", listing).get("data") if isinstance(listing, dict) else None
    found = [
        cast("dict[str, Any]", card)
        for card in (cast("list[object]", data) if isinstance(data, list) else [])
        if isinstance(card, dict) and cast("dict[str, Any]", card).get("id") in models
    ]
    missing = set(models) - {card["id"] for card in found}
    return found + [{"id": model, "object": "model"} for model in models if model in missing]
