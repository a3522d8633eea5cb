"""The order of the checks, and where it is pointless to go on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from kimi_nb.errors import (
    AccessDenied,
    BadRequest,
    KimiNbError,
    Overloaded,
    QuotaExhausted,
    RateLimited,
    ServerFault,
    UnknownModel,
    Unreachable,
    UsageFault,
)
from kimi_nb.models.endpoint import SIMULATOR, resolve
from kimi_nb.models.rules import Manner
from kimi_nb.models.secret import Secret
from kimi_nb.redact import Environment
from kimi_nb.swarm.connect import Connection, connect
from kimi_nb.swarm.doctor import installation
from kimi_nb.swarm.doctor.asking import Caller
from kimi_nb.swarm.doctor.calls import Calls
from kimi_nb.swarm.doctor.report import Finding, Report, check_of, failed, passed, unfit
from kimi_nb.swarm.doctor.validity import trials
from kimi_nb.swarm.runtime import runtime

__all__ = ["examine"]

PATIENCE = 90.0
"""Seconds for one check, and for one call where it makes several."""
FREE = ("endpoint", "key", "models", "balance")
PAID = ("call", "usage", "tools", "round trip", "parallel", "arguments", "images")
SINGLE_CALLS = 4
"""Calls of the paid checks beside those for arguments."""
SIMULATED_CALLS = 3

Work = Callable[[], Awaitable[Finding]]

_TODO: dict[type[Exception], str] = {
    UsageFault: "type it as the line says, and try again",
    AccessDenied: "check the key, and what the account may use",
    QuotaExhausted: "top the account up, or wait as the line says",
    Overloaded: "try again in some minutes",
    RateLimited: "try again in some minutes, when nothing else uses the account",
    ServerFault: "the fault is the endpoint's: try again in some minutes, or look into its log",
    UnknownModel: "check --model and --base-url, which mostly ends in /v1",
    BadRequest: "the endpoint refuses what a swarm sends: update it, or take another model",
    Unreachable: "check --base-url, whether the server runs, and the network (HTTPS_PROXY)",
    TimeoutError: "try again; if it stays so, look into the server's log, or take a faster model",
    OSError: "mend what the line says",
}


def examine(
    model: str | None = None,
    base_url: str | None = None,
    key: str | Secret | None = None,
    *,
    thinking: str | None = None,
    patience: float = PATIENCE,
    told: Callable[[str], None] = lambda _line: None,
) -> Report:
    """Check the installation, the key, the models and, with some small paid calls, the endpoint.

    `patience`: seconds for one check; `told` hears each line as it comes to be known.
    """
    key = Secret.of(key)
    work = runtime().spawn(_examine(model, base_url, key, thinking, Visit(told, patience)))

    try:
        return work.result()
    except BaseException:  # Ctrl-C: nothing goes on in the background, and costs
        work.cancel()
        raise


class Visit:
    """Carries out one check after the other, until one shows that no other can succeed."""

    def __init__(self, told: Callable[[str], None], patience: float) -> None:
        self.report = Report()
        self.tell = told
        self.patience = patience
        self.over = ""
        """The check after which it is pointless to go on."""

    async def take(
        self, name: str, work: Work, *, vital: bool = False, patience: float | None = None
    ) -> None:
        """Do one check. `vital`: if it breaks off, no later one can succeed."""
        if self.over:
            self.skip([name])
            return

        finding = await self._finding(work, vital, patience)

        if finding.final:
            self.over = name

        self.note(name, finding)

    def skip(self, names: Iterable[str]) -> None:
        """Note that these checks are not tried."""
        for name in names:
            self.note(name, unfit(f"not tried, because of {self.over}"))

    def note(self, name: str, finding: Finding) -> None:
        """Put a finding into the report, and tell it."""
        check = check_of(name, finding)
        self.report.append(check)
        self.tell(str(check))

    async def _finding(self, work: Work, vital: bool, patience: float | None) -> Finding:  # noqa: FBT001
        try:
            return await asyncio.wait_for(work(), patience)
        except (KimiNbError, OSError) as error:
            ends = vital or isinstance(error, AccessDenied | QuotaExhausted)
            return failed(self._words(error), _todo(error), final=ends)

    def _words(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return f"no whole answer within {self.patience:g} s"

        return str(error)


async def _examine(
    model: str | None, base_url: str | None, key: Secret | None, thinking: str | None, visit: Visit
) -> Report:
    await visit.take("version", installation.version)
    await visit.take("log", installation.log)
    await visit.take("sandbox", installation.sandbox, patience=PATIENCE)
    made: list[Connection] = []

    async def connection() -> Finding:
        made.append(connect(model, base_url, key, None, None, None, Manner(thinking)))
        return passed(_described(made[0]))

    await visit.take("model", connection, vital=True)

    if not made:
        visit.skip((*FREE, *PAID))
        return visit.report

    try:
        sees = await _ask_endpoint(made[0], model, base_url, key, visit)
        await _ask_model(made[0], sees, visit)
    finally:
        await made[0].model.close()

    return visit.report


async def _ask_endpoint(
    connection: Connection,
    model: str | None,
    base_url: str | None,
    key: Secret | None,
    visit: Visit,
) -> bool | None:
    """The checks that cost nothing; whether the model sees, None where nobody says."""
    from kimi_nb.models.chat import ChatModel
    from kimi_nb.swarm.doctor.endpoint import Desk

    chat = connection.model
    endpoint = None

    if isinstance(chat, ChatModel):
        endpoint = resolve(model, base_url, key, Environment())

    if endpoint is None or not isinstance(chat, ChatModel):
        who = "the simulator" if chat.name == SIMULATOR else chat.name

        for name in FREE:
            visit.note(name, unfit(f"{who} is in this process"))

        return None

    desk = Desk(chat, endpoint)
    works = (desk.reach, desk.key, desk.models, desk.balance)

    for name, work in zip(FREE, works, strict=True):
        await visit.take(name, work, vital=name in {"endpoint", "key"}, patience=visit.patience)

    return desk.sees


async def _ask_model(connection: Connection, sees: bool | None, visit: Visit) -> None:  # noqa: FBT001
    """The checks that cost something. Each call has the patience for itself."""
    calls = Calls(Caller(connection, visit.report, visit.patience), sees)
    works = (
        *(calls.call, calls.usage, calls.tools, calls.round_trip),
        *(calls.parallel, calls.arguments, calls.images),
    )

    if not visit.over:
        visit.tell(_announcement(connection, sees))

    for name, work in zip(PAID, works, strict=True):
        await visit.take(name, work, vital=name == "call")

    if visit.report.bill:
        visit.tell(visit.report.bill)


def _announcement(connection: Connection, sees: bool | None) -> str:  # noqa: FBT001
    if connection.model.simulated:
        return f"up to {SIMULATED_CALLS} small calls follow; the simulator's cost nothing"

    number = SINGLE_CALLS - (sees is False) + len(trials())
    return f"up to {number} small calls of {connection.model.name} follow, which cost a little"


def _described(connection: Connection) -> str:
    name = connection.model.name

    if connection.base_url is None:
        who = "" if name == SIMULATOR else f"{name}, with sub-agents of "
        hint = "to connect one, set MOONSHOT_API_KEY, or use --model and --base-url"
        return f"{who}the simulator: rules, no language model; {hint}"

    rules = " (the simulator: rules, no language model)" if connection.model.simulated else ""
    return f"{name} at {connection.base_url}{rules}"


def _todo(error: Exception) -> str:
    return next((todo for kind, todo in _TODO.items() if isinstance(error, kind)), "try again")
