"""What a goal is about: files of a folder, installed packages, or a list in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from kimi_nb.models.simulator.lexicon import tokenise

__all__ = ["Source", "find_source", "hide_literals"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the items come from."""

    kind: str
    """"files", "packages" or "list"; "" if the goal names nothing to work on."""
    items: tuple[str, ...] = ()
    """Named in the text; empty where they have to be listed."""
    folder: str = "."
    pattern: str = ""
    """A glob, as the user wrote it."""
    suffixes: tuple[str, ...] = ()
    """Endings of the wanted files, with the dot; empty for all."""
    recursive: bool = False
    named_folder: bool = False
    """The text names the folder."""
    noun: str = ""
    """What one item is called."""


@dataclass(slots=True)
class Literals:
    """Quoted words and paths, hidden behind ⟦n⟧ so that no phrase matches inside them."""

    words: list[str] = field(default_factory=list[str])
    quoted: list[bool] = field(default_factory=list[bool])

    def hide(self, word: str, *, quoted: bool) -> str:
        self.words.append(word)
        self.quoted.append(quoted)
        return f" ⟦{len(self.words) - 1}⟧ "

    def show(self, text: str) -> str:
        """`text` with every literal back in place."""
        return re.sub(r"⟦(\d+)⟧", lambda m: self.words[int(m[1])], text)


_QUOTED = re.compile(
    r"`([^`\n]+)`|\"([^\"\n]+)\"|“([^”\n]+)”|「([^」\n]+)」|《([^》\n]+)》|‘([^’\n]+)’|(?<![\w])'([^'\n]+)'(?!\w)"
)
_EXTENSIONS = "csv|tsv|md|markdown|txt|text|py|ipynb|json|log|rst|ya?ml|toml|html?|xml|cfg|ini"
_FILE = rf"(?:\.{{0,2}}/)?[\w.*~-][\w.*~/-]*\.(?:{_EXTENSIONS})\b(?![/\w])"
_PATHS = re.compile(
    rf"(?:~|\.{{1,2}})?/[\w.*~/-]*[\w*~/-]"  # /a/b, ./a, ../a, ~/a
    rf"|[\w.*~-]+(?:/[\w.*~-]+)*/(?![\w*])"  # a/b/
    rf"|{_FILE}"
    rf"|[\w.*~-]+/[\w.*~/-]*\*[\w.*~/-]*"  # a/*.csv
    rf"|\*\.\w+",
    re.ASCII,
)
_HAN_PATH = re.compile(r"[\w.~/-]+/(?=\s*(?:里|下|中|内|目录|文件夹|\s|$))")
_IN_PATH = re.compile(
    r"(?i)(\b(?:in|under|inside|within|of|from|below|folder|directory|dir)\s+)"
    r"([\w.-]+(?:/[\w.-]+)+)",
    re.ASCII,
)


def hide_literals(text: str) -> tuple[str, Literals]:
    """The text with quoted words and paths replaced, and what they were."""
    literals = Literals()
    text = _QUOTED.sub(
        lambda m: literals.hide(next(g for g in m.groups() if g is not None), quoted=True), text
    )
    text = _HAN_PATH.sub(_han_path(literals), text)
    text = _PATHS.sub(lambda m: literals.hide(m[0].rstrip("."), quoted=False), text)
    text = _IN_PATH.sub(lambda m: m[1] + literals.hide(m[2].rstrip("."), quoted=False), text)
    return text, literals


def _han_path(literals: Literals):  # noqa: ANN202 - a replacement function for re.sub
    def replace(match: re.Match[str]) -> str:
        path = match[0]

        if path.isascii():
            return path

        bare = re.sub(r"^(?:请?(?:对|在|从|把|将|统计|列出)|.*(?:对于|对|在|从))", "", path)
        return path[: len(path) - len(bare)] + literals.hide(bare, quoted=False)

    return replace


