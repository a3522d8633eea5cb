"""Modules that read and write lines of text."""

from __future__ import annotations

from kimi_nb.worlds.broken_code.library.text import WORDS
from kimi_nb.worlds.broken_code.template import Template

__all__ = ["MODULES"]

RECORDS = Template(
    names=("records", "settings", "headers"),
    choose={"parse": ("parse", "read_settings", "fields_of"), "mark": ("=", ":")},
    source='''
"""Lines of names and values."""

MARK = "$mark"


def $parse(text):
    """The values by name; empty lines and those that begin with # are left out."""
    found = {}

    for line in text.splitlines():
        line = line.strip()

        if not line ⟦operator:or¦and⟧ line.startswith("#"):
            continue

        name, _, value = line.partition(MARK)
        found[name.strip()] = value.⟦attribute:strip¦lstrip⟧()

    return found


def whole(text, name, default=⟦default:0¦1⟧):
    """The value of a name as a whole number, the default if it has none."""
    value = $parse(text).get(name, "")
    return int(value) if value.isdigit() else default


def written(values):
    """The lines of names and values, in the order of the alphabet."""
    lines = []

    for name in ⟦missing:sorted(values)¦values⟧:
        lines.append(name + MARK + str(values[name]))

    return lines
''',
    calls={
        "$parse": lambda draw: [
            "\n".join(
                f" {name} = a:{n}  \n\n# {name}: {n}"
                for n, name in enumerate(draw.sample(WORDS, 3))
            )
        ],
        "whole": lambda draw: [
            f"pier={draw.randint(2, 99)}\npier:{draw.randint(2, 9)}",
            draw.choice(("pier", "gone")),
        ],
        "written": lambda draw: [{name: draw.randint(0, 30) for name in draw.sample(WORDS, 4)}],
    },
    edges={"$parse": (("# old\n\n pier = 4 \ntide: 5",),), "whole": (("", "pier"), ("", "a", 7))},
)

MODULES = (RECORDS,)
