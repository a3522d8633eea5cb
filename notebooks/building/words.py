"""What the generated cells say, in both languages."""

from __future__ import annotations

from kimi_nb.teach.text import Text

__all__ = [
    "ABOUT",
    "ALSO",
    "ANSWER",
    "DIFFICULTY",
    "END",
    "EXERCISE",
    "HINT",
    "MINUTES",
    "NEXT",
    "OBJECTIVES",
    "OPEN",
    "QUIZ",
]

ABOUT = Text("About {minutes} minutes.", "约 {minutes} 分钟。")
ALSO = Text("**English** · [中文]({twin})", "[English]({twin}) · **中文**")
OPEN = Text("Open in {place}", "在 {place} 中打开")
OBJECTIVES = Text("After this notebook you can", "学完本笔记本，你能够")
EXERCISE = Text("Exercise", "练习")
DIFFICULTY = Text("Difficulty {marks} ({n} of 5)", "难度 {marks}（{n}/5）")
MINUTES = Text("{minutes} minutes", "{minutes} 分钟")
HINT = Text("Hint {n}", "提示 {n}")
ANSWER = Text("Solution", "参考答案")
QUIZ = Text("Before you go: a quiz", "结束之前：小测验")
NEXT = Text("Next: [{title}]({file})", "下一篇：[{title}]({file})")
END = Text(
    "This is the last notebook. [Back to the first one]({file})",
    "这是最后一篇。[回到第一篇]({file})",
)
