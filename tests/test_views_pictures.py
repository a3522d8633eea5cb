"""The pictures of a report: what they draw is what the measures say, whatever the run."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traces import Script, chains, staged, swarms

from kimi_nb.trace import Trace
from kimi_nb.views.concurrency import concurrency
from kimi_nb.views.critical import metrics
from kimi_nb.views.fold import fold
from kimi_nb.views.html.charts import HEIGHT, ruler, time_axis
from kimi_nb.views.html.flowchart import CHARACTERS, PITCH, flowchart_html
from kimi_nb.views.html.lanes import UNITS, area
from kimi_nb.views.html.pictures import bounds_html, concurrency_html
from kimi_nb.views.html.stages import BOXES, COLUMNS, columns
from kimi_nb.views.measures import measures
from kimi_nb.views.text import width

Shape = dict[str, str]


class Drawing(HTMLParser):
    """The shapes of a picture, by the outermost svg that they are in, and its texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.svgs: list[Shape] = []
        self.shapes: list[list[tuple[str, Shape]]] = []
        self.texts: list[str] = []
        self._depth = 0
        self._text = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._text = tag == "text"

        if tag == "svg":
            self._depth += 1

            if self._depth == 1:
                self.svgs.append(given)
                self.shapes.append([])
        elif self._depth:
            self.shapes[-1].append((tag, given))

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == "svg"
        self._text = False

    def handle_data(self, data: str) -> None:
        if self._text:
            self.texts.append(data)

    def of(self, kind: str) -> list[Shape]:
        return [
            s for shapes in self.shapes for _, s in shapes if kind in s.get("class", "").split()
        ]


