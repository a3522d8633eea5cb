"""What an endpoint says of itself: the models that it offers, and what the account has left."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import orjson

from kimi_nb.errors import ModelError, UnknownModel
from kimi_nb.models.faults import fault, one_line

if TYPE_CHECKING:
    from kimi_nb.models.transport import Transport

__all__ = ["ModelCard", "as_json", "balance", "model_cards"]


class ModelCard(NamedTuple):
    """A model as `GET /models` lists it; None where the endpoint says nothing."""

    id: str
    context: int | None = None
    """Tokens of prompt and answer together."""
    images: bool | None = None
    """Whether it sees."""


async def model_cards(transport: Transport) -> list[ModelCard]:
    """The models that the endpoint offers. Raises ModelError."""
    listing = await _get(transport, "/models")
    data = _mapping(listing).get("data", listing)
    entries = cast("list[object]", data) if isinstance(data, list) else []
    return [_card(_mapping(entry)) for entry in entries if entry]


async def balance(transport: Transport) -> float:
    """What the account has left, in the platform's currency (USD at .ai, CNY at .cn).

    Raises ModelError, UnknownModel where the endpoint keeps no balance.
    """
    answer = await _get(transport, "/users/me/balance")
    left = _mapping(_mapping(answer).get("data")).get("available_balance")

    if not isinstance(left, int | float):
        raise UnknownModel(f"no balance in {one_line(str(answer), 120)!r}")

    return float(left)


def _mapping(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


async def _get(transport: Transport, path: str) -> object:
    """The JSON at a path below the base URL."""
    import aiohttp

    try:
        async with (
            asyncio.timeout(transport.timeouts.first),
            transport.session().get(transport.base_url + path, allow_redirects=False) as response,
        ):
            body = as_json(await response.read())

            if response.status != HTTPStatus.OK:
                raise fault(response.status, body)
    except (aiohttp.ClientError, OSError, ModelError) as error:
        raise transport.convert(error, began=False) from None

    return body


def as_json(body: bytes) -> object:
    """The JSON of an error or of a list; the text itself where it is none."""
    try:
        return orjson.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def _card(entry: dict[str, Any]) -> ModelCard:
    context = entry.get("context_length") or entry.get("max_model_len")
    images = entry.get("supports_image_in")
    return ModelCard(
        id=str(entry.get("id")),
        context=context if isinstance(context, int) else None,
        images=images if isinstance(images, bool) else None,
    )
