"""Models behind an OpenAI-compatible endpoint, called with as little between as possible."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import orjson

from kimi_nb.errors import AccessDenied, BadRequest, ModelError, UnknownModel
from kimi_nb.models.base import Reply, Request, Sink
from kimi_nb.models.endpoint import SIMULATOR, is_moonshot
from kimi_nb.models.exchange import Exchange
from kimi_nb.models.faults import fault, one_line, read_retry_after
from kimi_nb.models.options import check_extra
from kimi_nb.models.secret import Secret
from kimi_nb.models.transport import Timeouts, Transport

if TYPE_CHECKING:
    import aiohttp

__all__ = ["ChatModel", "Timeouts"]

ERROR_BYTES = 65_536
LARGE_BYTES = 1_000_000
"""aiohttp wants a file for a body larger than this."""
_UNKNOWN_FIELD = re.compile(
    r"unknown|unrecogni[sz]ed|unsupported|not supported|not permitted|unexpected|extra",
    re.IGNORECASE,
)


class ChatModel:
    """A model of `POST {base_url}/chat/completions`, streamed or, on request, plain.

    `extra` goes into every request, such as {"reasoning_effort": "low"}. Nothing is sent that
    was not asked for: no temperature above all, which Kimi's models refuse.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        key: Secret | None,
        streaming: bool = True,
        extra: Mapping[str, Any] | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self.name = model
        self.simulated = model == SIMULATOR
        self._base_url = base_url.rstrip("/")
        self._moonshot = is_moonshot(self._base_url)
        self._keyed = key is not None
        self._streaming = streaming
        self._timeouts = timeouts or Timeouts()
        self._transport = Transport(self._base_url, key, self._timeouts)
        self._url = self._base_url + "/chat/completions"
        self._limit_field = b"max_completion_tokens"
        fields: dict[str, Any] = {"model": model}

        if streaming:
            fields |= {"stream": True, "stream_options": {"include_usage": True}}

        fields |= check_extra(model, extra or {}, moonshot=self._moonshot)
        self._head = orjson.dumps(fields)[:-1]

    def __repr__(self) -> str:
        return f"ChatModel({self.name!r}, base_url={self._base_url!r})"

    async def reply(self, request: Request, sink: Sink) -> Reply:
        """The whole turn, after `sink` heard all of it. Raises `errors.ModelError`."""
        field = self._limit_field

        try:
            return await self._exchange(request, sink)
        except BadRequest as error:
            if not self._blames_limit(error, field):
                raise

        self._limit_field = b"max_tokens"
        return await self._exchange(request, sink)

    async def models(self) -> list[str]:
        """The ids of the models that the endpoint offers. Raises ModelError."""
        import aiohttp

        try:
            async with (
                asyncio.timeout(self._timeouts.first),
                self._transport.session().get(
                    self._base_url + "/models", allow_redirects=False
                ) as response,
            ):
                body = await response.read()

                if response.status != HTTPStatus.OK:
                    raise fault(response.status, _json(body))
        except (aiohttp.ClientError, OSError, ModelError) as error:
            raise self._transport.convert(error, began=False) from None

        return _model_ids(_json(body))

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()

    async def _exchange(self, request: Request, sink: Sink) -> Reply:
        import aiohttp

        session = self._transport.session()
        body = self._body(request)
        data = body if len(body) <= LARGE_BYTES else io.BytesIO(body)
        exchange = Exchange(sink, self._timeouts.idle)
        first = self._timeouts.first if self._streaming else self._timeouts.whole

        try:
            async with asyncio.timeout(first) as limit:
                async with session.post(self._url, data=data, allow_redirects=False) as response:
                    if response.status != HTTPStatus.OK:
                        raise await self._refusal(response)

                    await exchange.read(response, limit)

            return exchange.finish(request.conversation.estimate_tokens())
        except (aiohttp.ClientError, OSError, ModelError) as error:
            if isinstance(error, ModelError) or not exchange.complete:
                raise self._transport.convert(error, began=exchange.began, first=first) from None

        return exchange.finish(request.conversation.estimate_tokens())

    def _body(self, request: Request) -> bytes:
        """The request's JSON, joined from parts that are JSON already."""
        tools = request.tools
        key = request.cache_key if self._moonshot else ""
        return b"".join(
            (
                self._head,
                b',"prompt_cache_key":' + orjson.dumps(key) if key else b"",
                b',"%b":%d' % (self._limit_field, request.max_tokens),
                b',"tools":' + tools.wire if tools.specs else b"",
                b',"messages":[',
                request.conversation.wire,
                b"]}",
            )
        )

    def _blames_limit(self, error: BadRequest, field: bytes) -> bool:
        """Whether an endpoint older than `max_completion_tokens` wants `max_tokens`."""
        text = str(error)
        return (
            field == b"max_completion_tokens"
            and "max_completion_tokens" in text
            and _UNKNOWN_FIELD.search(text) is not None
        )

    async def _refusal(self, response: aiohttp.ClientResponse) -> ModelError:
        if response.status < HTTPStatus.BAD_REQUEST:
            place = one_line(response.headers.get("Location", "nowhere"))
            message = f"{self._base_url} redirects to {place}; give the new address as base URL"
            return UnknownModel(message, status=response.status)

        body = _json(await response.content.read(ERROR_BYTES))
        error = fault(response.status, body, retry_after=read_retry_after(response.headers))

        if isinstance(error, AccessDenied):
            hint = self._about_keys()
        elif isinstance(error, UnknownModel):
            hint = await self._about_models()
        else:
            return error

        return type(error)(f"{error}; {hint}", status=error.status, retry_after=error.retry_after)

    def _about_keys(self) -> str:
        if self._moonshot:
            return (
                "check MOONSHOT_API_KEY (or KIMI_API_KEY): a key works either at "
                "api.moonshot.ai or at api.moonshot.cn (base_url='cn'), "
                f"and this call went to {self._transport.host}"
            )

        sent = "refused the key" if self._keyed else "wants a key and got none"
        where = "set OPENAI_API_KEY (for a server on this machine KIMI_BASE_URL and KIMI_API_KEY)"
        return f"{self._transport.host} {sent}: {where}, or give key=… to kn.swarm"

    async def _about_models(self) -> str:
        try:
            offered = await self.models()
        except ModelError:
            return f"nor does {self._base_url} list its models: is the base URL right?"

        return f"{self._transport.host} offers {one_line(', '.join(offered))}"


def _json(body: bytes) -> object:
    """The JSON of an error or of a list; the text itself where it is none."""
    try:
        return orjson.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def _model_ids(listing: object) -> list[str]:
    data: object = cast("dict[str, Any]", listing).get("data") if isinstance(listing, dict) else []
    entries = cast("list[object]", data) if isinstance(data, list) else []
    return [str(cast("dict[str, Any]", entry).get("id")) for entry in entries if entry]
