"""Notebook 01: a tool, as a model sees it."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, cast

from kimi_nb.teach.exercise import WRONG, Exercise, Mistake
from kimi_nb.teach.text import Text
from kimi_nb.tools import tool

__all__ = ["EXERCISES"]

Wanted = dict[str, Any]
Spec = dict[str, Any]

TYPES = {"place": "string", "adults": "integer"}
"""Of the parameters that are asked for."""
UNITS = ("eur", "€", "欧")
LEAST = 12
"""Characters that say something: "the price" says no more than the name."""


def spec(given: Wanted) -> Spec:
    @tool(name=given["name"])
    def tickets(place: str, adults: int = given["adults"]) -> float:
        """What it costs to get in, in euros.

        Args:
            place: The place's name, as its own site writes it.
            adults: How many adults come.
        """
        return 12.5 * adults * len(place)

    return tickets.spec


def _changed(given: Wanted, **parameters: Any) -> Spec:
    """The right one with other parameters."""
    made = spec(given)
    shape = made["function"]["parameters"]
    made["function"]["parameters"] = {**shape, **parameters}
    return made


def _undescribed(given: Wanted) -> Spec:
    @tool(name=given["name"])
    def tickets(place: str, adults: int = given["adults"]) -> float:
        return 12.5 * adults * len(place)

    return tickets.spec


def _unitless(given: Wanted) -> Spec:
    made = spec(given)
    made["function"]["description"] = "What it costs to get in there."
    return made


def _other_name(given: Wanted) -> Spec:
    return spec({**given, "name": "tickets"})


def _parameters_undescribed(given: Wanted) -> Spec:
    shape = spec(given)["function"]["parameters"]["properties"]
    bare = {n: {k: v for k, v in p.items() if k != "description"} for n, p in shape.items()}
    return _changed(given, properties=bare)


def _all_text(given: Wanted) -> Spec:
    shape = spec(given)["function"]["parameters"]["properties"]
    return _changed(given, properties={n: {**p, "type": "string"} for n, p in shape.items()})


def _all_required(given: Wanted) -> Spec:
    return _changed(given, required=list(TYPES))


def _judged(output: Any, args: list[Any]) -> str:
    (given,) = args
    function = _within(output, "function")
    shape = _within(function, "parameters")
    found = {name: _within(_within(shape, "properties"), name) for name in TYPES}

    if not function or not all(found.values()):
        return WRONG

    if function.get("name") != given["name"]:
        return "name"

    if any(found[name].get("type") != kind for name, kind in TYPES.items()):
        return "types"

    if shape.get("required") != ["place"] or found["adults"].get("default") != given["adults"]:
        return "required"

    described = [function.get("description"), *(found[name].get("description") for name in TYPES)]
    return _told(described, [given["name"], *TYPES])


def _told(described: Sequence[object], names: Sequence[str]) -> str:
    """What is not said of the tool and of its parameters, in this order."""
    if not _says(described[0], names[0]):
        return "silent"

    if not any(unit in str(described).lower() for unit in UNITS):
        return "unit"

    return "" if all(map(_says, described, names)) else "parameters"


def _within(value: Any, key: str) -> dict[str, Any]:
    """The dict under a key; an empty one where there is none."""
    found: Any = cast("Spec", value).get(key) if isinstance(value, dict) else None
    return cast("Spec", found) if isinstance(found, dict) else {}


def _says(description: object, name: str) -> bool:
    """Whether it tells more than the name; a Chinese character tells as much as three letters."""
    if not isinstance(description, str):
        return False

    chinese = sum("\u4e00" <= letter <= "\u9fff" for letter in description)
    told = description.lower().strip(" .") != name.replace("_", " ")
    return told and len(description) + 2 * chinese >= LEAST


def _wanted(dice: Random) -> list[list[Any]]:
    kind = dice.choice(["museum", "zoo", "opera", "castle", "tower", "cinema", "garden"])
    return [[{"name": f"{kind}_{dice.choice(['price', 'tickets'])}", "adults": dice.randint(1, 9)}]]


TOOL = Exercise(
    id="ex01.tool",
    title=Text("A tool that a model can use", "一个模型用得上的工具"),
    task=Text(
        "A model sees of a tool its specification, never its code. Write a function with "
        '`@kn.tool(name=given["name"])` that has two parameters: `place`, a text, and `adults`, '
        'a whole number that may be left out and is then `given["adults"]`. It returns a price '
        "in euros, any. Make the specification say what a model has to know: what comes back and "
        "in which unit, and what each parameter means. Bind `.spec` of the tool to `spec`.",
        '模型看到的是工具的规格说明，看不到它的代码。用 `@kn.tool(name=given["name"])` 写一个函数，'
        '它有两个参数：`place` 是文本；`adults` 是整数，可以省略，省略时取 `given["adults"]`。'
        "它返回以欧元计的价格，数值随意。让规格说明写清模型必须知道的事：返回什么、用什么单位、"
        "每个参数是什么意思。把这个工具的 `.spec` 赋给 `spec`。",
    ),
    difficulty=2,
    minutes=6,
    form="value",
    name="spec",
    stub='import kimi_nb as kn\n\ngiven = kn.given("ex01.tool")\nprint(given)\nspec = None',
    cases=_wanted,
    solve=spec,
    solution=(
        '@kn.tool(name=given["name"])\n'
        'def tickets(place: str, adults: int = given["adults"]) -> float:\n'
        '    """What it costs to get in, in euros.\n\n'
        "    Args:\n"
        "        place: The place's name, as its own site writes it.\n"
        "        adults: How many adults come.\n"
        '    """\n'
        "    return 12.5 * adults\n\n"
        "spec = tickets.spec"
    ),
    hints=(
        Text(
            "Print `tickets.spec` and read it as someone who has never seen your code.",
            "打印 `tickets.spec`，把自己当成从没看过这段代码的人，读一遍。",
        ),
        Text(
            "Types come from the annotations, descriptions from the docstring; what may be left "
            "out is what has a default.",
            "类型来自注解，描述来自文档字符串；有默认值的参数才可以省略。",
        ),
        Text(
            "The docstring: one sentence, an empty line, `Args:`, and a line `name: what it is` "
            "for each parameter.",
            "文档字符串这样写：一句话，空一行，`Args:`，然后每个参数一行 `名称: 含义`。",
        ),
    ),
    mistakes=(
        Mistake(
            key="name",
            wrong=_other_name,
            says=Text(
                "The tool has another name than was asked for. A model calls it by the name in "
                'its specification: look at `spec["function"]["name"]`.',
                "工具的名称和要求的不一样。模型按规格说明里的名称来调用它："
                '看看 `spec["function"]["name"]`。',
            ),
        ),
        Mistake(
            key="silent",
            wrong=_undescribed,
            says=Text(
                "The description says no more than the name. Is it the price in euros or in yen, "
                "for one ticket or for all? From where would a model know?",
                "描述说的不比名称多。价格是欧元还是日元，是一张票的还是所有票的？模型从哪里知道？",
            ),
        ),
        Mistake(
            key="unit",
            wrong=_unitless,
            says=Text(
                "A number comes back, and nowhere is said of what. A model that adds it to a price "
                "in yen: who would notice?",
                "返回的是一个数，却没有说明单位。如果模型把它和日元价格相加，谁会发现？",
            ),
        ),
        Mistake(
            key="parameters",
            wrong=_parameters_undescribed,
            says=Text(
                "The tool is described, but of a parameter too little is said, or nothing. "
                "`place`: a city, an address, a name? A model that has to guess calls it twice.",
                "工具有描述，但有的参数没有说明，或者说得太少。`place` 是城市、地址还是名称？"
                "只能靠猜的模型会多调用一次。",
            ),
        ),
        Mistake(
            key="types",
            wrong=_all_text,
            says=Text(
                'A type is not as asked. What does a call with `{"adults": "two or three"}` do '
                "to your function?",
                '有一个类型不符合要求。如果调用是 `{"adults": "两三个"}`，你的函数会怎样？',
            ),
        ),
        Mistake(
            key="required",
            wrong=_all_required,
            says=Text(
                "`place` cannot be left out and `adults` can, with the value that was given for "
                'it. Look at `spec["function"]["parameters"]`: does it say that?',
                "`place` 不能省略，`adults` 可以省略，省略时取给定的值。"
                '看看 `spec["function"]["parameters"]`：它是这么说的吗？',
            ),
        ),
    ),
    judge=_judged,
)

EXERCISES = (TOOL,)
