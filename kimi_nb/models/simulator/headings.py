"""The headings of the answer's table: they say exactly what was measured."""

from __future__ import annotations

from kimi_nb.models.simulator.measure import Filter, Measure

__all__ = ["field_name", "header", "in_capitals", "item_header", "note_header", "source_header"]

_OPS = {
    "rows": ("rows", "行数"),
    "max": ("highest {0}", "{0} 最大值"),
    "min": ("lowest {0}", "{0} 最小值"),
    "mean": ("mean {0}", "{0} 平均值"),
    "sum": ("sum of {0}", "{0} 总和"),
    "std": ("standard deviation of {0} (sample)", "{0} 样本标准差"),
    "first": ("earliest {0}", "{0} 最早"),
    "last": ("latest {0}", "{0} 最晚"),
    "median": ("median {0}", "{0} 中位数"),
    "mode": ("most common {0}", "{0} 最常见值"),
    "range": ("range of {0}", "{0} 范围"),
    "distinct": ("distinct values of {0}", "{0} 不同值个数"),
    "values": ("{0}", "{0}"),
    "count": ("number of {0}", "{0} 数量"),
    "field": ("{0}", "{0}"),
    "argmax": ("{1} with the highest {0}", "{0} 最大的 {1}"),
    "argmin": ("{1} with the lowest {0}", "{0} 最小的 {1}"),
    "occurrences": ("'{0}' (whole word, {2})", "“{0}”出现次数"),
    "matching_lines": ("lines with '{0}' (whole word, {2})", "含“{0}”的行数"),
    "lines": ("lines in the file", "文件行数"),
    "blank_lines": ("blank lines", "空行数"),
    "words": ("words", "字数"),
    "chars": ("characters", "字符数"),
    "bytes": ("bytes", "字节数"),
    "headings": ("headings", "标题数"),
    "heading_list": ("list of headings", "标题列表"),
    "first_heading": ("first heading", "第一个标题"),
    "functions": ("number of functions", "函数数"),
    "classes": ("number of classes", "类数"),
    "function_names": ("functions", "函数名"),
    "class_names": ("classes", "类名"),
    "imports": ("imports", "导入数"),
    "loc": ("lines of code", "代码行数"),
    "cells": ("cells", "单元格数"),
    "code_cells": ("code cells", "代码单元格数"),
    "markdown_cells": ("Markdown cells", "Markdown 单元格数"),
    "links": ("links", "链接数"),
    "columns": ("columns", "列数"),
    "column_names": ("column names", "列名"),
}
_WORDS = {
    ("argmax", "price"): ("most expensive {0}", "最贵的 {0}"),
    ("argmin", "price"): ("cheapest {0}", "最便宜的 {0}"),
    ("argmax", "age"): ("oldest {0}", "最年长的 {0}"),
    ("argmin", "age"): ("youngest {0}", "最年轻的 {0}"),
}
_UNNAMED = ("value", "数值")


def header(measure: Measure, *, chinese: bool) -> str:
    """The heading of a measure's column: exactly what was measured."""
    column = measure.column or _UNNAMED[chinese]
    text = _op(measure, column, chinese=chinese)

    if not measure.filters:
        return text

    conditions = (" 且 " if chinese else " and ").join(_condition(f) for f in measure.filters)
    return f"{text}（{conditions}）" if chinese else f"{text} where {conditions}"


def _op(measure: Measure, column: str, *, chinese: bool) -> str:
    if measure.op in {"argmax", "argmin"} and measure.number:
        return _WORDS[measure.op, measure.column][chinese].format(measure.about)

    if measure.op == "top":
        few, low = abs(measure.number), measure.number < 0

        if chinese:
            return f"{column} 最{'小' if low else '大'}的 {few} 个"

        return f"{few} {'lowest' if low else 'highest'} {column}"

    if measure.op == "nth":
        place, low = abs(measure.number), measure.number < 0

        if chinese:
            return f"{column} 第 {place} {'小' if low else '大'}的不同值"

        ordinal = {2: "second", 3: "third", 4: "fourth", 5: "fifth"}.get(place, f"{place}th")
        return f"{ordinal} {'lowest' if low else 'highest'} {column} (equal values count once)"

    return _OPS[measure.op][chinese].format(
        column, measure.about, "in capitals" if in_capitals(column) else "any case"
    )


def in_capitals(word: str) -> bool:
    """TODO means TODO, not todo."""
    return word.isupper() and word.isascii() and len(word) > 1


def _condition(condition: Filter) -> str:
    return str(condition)


def field_name(op: str) -> str:
    """The name under which a tool may report what `op` counts."""
    return _OPS.get(op, ("",))[0].replace("{0}", "").replace("{1}", "").strip()


def item_header(kind: str, *, chinese: bool) -> str:
    """The heading of the items."""
    names = {"files": ("file", "文件"), "packages": ("package", "包")}
    return names.get(kind, ("item", "项目"))[chinese]


def source_header(*, chinese: bool) -> str:
    """The heading of the sources."""
    return ("source", "来源")[chinese]


def note_header(*, chinese: bool) -> str:
    """The heading of the notes."""
    return ("note", "备注")[chinese]