_TYPES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (r"(?:\.?csv|comma[- ]separated)(?:s|es)?(?:[- ](?:files?|tables?|sheets?|data))?", (".csv",), "CSV file"),
    (r"\.?tsvs?(?: files?)?", (".tsv",), "TSV file"),
    (r"spreadsheets?|data ?files?|(?:data )?tables|(?<=each )table|(?<=every )table|数据文件|数据表", (".csv", ".tsv"), "table"),
    (r"jupyter notebooks?(?: files?)?|\.?ipynbs?(?: files?)?|notebooks?(?: files?)?|笔记本", (".ipynb",), "notebook"),
    (r"markdown(?: (?:files?|documents?|notes?|docs?|pages?))?|\.?mds?\b(?: files?)?|md files?|Markdown", (".md", ".markdown"), "Markdown file"),
    (r"python (?:files?|scripts?|modules?|sources?(?: files?)?|source code)|\.?py\b(?: files?)?|scripts?|源文件|脚本|源代码文件", (".py",), "Python file"),
    (r"(?:plain[- ])?text ?files?|\.?txts?(?: files?)?|文本(?!行)", (".txt",), "text file"),
    (r"\.?json(?: files?)?", (".json",), "JSON file"),
    (r"log files?|logs|日志", (".log",), "log file"),
    (r"notes?|documents?|docs|文档|笔记", (".md", ".markdown", ".txt", ".rst"), "note"),
)
_FILES_WORD = r"(?:\s*(?:文件|档案|文档))?"
_EACH = r"(?:for |in |of |from |对|在)?\s*(?:each|every|all|any|both)?(?: (?:of|one of))?(?: (?:the|my|these|those|single))?\s*"
_ANY_FILE = re.compile(r"(?i)\b(?:files?|documents?)\b|文件|档案")
_PACKAGES = re.compile(
    r"(?i)\b(?:for |of |about |from )?(?:each|every|all)?(?: of)?(?: the| my)?\s*(?:installed |python |pip |third[- ]party )*"
    r"(?:packages?|librar(?:y|ies)|distributions)\b(?:\s+(?:that (?:is|are) )?(?:currently )?installed)?"
    r"(?:\s+(?:here|in (?:this|my|the(?: current)?) (?:environment|venv|python|machine|notebook|kernel)))?"
    r"|(?:已经?安装的?|本机的?|环境(?:里|中)的?|这里的?)*\s*(?:每(?:一)?个)?\s*(?:已经?安装的?)?(?:\s*(?:Python|第三方))*\s*(?:软件包|依赖包|程序包|包|库)(?:括)?"
)
_RECURSIVE = re.compile(
    r"(?i),?\s*\(?\b(?:recursively|(?:and|including|with|incl\.?)(?: all)?(?: its| the| their)? (?:sub-?folders|sub-?director(?:y|ies)|nested folders)"
    r"|at any depth|in (?:all|any) (?:sub-?folders|sub-?directories)|anywhere|everywhere|and below)\b\)?"
    r"|(?:包括|包含|含)?(?:所有)?子(?:文件夹|目录)(?:里|中)?|递归地?"
)
_PREPOSITION = r"(?:in|under|inside|within|from|below|of)"
_FOLDER_WORD = r"(?:folder|directory|dir|path|sub-?folder)"
_NOT_A_FOLDER = frozenset(
    "this current working same that each every all the my our a an it which where here there these those "
    "one your its any two".split()
)
_TAIL = r"(?:\s*(?:文件夹|目录|资料夹)?\s*(?:里面|里|下面|下|中|内|裡)(?:的)?)"
_ASCII_NAME = "[A-Za-z][A-Za-z0-9_.-]*"
_FOLDERS: tuple[re.Pattern[str], ...] = (
    re.compile(rf"(?i)\b{_PREPOSITION}\s+(?:the\s+|my\s+|our\s+)?{_FOLDER_WORD}\s+(?:called\s+|named\s+)?(?P<f>⟦\d+⟧|[\w.-]+)"),
    re.compile(rf"(?i)\b{_PREPOSITION}\s+(?:the\s+|my\s+|our\s+)?(?P<f>⟦\d+⟧|[\w.-]+)\s+{_FOLDER_WORD}\b"),
    re.compile(rf"(?i)\b{_FOLDER_WORD}\s+(?:called\s+|named\s+)?(?P<f>⟦\d+⟧)"),
    re.compile(rf"(?i)\b{_PREPOSITION}\s+(?P<f>⟦\d+⟧)(?:\s+{_FOLDER_WORD})?"),
    re.compile(rf"(?P<f>⟦\d+⟧)\s*(?:文件夹|目录)?{_TAIL}?"),
    re.compile(rf"(?<![A-Za-z])(?P<f>{_ASCII_NAME})\s*(?:文件夹|目录){_TAIL}?"),
    re.compile(rf"(?:文件夹|目录)\s*(?P<f>⟦\d+⟧|{_ASCII_NAME}){_TAIL}?"),
    re.compile(rf"(?<![A-Za-z])(?P<f>{_ASCII_NAME})\s*(?:里面|里|下面|下)(?:的)?"),
    re.compile(
        rf"(?<=[对在从于])(?P<f>(?!当前|这个|本|每)[\u3400-\u9fff]{{1,12}}?)(?:文件夹|目录){_TAIL}?"
    ),
)
_HERE = re.compile(
    rf"(?i)\b(?:in|of|under|from)\s+(?:this|the|my|the current|the working|the same|the present)\s*(?:current |working )?{_FOLDER_WORD}\b|\bhere\b"
    r"|(?:当前|这个|本)(?:文件夹|目录)(?:里|下|中)?(?:的)?|这里的?"
)


