"""Who made an answer: the policy too."""

from __future__ import annotations

from dataclasses import replace

from kimi_nb.models.simulator import phrases
from kimi_nb.models.simulator.script import Turn

__all__ = ["signed"]

_BY_POLICY = {
    False: (
        "_A trained policy decided who did what, and the simulator's rules did the rest: no "
        "language model. To connect one, set MOONSHOT_API_KEY, or use --model and --base-url._"
    ),
    True: (
        "_谁做什么由训练出的策略决定，其余由模拟器按规则完成，没有使用语言模型。要连接模型，"
        "请设置 MOONSHOT_API_KEY，或使用 --model 和 --base-url。_"
    ),
}
"""By whether it is Chinese."""


def signed(turn: Turn) -> Turn:
    """The turn; what the rules sign as theirs alone is the policy's as well."""
    text = turn.text

    for chinese, line in _BY_POLICY.items():
        text = text.replace(phrases.signature(chinese=chinese), line)

    return replace(turn, text=text)
