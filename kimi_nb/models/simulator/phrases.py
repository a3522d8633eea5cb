"""What the simulator says, in English and Chinese."""

from __future__ import annotations

from collections.abc import Sequence

from kimi_nb.models.simulator.headings import item_header

__all__ = [
    "beyond",
    "cut_listing",
    "doing_rest",
    "forgotten",
    "handing_out",
    "ignored",
    "joining",
    "lacks_tool",
    "looked_deeper",
    "looking",
    "missing",
    "missing_folder",
    "no_comparison",
    "no_field",
    "no_files",
    "no_packages",
    "no_tool",
    "not_deeper",
    "nowhere",
    "only_tables",
    "plan",
    "role_prompt",
    "signature",
    "summary",
    "total",
    "trying_again",
    "winner",
]


def forgotten(*, chinese: bool) -> str:
    """Why a row is empty whose results dropped out."""
    return ("not remembered: it dropped out of the working memory", "已不记得：超出了工作记忆")[
        chinese
    ]


def no_tool(*, chinese: bool) -> str:
    """Why a row is empty that no tool gives."""
    return ("not looked at: no tool at hand gives it", "未处理：没有合适的工具")[chinese]


def no_field(name: str, *, chinese: bool) -> str:
    """A cell whose value was not found."""
    return f"没有找到“{name}”" if chinese else f"no {name!r} found"


def lacks_tool(name: str, *, chinese: bool) -> str:
    """Why the items cannot be listed."""
    if chinese:
        return f"没有可用的 {name} 工具，所以无法列出要处理的项目。"

    return f"There is no tool like {name!r} among my tools, so I cannot list what to work on."


def no_packages(*, chinese: bool) -> str:
    """An environment without packages."""
    return "没有找到已安装的包。" if chinese else "No installed packages were found."


def missing_folder(folder: str, answer: str, *, chinese: bool) -> str:
    """A folder that could not be listed."""
    why = answer.removeprefix("ERROR:").strip()

    if chinese:
        return f"无法列出文件夹 {folder!r}：{why}"

    return f"The folder {folder!r} could not be listed: {why}"


def no_files(folder: str, noun: str, paths: Sequence[str], *, chinese: bool) -> str:
    """A folder without files of the wanted kind."""
    there = ", ".join(paths[:20])
    what = f"{noun}s" if noun else "files"
    place = ("工作文件夹" if chinese else "the working folder") if folder == "." else repr(folder)

    if chinese:
        tail = f"，其中有：{there}" if there else "（文件夹是空的）"
        return f"{place} 里没有这种文件{tail}。"

    tail = f"; it has: {there}" if there else ": it is empty"
    return f"There are no {what} in {place}{tail}."


def looked_deeper(folder: str, *, chinese: bool) -> str:
    """That subfolders were searched unasked."""
    if chinese:
        return f"{folder!r} 本身没有这种文件，所以也查看了它的子文件夹。"

    return f"{folder!r} itself has none, so its subfolders were searched."


def not_deeper(*, chinese: bool) -> str:
    """That subfolders were left out."""
    if chinese:
        return "没有查看子文件夹；需要的话请写明“包括子文件夹”。"

    return "Subfolders were not searched; add 'including subfolders' to the goal for that."


def cut_listing(*, chinese: bool) -> str:
    """That not all items are known."""
    if chinese:
        return "列表太长被截断，因此表格不完整；请指定更小的文件夹。"

    return (
        "The listing was too long and was cut, so the table is not complete; name a smaller folder."
    )


def summary(kind: str, number: int, missing: int, *, chinese: bool) -> str:
    """The first sentence of an answer."""
    item = item_header(kind, chinese=chinese)

    if chinese:
        tail = f"，其中 {missing} 个没有结果，原因见备注" if missing else ""
        return f"下表汇总了 {number} 个{item}的结果{tail}。"

    items = item if number == 1 else f"{item}s"
    tail = f"; {missing} of them could not be done, the notes say why" if missing else ""
    return f"The table has the results for {number} {items}{tail}."


def ignored(parts: Sequence[str], *, chinese: bool) -> str:
    """Which parts of the goal were left out."""
    if chinese:
        return f"没有理解、因而没有处理的部分：{'、'.join(f'“{part}”' for part in parts)}。"

    listed = ", ".join(f"'{part}'" for part in parts)
    return f"Not understood, and therefore left out: {listed}."


def nowhere(names: Sequence[str], *, chinese: bool) -> str:
    """Names that were looked for and that no item has."""
    if chinese:
        return f"哪里都没有找到、因而省略的：{'、'.join(f'“{name}”' for name in names)}。"

    return f"Found nowhere, and therefore left out: {', '.join(map(repr, names))}."


def signature(*, chinese: bool) -> str:
    """Who made the answer, and how to get a better one."""
    if chinese:
        return (
            "_由模拟器按规则生成，没有使用语言模型。要连接模型，请设置 MOONSHOT_API_KEY，"
            "或使用 --model 和 --base-url。_"
        )

    return (
        "_Made by the simulator: rules, no language model. To connect one, set "
        "MOONSHOT_API_KEY, or use --model and --base-url._"
    )


