"""Who answers a run that is taken up again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kimi_nb.models.base import Model
from kimi_nb.models.endpoint import SIMULATOR
from kimi_nb.models.named import is_named
from kimi_nb.models.rules import Manner
from kimi_nb.models.secret import Secret
from kimi_nb.swarm.connect import Connection, Limits, connect
from kimi_nb.swarm.saved import Had

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["reconnect"]


def reconnect(  # noqa: PLR0913, PLR0917 -- as `connect`, and what the log has of it
    was: Had,
    model: str | Model | None,
    base_url: str | None,
    key: Secret | None,
    client: AsyncOpenAI | None,
    limits: Limits | None,
    manner: Manner,
    critical_steps: int | None,
) -> Connection:
    """To the model that is asked for, or to the one that it had. Raises what `connect` raises."""
    id = model or was.model

    if client is None and isinstance(id, str) and is_named(id):
        options = was.simulator
        return connect(id, base_url, None, None, options, limits, critical_steps=critical_steps)

    if was.simulator is not None and model in {None, SIMULATOR} and client is None:
        return connect(None, None, None, None, was.simulator, limits)

    url = base_url or was.options["base_url"]
    return connect(id, url, key, client, None, limits, manner)
