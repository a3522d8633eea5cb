"""Signatures become schemas that Kimi takes, and readers that take what fits them."""

from __future__ import annotations

import enum
import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, make_dataclass
from typing import Annotated, Any, Literal, NewType, NotRequired, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_nb.errors import UsageFault
from kimi_nb.tools import Tool, ToolContext, tool
from kimi_nb.tools.arguments import BadArgument
from kimi_nb.tools.scalars import Fit

TYPES = {"string", "integer", "number", "boolean", "null", "object", "array"}
FORBIDDEN = {"$ref", "$defs", "allOf", "oneOf", "not", "pattern"}
ALLOWED = {
    *("type", "description", "default", "enum", "anyOf"),
    *("items", "properties", "required", "additionalProperties"),
}


def faults(schema: dict[str, Any], at: str = "$") -> list[str]:
    """What Moonshot would refuse, found by rules written down here, not in the package."""
    found = [f"{at}: {key}" for key in schema if key in FORBIDDEN or key not in ALLOWED]

    if "anyOf" in schema:
        found += [f"{at}: type beside anyOf"] if "type" in schema else []
        found += [f"{at}: anyOf of {len(schema['anyOf'])}"] if len(schema["anyOf"]) < 2 else []
        found += [f"{at}: nested anyOf" for each in schema["anyOf"] if "anyOf" in each]
        inner = [(f"{at}|{number}", each) for number, each in enumerate(schema["anyOf"])]
    else:
        found += [f"{at}: no type"] if schema.get("type") not in TYPES else []
        inner = [(f"{at}.{name}", each) for name, each in schema.get("properties", {}).items()]
        inner += [(f"{at}[]", schema["items"])] if "items" in schema else []
        inner += [(f"{at}.*", schema[key]) for key in ("additionalProperties",) if key in schema]

    if schema.get("type") == "array" and "items" not in schema:
        found.append(f"{at}: array without items")

    unknown = set(schema.get("required", ())) - set(schema.get("properties", {}))
    found += [f"{at}: requires unknown {name}" for name in unknown]

    for value in schema.get("enum", ()):
        names = {str: "string", int: "integer", float: "number", bool: "boolean"}
        found += [f"{at}: {value!r} is no {schema['type']}"] * (
            names[type(value)] != schema["type"]
        )

    return found + [fault for place, each in inner for fault in faults(each, place)]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mixed(enum.Enum):
    WORD = "word"
    NUMBER = 7


class Address(TypedDict):
    street: str
    number: NotRequired[int]


@dataclass
class Point:
    x: float
    y: float = 0.0
    tags: list[str] = field(default_factory=list)


UserId = NewType("UserId", int)
scalars = st.sampled_from(
    [str, int, float, bool, UserId, Colour, Level, Mixed, Point, Address, Literal["a", 1]]
)
literals = st.lists(
    st.one_of(st.text(max_size=3), st.integers(), st.booleans()), min_size=1, max_size=4
).map(lambda values: Literal[tuple(values)])
identifiers = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name.isidentifier() and name not in {"self", "cls"}
)


def dataclasses_of(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    fields = st.dictionaries(identifiers, inner, max_size=3)
    safe = fields.filter(lambda names: not any(map(_is_keyword, names)))
    return safe.map(lambda names: make_dataclass("Made", names.items()))


def _is_keyword(name: str) -> bool:
    import keyword

    return keyword.iskeyword(name)


annotations = st.recursive(
    scalars | literals,
    lambda inner: st.one_of(
        inner.map(lambda t: list[t]),
        inner.map(lambda t: Sequence[t]),
        inner.map(lambda t: tuple[t, ...]),
        inner.map(lambda t: dict[str, t]),
        inner.map(lambda t: Mapping[str, t]),
        inner.map(lambda t: t | None),
        st.tuples(inner, inner).map(lambda pair: pair[0] | pair[1]),
        inner.map(lambda t: Annotated[t, "a note"]),
        dataclasses_of(inner),
    ),
    max_leaves=5,
)


@given(
    st.dictionaries(
        identifiers.filter(lambda n: not _is_keyword(n)),
        st.tuples(annotations, st.booleans()),
        max_size=5,
    )
)
def test_any_signature_gives_a_schema_that_moonshot_takes(
    parameters: dict[str, tuple[Any, bool]],
) -> None:
    made = function_with({name: hint for name, (hint, _) in parameters.items()})
    made.__defaults__ = None
    optional = {name for name, (_, has_default) in parameters.items() if has_default}
    made.__kwdefaults__ = dict.fromkeys(optional)
    made.__signature__ = inspect.Signature(
        [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=None if name in optional else inspect.Parameter.empty,
            )
            for name in parameters
        ]
    )

    schema = tool(made).parameters

    assert faults(schema) == []
    assert list(schema["properties"]) == list(parameters)
    assert set(schema.get("required", ())) == set(parameters) - optional


