"""Notebook 02: what is predicted, and the quiz at its end."""

from __future__ import annotations

from kimi_nb.teach.question import Question
from kimi_nb.teach.quiz import Option, Quiz, QuizItem
from kimi_nb.teach.text import Text

__all__ = ["PREDICTIONS", "QUIZ"]

PREDICTIONS = (
    Question(
        id="p02.critical",
        asks=Text(
            "Ten files go to a swarm. It lists them, creates a kind of sub-agent, assigns a file "
            "to each of ten, and joins their reports; a sub-agent takes two or three steps. How "
            "many critical steps are there?",
            "十个文件交给一个集群。它先列出文件，再创建一种子智能体，给十个子智能体各分一个文件，"
            "最后汇总报告；"
            "每个子智能体走两到三步。关键步数是多少？",
        ),
        of="critical_steps",
    ),
)

QUIZ = Quiz(
    id="quiz02",
    items=(
        QuizItem(
            asks=Text(
                "An orchestrator assigns three tasks in one turn, and one more in its next turn. "
                "When does the fourth begin?",
                "编排器在一轮里分派了三个任务，下一轮又分派了一个。第四个什么时候开始？",
            ),
            options=(
                Option(
                    says=Text(
                        "At once as well: all of it is asynchronous",
                        "立刻开始：一切都是异步的，不必等谁",
                    ),
                    key="M10",
                ),
                Option(
                    says=Text(
                        "When the first of the three has come back", "三个里最先完成的那个回来之后"
                    ),
                    key="M7",
                ),
                Option(
                    says=Text("When the last of the three has come back", "三个里最后那个回来之后")
                ),
                Option(
                    says=Text(
                        "After the mean time that the three have taken",
                        "过了三个的平均用时之后就开始",
                    ),
                    key="M3",
                ),
            ),
            because=Text(
                "Every call gets its answer before the next turn is written: the slowest of the "
                "three decides when that is.",
                "每个调用都得到应答之后，才会写下一轮：三个里最慢的那个决定了时间。",
            ),
        ),
        QuizItem(
            asks=Text(
                "A hundred agents wait for their model at once, in one kernel, through asyncio. "
                "Your endpoint allows 20 calls at a time. What happens?",
                "一个内核里，一百个智能体通过 asyncio 同时等待模型。接口同时只允许 20 个调用。会"
                "怎样？",
            ),
            options=(
                Option(
                    says=Text(
                        "All hundred calls run: asyncio lifts the limit",
                        "一百个都在跑：asyncio 不受限流约束",
                    ),
                    key="M10",
                ),
                Option(
                    says=Text(
                        "Twenty calls are out, and the others wait their turn",
                        "二十个调用发出，其余的排队等候",
                    )
                ),
                Option(
                    says=Text(
                        "It is a hundred times as fast as with one agent alone",
                        "比单个智能体快整整一百倍",
                    ),
                    key="M1",
                ),
            ),
            because=Text(
                "Waiting needs no core, so that one kernel can wait for many. What the endpoint "
                "allows holds for all agents together.",
                "等待不占用核，所以一个内核可以同时等很多个；但接口的上限按所有智能体合计。",
            ),
        ),
        QuizItem(
            asks=Text(
                "Ten sub-agents do in parallel what one agent would have done. What becomes of "
                "the work?",
                "十个子智能体并行去做原本由一个智能体做的事。工作量会怎样？",
            ),
            options=(
                Option(
                    says=Text(
                        "It stays about the same, and briefing and joining come on top of it",
                        "大致不变，还要加上分派和汇总",
                    )
                ),
                Option(
                    says=Text(
                        "It falls to a tenth: each of the ten has only a tenth of it to do",
                        "降到十分之一：每个只做其中的十分之一",
                    ),
                    key="M5",
                ),
                Option(
                    says=Text(
                        "It falls as the time does: steps and seconds are the same thing",
                        "和用时一起下降：步数和秒数是一回事",
                    ),
                    key="M11",
                ),
            ),
            because=Text(
                "Work is what all agents do together. Time falls because it is done at once, "
                "not because less is done.",
                "工作量是所有智能体合计做的事。用时变短是因为同时做，而不是因为做得少。",
            ),
        ),
        QuizItem(
            asks=Text(
                "An orchestrator needs four seconds to plan, four to brief and four to join. Its "
                "sub-agents need eight, all at once. How long is the run?",
                "编排器规划、分派、汇总各要四秒。子智能体同时工作，要八秒。整次运行多久？",
            ),
            options=(
                Option(
                    says=Text(
                        "8 seconds: the orchestrator only watches", "8 秒：编排器只是在旁边看着"
                    ),
                    key="M9",
                ),
                Option(
                    says=Text("5 seconds: the mean of the four parts", "5 秒：取四个部分的平均值"),
                    key="M3",
                ),
                Option(says=Text("20 seconds: one after the other", "20 秒：一件接一件地做")),
            ),
            because=Text(
                "Nobody works before the briefing, and joining needs all that came back: 4 + 4 + "
                "8 + 4.",
                "分派之前谁也无法开工，汇总要等全部结果：4 + 4 + 8 + 4。",
            ),
        ),
    ),
)
