"""How people say where the items are, as patterns; literals stand as ⟦n⟧."""
# ruff: noqa: E501 - a pattern is easier to read on one long line

from __future__ import annotations

import re

__all__ = [
    "ANY_FILE",
    "BEFORE_PACKAGES",
    "EACH",
    "ENDING",
    "FILES_WORD",
    "FOLDERS",
    "FOLDER_LINE",
    "FOLDER_WORD",
    "HAN_VERBS",
    "HAS_FACTS",
    "HERE",
    "INLINE",
    "JOINT",
    "LAST_LIST",
    "NAME",
    "NOT_A_FOLDER",
    "OF_PACKAGES",
    "PACKAGES",
    "PREPOSITION",
    "RECURSIVE",
    "THIS",
    "TYPES",
]

TYPES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        r"(?:\.?csv|comma[- ]separated)(?:s|es)?(?:[- ](?:files?|tables?|sheets?|data))?",
        (".csv",),
        "CSV file",
    ),
    (r"\.?tsvs?(?: files?)?", (".tsv",), "TSV file"),
    (
        r"spreadsheets?|data ?files?|(?:data )?tables|(?<=each )table|(?<=every )table|数据文件(?!夹)|数据表|电子表格|(?<=每个)表格?(?!头)|(?<=各个)表格?(?!头)|(?<=各)表格?(?!头)|(?<=每张)表格?(?!头)|(?<=所有)表格",
        (".csv", ".tsv"),
        "table",
    ),
    (
        r"jupyter notebooks?(?: files?)?|\.?ipynbs?(?: files?)?|notebooks?(?: files?)?|笔记本",
        (".ipynb",),
        "notebook",
    ),
    (
        r"markdown(?! cells?\b)(?: (?:files?|documents?|notes?|docs?|pages?))?|\.?mds?\b(?: files?)?|md files?|Markdown(?! cells?\b)",
        (".md", ".markdown"),
        "Markdown file",
    ),
    (
        r"python(?=\s*(?:文件|脚本|代码文件))|python (?:files?|scripts?|modules?|sources?(?: files?)?|source code)|\.?py\b(?: files?)?|scripts?|源文件|脚本|源代码文件",
        (".py",),
        "Python file",
    ),
    (r"(?:plain[- ])?text ?files?|\.?txts?(?: files?)?|文本(?!行)", (".txt",), "text file"),
    (r"\.?json(?: files?)?", (".json",), "JSON file"),
    (r"log files?|logs|日志", (".log",), "log file"),
    (r"notes?|documents?|docs|文档|笔记", (".md", ".markdown", ".txt", ".rst"), "note"),
)
ENDING = r"(?:that )?(?:end(?:ing|s)? (?:in|with|on)|(?:with|having|of) (?:the |an? )?(?:file )?(?:extension|ending|suffix|type)) "
FILES_WORD = r"(?:\s*(?:文件|档案|文档))?"
EACH = r"(?:for |in |of |from |对|在)?\s*(?:each|every|all|any|both)?(?: (?:of|one of))?(?: (?:the|my|these|those|single))?\s*"
ANY_FILE = re.compile(r"(?i)\b(?:files?|documents?)\b|文件(?!夹)|档案")
PACKAGES = re.compile(
    r"(?i)\b(?:for |of |about |from )?(?:each|every|all)?(?: of)?(?: the| my)?\s*(?:installed |python |pip |third[- ]party )*"
    r"(?:packages?|librar(?:y|ies)|distributions)\b(?:\s+(?:that (?:is|are) )?(?:currently )?installed)?"
    r"(?:\s+(?:here|(?:in|of) (?:this|my|the(?: current)?) (?:environment|venv|python|machine|notebook|kernel)))?"
    r"|(?:已经?安装的?|本机的?|环境(?:里|中)的?|这里的?)*\s*(?:每(?:一)?个)?\s*(?:已经?安装的?)?(?:\s*(?:Python|第三方))*\s*(?:软件包|依赖包|程序包|第三方库)"
    r"|(?:(?:安装的?|每(?:一)?个|所有|全部|各个?|哪些|这些|本机的?|环境(?:里|中)的?|Python|第三方|以下)\s*)+的?(?:包|库)(?![含括装裹围存房])"
)
RECURSIVE = re.compile(
    r"(?i),?\s*\(?\b(?:recursively|(?:and|including|with|incl\.?)(?: also)?(?: in| of| from)?(?: all)?(?: of)?(?: its| the| their)? (?:sub-?folders|sub-?director(?:y|ies)|nested folders)"
    r"|at any depth|in (?:all|any) (?:sub-?folders|sub-?directories)|anywhere|everywhere|and below)\b\)?"
    r"|(?:包括|包含|含)?(?:所有)?子(?:文件夹|目录)(?:里|中)?|递归地?"
)
PREPOSITION = r"(?:in|under|inside|within|from|below|of)"
FOLDER_WORD = r"(?:folder|directory|dir|path|sub-?folder)"
NOT_A_FOLDER = frozenset(
    [
        "this",
        "current",
        "working",
        "same",
        "that",
        "each",
        "every",
        "all",
        "the",
        "my",
        "our",
        "a",
        "an",
        "it",
        "which",
        "where",
        "here",
        "there",
        "these",
        "those",
        "one",
        "your",
        "its",
        "any",
        "two",
        "both",
        "folder",
        "directory",
        "dir",
        "path",
        "file",
        "files",
        "total",
        "detail",
        "general",
        "question",
        "order",
        "turn",
        "full",
        "parallel",
        "english",
        "chinese",
        "form",
        "table",
        "markdown",
        "addition",
        "give",
        "tell",
        "show",
        "list",
        "count",
        "find",
        "report",
        "please",
        "with",
        "and",
        "then",
        "what",
        "how",
        "make",
        "join",
        "sum",
        "compute",
        "calculate",
        "for",
        "euros",
        "dollars",
        "usd",
        "eur",
        "percent",
        "question",
        "mind",
        "advance",
        "short",
        "brief",
    ]
)
"""Words that stand where a folder's name could stand."""
HAN_VERBS = (
    r"^(?:请|麻烦|帮我|帮忙|帮|我想|统计(?:一下)?|计算(?:一下)?|查看|看看|看一下|分析|汇总|整理|列出|读取|给出"
    r"|针对|对于|关于|对|在|从|把|将|按照?|求出?|分别|各自|的|和|与)+"
)
"""What may stand right before a folder's name in Chinese."""
TAIL = r"(?:\s*(?:文件夹|目录|资料夹)?\s*(?:里面|里|下面|下|中|内|裡)(?:的)?)"
ASCII_NAME = "[A-Za-z][A-Za-z0-9_.-]*"
FOLDERS: tuple[re.Pattern[str], ...] = (
    re.compile(
        rf"(?i)\b{PREPOSITION}\s+(?:the\s+|my\s+|our\s+)?{FOLDER_WORD}\s+(?:called\s+|named\s+)?(?P<f>⟦\d+⟧|[\w.-]+)"
    ),
    re.compile(
        rf"(?i)\b{PREPOSITION}\s+(?:the\s+|my\s+|our\s+)?(?P<f>⟦\d+⟧|[\w.-]+)\s+{FOLDER_WORD}\b"
    ),
    re.compile(rf"(?i)\b{FOLDER_WORD}\s+(?:called\s+|named\s+)?(?P<f>⟦\d+⟧)"),
    re.compile(rf"(?i)\b{PREPOSITION}\s+(?P<f>⟦\d+⟧)(?:\s+{FOLDER_WORD})?"),
    re.compile(rf"(?P<f>⟦\d+⟧)\s*(?:文件夹|目录)?{TAIL}?"),
    re.compile(rf"(?<![A-Za-z])(?P<f>{ASCII_NAME})\s*(?:文件夹|目录){TAIL}?"),
    re.compile(rf"(?:文件夹|目录)\s*(?P<f>⟦\d+⟧|{ASCII_NAME}){TAIL}?"),
    re.compile(rf"(?<![A-Za-z])(?P<f>{ASCII_NAME})\s*(?:里面|里|下面|下)(?:的)?"),
    re.compile(
        rf"(?:^|(?<=[对在从于\s，。]))(?P<f>(?!当前|这个|本|每|该|此)[\u3400-\u9fff]{{1,12}}?)(?:文件夹|目录){TAIL}?"
    ),
)
THIS = re.compile(
    rf"(?i)\b(?:in|of|under|from)\s+(?:this|my current|the current|the working|the same)\s+(?:working )?{FOLDER_WORD}\b"
    r"|(?:在)?(?:当前|这个|本|该|此|我的|工作)(?:文件夹|目录)(?:里面|里|下面|下|中|内)?(?:的)?"
    r"|(?:^|(?<=[，。：、,:对在从请]))(?:统计|计算|列出|查看|请|对|在)*(?:文件夹|目录)(?:里面|里|下面|下|中|内)(?:的)?"
)
HERE = re.compile(
    rf"(?i)\b(?:(?:in|of|under|from|inside|within|for|at|with)\s+)?(?:this|the|my|our|that|the given|a)\s*(?:current |working |same |present |whole |given )*{FOLDER_WORD}\b|\bhere\b|\bin the same place\b"
    r"|这里的?|这儿的?"
)
NAME = r"(?:⟦\d+⟧|[A-Za-z][\w.-]*)"
LAST_LIST = re.compile(
    r"(?<!⟩)[:：]\s*((?:⟦\d+⟧|[A-Za-z][A-Za-z0-9_.-]*)(?:\s*(?:,\s*and\b|,|、|，|\band\b|&|和|与|及)\s*"
    r"(?:⟦\d+⟧|[A-Za-z][A-Za-z0-9_.-]*))*)\s*[.。?]?\s*$"
)
JOINT = r"\s*(?:,\s*and\b|,|、|，|\band\b|&|和|与|及)\s*"
INLINE = (
    # a list after a colon, up to the end of the sentence or to the verb that follows it
    re.compile(
        r"(?is)(?:for\s+)?(?:each|every|all|these|the following|following|compare|list)\b[^:：.\n]*[:：]\s*"
        r"(?P<l>[^.;\n:?]+?)(?=\s*(?:[.;\n?]|$|,?\s*(?:give|tell|what|how|find|show|get|report|look|list|count|state|by|on|in terms of|and (?:give|tell|find|list|show))\b))"
    ),
    re.compile(r"(?:以下|下列|这些|比较|对比)[^:：。\n]*[:：]\s*(?P<l>[^。\n；;:：]+)"),
    re.compile(
        r"\b[Ff]or\s+(?:each of\s+|all of\s+)?(?P<l>(?:⟦\d+⟧|[A-Z][\w'-]*(?: [A-Z][\w'-]*)*)(?:\s*(?:,\s*and|,|and|&)\s*(?:⟦\d+⟧|[A-Z][\w'-]*(?: [A-Z][\w'-]*)*))+)"
    ),
    re.compile(
        r"\b(?:of|[Cc]ompare|between|in)\s+(?P<l>(?:⟦\d+⟧|[A-Z][\w'-]*(?: [A-Z][\w'-]*)*)(?:\s*(?:,\s*and|,|and|&)\s*(?:⟦\d+⟧|[A-Z][\w'-]*(?: [A-Z][\w'-]*)*))+)"
    ),
    re.compile(
        r"^\s*(?P<l>(?:⟦\d+⟧|[A-Z][\w'-]*(?: [A-Z][\w'-]*)*)(?:\s*(?:,\s*and|,|and|&)\s*(?:⟦\d+⟧|[A-Z][\w'-]*(?: [A-Z][\w'-]*)*))+)\s*[:：]"
    ),
    re.compile(r"(?:对于?|比较|查询|查找)\s*(?P<l>[^，。、的\s]+(?:[、和与]\s*[^，。、的\s]+)+)"),
)
_ONE_NAME = r"(?!(?i:the|my|all|each|every|these|those|installed|python|this|any)\b)(?:⟦\d+⟧|[A-Za-z][A-Za-z0-9_.-]*)"
_SOME_NAMES = rf"(?P<l>{_ONE_NAME}(?:{JOINT}{_ONE_NAME})*)"
BEFORE_PACKAGES = re.compile(
    rf"(?i:\b(?:of|for))\s+{_SOME_NAMES}\s+(?i:packages?|librar(?:y|ies)|(?:is|are|do i have) installed)\b"
)
FOLDER_LINE = re.compile(
    rf"(?i)(?:(?:^|[\n,;.:(]\s*|\b(?:in|the|use)\s+){FOLDER_WORD}|(?:^|[\s，。；])(?:文件夹|目录))\s*[:=：]\s*(?P<f>⟦\d+⟧|[^\s,;.，。；⟨]+)"
)
"""folder: data"""
HAS_FACTS = re.compile(
    r"(?i)\b(?:versions?|licen[cs]es?|licensed|dependenc\w+|requirements|homepage)\b|版本|许可证|依赖"
)
"""What one asks of packages, and of nothing else."""
OF_PACKAGES = re.compile(
    rf"(?:(?<=安装的)|(?<=安装了)|(?<=请问)|(?<=查询)|(?<=查看)|^)\s*(?P<h>{NAME}(?:{JOINT}{NAME})*)\s*(?=是|的|分别|各|用|有|这)|"
    rf"(?i:\b(?:of|for|about|does|do|is|are))\s+{_SOME_NAMES}"
    r"(?=\s*(?:[?.,;:!\n]|$|(?i:\b(?:do|does|have|has|need|is|are|installed|am|under|come|depend|require|please|thanks|pls)\b)))"
)