def beyond(goal: str, parts: Sequence[str], *, chinese: bool) -> str:
    """What can be asked of the simulator."""
    quoted = " ".join(goal.split()).rstrip("。.")  # a full stop follows the quotation
    short = quoted if len(quoted) <= 120 else quoted[:119] + "…"

    if chinese:
        left = f"没有理解的部分：{'、'.join(parts)}。\n" if parts else ""
        said = f"这个目标超出了我的能力：“{short}”。" if short else "目标是空的。"
        return (
            f"{said}\n{left}我是模拟器：只有规则，没有语言模型。我可以对许多项目逐个收集信息，"
            "并汇总成一张表。可以试试：\n\n"
            "- 列出每个已安装的 Python 包的版本、许可证、直接依赖、模块数和代码行数。\n"
            "- 对 data/ 里的每个 CSV 文件，给出行数和 price 的最大值。\n"
            "- 统计 notes/ 里每个 Markdown 文件的字数和标题数。"
        )

    left = f"Not understood: {', '.join(parts)}.\n" if parts else ""
    said = f"This goal is beyond me: '{short}'." if short else "The goal is empty."
    return (
        f"{said}\n{left}I am the simulator: rules, no language model. I can gather facts about "
        "many items, one by one, and join them into a table. Try, for example:\n\n"
        "- For each Python package installed here, give its version, licence, direct "
        "dependencies, number of modules and lines of code.\n"
        "- For each CSV file in data/, give the number of rows and the highest price.\n"
        "- Count the words and headings of every Markdown file in notes/."
    )


def role_prompt(kind: str, *, chinese: bool) -> str:
    """The system prompt that the orchestrator gives its sub-agents."""
    if chinese:
        return f"你逐个查看{item_header(kind, chinese=True)}，只报告工具返回的内容，不要猜测。"

    item = item_header(kind, chinese=False)
    return (
        f"You look at one {item} after the other with your tools and report exactly what was "
        "asked, as found. Do not guess: say so where something is not there."
    )


def plan(items: int, agents: int, *, chinese: bool) -> str:
    """The thought before sub-agents are created."""
    if chinese:
        return f"共 {items} 个项目，互相独立。分给 {agents} 个子智能体，最后合并成一张表。"

    return (
        f"{items} items, each independent of the others. I share them out among {agents} "
        "sub-agents and join their tables."
    )


def handing_out(items: int, agents: int, *, chinese: bool) -> str:
    """The thought while tasks are assigned."""
    if chinese:
        return f"把 {items} 个项目平均分给 {agents} 个子智能体。"

    return f"Hand out {items} items to {agents} sub-agents, as evenly as possible."


def trying_again(items: int, *, chinese: bool) -> str:
    """The thought before a second try."""
    if chinese:
        return f"{items} 个项目没有结果，再试一次。"

    return f"{items} items came back without a result. I try them once more."


def doing_rest(items: int, *, chinese: bool) -> str:
    """The thought before it does the rest itself."""
    if chinese:
        return f"还缺 {items} 个项目，而子智能体已用完，所以自己处理。"

    return f"{items} items are missing and no more sub-agents are allowed: I do them myself."


def joining(*, chinese: bool) -> str:
    """The thought before the answer."""
    return (
        "结果已齐，合并成一张表。" if chinese else "All results are in. Join them into one table."
    )


def looking(*, chinese: bool) -> str:
    """The thought before anything is known."""
    return "先看看有哪些项目。" if chinese else "First find out what there is to work on."


def missing(why: str, *, chinese: bool) -> str:
    """Why a row has no result."""
    reason = why.removeprefix("ERROR:").strip() or ("没有回答" if chinese else "no answer")
    return f"缺失：{reason}" if chinese else f"missing: {reason}"


def no_comparison(what: str, *, chinese: bool) -> str:
    """That nothing can be compared."""
    if chinese:
        return f"“{what}”没有可比较的数。"

    return f"There are no numbers under '{what}' to compare."


def total(what: str, value: float, left: int, *, chinese: bool) -> str:
    """The sum over all items."""
    if chinese:
        return f"“{what}”合计：{value:.12g}{f'（{left} 个没有数值，未计入）' if left else ''}。"

    tail = f" ({left} without a number left out)" if left else ""
    return f"Total of '{what}': {value:.12g}{tail}."


def winner(
    what: str, op: str, items: Sequence[str], value: float, left: int, *, chinese: bool
) -> str:
    """Which item has the extreme value."""
    if chinese:
        tail = f"（{left} 个没有数值，未比较）" if left else ""
        most = "最大" if op == "max" else "最小"
        return f"“{what}”{most}的是：{'、'.join(items)}（{value:.12g}）{tail}。"

    tail = f" ({left} without a number left out)" if left else ""
    extreme = "Highest" if op == "max" else "Lowest"
    return f"{extreme} '{what}' of all: {', '.join(items)} ({value:.12g}){tail}."


def only_tables(*, chinese: bool) -> str:
    """That other files were left out."""
    return "只查看了 CSV 和 TSV 文件。" if chinese else "Only CSV and TSV files were looked at."
