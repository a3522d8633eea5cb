"""Numbers that are typed: what argparse says of those that cannot be meant."""

from __future__ import annotations

import argparse

__all__ = ["port", "positive"]


def port(text: str) -> int:
    """A port, or 0. Raises ArgumentTypeError for none."""
    number = int(text)

    if not 0 <= number <= 65_535:
        message = f"{number} is not a port: 0 to 65535"
        raise argparse.ArgumentTypeError(message)

    return number


def positive(text: str) -> int:
    """1 or more. Raises ArgumentTypeError for less."""
    if (number := int(text)) < 1:
        message = f"{number} is too few: 1 or more"
        raise argparse.ArgumentTypeError(message)

    return number
