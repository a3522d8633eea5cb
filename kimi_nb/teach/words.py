"""The fixed words of predictions and quizzes, in both languages."""

from __future__ import annotations

from kimi_nb.teach.language import here
from kimi_nb.teach.text import Text

__all__ = ["PAGE", "page_words"]

PAGE = {
    "prediction": Text("Prediction", "预测"),
    "lock": Text("Lock my prediction", "锁定预测"),
    "once": Text("Once locked, it stays as it is.", "一经锁定，不再改变。"),
    "next": Text(
        "Now run it. Afterwards .against(run) shows here what was true.",
        "现在运行。之后用 .against(run) 在这里查看实际结果。",
    ),
    "busy": Text(
        "No answer yet: the kernel is busy with another cell, or gone. Until it answers, nothing "
        "is kept.",
        "还没有回应：内核正忙于别的单元格，或已不在。在它回应之前，什么都不会保存。",
    ),
    "locking": Text("Locking …", "正在锁定……"),
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
    "spot": Text("from {from} to {to}: {n} at work", "{from} 到 {to}：{n} 个在工作"),
    "most": Text("the most are {n}", "最多 {n} 个"),
    "empty": Text("Nothing is drawn yet.", "还没有画。"),
    "clear": Text("Clear", "清除"),
    "agents": Text("agents at work", "工作中的智能体"),
    "share": Text("share of the run", "占整次运行的比例"),
    "time": Text("time", "时间"),
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
