"""Interactive pages from a sentence, by a small grammar in English and Chinese."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

import orjson

__all__ = ["labels_of", "page_for"]

COLOURS = {
    "red": "红",
    "green": "绿",
    "blue": "蓝",
    "orange": "橙",
    "purple": "紫",
    "teal": "青",
    "black": "黑",
    "grey": "灰",
    "pink": "粉",
    "brown": "棕",
    "gold": "金",
}
_QUOTED = re.compile(r'["“”「」]([^"“”「」]+)["“”「」]')
_LABELLED = re.compile(
    r"(?:labelled|labeled|called|saying|写着|标有|名为)\s*"
    r'["“「]([^"“”「」]+)["”」](?:\s*(?:and|和|、)\s*["“「]([^"“”「」]+)["”」])?'
)
_ID = re.compile(r"\bid\s*(?:为|是|=|of)?\s*[\"'“]?([A-Za-z][\w-]*)")
_FIELD_ID = re.compile(
    r"(?:text field|input|field)\s+with\s+(?:the\s+)?id\s+([A-Za-z][\w-]*)"
    r"|id\s*为\s*([A-Za-z][\w-]*)\s*的(?:文本框|输入框)"
)
_START = re.compile(r"(?:begins? (?:with|at)|starts? (?:with|at|from)|,\s*from|从)\s*(-?\d+)")
_BY = re.compile(r"\bby\s+(\d+)|(?:增加和减少|加减|增减)\s*(\d+)")
_WORDS: dict[str, re.Pattern[str]] = {
    "level": re.compile(r"rais\w* and lower|increas\w* and decreas|增加和减少|加减"),
    "count": re.compile(r"count\w* (?:its|the|how often|every)|数自己被点击|点击次数"),
    "toggle": re.compile(r"show\w* (?:and|or) hid|hid\w* (?:and|or) show|显示或隐藏|显示和隐藏"),
    "add": re.compile(r"adds?\b.*\b(?:item|list)|加到.*列表"),
    "write": re.compile(r"writes?\b.*\binto\b|框里写出|写到"),
}


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the words of a sentence say."""

    kind: str
    colour: str
    labels: tuple[str, ...]
    field: str
    """The id of the text field; "" if there is none."""
    box: str
    """The id of what changes."""
    said: str
    """The other quoted text; "" if there is none."""
    start: int
    by: int
    hidden: bool


def labels_of(page: str) -> list[str]:
    """The labels of a page's buttons, in its order."""
    return [html.unescape(label) for label in re.findall(r"<button[^>]*>([^<]*)</button>", page)]


def page_for(text: str) -> str:
    """The page that a sentence asks for; "" if it is not understood."""
    wish = _understood(" ".join(text.split()))

    if wish is None:
        return ""

    body, script = _BODIES[wish.kind](wish)
    colour = f"background:{wish.colour};color:white;" if wish.colour else ""
    return (
        '<!doctype html>\n<meta charset="utf-8">\n<title>Page</title>\n<style>\n'
        "body { font-family: sans-serif; margin: 24px; }\n"
        f"button {{ {colour}border:0;border-radius:6px;padding:8px 16px;font-size:15px; }}\n"
        "input, output, p, ul { display: block; margin: 12px 0; font-size: 15px; }\n"
        "[hidden] { display: none; }\n</style>\n"
        f"{body}\n<script>\n{script}\n</script>\n"
    )


def _understood(text: str) -> _Wish | None:
    kind = next((name for name, words in _WORDS.items() if words.search(text)), "")
    labelled = _LABELLED.search(text)
    ids = [found[1] for found in _ID.finditer(text)]

    if not kind or labelled is None or not ids:
        return None

    labels = tuple(filter(None, labelled.groups()))
    field = next((one or two for one, two in _FIELD_ID.findall(text)), "")
    boxes = [each for each in ids if each != field]
    needed = {"level": 2}.get(kind, 1)

    if not boxes or len(labels) < needed or (kind in {"add", "write"} and not field):
        return None

    start, by = _START.search(text), _BY.search(text)
    return _Wish(
        kind=kind,
        colour=next((name for name, sign in COLOURS.items() if _says(text, name, sign)), ""),
        labels=labels,
        field=field,
        box=boxes[0],
        said=next((each for each in _QUOTED.findall(text) if each not in labels), ""),
        start=int(start[1]) if start else 0,
        by=int(next(filter(None, by.groups()), "1")) if by else 1,
        hidden=re.search(r"hidden at first|一开始是隐藏", text) is not None,
    )


def _says(text: str, name: str, sign: str) -> bool:
    return re.search(rf"(?i)\b{name}\b", text) is not None or f"{sign}色" in text


def _buttons(wish: _Wish) -> str:
    return "\n".join(
        f'<button type="button">{html.escape(label, quote=False)}</button>' for label in wish.labels
    )


def _parts(wish: _Wish) -> str:
    """What every script begins with."""
    field = f'const field = document.getElementById("{wish.field}");\n' if wish.field else ""
    return (
        f'const box = document.getElementById("{wish.box}");\n{field}'
        'const buttons = document.querySelectorAll("button");\n'
    )


def _field(wish: _Wish) -> str:
    return f'<input id="{wish.field}" type="text">\n'


def _number(wish: _Wish, steps: tuple[int, ...]) -> tuple[str, str]:
    clicks = "".join(
        f"\nbuttons[{n}].onclick = () => {{ box.textContent = Number(box.textContent) + {step}; }};"
        for n, step in enumerate(steps)
    )
    return f'{_buttons(wish)}\n<output id="{wish.box}">{wish.start}</output>', _parts(wish) + clicks


def _toggle(wish: _Wish) -> tuple[str, str]:
    hidden = " hidden" if wish.hidden else ""
    paragraph = f'<p id="{wish.box}"{hidden}>{html.escape(wish.said, quote=False)}</p>'
    click = "buttons[0].onclick = () => { box.hidden = !box.hidden; };"
    return f"{_buttons(wish)}\n{paragraph}", _parts(wish) + click


def _write(wish: _Wish) -> tuple[str, str]:
    body = f'{_field(wish)}{_buttons(wish)}\n<output id="{wish.box}"></output>'
    said = orjson.dumps(wish.said + " ").decode().replace("<", "\\u003c") if wish.said else '""'
    return (
        body,
        f"{_parts(wish)}buttons[0].onclick = () => {{ box.textContent = {said} + field.value; }};",
    )


def _add(wish: _Wish) -> tuple[str, str]:
    body = f'{_field(wish)}{_buttons(wish)}\n<ul id="{wish.box}"></ul>'
    click = (
        "buttons[0].onclick = () => {\n"
        '  const item = document.createElement("li");\n'
        "  item.textContent = field.value;\n"
        "  box.append(item);\n"
        '  field.value = "";\n'
        "};"
    )
    return body, _parts(wish) + click


_BODIES: dict[str, Callable[[_Wish], tuple[str, str]]] = {
    "count": lambda wish: _number(wish, (1,)),
    "level": lambda wish: _number(wish, (wish.by, -wish.by)),
    "toggle": _toggle,
    "add": _add,
    "write": _write,
}
