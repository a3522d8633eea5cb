"""Each rule for sources: what breaks it is found, on its line; what keeps to it is not."""

from __future__ import annotations

import json

import pytest
from building import chinese
from building.asked import balanced, fair
from building.chinese import glossary
from building.lint import anatomy, bilingual, length, prose
from building.stale import untranslated
from sourced import FRONT, code, en, lines, said, source, zh

from kimi_nb.teach.quiz import Option, Quiz, QuizItem
from kimi_nb.teach.text import Text

EXERCISE = '+++ {"exercise": "ex03.critical"}\n\nex03.critical\n'


def only(findings, line, text):
    """The one finding, on that line and with that text."""
    found = said(findings)
    assert [at for at, _ in found] == [line], found
    assert text in found[0][1]


def faults(text):
    return [says for _, says in chinese.faults(text)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("阶段,然后屏障。", "half-width punctuation"),
        ("阶段: 屏障。", "half-width punctuation"),
        ("第一句.第二句。", "ends with 。"),
        ("最后一句.", "ends with 。"),
        ("阶段(屏障)之后。", "brackets"),
        ("它 (屏障) x", "brackets"),
        ('所谓"屏障"就是', "quotation"),
        ("用3个阶段", "space belongs"),
        ("一个swarm里", "space belongs"),
        ("运行`kn.check`之后", "space belongs"),
        ("共**3** 个", "space belongs"),
        ("由$x+1$得到", "space belongs"),
        ("见[第 3 章](a.md)A", "space belongs"),
        ("一行\n又一行", "line break"),
        ("智能 体", "space within"),
        ("太好了！", "exclamation"),
        ("**先预测。**再运行。", "nothing bold"),
        ("| a |\n|---|\n| 用3个 |", "space belongs"),
        ("- 项\n- 用3个", "space belongs"),
    ],
)
def test_chinese_that_breaks_a_rule(text, says):
    found = faults(text)
    assert found
    assert all(says in fault for fault in found), found


@pytest.mark.parametrize(
    "text",
    [
        "运行 `kn.check(1)`，然后看第 3 个阶段（屏障之后）：“完成”。",
        "两条链 (9, 1) 与 (1, 9) 都在。",
        "第一行，\n第二行。",
        "`用3个` 和",
        "```python\n# 用3个\n```",
        "费用 $T_1$ 与 $a(b)中$ 无关",
        "[第三章](03-用3个.ipynb)",
        "<details><summary>提示</summary>\n\n好。\n\n</details>",
        "得了 {n} 个，{cases}中",
        "T₁ 是工作量。3%的差别。",
        "**先预测**：再按*锁定预测*。**最后** `a * b`。",
    ],
)
def test_chinese_that_keeps_to_the_rules(text):
    assert faults(text) == []


def test_one_word_for_a_term():
    assert "智能体" in faults("每个代理都")[0]
    assert faults("经过代理服务器") == []
    assert "虚假并行" in faults("这是伪并行")[0]
    assert faults("这是虚假并行") == []
    assert "你" in faults("请您看")[0]


def test_rows_of_chinese_faults():
    text = "好。\n\n用 3 个\n\n$$\na\n$$\n\n- 好\n- 用3个"
    assert [row for row, _ in chinese.faults(text)] == [9]


def test_glossary_does_not_contradict_itself():
    words = [term.zh for term in glossary()]
    assert len(set(words)) == len(words)

    for term in glossary():
        assert faults(term.zh) == [], term
        assert faults("、".join(term.but)) == [], term
        assert all(faults(word) for word in term.never), term


def test_a_row_of_the_glossary_that_is_none(tmp_path):
    path = tmp_path / "glossary.yml"
    path.write_text("agent: 智能体\n", encoding="utf-8")

    with pytest.raises(ValueError, match="agent"):
        glossary(path)


def test_chinese_of_a_source(tmp_path):
    made = source(tmp_path, en("One."), zh("一。\n\n用3个。"))
    only(prose(made), lines(made, "用3个")[0], "space belongs")


def test_chinese_of_the_front_matter(tmp_path):
    made = source(tmp_path, en("One."), front=FRONT.replace("数数", "数3个"))
    only(prose(made), 1, "space belongs")


def test_chinese_in_python(tmp_path):
    path = tmp_path / "ex.py"
    wrong = (
        'b = Text("Use 3", "用3个")\nc = Text("So!", "好")\nd = Text(zh="用3个" + x, en="Use")\n'
    )
    right = 'e = Text("Use", f"用 {n}个{m}")\nf = other("Use", "用3个")\n'
    path.write_text("a = 1\n" + wrong + right, encoding="utf-8")
    assert [line for line, _ in said(bilingual(path))] == [2, 3, 4]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("See [it](nowhere.ipynb).", "no such file"),
        ("See [it](../en/other.ipynb#No-such).", "no heading"),
        ("See [it](#No-such).", "no heading"),
        ("See [it](/etc/passwd).", "from the notebook's folder"),
        ("See [it](http://example.org).", "https://"),
        ("See [it](https://example).", "https://"),
        ("See [it]().", "empty"),
        ("![](picture.png)", "alt text"),
        ('<img src="picture.png">', "alt text"),
        ('One <a href="nowhere.md">it</a>.', "no such file"),
        ("![a curve](gone.png)", "no such file"),
        ("So good!", "exclamation"),
    ],
)
def test_links_and_pictures_that_lead_nowhere(tmp_path, text, says):
    made = beside(tmp_path, "Fine.\n\n" + text)
    only(prose(made), lines(made, text)[0], says)


