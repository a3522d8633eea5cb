"""`kimi-nb simulator`: the model of rules as an endpoint."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import fields

from kimi_nb.cli.output import tell
from kimi_nb.errors import UsageFault
from kimi_nb.models.simulator import Options
from kimi_nb.models.simulator.server import serve

__all__ = ["serve_simulator"]


def serve_simulator(asked: argparse.Namespace) -> int:
    """Serve it until Ctrl-C. Raises UsageFault for options that cannot be."""
    names = [field.name for field in fields(Options)]

    try:
        options = Options(**{name: getattr(asked, name) for name in names if hasattr(asked, name)})
    except ValueError as error:
        raise UsageFault(str(error)) from None

    def ready(url: str) -> None:
        tell(f"simulator (rules, no language model) at {url}; stop it with Ctrl-C")
        tell(f"try: kimi-nb run 'List what you can do' --base-url {url} --model simulator")

    asyncio.run(serve(asked.host, asked.port, options, ready))
    return 0
