"""The proxy as a web server: who asks, what may go on, what comes back."""

from __future__ import annotations

import asyncio
from collections import Counter
from http import HTTPStatus

import aiohttp
from aiohttp import web

from kimi_nb.errors import AccessDenied, BudgetExceeded, Overloaded, RateLimited, UnknownModel
from kimi_nb.models.allowed import read_allowed
from kimi_nb.models.catalogue import as_json
from kimi_nb.proxy.answers import Refusals, as_errors
from kimi_nb.proxy.asked import Asked, read_request
from kimi_nb.proxy.call import Call
from kimi_nb.proxy.keys import Who
from kimi_nb.proxy.ledger import Ledger
from kimi_nb.proxy.purse import reserve
from kimi_nb.proxy.seats import Seat, Seats
from kimi_nb.proxy.sheet import Sheet
from kimi_nb.proxy.turnstile import Turnstile
from kimi_nb.proxy.upstream import Upstream, refusal

__all__ = ["Proxy"]

PATIENCE_S = 60.0
"""How long a call waits for its turn; clients wait twice as long for a first byte."""
BODY_S = 30.0
STALLED_S = 60.0
"""A learner's client that reads nothing for so long has hung up."""
LARGEST = 16 * 2**20
"""Bytes of a request."""
LARGEST_TOGETHER = 4 * LARGEST
"""Of all requests of one learner that are here."""
SMALLEST = 2**16
"""Bytes that each of these counts as at least: a thousand small ones are a burden, too."""


