"""A key that cannot be shown by accident."""

from __future__ import annotations

from typing import NoReturn, Self

from kimi_nb.redact import know

__all__ = ["Secret"]


class Secret:
    """Holds a key: not in any repr, not picklable; `reveal` is for the header alone.

    From its making on, the key is taken out of all text that goes through `redact.hide`.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        know(value)
        self._value = value

    @classmethod
    def of(cls, key: str | Secret | None) -> Secret | None:
        """The key as somebody gave it; None where it is empty.

        For the first statement of a function, so that no traceback can show the argument.
        """
        return key if isinstance(key, Secret) else cls(key) if key else None

    def reveal(self) -> str:
        """The key itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        message = "a key is not written anywhere; make it anew where it is needed"
        raise TypeError(message)