def function_with(hints: dict[str, Any]) -> Any:
    def made(**_: Any) -> str:
        return ""

    made.__annotations__ = dict(hints)
    return made


def test_the_checker_itself_sees_faults() -> None:
    assert faults({"type": "string", "anyOf": [{"type": "string"}, {"type": "null"}]})
    assert faults({"type": "object", "properties": {"x": {"description": "?"}}})
    assert faults({"$ref": "#/$defs/X"})
    assert faults({"type": "array"})
    assert faults({"type": "object", "properties": {"x": {"type": "integer", "enum": ["a"]}}})


def test_each_type_has_its_schema() -> None:
    @tool
    def every(  # noqa: PLR0917
        a: str,
        b: int,
        c: float,
        d: bool,  # noqa: FBT001
        e: list[int],
        f: dict[str, float],
        g: Literal["x", "y"],
        h: Colour,
        i: Point,
        j: Address,
        k: int | str,
        l: str | None,  # noqa: E741
        m: int = 3,
        n: str | None = None,
    ) -> None:
        """Everything."""

    point = {
        "type": "object",
        "properties": {
            "x": {"type": "number"},
            "y": {"type": "number", "default": 0.0},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["x"],
    }
    address = {
        "type": "object",
        "properties": {"street": {"type": "string"}, "number": {"type": "integer"}},
        "required": ["street"],
    }
    assert every.parameters == {
        "type": "object",
        "properties": {
            "a": {"type": "string"},
            "b": {"type": "integer"},
            "c": {"type": "number"},
            "d": {"type": "boolean"},
            "e": {"type": "array", "items": {"type": "integer"}},
            "f": {"type": "object", "additionalProperties": {"type": "number"}},
            "g": {"type": "string", "enum": ["x", "y"]},
            "h": {"type": "string", "enum": ["red", "blue"]},
            "i": point,
            "j": address,
            "k": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
            "l": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "m": {"type": "integer", "default": 3},
            "n": {"type": "string"},
        },
        "required": list("abcdefghijkl"),
    }


def test_google_docstrings_describe_parameters() -> None:
    @tool
    def price(museum: str, day: Annotated[str, "a weekday"] = "Monday") -> str:
        """The price of a ticket.

        In euros.

        Args:
            museum (str): its name,
                as people say it
            day: overridden by the annotation

        Returns:
            A number.
        """
        return museum + day

    properties = price.parameters["properties"]
    assert price.description == "The price of a ticket.\n\nIn euros.\n\nReturns:\n    A number."
    assert properties["museum"]["description"] == "its name, as people say it"
    assert properties["day"]["description"] == "a weekday"


def test_numpy_and_sphinx_docstrings_describe_parameters() -> None:
    @tool
    def numpy_style(one: str, two: int = 1) -> None:
        """Short.

        Parameters
        ----------
        one : str
            The first.
        two : int, optional
            The second,
            in two lines.

        Returns
        -------
        None
        """

    @tool
    def sphinx_style(one: str, two: int = 1) -> None:
        """Short.

        :param one: The first.
        :param int two: The second,
            in two lines.
        """

    for made in (numpy_style, sphinx_style):
        told = made.parameters["properties"]
        assert made.description.startswith("Short.")
        assert "The first" not in made.description
        assert told["one"]["description"] == "The first."
        assert told["two"]["description"] == "The second, in two lines."


def test_a_decorated_function_can_still_be_called() -> None:
    @tool
    def double(number: int) -> int:
        """Twice."""
        return 2 * number

    @tool(name="renamed", side_effects=True)
    def triple(number: int) -> int:
        return 3 * number

    assert double(4) == 8
    assert triple(number=4) == 12
    assert (double.name, double.side_effects) == ("double", False)
    assert (triple.name, triple.side_effects, triple.description) == ("renamed", True, "renamed")


def test_the_context_is_not_shown_to_the_model() -> None:
    @tool
    def where(context: ToolContext, name: str) -> str:
        return f"{context.folder}/{name}"

    assert where.context_parameter == "context"
    assert list(where.parameters["properties"]) == ["name"]


def bare(x) -> None: ...
def stars(*words: str) -> None: ...
def options(**words: str) -> None: ...
def positional(word: str, /) -> None: ...
def anything(x: Any) -> None: ...
def bare_list(x: list) -> None: ...
def bare_dict(x: dict) -> None: ...
def keys(x: dict[int, str]) -> None: ...
def pair(x: tuple[int, str]) -> None: ...
def raw(x: bytes) -> None: ...
def undefined(x: Nowhere) -> None: ...  # noqa: F821
def items(x: Iterable) -> None: ...


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (bare, "parameter 'x' has no type; write for example x: str"),
        (stars, "parameter 'words'"),
        (options, "parameter 'words'"),
        (positional, "parameter 'word'"),
        (anything, "parameter 'x': Any"),
        (bare_list, "parameter 'x': list cannot be described to a model; write list[str]"),
        (bare_dict, "parameter 'x': dict cannot be described to a model; write dict[str, str]"),
        (keys, "write dict[str, str]"),
        (pair, "parameter 'x': tuple[int, str]"),
        (raw, "parameter 'x': bytes"),
        (undefined, "'Nowhere', which is not defined"),
        (items, "write list[str]"),
    ],
)
def test_what_has_no_schema_is_refused_by_name(function: Any, told: str) -> None:
    with pytest.raises(UsageFault, match=re.escape(told)):
        tool(function)


