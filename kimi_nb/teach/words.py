"""The fixed words of predictions and quizzes, in both languages."""

from __future__ import annotations

from kimi_nb.teach.language import here
from kimi_nb.teach.text import Text
from kimi_nb.views.words import SIMULATOR

__all__ = ["PAGE", "SAYS", "page_words", "said"]

PAGE = {
    "prediction": Text("Prediction", "预测"),
    "lock": Text("Lock my prediction", "锁定预测"),
    "once": Text("Once locked, it stays as it is.", "一经锁定，不再改变。"),
    "next": Text(
        "Now run it. Afterwards .against(run) shows here what was true.",
        "现在可以运行了。之后用 .against(run)，这里就会显示实际结果。",
    ),
    "busy": Text(
        "No answer yet: the kernel is busy with another cell, or gone. Until it answers, nothing "
        "is kept.",
        "还没有回应：内核正忙于别的单元格，或者已经停止。在它回应之前，什么都不会保存。",
    ),
    "type": Text(
        "Give a number first: type it, or move the slider.", "请先给出一个数：输入，或拖动滑块。"
    ),
    "slider": Text("slider", "滑块"),
    "choose": Text("Choose one first.", "请先选一个。"),
    "draw": Text("Draw a curve first.", "请先画一条曲线。"),
    "drawing": Text("drawing", "画板"),
    "how": Text(
        "Drag over the picture. Keys: ← → choose a moment, ↑ ↓ change how many; with Shift, ← → "
        "take the number along.",
        "在图上拖动。按键：← → 选择时刻，↑ ↓ 改变数量；按住 Shift 时 ← → 会带上当前数量。",
    ),
    "spot": Text("from {from} to {to}: {agents}", "{from} 到 {to}：{agents}"),
    "most": Text("{here}; the most are {n}.", "{here}；最多 {n} 个。"),
    "agent": Text("{n} agent", "{n} 个智能体"),
    "several": Text("{n} agents", "{n} 个智能体"),
    "empty": Text("Nothing is drawn yet.", "还没有画。"),
    "clear": Text("Clear", "清除"),
    "agents": Text("agents at work", "工作中的智能体"),
    "share": Text("share of the run", "占整次运行的比例"),
    "time": Text("time since the beginning", "从开始算起的时间"),
    "said": Text("you said", "你说的是"),
    "true": Text("it was", "实际是"),
    "mine": Text("you said this", "你选的"),
    "right": Text("it was this", "实际是这个"),
    "both": Text("you said this, and so it was", "你选的，也正是实际结果"),
    "locked": Text("You said: {said}", "你说的是：{said}"),
    "when": Text("Locked {when}.", "锁定于 {when}。"),
    "earlier": Text("An earlier prediction: {said}", "更早的预测：{said}"),
    "sending": Text("Sending …", "正在提交……"),
}
"""Those that a page shows."""


def page_words() -> dict[str, str]:
    """The page's words in the reader's language."""
    return {name: here(text) for name, text in PAGE.items()}


SAYS = {
    "prediction": Text("Prediction: {question}", "预测：{question}"),
    "open": Text(
        "Not locked yet: press Lock, or type {example}", "尚未锁定：按“锁定预测”，或输入 {example}"
    ),
    "locked": Text("You said {said}", "你说的是：{said}"),
    "said when": Text("{said}, locked {when}", "{said}，锁定于 {when}"),
    "when": Text("Locked {when}", "锁定于 {when}"),
    "earlier": Text("An earlier prediction: {said}", "更早的预测：{said}"),
    "you said": Text("you said:", "你说的："),
    "it was": Text("it was:", "实际："),
    "dashed": Text("dashed: you said", "虚线：你说的"),
    "legend": Text("dashed: you said; solid: it was", "虚线：你说的；实线：实际"),
    "at work": Text("agents at work", "工作中的智能体"),
    "over time": Text("Agents at work over time. {words}", "工作中的智能体随时间的变化。{words}"),
    "share": Text("share of the run", "占整次运行的比例"),
    "unknown": Text(
        "You said {said}; the trace does not say what is true.",
        "你说的是 {said}；轨迹里看不出实际结果。",
    ),
    "so": Text("You said {said}, and so it was.", "你说的是 {said}，实际正是如此。"),
    "was": Text("You said {said}, it was {true}.", "你说的是 {said}，实际是 {true}。"),
    "stray": Text(
        "You said {said}, it was {true}, which is none of the choices.",
        "你说的是 {said}，实际是 {true}，不在选项之中。",
    ),
    "exact": Text(
        "You said {said}, and so it was: exactly right.",
        "你说的是 {said}，实际正是如此，分毫不差。",
    ),
    "near": Text(
        "You said {said}, and so it was: right, to the digits shown.",
        "你说的是 {said}，实际正是如此（按显示的位数）。",
    ),
    "off": Text(
        "You said {said}, it was {true}: {amount} {side}.",
        "你说的是 {said}，实际是 {true}：{side} {amount}。",
    ),
    "close": Text(" That is less than 5% apart.", "相差不到 5%。"),
    "times more": Text(" It was {times} times what you said.", "实际是你所说的 {times} 倍。"),
    "times less": Text(" You said {times} times what it was.", "你说的是实际的 {times} 倍。"),
    "curve right": Text("Your curve is the true one: {so}.", "你画的正是实际的曲线：{so}。"),
    "curve off": Text(
        "Your curve is {off} agents away from the true one, on average over the time. You drew "
        "{said}; it was {so}.",
        "你画的曲线与实际的平均相差 {off} 个智能体（按时间平均）。你画的是{said}；实际是{so}。",
    ),
    "most": Text("{agents} at most, {average} on average", "最多 {agents}，平均 {average} 个"),
    "for": Text("{most}, for {time}", "{most}，历时 {time}"),
    "running": Text(
        "The run has not ended: this is how it stands so far. Run the cell again later.",
        "运行还没有结束：这只是目前的情况。稍后再运行一次这个单元格。",
    ),
    "cut": Text(
        "The run did not finish: this is how far it came. Run its cell again, then this one.",
        "这次运行没有完成：这只是它走到的地方。请重新运行它的单元格，再运行这个单元格。",
    ),
    "late": Text(
        "Made after the run had begun: {ago} later.", "这个预测是在运行开始之后做出的：晚了 {ago}。"
    ),
    "early": Text("Made before the run began.", "这个预测是在运行开始之前做出的。"),
    "formula": Text(
        "How far away: the mean of |drawn − true| over {columns} equal parts of the time, in "
        "agents.",
        "相差多少：把时间分成 {columns} 等份，取 |画的 − 实际| 的平均值，单位是智能体个数。",
    ),
    "simulator": Text(SIMULATOR, "模拟器：没有语言模型参与"),
    "days": Text("{n} days", "{n} 天"),
    "hours": Text("{n} hours", "{n} 小时"),
}
"""Those of a prediction's outcome, and of what stands where there is no page."""


def said(name: str, **facts: object) -> str:
    """One of `SAYS` in the reader's language."""
    return here(SAYS[name]).format(**facts)
