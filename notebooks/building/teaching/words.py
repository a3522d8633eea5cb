"""What is said around the teachers' texts, in both languages."""

from __future__ import annotations

from kimi_nb.teach.text import Text

__all__ = [
    "ALSO",
    "BELIEF",
    "BREAK",
    "CARDS",
    "COLUMNS",
    "COMMA",
    "EXERCISE",
    "EXERCISES",
    "GOALS",
    "GRAHAM",
    "LESSON",
    "MET",
    "NONE",
    "OPTIONS",
    "PREDICTIONS",
    "SEMICOLON",
    "SLIDES",
    "SPENT",
    "SUM",
    "TABLE",
    "TRUTH",
]

ALSO = Text("**English** · [中文]({twin})", "[English]({twin}) · **中文**")
GOALS = Text("After it one can", "学完能够")
EXERCISE = Text(
    "{title} `{e.id}` ({e.difficulty}/5, {e.minutes} min)",
    "{title} `{e.id}`（{e.difficulty}/5，{e.minutes} 分钟）",
)
COMMA = Text(", ", "、")
SEMICOLON = Text("; ", "；")
EXERCISES = Text("Exercises", "练习")
MET = Text("Misconceptions one meets", "会遇到的误区")
SPENT = Text(
    "Minutes: reading {reading} · predicting {predicting} · exercises {exercises} · "
    "quiz {quiz} · discussion {discussion}; **in class {total}**, alone {alone}",
    "分钟：阅读 {reading} · 预测 {predicting} · 练习 {exercises} · "
    "小测验 {quiz} · 讨论 {discussion}；**课堂上共 {total}**，自学 {alone}",
)
COLUMNS = Text("| what | minutes |", "| 内容 | 分钟 |")
LESSON = Text("| week | what | minutes |", "| 周 | 内容 | 分钟 |")
SUM = Text("sum, of {most}", "合计（上限 {most}）")
CARDS = Text("[The card game](cards.html)", "[卡牌游戏](cards.zh.html)")
GRAHAM = Text("[Last round of the cards](cards.html)", "[卡牌的最后一轮](cards.zh.html)")
SLIDES = Text("[Slides: {name}](slides/{file}.html)", "[幻灯片：{name}](slides/{file}.zh.html)")
BREAK = Text("Break", "休息")
TABLE = Text("| | belief | exercises | quiz | predictions |", "| | 误区 | 练习 | 小测验 | 预测 |")
BELIEF = Text("Belief", "误区")
TRUTH = Text("True is", "事实")
OPTIONS = Text("Quiz", "小测验")
PREDICTIONS = Text("Predictions", "预测")
NONE = Text("none", "无")
