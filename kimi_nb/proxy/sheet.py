"""What a teacher writes: the endpoint, the classes, and what each learner may spend."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from kimi_nb.errors import Allowed, UsageFault
from kimi_nb.models.endpoint import SIMULATOR
from kimi_nb.models.tiers import tier_limits
from kimi_nb.views.prices import PRICES, Price, typed_price

__all__ = ["Allowance", "Group", "Sheet", "read_sheet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one may spend, and how many calls at once; None is no limit."""

    usd: float | None = None
    tokens: float | None = None
    usd_per_day: float | None = None
    tokens_per_day: float | None = None
    concurrency: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A class."""

    name: str
    whole: Allowance = Allowance()
    """Of all its learners together."""
    limits: Allowed = field(default_factory=Allowed)
    each: Allowance = Allowance()
    """Of a learner who is not named in `students`."""
    students: Mapping[str, Allowance] = field(default_factory=dict[str, Allowance])
    seats: int | None = None
    """Learners who may have a key; None: any number."""
    until: dt.date | None = None
    """The last day on which its keys work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A class.yml that was read."""

    path: Path
    base_url: str
    """Of the endpoint; "simulator" is the one that the proxy serves itself."""
    models: tuple[str, ...]
    prices: Mapping[str, Price]
    """Of every model that has one."""
    contact: str
    """Whom a learner asks."""
    groups: Mapping[str, Group]
    limits: Allowed = field(default_factory=Allowed)
    """Of the account."""
    key_file: Path | None = None
    tls: tuple[Path, Path] | None = None
    """Certificate and its key."""

    @property
    def keys(self) -> Path:
        """The file of the keys' hashes."""
        return self.path.with_suffix(".keys.jsonl")

    @property
    def ledger(self) -> Path:
        """The file with a line for each call."""
        return self.path.with_suffix(".ledger.jsonl")


def read_sheet(path: Path) -> Sheet:
    """The sheet of a YAML file. Raises UsageFault, saying what to write instead; OSError."""
    import yaml

    try:
        text = path.read_text("utf-8")
        tree = cast("object", yaml.compose(text, yaml.SafeLoader))  # pyright: ignore[reportUnknownMemberType]
        raw = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageFault(f"{path} is no YAML: {error}") from None

    if twice := _twice(tree):
        raise UsageFault(f"{path}: {twice!r} stands there twice; YAML would forget the first")

    top = _read(raw, str(path), {"upstream": _as_is, "classes": _mapping, "contact": _text})
    above = _read(
        top.get("upstream"),
        "upstream",
        {
            "base_url": _text,
            "key_file": _text,
            "models": _names,
            "prices": _mapping,
            "tls": _mapping,
            **_LIMITS,
        },
    )

    if not top.get("classes"):
        raise UsageFault(f"{path} has no class: write classes: {{11b: {{each: {{usd: 2}}}}}}")

    base_url = above.get("base_url", "")
    models = above.get("models", (SIMULATOR,) if base_url == SIMULATOR else ())

    if not base_url or not models:
        message = (
            f"{path} must name the endpoint and the models that learners may use; write "
            "upstream: {base_url: 'https://api.moonshot.ai/v1', models: [kimi-k3]}, "
            "or upstream: {base_url: simulator}"
        )
        raise UsageFault(message)

    found = Sheet(
        path=path,
        base_url=base_url,
        models=models,
        prices=_prices(above.get("prices", {})),
        contact=top.get("contact", "your teacher"),
        groups={str(name): _group(str(name), raw) for name, raw in top["classes"].items()},
        limits=_allowed(above),
        key_file=_beside(path, above.get("key_file")),
        tls=_tls(path, above.get("tls")),
    )
    _check_prices(found)
    return found


def _twice(node: Any) -> str | None:
    """A name that a mapping of this YAML, or one within it, has twice."""
    if getattr(node, "id", "") != "mapping":
        return None

    names = [name.value for name, _ in node.value]
    again = next((name for name in names if names.count(name) > 1), None)
    return again or next(filter(None, (_twice(value) for _, value in node.value)), None)