@dataclass(slots=True)
class _Finder:
    """Cuts out of the text, piece by piece, what says where the items are."""

    text: str
    literals: Literals

    def cut(self, match: re.Match[str], joint: str = " ") -> None:
        self.text = self.text[: match.start()] + joint + self.text[match.end() :]


def find_source(text: str, literals: Literals) -> tuple[Source, str]:
    """Where the items are, and the text without the words that say so."""
    finder = _Finder(text, literals)
    listed = _bullets(finder)
    recursive = _take(finder, _RECURSIVE)
    packages = bool(_PACKAGES.search(finder.text))

    if packages and listed:
        _take(finder, _PACKAGES)

    if packages and not listed:
        source = _packages(finder)
        return source, finder.text

    suffixes, noun = _types(finder)
    files = _named_files(finder)
    folder, pattern = _folder(finder, typed=bool(suffixes))
    here = _take(finder, _HERE)

    if not (listed or files or suffixes or pattern):
        listed = _inline(finder, proper=bool(folder))

    if listed:
        kind = "packages" if packages else "files" if all(_has_suffix(i) for i in listed) else "list"
        return (
            Source(kind=kind, items=listed, folder=folder or ".", named_folder=bool(folder)),
            finder.text,
        )

    if files:
        files = tuple(f"{folder.rstrip('/')}/{f}" if folder and "/" not in f else f for f in files)
        return Source(kind="files", items=files), finder.text

    if not (folder or suffixes or pattern or (here and _ANY_FILE.search(finder.text))):
        known = _ANY_FILE.search(finder.text) is not None
        return Source(kind="files" if known else ""), finder.text

    return (
        Source(
            kind="files",
            folder=folder or ".",
            pattern=pattern,
            suffixes=suffixes,
            recursive=recursive or "**" in pattern,
            named_folder=bool(folder),
            noun=noun,
        ),
        finder.text,
    )


def _take(finder: _Finder, pattern: re.Pattern[str]) -> bool:
    match = pattern.search(finder.text)

    if match:
        finder.cut(match)

    return match is not None


def _bullets(finder: _Finder) -> tuple[str, ...]:
    pattern = re.compile(r"(?m)^\s*(?:[-*•·]|\d+[.)、])\s+(.+?)\s*$")
    items = [finder.literals.show(m[1]).strip() for m in pattern.finditer(finder.text)]

    if items:
        finder.text = pattern.sub(" ", finder.text)

    return tuple(dict.fromkeys(items))


