"""Models behind an OpenAI-compatible endpoint, called with as little between as possible."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson

from kimi_nb.errors import AccessDenied, BadRequest, ModelError, UnknownModel
from kimi_nb.models.allowed import read_allowed
from kimi_nb.models.base import Conversation, Reply, Request, Sink
from kimi_nb.models.catalogue import ModelCard, as_json, balance, model_cards
from kimi_nb.models.endpoint import SIMULATOR, is_moonshot
from kimi_nb.models.exchange import Exchange
from kimi_nb.models.faults import fault, one_line, read_retry_after
from kimi_nb.models.history import about_images, call_namer, misses_thinking, reworked
from kimi_nb.models.rules import Rules, fields_of, rules_for
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

    `thinking` and `rules` as in `models.rules`. Nothing is sent that was not asked for: no
    temperature above all, which Kimi's models refuse.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        key: Secret | None,
        streaming: bool = True,
        thinking: str | None = None,
        rules: Iterable[Rules] = (),
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
        self._rules = rules_for(model, rules, moonshot=self._moonshot)
        self._recalls = self._rules.recalls
        fields: dict[str, Any] = {"model": model}

        if streaming:
            fields |= {"stream": True, "stream_options": {"include_usage": True}}

        fields |= fields_of(self._rules, model, thinking, moonshot=self._moonshot)
        self._head = orjson.dumps(fields)[:-1]

    def __repr__(self) -> str:
        return f"ChatModel({self.name!r}, base_url={self._base_url!r})"

    async def reply(self, request: Request, sink: Sink) -> Reply:
        """The whole turn, after `sink` heard all of it. Raises `errors.ModelError`."""
        field, recalls = self._limit_field, self._recalls

        try:
            return await self._exchange(request, sink)
        except BadRequest as error:
            if _blames_limit(error, field):
                self._limit_field = b"max_tokens"
            elif misses_thinking(error) and not recalls and request.conversation.thoughtless:
                self._recalls = True
            else:
                raise

        return await self._exchange(request, sink)

    async def models(self) -> list[ModelCard]:
        """The models that the endpoint offers. Raises ModelError."""
        return await model_cards(self._transport)

    async def balance(self) -> float:
        """What the account has left, in the platform's currency. Raises ModelError."""
        return await balance(self._transport)

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()

    async def _exchange(self, request: Request, sink: Sink) -> Reply:
        import aiohttp

        session = self._transport.session()
        body = self._body(request)
        data = body if len(body) <= LARGE_BYTES else io.BytesIO(body)
        call_id = call_namer(self._rules, request.conversation)
        exchange = Exchange(sink, self._timeouts.idle, call_id, request.max_tokens)
        first = self._timeouts.first if self._streaming else self._timeouts.whole

        try:
            async with asyncio.timeout(first) as limit:
                async with session.post(self._url, data=data, allow_redirects=False) as response:
                    if response.status != HTTPStatus.OK:
                        raise await self._refusal(response)

                    await exchange.read(response, limit)

            return exchange.finish(request.estimate_tokens())
        except (aiohttp.ClientError, OSError, ModelError) as error:
            if isinstance(error, ModelError) or not exchange.complete:
                found = self._transport.convert(error, began=exchange.began, first=first)
                found = about_images(found, request.conversation, self.name)
                exchange.charge(found, request.estimate_tokens())
                raise found from None

        return exchange.finish(request.estimate_tokens())

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
                self._messages(request.conversation),
                b"]}",
            )
        )

    def _messages(self, conversation: Conversation) -> bytes | bytearray:
        """The messages' JSON, without the enclosing brackets."""
        messages = reworked(conversation, self._rules, recalls=self._recalls)
        return conversation.wire if messages is None else orjson.dumps(messages)[1:-1]

    async def _refusal(self, response: aiohttp.ClientResponse) -> ModelError:
        if response.status < HTTPStatus.BAD_REQUEST:
            place = one_line(response.headers.get("Location", "nowhere"))
            message = f"{self._base_url} redirects to {place}; give the new address as base URL"
            return UnknownModel(message, status=response.status)

        body = as_json(await response.content.read(ERROR_BYTES))
        error = fault(
            response.status,
            body,
            retry_after=read_retry_after(response.headers),
            allowed=read_allowed(response.headers),
        )

        if isinstance(error, AccessDenied):
            hint = self._about_keys()
        elif isinstance(error, UnknownModel):
            hint = await self._about_models()
        else:
            return error

        return error.reworded(f"{error}; {hint}")

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

        names = ", ".join(card.id for card in offered)
        return f"{self._transport.host} offers {one_line(names)}"


def _blames_limit(error: BadRequest, field: bytes) -> bool:
    """Whether an endpoint older than `max_completion_tokens` wants `max_tokens`."""
    text = str(error)
    return (
        field == b"max_completion_tokens"
        and "max_completion_tokens" in text
        and _UNKNOWN_FIELD.search(text) is not None
    )
