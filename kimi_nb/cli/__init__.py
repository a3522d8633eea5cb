"""The command line: `kimi-nb`."""

from kimi_nb.cli.main import main

__all__ = ["main"]
