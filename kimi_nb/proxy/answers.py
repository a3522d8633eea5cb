"""What a learner's client is told when a call fails: in OpenAI's shape, saying whom to ask."""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from typing import NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from kimi_nb.errors import (
    AccessDenied,
    BadRequest,
    BudgetExceeded,
    KimiNbError,
    ModelError,
    Overloaded,
    QuotaExhausted,
    RateLimited,
    UnknownModel,
)

__all__ = ["Refusals", "as_errors"]

Refusals = Counter[str]
"""How often each type of error was answered."""
RETRY_S = 5.0
"""When to come back, where the endpoint does not say it."""


class _Answer(NamedTuple):
    status: int
    type: str
    message: str
    retry_after: float | None = None


def as_errors(contact: str, refusals: Refusals, heard: set[object]) -> Middleware:
    """A middleware that answers with errors; `refusals` counts them.

    `heard` gets the connections.
    """

    @web.middleware
    async def shaped(request: web.Request, handler: Handler) -> web.StreamResponse:
        heard.add(request.protocol)

        try:
            return await handler(request)
        except KimiNbError as error:
            answer = _answer(error, contact)
        except web.HTTPException as error:
            message = f"{request.method} {request.path}: {error.reason}"
            answer = _Answer(error.status, "invalid_request_error", message)
        except TimeoutError:
            answer = _Answer(408, "invalid_request_error", "the request's body did not arrive")

        refusals[answer.type] += 1
        headers = {} if answer.retry_after is None else {"Retry-After": f"{answer.retry_after:g}"}
        error = {"message": answer.message, "type": answer.type, "param": None, "code": None}
        return web.json_response({"error": error}, status=answer.status, headers=headers)

    return shaped


def _answer(error: KimiNbError, contact: str) -> _Answer:  # noqa: PLR0911 -- a table
    """What the endpoint says of the account is not for learners, what it says of a request is."""
    from_endpoint = isinstance(error, ModelError) and error.status is not None
    words = str(error).partition(": ")[2] or str(error) if from_endpoint else str(error)

    match error:
        case BudgetExceeded():
            return _Answer(402, "budget_exceeded", f"{words} ask {contact}")
        case QuotaExhausted():
            message = f"the account behind this proxy has nothing left: tell {contact}"
            return _Answer(402, "budget_exceeded", message)
        case RateLimited() | Overloaded() if from_endpoint:
            message = "the endpoint is busy; try again later"
            return _Answer(429, "engine_overloaded_error", message, error.retry_after or RETRY_S)
        case RateLimited():
            return _Answer(429, "rate_limit_reached_error", words, RETRY_S)
        case AccessDenied() if from_endpoint:
            message = f"the endpoint refuses the key of this proxy: tell {contact}"
            return _Answer(503, "server_error", message)
        case AccessDenied():
            return _Answer(401, "invalid_authentication_error", f"{words}: ask {contact} for yours")
        case BadRequest():
            return _Answer(400, "invalid_request_error", words)
        case UnknownModel():
            return _Answer(404, "resource_not_found_error", words)
        case _:
            return _Answer(HTTPStatus.BAD_GATEWAY, "server_error", f"the endpoint failed: {words}")