def cells(html: str) -> list[list[str]]:
    """The rows of the tables of a page, as text."""
    rows = re.findall(r"<tr>(.*?)</tr>", html)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def points(path: str) -> list[tuple[float, float]]:
    """The corners of a path that is drawn with M and L, in units of the plot."""
    numbers = [float(n) for n in re.findall(r"[-\d.]+", path)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def many(sub_agents: int, failed: int = 0, slow: int = 7) -> Trace:
    """A stage in which number `slow` takes longest, and the last ones fail."""
    script = Script()
    main = script.orchestrator()
    main.step(1.0)
    subs = main.assign([f"w{i}" for i in range(sub_agents)])

    for i, sub in enumerate(subs):
        sub.step(9.0 if i == slow else 1.0 + i / 1000)
        sub.end("no", "failed") if i >= sub_agents - failed else sub.end()

    main.join(subs).step(1.0).end()
    return script.end()


# Axes.


@given(end=st.floats(0.01, 1e7), most=st.integers(2, 10), whole=st.booleans())
def test_an_axis_has_round_even_steps_and_not_too_many(
    *, end: float, most: int, whole: bool
) -> None:
    axis = ruler(end, "agents", most=most, whole=whole)
    numbers = [number for number, _ in axis.ticks]
    assert 1 <= len(numbers) <= most + 1
    assert numbers[0] == 0.0
    assert numbers[-1] <= end * (1 + 1e-6)

    for number, said in axis.ticks:
        assert float(said.replace(",", "")) == pytest.approx(number)
        assert not whole or number % 1 == 0

    if len(numbers) > 1 and not (whole and numbers[1] == 1):
        assert f"{numbers[1]:e}"[0] in "125"
        assert re.fullmatch(r"[125]\.0+", f"{numbers[1]:e}".split("e")[0])


def test_a_long_run_is_measured_in_minutes_or_hours() -> None:
    assert [said for _, said in time_axis(12.0).ticks] == ["0 s", "2 s", "4 s"] + [
        f"{n} s" for n in (6, 8, 10, 12)
    ]
    assert time_axis(1800.0).ticks[1] == (300.0, "5 min")
    assert time_axis(40_000.0).ticks[1] == (7200.0, "2 h")
    assert time_axis(1800.0).title == "time since the beginning, in min"


# Concurrency.


@given(swarms())
def test_the_area_that_is_drawn_is_the_work(trace: Trace) -> None:
    found = concurrency(trace)
    path = area(found, 100.0, max(found.peak, 1))
    drawn, x, y = 0.0, 0.0, 100.0

    for letter, number in re.findall(r"([VH])([-\d.]+)", path):
        if letter == "V":
            y = float(number)
        else:
            drawn += (float(number) - x) * (100.0 - y)
            x = float(number)

    share = drawn / 100.0 / UNITS * max(found.peak, 1)
    assert share == pytest.approx(metrics(trace).average_concurrency or 0.0, abs=0.02)


def test_of_more_changes_than_can_be_seen_means_are_drawn() -> None:
    path = area(concurrency(many(900)), 100.0, 900)
    assert path.count("V") <= 502


def test_concurrency_is_drawn_said_and_listed() -> None:
    html = concurrency_html(concurrency(staged((), (6, 9, 4, 7), ())))
    drawing = Drawing(html)
    said = "At most 4 agents worked at once, 2.42 on average; one alone for 42% of the time, "
    assert f"<p>{said}always somebody.</p>" in html
    assert f'role="img" aria-label="Agents at work over time. {said}always somebody."' in html
    ((_, level), (end, same)) = points(drawing.of("mean")[0]["d"])
    assert (level, end) == (same, UNITS)
    assert (HEIGHT - level) / HEIGHT * 4 * 1.12 == pytest.approx(29 / 12, abs=0.05)
    assert cells(html)[1:] == [
        ["1", "5.0 s", "41.7%"],
        ["2", "1.0 s", "8.3%"],
        ["3", "2.0 s", "16.7%"],
        ["4", "4.0 s", "33.3%"],
    ]
    assert {"agents at work", "time since the beginning, in s", "0 s", "12 s"} <= set(drawing.texts)


def test_many_numbers_at_work_are_listed_in_groups() -> None:
    rows = cells(concurrency_html(concurrency(many(100))))[1:]
    assert 2 <= len(rows) <= 12
    assert rows[-1][0] == "99 to 100"
    assert sum(float(row[2].rstrip("%")) for row in rows) == pytest.approx(100, abs=0.5)


# Bounds.


def test_the_curves_are_the_bounds() -> None:
    trace = staged((), (6, 9, 4, 7), ())
    found = measures(trace).seconds
    html = bounds_html(found, concurrency(trace))
    best, worst = (points(line["d"]) for line in Drawing(html).of("edge"))
    limit = 29 / 12

    for curve, time in ((best, 0), (worst, 1)):
        for x, y in curve:
            workers = x / UNITS * 8
            fast = (HEIGHT - y) / HEIGHT * limit * 1.12
            least, most = max(29 / workers, 12), (29 - 12) / workers + 12
            assert fast == pytest.approx(29 / (least, most)[time], rel=0.02)

    assert cells(html)[1:4] == [
        ["1", "29.0 s", "29.0 s", "1.00×", "1.00×"],
        ["2", "14.5 s", "20.5 s", "1.41×", "2.00×"],
        ["3", "12.0 s", "17.7 s", "1.64×", "2.42×"],
    ]
    assert "no number of workers makes this run more than 2.42 times as fast as one" in html
    assert "It was 2.42 times as fast, with 4 agents at once at most" in html


def test_one_agent_alone_has_no_bounds_to_draw() -> None:
    script = Script()
    script.orchestrator(role="single").step(2.0).step(1.0)
    trace = script.trace()
    html = bounds_html(measures(trace).seconds, concurrency(trace))
    assert html == "<p>Work and span are the same 3.0 s: a second worker cannot help.</p>"


# The graph.


def test_three_hundred_sub_agents_show_the_telling_ones_and_count_the_others() -> None:
    state = fold(many(300, failed=2))
    html = flowchart_html(state, measures(state))
    drawing = Drawing(html)
    names = [text for text in drawing.texts if re.match(r"a\d+ w", text)]
    assert len(names) == BOXES
    assert {"a08 w7", "a299 w298", "a300 w299"} <= set(names)
    assert "… and 292 more" in drawing.texts
    assert drawing.texts.count("✗ failed") == 2
    assert drawing.texts.count("critical") == 4  # three turns and the slowest
    assert len(drawing.of("stack")) == 1


def test_what_is_critical_is_drawn_though_it_was_quick() -> None:
    script = Script()
    quick = script.plan("quick", 1)

    for i in range(30):
        script.plan(f"slow-{i}", 5 + i % 3)

    last = script.plan("last", 40, quick)
    state = fold(script.end())
    first, second = columns(state, measures(state))
    assert [box.ids for box in first.boxes if box.critical] == [(quick.id,)]
    assert [box.ids for box in second.boxes if box.critical] == [(last.id,)]
    assert sum(len(box.ids) for box in first.boxes if box.stack) == 31 - BOXES


def test_the_critical_chain_is_thick_and_called_so() -> None:
    state = fold(staged((), (2, 5, 3), ()))
    drawing = Drawing(flowchart_html(state, measures(state)))
    thick = [box for box in drawing.of("box") if "critical" in box["class"].split()]
    assert len(thick) == drawing.texts.count("critical") == 4
    edges = drawing.of("edge")
    assert len([e for e in edges if "critical" in e["class"].split()]) == 3 + 4
    assert len(edges) == 3 + 3 + 3 * 2  # from turn to turn, and to and from each sub-agent


def test_a_plan_has_an_arrow_for_each_thing_that_one_came_after() -> None:
    script = Script()
    first, other = script.plan("first", 2), script.plan("other", 5)
    join = script.plan("join", 1, first, other)
    script.plan("last", 1, join, first)
    state = fold(script.end())
    drawing = Drawing(flowchart_html(state, measures(state)))
    assert len(drawing.svgs) == 1
    assert len(drawing.of("edge")) == len(drawing.of("tip")) == 4
    assert len(drawing.of("critical")) == 3 + 2  # other, join, last, and what lies between


def test_a_long_run_is_drawn_in_few_columns() -> None:
    state = fold(staged(*[(1, 2), ()] * 60))
    drawn = columns(state, measures(state))
    assert sum(len(c.stages) == 1 and bool(c.boxes) for c in drawn) == COLUMNS
    assert len(drawn) <= 2 * COLUMNS + 1
    assert "turns 40 to 120" in "".join(c.head.lines[0] for c in drawn if c.head)


@given(swarms())
def test_everybody_is_in_the_picture_once(trace: Trace) -> None:
    state = fold(trace)
    drawn = columns(state, measures(state))
    boxed = Counter(name for column in drawn for box in column.boxes for name in box.ids)
    assert boxed == Counter(agent.id for agent in state.sub_agents())
    assert [s for column in drawn for s in column.stages] == list(state.stages.values())


def places(shapes: list[tuple[str, Shape]]) -> list[tuple[float, float, float, float]]:
    """The boxes, without those that only hint at a stack."""
    return [
        (float(s["x"]), float(s["y"]), float(s["width"]), float(s["height"]))
        for tag, s in shapes
        if tag == "rect" and s["class"] != "box"
    ]


@given(st.one_of(swarms(), st.just(many(300)), st.just(chains((1, 9), (9, 1), (2, 2, 2)))))
def test_boxes_never_overlap_nor_stick_out(trace: Trace) -> None:
    state = fold(trace)
    drawing = Drawing(flowchart_html(state, measures(state)))

    for svg, shapes in zip(drawing.svgs, drawing.shapes, strict=True):
        boxes = places(shapes)

        for i, (x, y, wide, high) in enumerate(boxes):
            assert 0 <= x < x + wide <= float(svg["width"])
            assert 0 <= y < y + high <= float(svg["height"])
            assert not any(
                x < a + w and a < x + wide and y < b + h and b < y + high
                for a, b, w, h in boxes[i + 1 :]
            )

    assert all(width(text) <= max(CHARACTERS.values()) for text in drawing.texts)


@pytest.mark.parametrize("size", [1, 5, 100])
def test_stages_stand_side_by_side_at_any_size(size: int) -> None:
    state = fold(many(size, slow=0))
    drawing = Drawing(flowchart_html(state, measures(state)))
    assert [svg["width"] for svg in drawing.svgs] == [str(PITCH)] * 3