class Proxy:
    """Answers learners out of one account."""

    def __init__(self, sheet: Sheet, seats: Seats, upstream: Upstream, ledger: Ledger) -> None:
        self.seats = seats
        self.upstream = upstream
        self.refusals: Refusals = Counter()
        self.heard: set[object] = set()
        """Connections that brought a request."""
        self._sheet = sheet
        self._ledger = ledger
        self._bytes: Counter[Who] = Counter()

    def application(self) -> web.Application:
        """Chat, models, what is left, health and metrics; every other path is refused."""
        shaped = as_errors(self._sheet.contact, self.refusals, self.heard)
        app = web.Application(client_max_size=LARGEST, middlewares=[shaped])
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/v1/users/me/balance", self._balance)
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/metrics", self._metrics)
        return app

    async def _complete(self, http: web.Request) -> web.StreamResponse:
        seat = self._seat(http)
        length = None if "Content-Encoding" in http.headers else http.content_length
        size = LARGEST if length is None else min(max(length, SMALLEST), LARGEST)

        if self._bytes[seat.who] + size > LARGEST_TOGETHER:
            message = "too many requests of yours wait here already"
            raise RateLimited(message)

        self._bytes[seat.who] += size

        try:
            async with asyncio.timeout(BODY_S):
                asked = read_request(await http.read(), self._sheet.models)

            return await self._pay(http, seat, asked)
        finally:
            self._bytes[seat.who] -= size

    async def _pay(self, http: web.Request, seat: Seat, asked: Asked) -> web.StreamResponse:
        """Make a call with what its learner has, when it is its turn."""
        arrived = asyncio.get_running_loop().time()
        deadline = arrived + PATIENCE_S
        price = self._sheet.prices.get(asked.model)

        try:
            async with asyncio.timeout_at(deadline):
                hold = await reserve(seat.purses, asked.prompt_bound, asked.max_tokens, price)
        except TimeoutError:
            message = "what is left of the budget is held by calls in flight"
            raise RateLimited(message) from None

        call = Call(seat, asked, hold, arrived)

        try:
            await _enter(seat.room.gate, call, deadline, most=seat.concurrency)

            try:
                return await self._insist(http, call, deadline)
            finally:
                seat.room.gate.leave(seat.who, call.tokens, call.tokens_used)
        finally:
            paid = call.paid()
            usd = price.usd(paid.tokens_in, paid.tokens_out, paid.tokens_cached) if price else 0.0
            hold.settle(paid.tokens_in + paid.tokens_out, usd)

            if call.sent:
                self._ledger.write(call.entry(paid, usd))

    async def _insist(self, http: web.Request, call: Call, deadline: float) -> web.StreamResponse:
        """Try until the endpoint lets it in: its refusals are about the account, not a learner."""
        again = False

        while True:
            try:
                return await self._attempt(http, call, deadline, again=again)
            except (Overloaded, RateLimited):
                if asyncio.get_running_loop().time() > deadline:
                    raise

            again = True

    async def _attempt(
        self, http: web.Request, call: Call, deadline: float, *, again: bool
    ) -> web.StreamResponse:
        gate, who = self.upstream.gate, call.seat.who
        call.sent, call.error = False, None  # what was refused costs nothing
        await _enter(gate, call, deadline, again=again)

        try:
            async with await self._send(call) as response:
                call.allowed = read_allowed(response.headers)

                if response.status != HTTPStatus.OK:
                    call.status = response.status
                    call.error = await refusal(response)
                    raise call.error

                return await self._pass_on(http, response, call)
        finally:
            gate.leave(who, call.tokens, call.tokens_used, call.error, call.allowed)

    async def _send(self, call: Call) -> aiohttp.ClientResponse:
        call.sent = True

        try:
            wire = call.asked.wire(call.hold.max_tokens)
            return await self.upstream.send(wire, streamed=call.asked.streamed)
        except (aiohttp.ClientError, OSError) as error:
            call.status = HTTPStatus.BAD_GATEWAY
            call.error = self.upstream.transport.convert(error, began=False)
            raise call.error from None

    async def _pass_on(
        self, http: web.Request, response: aiohttp.ClientResponse, call: Call
    ) -> web.StreamResponse:
        if response.content_type == "text/event-stream":
            return await _stream(http, response, call)

        try:
            body = await response.read()
        except (aiohttp.ClientError, OSError) as error:
            call.status = HTTPStatus.BAD_GATEWAY
            call.error = self.upstream.transport.convert(error, began=True)
            raise call.error from None

        call.note_usage(as_json(body))
        call.status = HTTPStatus.OK
        return web.Response(body=body, content_type="application/json")

    async def _models(self, http: web.Request) -> web.Response:
        self._seat(http)
        return web.json_response({"object": "list", "data": await self.upstream.models()})

    async def _balance(self, http: web.Request) -> web.Response:
        """What Moonshot tells of an account, for the learner: `kimi-nb doctor` asks for it."""
        left = self._seat(http).purse.left()
        dollars = [amount for name, amount in left.items() if name.startswith("usd")]

        if not dollars:
            raise UnknownModel("there is no budget in USD here")

        return web.json_response({"data": {"available_balance": max(0.0, min(dollars))}})

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "endpoint": self.upstream.gate.limiter.status()})

    async def _metrics(self, _: web.Request) -> web.Response:
        from kimi_nb.proxy.metrics import exposition

        content, kind = exposition(self.seats, self.upstream.gate, self.refusals)
        return web.Response(body=content, headers={"Content-Type": kind})

    def _seat(self, http: web.Request) -> Seat:
        """Whose request it is. Raises AccessDenied, BudgetExceeded where the class is over."""
        scheme, _, key = http.headers.get("Authorization", "").partition(" ")
        seat = self.seats.at(key.strip()) if scheme.lower() == "bearer" else None

        if seat is None:
            raise AccessDenied("this key is not known here, or was replaced by a newer one")

        if self.seats.closed(seat):
            group = seat.room.group
            raise BudgetExceeded("until", f"class {group.name} was open until {group.until}:")

        return seat


async def _enter(
    gate: Turnstile,
    call: Call,
    deadline: float,
    *,
    most: int | None = None,
    again: bool = False,
) -> None:
    try:
        async with asyncio.timeout_at(deadline):
            await gate.enter(call.seat.who, call.tokens, most=most, again=again)
    except TimeoutError:
        message = f"no turn within {PATIENCE_S:g} s, because the class is busy"
        raise RateLimited(message) from None


async def _stream(
    http: web.Request, response: aiohttp.ClientResponse, call: Call
) -> web.StreamResponse:
    """Every part as it comes. Who hangs up ends the endpoint's work as well."""
    out = web.StreamResponse(headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
    out.content_type = "text/event-stream"
    await out.prepare(http)

    while True:
        try:
            chunk = await response.content.readany()
        except (aiohttp.ClientError, OSError):  # the learner's client is to see a broken stream
            call.status = HTTPStatus.BAD_GATEWAY
            _cut(http)
            return out

        if data := call.pass_on(chunk) if chunk else call.last():
            try:
                async with asyncio.timeout(STALLED_S):
                    await out.write(data)
            except (ConnectionResetError, TimeoutError):
                _cut(http)
                return out

        if not chunk:
            call.status = HTTPStatus.OK
            return out


def _cut(http: web.Request) -> None:
    if http.transport is not None:
        http.transport.abort()