def _packages(finder: _Finder) -> Source:
    match = _PACKAGES.search(finder.text)

    if match is None:
        return Source(kind="packages", noun="package")

    after = finder.text[match.end() :]
    named = re.match(r"\s*(?::|：|,|namely|called|such as)?\s+?(.*)", after, re.DOTALL)
    items: tuple[str, ...] = ()
    plain = "installed" not in match[0].lower() and "安装" not in match[0]

    if plain and (last := _LAST_LIST.search(finder.text)) and not _asks(last[1]):
        items = _split_list(last[1], finder.literals)
        finder.cut(last, " ")
        finder.cut(_PACKAGES.search(finder.text) or match, " , ")
        return Source(kind="packages", items=items, noun="package")

    if plain and named:
        run = re.match(rf"\s*[:：]?\s*({_NAME}(?:{_JOINT}{_NAME})*)", after)
        names = _split_list(run[1], finder.literals) if run else ()

        if len(names) > 1 or (run and re.match(r"\s*[:：]", after)):
            items = names
            finder.text = finder.text[: match.start()] + " . " + after[run.end() :] if run else ""
            return Source(kind="packages", items=items, noun="package")

    finder.cut(match, " , ")
    _take(finder, re.compile(r"(?i)\binstalled\b(?: here)?|\bin (?:this|my|the) (?:environment|kernel|notebook)\b|\bhere\b|已安装的?"))
    return Source(kind="packages", noun="package")


_NAME = r"(?:⟦\d+⟧|[A-Za-z][\w.-]*)"
_LAST_LIST = re.compile(
    r"(?<!⟩)[:：]\s*((?:⟦\d+⟧|[A-Za-z][A-Za-z0-9_.-]*)(?:\s*(?:,\s*and\b|,|、|，|\band\b|&|和|与|及)\s*"
    r"(?:⟦\d+⟧|[A-Za-z][A-Za-z0-9_.-]*))*)\s*[.。?]?\s*$"
)
_JOINT = r"\s*(?:,\s*and\b|,|、|，|\band\b|&|和|与|及)\s*"


def _types(finder: _Finder) -> tuple[tuple[str, ...], str]:
    suffixes: list[str] = []
    nouns: list[str] = []

    for words, endings, noun in _TYPES:
        pattern = re.compile(rf"(?i){_EACH}(?<![A-Za-z0-9_.])(?:{words})(?![A-Za-z0-9_]){_FILES_WORD}")
        match = pattern.search(finder.text)

        while match and (noun != "note" or not suffixes):
            finder.cut(match, " ⟨files⟩ ")
            suffixes += [e for e in endings if e not in suffixes]
            nouns.append(noun)
            match = pattern.search(finder.text)

    return tuple(suffixes), nouns[0] if nouns else ""


def _has_suffix(item: str) -> bool:
    return re.search(rf"(?i)\.(?:{_EXTENSIONS})$", item) is not None


def _named_files(finder: _Finder) -> tuple[str, ...]:
    """Files that the text names one by one."""
    names: list[str] = []

    for match in reversed(list(re.finditer(r"⟦(\d+)⟧", finder.text))):
        word = finder.literals.words[int(match[1])]

        if _has_suffix(word) and not set(word) & set("*?"):
            names.insert(0, word)
            finder.cut(match, " ⟨files⟩ ")

    return tuple(dict.fromkeys(names))


def _folder(finder: _Finder, *, typed: bool) -> tuple[str, str]:
    """The folder that the text names, and a glob."""
    for pattern in _FOLDERS:
        for match in pattern.finditer(finder.text):
            name = finder.literals.show(match["f"])

            if name.lower() in _NOT_A_FOLDER or not _fits(match["f"], finder):
                continue

            finder.cut(match, " ")
            return _split_glob(name)

    patterns = (
        rf"(?i)⟨files⟩\s*(?:(?:that are|stored|located|lying|found|files)\s+)*{_PREPOSITION}\s+(?:the\s+|my\s+)?(?P<f>[\w.-]+)",
        r"(?i)(?:^|[.\n]\s*)(?:in|under)\s+(?P<f>[\w.-]+)\s*,",
    )

    for text in patterns if typed else ():
        match = re.search(text, finder.text)

        if match and match["f"].lower().rstrip(".") not in _NOT_A_FOLDER:
            finder.cut(match, " , ")
            return match["f"].rstrip("."), ""

    return "", ""


