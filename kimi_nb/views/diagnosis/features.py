"""What is telling in a text: its words, numbers and, where words have no spaces, its n-grams.

Two texts that share something telling are not equal, and no model is asked: this is evidence,
cheap and deterministic. Words count by their stems' beginnings, so that "museum" is "museums";
numbers by their value, so that 1,200 is 1200 and 1.2k; Chinese by pairs of characters.
What nearly every prompt or report contains ("result", "table", 结果) tells nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import cache, lru_cache

__all__ = ["LONGEST", "STRONG", "WEAK", "features", "is_common", "script"]

LONGEST = 200_000
"""Characters of a text that are read: the answer of hundreds of sub-agents has them."""
WEAK = 1
STRONG = 2
"""A number that nobody writes by chance, or a name: one of them is evidence by itself."""
SEEN = 1_000
"""Characters of a text that tell its script."""
LONGEST_WORD = 80
"""Characters of one word, name or address that count."""
STEM = 7
"""Characters of a plain word that count: endings differ."""
ENDINGS = ("ing", "es", "ed", "s", "e")
"""What English words of one stem differ by; what is left of them has `SHORTEST` letters."""
SHORTEST = 4
"""Letters of a plain word that tells something."""
BY_CHANCE = 100
"""Whole numbers below stand in many texts without having come from another."""
LEAST = 10
"""Smaller ones tell nothing at all."""
DIGITS = 40
YEARS = range(1900, 2101)

HAN = "\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\uac00-\ud7af"
"""Thai, Lao, Burmese, Khmer, kana and Hangul: letters of words that spaces do not part, or that
are inflected; three of them together say something."""
UNITS = r"(?:[kKmM]|bn|thousand|million|billion|[千万萬亿億])(?![a-zA-Z0-9])"
_TOKEN = (
    rf"(?P<whole>\d{{1,3}}(?P<sign>[.,'_])\d{{3}}(?:(?P=sign)\d{{3}})*)(?P<rest>[.,]\d+)?(?![\d])"
    rf"(?:\s?(?P<unit>{UNITS}))?"
    rf"|(?P<plain>\d+(?:[.,]\d+)?)(?:\s?(?P<of>{UNITS}))?"
    rf"|(?P<han>[{HAN}]+)|(?P<unspaced>[{UNSPACED}]+)"
    rf"|(?P<word>[^\W\d{HAN}{UNSPACED}](?:[^\W{HAN}{UNSPACED}]|[-.@](?=[^\W{HAN}{UNSPACED}]))*)"
)
_SIGNS = re.compile(r"[\d._@]")
_UNITS = {
    **dict.fromkeys(("k", "thousand", "千"), 1e3),
    **dict.fromkeys(("万", "萬"), 1e4),
    **dict.fromkeys(("m", "million"), 1e6),
    **dict.fromkeys(("亿", "億"), 1e8),
    **dict.fromkeys(("bn", "billion"), 1e9),
}
_SPACES = str.maketrans(dict.fromkeys("\u2019\u2009\u202f\u00a0", "'"))
"""Between the thousands of a number; of anything else they are no part."""
COMMON = (
    "about above according after again against agent agents all also although always among and "
    "another answer answers any are as at based be because been before being below between both "
    "but by can cannot check collect column columns compare complete completed concise contain "
    "contains content contents could data date describe detail detailed details did different do "
    "does done during each either else error errors every exact exactly example examples fact "
    "facts failed few file files final find findings first following follows for format found "
    "from full further gather general get give given gives had has have here how however if "
    "import important in include included includes including information into is it item items "
    "its itself just keep key known large last latest least less like list listed lists look made "
    "main make many markdown may might more most much must name named names need needs never new "
    "next none not note notes nothing now number numbers of on once one only or order other "
    "others our out over overview page pages part per please point points possible previous "
    "problem problems provide provided question questions read really relevant reply report "
    "reports required research respectively result results return returned returns row rows said "
    "same say second section see several short should show shown shows since single so some "
    "source sources specific state still sub subagent such sum summarise summarize summary table "
    "task tasks tell text than that the their them then there therefore these they thing third "
    "this those three through thus time title to together tool tools top total two under until up "
    "use used useful user using value values verify very was way well were what when where "
    "whether which while who whole why will with within without word words work worked would "
    "write written yes yet you your csv json html http https www yaml utf"
)
_EMPTY_HAN = frozenset(
    "的了是在和与及或等为有不也就都而这那其个们我你他它请把被将从到对于中上下并且以可能会要用给各每所之该此"
)
COMMON_HAN = (
    "结果 数据 报告 内容 信息 表格 文件 分析 任务 完成 总结 列出 说明 时间 "
    "问题 提供 比较 包括 返回 查找 根据 如下 使用 进行 相关 具体 主要 情况 "
    "名称 数量 方法 来源 日期 一个 需要 通过 研究 详细 最终 答案 资料 简要 "
    "整理 输出 格式 简单 回答 描述 检查 确认 统计 记录 收集 汇总 单独 分别 "
    "总共 没有 错误 失败 成功 "
)
_COMMON = frozenset(COMMON.split())
_COMMON_HAN = frozenset(COMMON_HAN.split())


def features(text: str) -> dict[str, int]:
    """What is telling in the first `LONGEST` characters of a text, each `WEAK` or `STRONG`.

    In the order in which they first stand there. Takes time in proportion to the text.
    """
    text = text[:LONGEST]

    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_SPACES))[:LONGEST]

    found: dict[str, int] = {}

    for feature, weight in _every(text):
        if weight > found.get(feature, 0):
            found[feature] = weight

    return found


def script(text: str) -> str:
    """In which most letters of a text's beginning are, as "LATIN" or "CJK"; "" if it has none.

    A text that was translated into another shares no words with it.
    """
    names = (unicodedata.name(char, "") for char in text[:SEEN] if char.isalpha())
    return next((name for name, _ in Counter(n.split(" ")[0] for n in names).most_common(1)), "")


def is_common(word: str) -> bool:
    """Whether nearly every prompt or report has this word, so that it tells nothing."""
    return word in _COMMON or word in _EMPTY_HAN


@cache
def _tokens() -> re.Pattern[str]:
    """Compiled when it is first needed: it takes longer than many an import."""
    return re.compile(_TOKEN)


def _every(text: str) -> Iterator[tuple[str, int]]:
    for match in _tokens().finditer(text):
        token = match[0]

        match match.lastgroup:
            case "word":
                yield from _word(token[:LONGEST_WORD])
            case "han":
                yield from _grams(token, 2)
            case "unspaced":
                yield from _grams(token, 3)
            case _:
                yield from _number(match)


@lru_cache(maxsize=1 << 15)  # a run has few words, many times each
def _word(token: str) -> tuple[tuple[str, int], ...]:
    return tuple(_parts(token))


def _parts(token: str) -> Iterator[tuple[str, int]]:
    if _SIGNS.search(token):  # a file, an identifier, an address
        if len(token) >= SHORTEST:
            yield token.casefold(), STRONG
    else:
        for part in token.split("-"):
            yield from _plain_word(part)


def _plain_word(token: str) -> Iterator[tuple[str, int]]:
    word = token.casefold()

    if word in _COMMON:
        return

    if len(word) >= SHORTEST:
        yield _stem(word), STRONG if token[0].isupper() else WEAK
    elif len(word) > 1 and token.isupper():
        yield word, WEAK


def _stem(word: str) -> str:
    """What the forms of a word begin with: of leaks and leaking, "leak"; of closed, "clos"."""
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) >= len(ending) + SHORTEST:
            return word.removesuffix(ending)[:STEM]

    return word[:STEM]


def _grams(run: str, size: int) -> Iterator[tuple[str, int]]:
    for start in range(len(run) - size + 1):
        gram = run[start : start + size]

        if gram not in _COMMON_HAN and _EMPTY_HAN.isdisjoint(gram):
            yield gram, WEAK


def _number(match: re.Match[str]) -> Iterator[tuple[str, int]]:
    """Each value that it may stand for: 1.200 is 1.2 to some, 1200 to others."""
    scale = _UNITS.get((match["unit"] or match["of"] or "").casefold(), 1.0)

    for digits in _readings(match):
        value = float(digits[:DIGITS]) * scale

        if value % 1:
            yield f"#{value:.12g}", STRONG
        elif value >= LEAST:
            round_ = not f"{value:.12g}".rstrip("0")[1:]
            by_chance = value < BY_CHANCE or value in YEARS or round_
            yield f"#{value:.12g}", WEAK if by_chance else STRONG


def _readings(match: re.Match[str]) -> Iterator[str]:
    if match["plain"]:
        yield match["plain"].replace(",", ".")
        return

    whole, sign, rest = match["whole"], match["sign"], match["rest"]
    yield whole.replace(sign, "") + (rest or "").replace(",", ".")

    if sign in ".," and whole.count(sign) == 1 and not rest:
        yield whole.replace(",", ".")
