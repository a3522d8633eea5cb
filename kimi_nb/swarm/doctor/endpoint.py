"""Checks that cost nothing: the endpoint, its key, its models, the account's balance."""

from __future__ import annotations

from urllib.parse import urlsplit

from kimi_nb.errors import AccessDenied, ModelError, ServerFault, UnknownModel, Unreachable
from kimi_nb.models.catalogue import ModelCard
from kimi_nb.models.chat import ChatModel
from kimi_nb.models.endpoint import MOONSHOT, Endpoint, is_moonshot
from kimi_nb.models.faults import one_line
from kimi_nb.swarm.doctor.report import Finding, failed, passed, unfit
from kimi_nb.tools.nearest import nearest, suggest

__all__ = ["Desk"]

SHOWN = 12
"""Models that are named where an endpoint has many."""
CURRENCIES = {"ai": "USD", "cn": "CNY"}
KEYS_MADE_AT = "https://platform.moonshot.ai (or https://platform.moonshot.cn)"


class Desk:
    """What one endpoint says of itself and of the key that it is asked with."""

    def __init__(self, chat: ChatModel, endpoint: Endpoint) -> None:
        self._chat = chat
        self._endpoint = endpoint
        self._host = _host(endpoint.base_url)
        self._platform = next(
            (name for name, url in MOONSHOT.items() if url == endpoint.base_url), ""
        )
        self._cards: list[ModelCard] = []
        self._refusal: ModelError | None = None

    @property
    def sees(self) -> bool | None:
        """Whether the model takes images, by its card; None: nobody says."""
        return next((card.images for card in self._cards if self._is(card)), None)

    async def reach(self) -> Finding:
        """Whether anything answers."""
        try:
            self._cards = await self._chat.models()
        except (Unreachable, ServerFault):
            raise
        except ModelError as error:  # an answer all the same; what it says, later checks tell
            self._refusal = error

        return passed(f"{self._endpoint.base_url} answers")

    async def key(self) -> Finding:
        """Whether there is a key, from where, and whether it is one for this platform."""
        denied = isinstance(self._refusal, AccessDenied)
        source = {"": "", "key": "as typed"}.get(
            self._endpoint.source, f"from {self._endpoint.source}"
        )

        if denied and self._platform and source:
            return await self._elsewhere(source)

        if denied and source:
            detail = f"{self._host} refuses the key ({source}): {self._refusal}"
            return failed(detail, _set_key(self._endpoint.base_url), final=True)

        if denied:
            detail = f"{self._host} wants a key and got none"
            return failed(detail, _set_key(self._endpoint.base_url), final=True)

        if not source:
            return unfit("none is sent, and none is wanted")

        return passed(f"{source}, for {self._host}")

    async def models(self) -> Finding:
        """Whether the model is among those that are live."""
        name = self._chat.name

        if not self._cards:
            why = f": {self._refusal}" if self._refusal else ""
            return unfit(f"{self._host} lists none{why}")

        card = next((card for card in self._cards if self._is(card)), None)
        names = nearest(name, [card.id for card in self._cards], SHOWN)
        rest = len(self._cards) - len(names)
        listed = ", ".join(names) + (f" and {rest} more" if rest else "")

        if card is None:
            detail = f"{name} is not among the models here, retired or misspelt: {listed}"
            advice = suggest(name, (card.id for card in self._cards)).removesuffix("?")
            return failed(
                detail, f"{advice}; use --model ID (in a notebook: %swarm model ID)", final=True
            )

        context = f" ({card.context:,} tokens)" if card.context else ""
        return passed(f"{card.id}{context} is live, among: {listed}")

    async def balance(self) -> Finding:
        """What the account has left, where the endpoint keeps an account."""
        try:
            left = await self._chat.balance()
        except UnknownModel:
            return unfit(f"{self._host} tells none")
        except ModelError as error:
            if is_moonshot(self._endpoint.base_url) or self._platform:
                raise

            return unfit(f"{self._host} tells none: {error}")

        amount = f"{left:,.2f} {CURRENCIES.get(self._platform, '')}".rstrip()

        if left <= 0:
            detail = f"{amount}: nothing is left, and calls are refused"
            return failed(detail, f"top the account up at {self._console()}", final=True)

        return passed(f"{amount} left")

    async def _elsewhere(self, source: str) -> Finding:
        """Whether the key belongs to Moonshot's other platform; nobody else is asked."""
        other = next(name for name in MOONSHOT if name != self._platform)
        there = _host(MOONSHOT[other])
        chat = ChatModel(self._chat.name, base_url=MOONSHOT[other], key=self._endpoint.key)

        try:
            await chat.models()
        except AccessDenied:
            detail = f"the key ({source}) is refused by {self._host} and by {there}"
            return failed(detail, _set_key(self._endpoint.base_url), final=True)
        except ModelError as error:
            detail = f"{self._host} refuses the key ({source}); {there} could not be asked: {error}"
            return failed(detail, _set_key(self._endpoint.base_url), final=True)
        finally:
            await chat.close()

        detail = f"this key ({source}) belongs to {there}, and was sent to {self._host}"
        todo = f"use --base-url {other} (in a notebook: %config SwarmMagics.base_url = '{other}')"
        return failed(detail, todo, final=True)

    def _is(self, card: ModelCard) -> bool:
        return card.id in {self._chat.name, f"{self._chat.name}:latest"}  # as Ollama lists it

    def _console(self) -> str:
        return f"https://platform.moonshot.{self._platform}" if self._platform else self._host


def _host(base_url: str) -> str:
    return one_line(urlsplit(base_url).netloc)


def _set_key(base_url: str) -> str:
    if is_moonshot(base_url) or base_url in MOONSHOT.values():
        return f"make a key at {KEYS_MADE_AT} and set MOONSHOT_API_KEY to it"

    return (
        "set OPENAI_API_KEY to a key of this endpoint; where KIMI_BASE_URL names it, and for a "
        "server on this machine, KIMI_API_KEY"
    )