def _fits(written: str, finder: _Finder) -> bool:
    """A quoted word is a folder only if it is said to be one; a path always is."""
    hidden = re.fullmatch(r"⟦(\d+)⟧", written)

    if hidden is None or not finder.literals.quoted[int(hidden[1])]:
        return True

    word = finder.literals.words[int(hidden[1])]
    place = re.escape(written)
    said = rf"(?i)(?:{_FOLDER_WORD}|in|under|inside|within|from)\s+(?:the\s+|my\s+)?(?:{_FOLDER_WORD}\s+)?(?:called\s+|named\s+)?{place}|{place}\s*(?:{_FOLDER_WORD}|文件夹|目录|里|下|中)"
    return "/" in word or re.search(said, finder.text) is not None


def _split_glob(name: str) -> tuple[str, str]:
    if not set(name) & set("*?"):
        return name, ""

    parts = name.split("/")
    plain = [part for part in parts[:-1] if not set(part) & set("*?")]
    return "/".join(plain) or ".", "/".join(parts[len(plain) :])


def _split_list(text: str, literals: Literals) -> tuple[str, ...]:
    parts = re.split(_JOINT, text)
    items = [literals.show(part).strip(" .?!。") for part in parts]
    return tuple(dict.fromkeys(item for item in items if item))


def _asks(text: str) -> bool:
    """It names things to measure rather than items."""
    return any(token.kind in {"agg", "metric", "rows", "distinct", "count"} for token in tokenise(text))


_INLINE = (
    # a list after a colon, up to the end of the sentence or to the verb that follows it
    re.compile(
        r"(?is)(?:for\s+)?(?:each|every|all|these|the following|following|compare|list)\b[^:：.\n]*[:：]\s*"
        r"(?P<l>[^.;\n:?]+?)(?=\s*(?:[.;\n?]|$|,?\s*(?:give|tell|what|how|find|show|get|report|look|list|count|state|by|on|in terms of|and (?:give|tell|find|list|show))\b))"
    ),
    re.compile(r"(?:以下|下列|这些|比较|对比)[^:：。\n]*[:：]\s*(?P<l>[^。\n；;:：]+)"),
    re.compile(r"\b[Ff]or\s+(?:each of\s+|all of\s+)?(?P<l>(?:⟦\d+⟧|[A-Z][\w'-]*(?: [A-Z][\w'-]*)*)(?:\s*(?:,\s*and|,|and|&)\s*(?:⟦\d+⟧|[A-Z][\w'-]*(?: [A-Z][\w'-]*)*))+)"),
    re.compile(r"\b(?:of|[Cc]ompare|between|in)\s+(?P<l>(?:⟦\d+⟧|[A-Z][\w'-]*(?: [A-Z][\w'-]*)*)(?:\s*(?:,\s*and|,|and|&)\s*(?:⟦\d+⟧|[A-Z][\w'-]*(?: [A-Z][\w'-]*)*))+)"),
    re.compile(r"(?:对于?|比较|查询|查找)\s*(?P<l>[^，。、的\s]+(?:[、和与]\s*[^，。、的\s]+)+)"),
)


def _inline(finder: _Finder, *, proper: bool) -> tuple[str, ...]:
    """A list within a sentence; `proper`: only one of names, since a folder is named too."""
    for pattern in _INLINE[2:] if proper else _INLINE:
        match = pattern.search(finder.text)

        if match and not _asks(match["l"]):
            items = _split_list(match["l"], finder.literals)

            if len(items) > 1 or ":" in match[0] or "：" in match[0]:
                finder.cut(match, " , ")
                return items

    return ()
