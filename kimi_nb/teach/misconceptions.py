"""What learners believe about parallel agents, and what is true: M1 to M16.

Every id binds to a distractor of a quiz, to the message of a check, and to a note for teachers.
"""

from __future__ import annotations

from dataclasses import dataclass

from kimi_nb.teach.text import Text

__all__ = ["MISCONCEPTIONS", "Misconception"]


@dataclass(frozen=True, slots=True)
class Misconception:
    """A belief that is wrong, and the sentence that undoes it."""

    belief: Text
    truth: Text


MISCONCEPTIONS: dict[str, Misconception] = {
    "M1": Misconception(
        Text("N agents make it N times as fast.", "N 个智能体就快 N 倍。"),
        Text(
            "What cannot be divided, and the orchestrator's own steps, stay as long as they were.",
            "无法拆分的部分和编排器自己的步骤，一点也不会变短。",
        ),
    ),
    "M2": Misconception(
        Text("The speed-up is the number of agents spawned.", "加速比就是创建的子智能体数量。"),
        Text(
            "Speed-up is measured: the time of one agent alone over the time of the swarm. "
            "Agents that wait, or repeat each other, add nothing to it.",
            "加速比要靠测量：单个智能体的用时除以集群的用时。空等的、重复劳动的智能体对它毫无贡献。",
        ),
    ),
    "M3": Misconception(
        Text(
            "A stage takes as long as its mean sub-agent.",
            "一个阶段的用时是各子智能体用时的平均值。",
        ),
        Text(
            "A stage ends when its last sub-agent ends: the maximum counts, not the mean.",
            "最后一个子智能体结束，阶段才结束：起决定作用的是最大值，不是平均值。",
        ),
    ),
    "M4": Misconception(
        Text("The span is the longest single task.", "跨度就是最长的那一个任务。"),
        Text(
            "The span is the longest chain of tasks that wait for one another.",
            "跨度是前后依赖的任务所构成的最长的一条链。",
        ),
    ),
    "M5": Misconception(
        Text("Parallel means less work, or fewer tokens.", "并行意味着工作量更小、token 更少。"),
        Text(
            "Parallel work is the same work at the same time; briefing and joining come on top. "
            "Where tokens fall, it is because no agent reads the whole history again.",
            "并行只是把同样的工作放在同一时间做，还要加上分派与汇总的开销。"
            "token 若有减少，是因为没有哪个智能体需要反复重读全部历史。",
        ),
    ),
    "M6": Misconception(
        Text("More workers never hurt.", "工作者越多，至少不会变慢。"),
        Text(
            "A greedy schedule can get slower with one more worker: Graham's anomaly.",
            "贪心调度下，多一个工作者反而可能更慢：这就是 Graham 异常。",
        ),
    ),
    "M7": Misconception(
        Text("Making any task shorter makes the run shorter.", "缩短任何一个任务，整体都会变快。"),
        Text(
            "Only what lies on the critical path decides the time; and a greedy schedule "
            "may even get slower when tasks get shorter.",
            "只有关键路径上的部分才决定用时；而且在贪心调度下，任务变短后整体甚至可能更慢。",
        ),
    ),
    "M8": Misconception(
        Text("Concurrency is the peak number of agents.", "并发数就是同时运行的智能体的峰值。"),
        Text(
            "Average concurrency is work over wall time: a peak that lasts a moment is no average.",
            "平均并发数是工作量除以实际用时：转瞬即逝的峰值不是平均值。",
        ),
    ),
    "M9": Misconception(
        Text("The orchestrator's time is free.", "编排器花的时间不算数。"),
        Text(
            "Everyone waits while it plans, briefs and joins: it lies on the critical path.",
            "编排器规划、分派、汇总时，所有人都在等：它就在关键路径上。",
        ),
    ),
    "M10": Misconception(
        Text(
            "asyncio uses all cores, or lifts the rate limit.",
            "asyncio 能用满所有核，或能绕开限流。",
        ),
        Text(
            "asyncio waits for many answers on one core. The endpoint's limit holds for all "
            "agents together.",
            "asyncio 只是在一个核上同时等待许多应答；接口的限流按所有智能体合计。",
        ),
    ),
    "M11": Misconception(
        Text("Steps, seconds and tokens are the same.", "步数、秒数和 token 是一回事。"),
        Text(
            "They are three currencies: one step may take a second or a minute, "
            "a hundred tokens or a hundred thousand.",
            "它们是三种不同的货币：一步可能花一秒或一分钟，用一百个或十万个 token。",
        ),
    ),
    "M12": Misconception(
        Text("Critical Steps are the span of the graph.", "关键步数就是任务图的跨度。"),
        Text(
            "Critical Steps count every stage's slowest sub-agent, barriers included: "
            "chains (1, 9) and (9, 1) have 18 with barriers and a span of 10.",
            "关键步数把每个阶段最慢的子智能体相加，屏障也计入："
            "两条链 (1, 9) 与 (9, 1) 有屏障时是 18，而跨度只有 10。",
        ),
    ),
    "M13": Misconception(
        Text("Reward shaping never changes the optimum.", "奖励塑形不会改变最优策略。"),
        Text(
            "Only potential-based shaping leaves the optimum alone. r_parallel is none: "
            "kept for good, it pays for sub-agents that nobody needs.",
            "只有基于势函数的塑形才不改变最优策略。r_parallel 不是：一直保留它，"
            "就会为没人需要的子智能体付钱。",
        ),
    ),
    "M14": Misconception(
        Text("Annealing is the decay of the learning rate.", "退火就是学习率衰减。"),
        Text(
            "Annealing changes what is rewarded; the learning rate changes how far one step goes.",
            "退火改变的是奖励什么；学习率改变的是每一步走多远。",
        ),
    ),
    "M15": Misconception(
        Text(
            "More spawns, more r_parallel, a better run.",
            "创建越多，r_parallel 越高，结果就越好。",
        ),
        Text(
            "r_parallel is a means: sub-agents without use raise it, and cost steps and quality.",
            "r_parallel 只是手段：没有用处的子智能体也能抬高它，却要付出步数和质量。",
        ),
    ),
    "M16": Misconception(
        Text("How fast one anneals does not matter.", "退火快慢无所谓。"),
        Text(
            "Too fast, and the habit to delegate is not learned yet; "
            "never, and spurious sub-agents stay.",
            "退得太快，还没学会委派就没了激励；一直不退，虚假的子智能体就会留下来。",
        ),
    ),
}
