"""From what the user gave, be it nothing, to a model and its limiter."""

from __future__ import annotations

import functools
import hashlib
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from kimi_nb.errors import Allowed, UsageFault
from kimi_nb.models.base import Model
from kimi_nb.models.endpoint import refuse_on_binder, resolve
from kimi_nb.models.limiter import Limiter, limiter_for
from kimi_nb.models.named import is_named, made
from kimi_nb.models.rules import Manner, Rules
from kimi_nb.models.secret import Secret
from kimi_nb.models.tiers import tier_limits
from kimi_nb.redact import Environment, learn_environment

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from kimi_nb.models.simulator import Options

__all__ = ["Connection", "Elsewhere", "Limits", "connect"]

MARK = 8
"""Hexadecimal digits that tell keys apart."""


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
    elsewhere: Elsewhere | None = None
    """How other processes make the model; None: they cannot."""
    allowed: Allowed = Allowed()  # noqa: RUF009 -- a tuple
    """What the user says that the endpoint allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A model that sub-agents in other processes can ask, too."""

    make: Callable[[Secret | None], Model]
    """Makes it there; it can be pickled, if a model of the user's in it can."""
    gate: str
    """Names who keeps the pace: the same for all who call one endpoint with one key."""
    key: Secret | None = None


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

    if limits is None:
        return connection

    allowed = limits.numbers()
    connection.limiter.restrict(**allowed._asdict())
    return replace(connection, allowed=allowed)


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
        gate = f"model {model.name}"
        elsewhere = Elsewhere(make=functools.partial(_itself, model), gate=gate)
        return Connection(model=model, limiter=limiter_for(gate), owned=False, elsewhere=elsewhere)

    endpoint = None if options is not None else resolve(model, base_url, key, Environment())

    if endpoint is None:
        from kimi_nb.models.simulator import Simulator

        return _in_process(options, Simulator)

    make = functools.partial(
        _chat, endpoint.model, endpoint.base_url, manner.thinking, manner.rules
    )
    return Connection(
        model=make(endpoint.key),
        limiter=limiter_for(f"{endpoint.base_url} {hash(endpoint.key)}"),
        owned=True,
        base_url=endpoint.base_url,
        elsewhere=Elsewhere(
            make=make, gate=f"{endpoint.base_url} {_mark(endpoint.key)}", key=endpoint.key
        ),
    )


def _chat(
    model: str,
    base_url: str,
    thinking: str | None,
    rules: tuple[Rules, ...],
    key: Secret | None,
) -> Model:
    from kimi_nb.models.chat import ChatModel

    return ChatModel(model, base_url=base_url, key=key, thinking=thinking, rules=rules)


def _itself(model: Model, _key: Secret | None) -> Model:
    return model


def _simulator(options: dict[str, Any], _key: Secret | None) -> Model:
    from kimi_nb.models.simulator import Options, Simulator

    return Simulator(Options(**options))


def _mark(key: Secret | None) -> str:
    """Tells keys apart, in any process, and says nothing of them."""
    return "" if key is None else hashlib.sha256(key.reveal().encode()).hexdigest()[:MARK]


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
    spoken = asdict(chosen)
    return Connection(
        model=make(chosen),
        limiter=Limiter(),
        owned=True,
        simulator=spoken,
        elsewhere=Elsewhere(
            make=functools.partial(_simulator, spoken), gate=f"simulator {uuid.uuid4().hex}"
        ),
    )