@pytest.mark.parametrize(
    "text",
    [
        "See [it](other.ipynb), [a part](other.ipynb#A-part-of-it), [more](../zh/other.ipynb).",
        "See [it](https://example.org/a?b=c#d) and [below](#Here).",
        "![a curve that falls](picture.png)",
        '<img alt="a curve" src="picture.png">',
        "`[it](nowhere.md)`",
        "Factorial: `3! = 6`.",
    ],
)
def test_links_and_pictures_that_lead_somewhere(tmp_path, text):
    assert said(prose(beside(tmp_path, text))) == []


def beside(folder, text):
    """A source of that English text, with other files where its notebook lies."""
    cells = [{"cell_type": "markdown", "source": ["## A part of `it`\n", "\n", "## Here"]}]

    for language in ("en", "zh"):
        (folder / language).mkdir()
        (folder / language / "picture.png").touch()

        for name in ("other", "03-two"):
            path = folder / language / f"{name}.ipynb"
            path.write_text(json.dumps({"cells": cells}))

    return source(folder, en(text))


def test_a_stale_translation(tmp_path):
    made = source(tmp_path, en("One."), zh("一。", of="12345678"))
    only(untranslated(made), lines(made, "一。")[0], "the English has changed")


def test_chinese_on_its_own(tmp_path):
    made = source(tmp_path, code("1"), zh("一。"))
    only(untranslated(made), lines(made, "一。")[0], "without English")


WHOLE = (en("One."), code('kn.predict("p03.critical")'), EXERCISE, '+++ {"quiz": "quiz03"}\n\nx\n')


def test_anatomy(tmp_path):
    assert said(anatomy(source(tmp_path, *WHOLE))) == []


@pytest.mark.parametrize("lacks", [1, 2, 3])
def test_anatomy_that_lacks_a_part(tmp_path, lacks):
    parts = [part for place, part in enumerate(WHOLE) if place != lacks]
    only(anatomy(source(tmp_path, *parts)), 1, ["prediction", "exercise", "quiz"][lacks - 1])


def test_anatomy_of_a_front_matter(tmp_path):
    made = source(tmp_path, *WHOLE, front=FRONT.replace('  - {en: "tell", zh: "说明"}\n', ""))
    only(anatomy(made), 1, "objectives is no list of 3")
    made = source(tmp_path, *WHOLE, front=FRONT.replace(', zh: "等于四。"', ""))
    only(anatomy(made), 1, "claim")


def test_anatomy_of_cells(tmp_path):
    made = source(tmp_path, *WHOLE, "+++\n\nNo language.\n")
    only(anatomy(made), lines(made, "No language.")[0], "without a language")
    made = source(tmp_path, *WHOLE, EXERCISE.replace("03", "04"))
    only(anatomy(made), lines(made, "ex04.critical")[-1], "of another notebook")
    made = source(tmp_path, *WHOLE, code("1", ":name: a"), code("2", ":name: a"))
    assert [says for _, says in said(anatomy(made))] == ["two cells have the name a"] * 2


def test_length(tmp_path):
    def of(cells, minutes):
        return length(source(tmp_path, *[code("1")] * (cells - 1), en("word " * 200 * minutes)))

    assert said(of(10, 20)) == []
    assert said(of(25, 40)) == []
    only(of(9, 20), 1, "9 cells")
    only(of(26, 20), 1, "26 cells")
    only(of(10, 19), 1, "19 minutes")
    only(of(10, 41), 1, "41 minutes")


def quiz(*lengths, right=0, items=3):
    options = tuple(
        Option(says=Text("x" * n, "字" * n), key="" if place == right else f"M{place + 1}")
        for place, n in enumerate(lengths)
    )
    item = QuizItem(asks=Text("?", "？"), options=options, because=Text("So.", "因此。"))
    return Quiz(id="quiz03", items=(item,) * items)


def test_a_balanced_quiz():
    assert said(balanced(quiz(10, 20, 25))) == []
    assert len(said(balanced(quiz(10, 20, 26)))) == 6  # three items, two languages


def test_a_quiz_of_too_much_or_too_little():
    assert "2 items" in said(balanced(quiz(9, 9, 9, items=2)))[0][1]
    assert "2 options" in said(balanced(quiz(9, 9)))[0][1]
    assert "the right one" in said(balanced(quiz(9, 9, 9, right=5)))[0][1]


def test_the_longest_option_gives_nothing_away():
    assert said(fair([quiz(9, 9, 9)])) == []
    assert said(fair([quiz(10, 9, 9), quiz(9, 10, 9), quiz(9, 9, 10)])) == []
    assert len(said(fair([quiz(10, 9, 9)]))) == 2  # in both languages
