"""From what the user gave, be it nothing, to a model and its limiter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from kimi_nb.errors import Allowed, UsageFault
from kimi_nb.models.base import Model
from kimi_nb.models.endpoint import refuse_on_binder, resolve
from kimi_nb.models.limiter import Limiter, limiter_for
from kimi_nb.models.named import is_named, made
from kimi_nb.models.rules import Manner
from kimi_nb.models.secret import Secret
from kimi_nb.models.tiers import tier_limits
from kimi_nb.redact import Environment, learn_environment

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from kimi_nb.models.simulator import Options

__all__ = ["Connection", "Limits", "connect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an endpoint allows, where one knows it. All swarms of a kernel share it.

    What is left out is learnt from what the endpoint says, and from what it refuses.
    """

    tier: str | int | None = None
    """The account's tier at Moonshot, such as "T1"; the numbers below go before the tier's."""
    concurrency: int | None = None
    """Calls at once."""
    rpm: float | None = None
    """Requests a minute."""
    tpm: float | None = None
    """Tokens a minute, prompt and longest answer together."""

    def __post_init__(self) -> None:
        for name, value in self.numbers()._asdict().items():
            if value is not None and not value > 0:  # nan too
                message = f"the limit {name} is {value}; give more than 0, or leave it out"
                raise UsageFault(message)

    def numbers(self) -> Allowed:
        """The limits in numbers. Raises UsageFault for a tier that there is not."""
        tier = Allowed() if self.tier is None else tier_limits(self.tier)
        return Allowed(
            concurrency=tier.concurrency if self.concurrency is None else self.concurrency,
            rpm=tier.rpm if self.rpm is None else self.rpm,
            tpm=tier.tpm if self.tpm is None else self.tpm,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Who answers a run, and who keeps its pace."""

    model: Model
    limiter: Limiter
    owned: bool
    """Made here, so closed with the run."""
    base_url: str | None = None
    simulator: dict[str, Any] | None = None
    """The simulator's options; None for a real endpoint."""


def connect(  # noqa: PLR0913, PLR0917 -- all that decides who answers
    model: str | Model | None,
    base_url: str | None,
    key: str | Secret | None,
    client: AsyncOpenAI | None,
    options: Options | None,
    limits: Limits | None,
    manner: Manner = Manner(),  # noqa: B008 -- frozen
    critical_steps: int | None = None,
) -> Connection:
    """The connection; without id, URL, key or client, also in the environment: the simulator.

    `critical_steps`: the run's budget, which a learned orchestrator ("parl:CHECKPOINT") goes by.
    Raises UsageFault for contradictions and for a key that cannot be used.
    """
    key = Secret.of(key)
    learn_environment()

    if isinstance(model, str) and is_named(model):
        if base_url or client is not None:
            message = f"{model} answers in this process: leave the endpoint out"
            raise UsageFault(message)

        connection = _in_process(options, lambda chosen: made(model, chosen, critical_steps))
    else:
        connection = _connection(model, base_url, key, client, options, manner)

    if limits is not None:
        connection.limiter.restrict(**limits.numbers()._asdict())

    return connection


def _connection(
    model: str | Model | None,
    base_url: str | None,
    key: Secret | None,
    client: AsyncOpenAI | None,
    options: Options | None,
    manner: Manner,
) -> Connection:
    if client is not None:
        return _through_client(model, client, manner)

    if model is not None and not isinstance(model, str):
        return Connection(model=model, limiter=limiter_for(f"model {model.name}"), owned=False)

    endpoint = None if options is not None else resolve(model, base_url, key, Environment())

    if endpoint is None:
        from kimi_nb.models.simulator import Simulator

        return _in_process(options, Simulator)

    from kimi_nb.models.chat import ChatModel

    chat = ChatModel(
        endpoint.model,
        base_url=endpoint.base_url,
        key=endpoint.key,
        thinking=manner.thinking,
        rules=manner.rules,
    )
    limiter = limiter_for(f"{endpoint.base_url} {hash(endpoint.key)}")
    return Connection(model=chat, limiter=limiter, owned=True, base_url=endpoint.base_url)


def _through_client(model: str | Model | None, client: AsyncOpenAI, manner: Manner) -> Connection:
    from kimi_nb.models.openai_client import OpenAIModel

    if not isinstance(model, str):
        message = "with a client of your own, say which model: model='…'"
        raise UsageFault(message)

    url = str(client.base_url)

    if client.api_key:
        refuse_on_binder(url, Environment())

    limiter = limiter_for(f"{url} {id(client)}")
    made = OpenAIModel(model, client, thinking=manner.thinking, rules=manner.rules)
    return Connection(model=made, limiter=limiter, owned=False, base_url=url)


def _in_process(options: Options | None, make: Callable[[Options], Model]) -> Connection:
    """To the simulator, or to what speaks by it."""
    from kimi_nb.models.simulator import Options

    chosen = options or Options()
    return Connection(model=make(chosen), limiter=Limiter(), owned=True, simulator=asdict(chosen))