@dataclass
class Tree:
    children: list[Tree]


def test_a_recursive_dataclass_is_refused() -> None:
    def plant(tree: Tree) -> None: ...

    with pytest.raises(UsageFault, match="contains itself"):
        tool(plant)


@pytest.mark.parametrize("name", ["ab", "1abc", "-abc", "a b c", "naïve", "x" * 65, "abc\n", "  "])
def test_names_that_kimi_refuses_are_refused_here(name: str) -> None:
    def anything_else() -> None: ...

    with pytest.raises(UsageFault, match="3 to 64"):
        tool(name=name)(anything_else)


def test_a_class_of_an_enclosing_function_is_found() -> None:
    @dataclass
    class Local:
        x: int

    @tool
    def take(local: Local) -> int:
        return local.x + (0 if isinstance(local, Local) else 1)

    assert read(take, {"local": {"x": 2}}) == {"local": Local(2)}


def read(made: Tool, value: Any) -> Any:
    assert made.reader is not None
    return made.reader(value, "", Fit.LENIENT)


def test_structures_arrive_as_what_the_function_expects() -> None:
    @tool
    def take(p: Point, c: Colour, n: Level, a: Address, s: set[int], m: Mixed) -> None: ...

    given_ = {
        "p": {"x": "1.5", "tags": "one"},
        "c": "RED",
        "n": "2",
        "a": '{"street": "Rue"}',
        "s": [1, 1.0, "2"],
        "m": 7,
    }
    assert read(take, given_) == {
        "p": Point(1.5, 0.0, ["one"]),
        "c": Colour.RED,
        "n": Level.HIGH,
        "a": {"street": "Rue"},
        "s": {1, 2},
        "m": Mixed.NUMBER,
    }


def test_a_union_prefers_what_fits_exactly() -> None:
    @tool
    def take(x: int | str | list[int]) -> None: ...

    assert read(take, {"x": "3"}) == {"x": "3"}
    assert read(take, {"x": 3}) == {"x": 3}
    assert read(take, {"x": 3.0}) == {"x": 3}
    assert read(take, {"x": [3]}) == {"x": [3]}


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_an_integer_is_taken_in_every_way_of_writing_it(number: int) -> None:
    @tool
    def take(x: int, y: float) -> None: ...

    for written in (number, str(number), float(number), f" {number} "):
        found = read(take, {"x": written, "y": written})
        assert found == {"x": number, "y": float(number)}
        assert type(found["x"]) is int
        assert type(found["y"]) is float


@given(
    st.one_of(
        st.none(),
        st.booleans(),
        st.floats().filter(lambda x: not x.is_integer()),
        st.text().filter(lambda s: not re.fullmatch(r"\s*[+-]?[\d_.eE+-]+\s*", s)),
        st.lists(st.integers(), min_size=2),
        st.dictionaries(st.text(), st.integers()),
    )
)
def test_nothing_else_becomes_an_integer(value: Any) -> None:
    @tool
    def take(x: int) -> None: ...

    with pytest.raises(BadArgument, match=r"argument 'x' must be an integer, not "):
        read(take, {"x": value})