def _group(name: str, raw: object) -> Group:
    where = f"classes.{name}"
    own = {"each": _as_is, "students": _mapping, "seats": _count, "until": _date}
    read = _read(raw, where, {**own, **_LIMITS, **_ALLOWANCE})
    each = _read(read.get("each"), f"{where}.each", _ALLOWANCE)
    students = {
        str(who): Allowance(**{**each, **_read(raw, f"{where}.students.{who}", _ALLOWANCE)})
        for who, raw in read.get("students", {}).items()
    }
    spending = {key: read[key] for key in _ALLOWANCE if key in read and key != "concurrency"}
    return Group(
        name=name,
        whole=Allowance(**spending),
        limits=_allowed(read),
        each=Allowance(**each),
        students=students,
        seats=read.get("seats"),
        until=read.get("until"),
    )


def _allowed(read: dict[str, Any]) -> Allowed:
    typed = {name: read[name] for name in Allowed._fields if name in read}
    return (tier_limits(read["tier"]) if "tier" in read else Allowed())._replace(**typed)


def _prices(raw: dict[str, Any]) -> dict[str, Price]:
    try:
        typed = {str(model): typed_price(str(price)) for model, price in raw.items()}
    except ValueError as error:
        message = f"upstream.prices: {error}; write {{{next(iter(raw))}: '3,0.3,15'}}"
        raise UsageFault(message) from None

    return {**PRICES, **typed}


def _check_prices(sheet: Sheet) -> None:
    allowances = [
        allowance
        for group in sheet.groups.values()
        for allowance in (group.whole, group.each, *group.students.values())
    ]
    missing = [model for model in sheet.models if model not in sheet.prices]

    if missing and any(a.usd is not None or a.usd_per_day is not None for a in allowances):
        message = (
            f"a budget in USD needs the price of {', '.join(missing)}; write under upstream: "
            f"prices: {{{missing[0]}: '3,0.3,15'}}, in USD for 1M tokens: in, cached, out"
        )
        raise UsageFault(message)


def _beside(path: Path, name: str | None) -> Path | None:
    return None if name is None else path.parent / Path(name).expanduser()


def _tls(path: Path, raw: dict[str, Any] | None) -> tuple[Path, Path] | None:
    if raw is None:
        return None

    read = _read(raw, "upstream.tls", {"certificate": _text, "key": _text})
    pair = [path.parent / Path(read.get(name, "")) for name in ("certificate", "key")]

    if missing := [str(file) for file in pair if not file.is_file()]:
        raise UsageFault(f"upstream.tls: there is no file {missing[0]}")

    return pair[0], pair[1]


def _read(raw: object, where: str, kinds: Mapping[str, Callable[[Any], object]]) -> dict[str, Any]:
    """What is written at one place, checked. Raises UsageFault for what is not known there."""
    try:
        written = _mapping({} if raw is None else raw)
    except ValueError as error:
        raise UsageFault(f"{where}: {error}") from None

    if unknown := [name for name in written if name not in kinds]:
        raise UsageFault(f"{where}: there is no {unknown[0]!r}; there are {', '.join(kinds)}")

    found: dict[str, Any] = {}

    for name, value in written.items():
        try:
            found[name] = kinds[name](value)
        except ValueError as error:
            raise UsageFault(f"{where}.{name}: {error}") from None

    return found


def _as_is(value: object) -> object:
    return value


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is no mapping; write NAME: VALUE")  # noqa: TRY004 -- typed so

    return cast("dict[str, Any]", value)


def _text(value: object) -> str:
    if not isinstance(value, str | int | float) or value == "":
        raise ValueError(f"{value!r} is no text; write it in 'quotes'")

    return str(value)


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"{value!r} is no list; write [kimi-k3]")

    return tuple(str(name) for name in cast("list[object]", value))


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ValueError(f"{value!r} is no number above 0; write 2 or 0.5")

    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or _number(value) < 1:
        raise ValueError(f"{value!r} is no whole number above 0; write 20")

    return value


def _date(value: object) -> dt.date:
    if type(value) is not dt.date:
        raise ValueError(f"{value!r} is no date; write 2027-01-31")

    return value


_LIMITS = {"tier": _text, "concurrency": _count, "rpm": _number, "tpm": _number}
_ALLOWANCE = {
    "usd": _number,
    "tokens": _number,
    "usd_per_day": _number,
    "tokens_per_day": _number,
    "concurrency": _count,
}
