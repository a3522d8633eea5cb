"""What all worlds share: the same world for the same seed, its judgement, and going on with it."""

from __future__ import annotations

import asyncio
import io
import re
import signal
import subprocess
import sys
import threading
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from processes import ENVIRONMENT

import kimi_nb as kn
from kimi_nb.cli.main import main
from kimi_nb.cli.progress import progress_line
from kimi_nb.errors import TraceMismatch
from kimi_nb.events import Judged, RunBegan
from kimi_nb.models.simulator import Options, Simulator
from kimi_nb.swarm.handle import Interrupted
from kimi_nb.trace import TornTail, Trace
from kimi_nb.views.header import header
from kimi_nb.views.report import report_html
from kimi_nb.views.summary import summary_html, summary_text
from kimi_nb.worlds.base import Grade, World

QUICK = kn.Simulator(latency=0)
KILLED = """
import sys; sys.path.insert(0, {tests!r})
import killed, kimi_nb as kn
killed.die_after({lines}, torn={torn})
kn.worlds.{world}.run(trace={path!r}, simulator=kn.Simulator(latency=0)).result()
"""


def killed(world: str, path: Path, lines: int, *, torn: bool = False) -> None:
    """A run of the world whose process is killed when so many lines of its log are written."""
    code = KILLED.format(
        tests=str(Path(__file__).parent), lines=lines, torn=torn, world=world, path=str(path)
    )
    found = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, check=False)
    assert found.returncode == -signal.SIGKILL


def end_of(run: kn.Replay) -> kn.Replay:
    return run.result() if isinstance(run, kn.Run) else run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> kn.Run:
    path = tmp_path_factory.mktemp("world") / "run.jsonl"
    return kn.worlds.wide(3, seed=1).run(trace=path, simulator=QUICK).result()


@pytest.mark.parametrize("items", [2, 301, 0, -1, "20", 20.0, 3.5, None, True])
@pytest.mark.parametrize("family", ["wide", "deep"])
def test_a_size_that_is_none_is_refused(family: str, items: Any) -> None:
    with pytest.raises(kn.UsageFault, match="3 to 300"):
        getattr(kn.worlds, family)(items)


def test_the_log_says_how_it_was_judged_and_by_whom(finished: kn.Run) -> None:
    assert finished.judged is not None
    assert finished.judged.by == "wide(items=3, seed=1)"
    line = f"judged by wide(items=3, seed=1): success, quality {finished.judged.quality:.2f} – "
    assert line in repr(finished)
    assert line in summary_html(finished.trace)
    assert line in report_html(finished.trace)


def test_a_run_that_goes_on_is_judged_by_nobody_yet(finished: kn.Run) -> None:
    begun = [r for r in finished.trace if not isinstance(r.fact, Judged)][:9]
    assert kn.worlds.of(Trace(begun)).name == "wide(items=3, seed=1)"
    assert "judged by" not in repr(kn.Replay(Trace(begun)))


def test_while_the_answer_is_judged_the_run_says_so(finished: kn.Run) -> None:
    place = next(i for i, r in enumerate(finished.trace) if isinstance(r.fact, Judged))
    waiting = kn.Replay(Trace(finished.trace[:place]))
    assert "judged by wide(items=3, seed=1): not yet" in repr(waiting)
    seen = header(waiting.fold, 9.0, "run", {})
    assert seen["judged"] == "judged by wide(items=3, seed=1): not yet"
    assert "not yet" not in repr(finished)


def test_progress_in_a_terminal_says_that_the_answer_is_judged(tmp_path: Path) -> None:
    go_on = threading.Event()
    world = kn.worlds.wide(3, seed=1)

    def grade(answer: str, folder: Path) -> Grade:
        assert go_on.wait(50)
        return world.grade(answer, folder)

    run = replace(world, grade=grade).run(trace=tmp_path / "run.jsonl", simulator=QUICK)

    while not run.done and "judged by wide(items=3, seed=1): not yet" not in progress_line(run):
        time.sleep(0.01)

    assert not run.done
    go_on.set()
    assert "not yet" not in progress_line(run.result())


def test_a_world_is_known_from_its_log(finished: kn.Run) -> None:
    path = finished.path
    assert path is not None

    for run in (path, str(path), finished, finished.trace, kn.read(path)):
        world = kn.worlds.of(run)
        assert (world.family, world.items, world.seed) == ("wide", 3, 1)
        assert world.goal == finished.goal


@pytest.mark.parametrize(
    "judge",
    [
        None,
        "",
        "me",
        "wide(items=3)",
        "wide(items=3, seed=1) ",
        "wide(items=3, seed=1)\n",
        "wide(items=٣, seed=5)",
        "wide(seed=5, items=3)",
        "known(items=3, seed=5)",
        "__import__('os').system('true')",
    ],
)
def test_what_is_no_name_of_a_world_is_refused(finished: kn.Run, judge: str | None) -> None:
    first = finished.trace[0]
    assert isinstance(first.fact, RunBegan)
    options = orjson.loads(first.fact.options) | {"judge": judge}
    fact = RunBegan(
        goal="",
        model="m",
        simulated=True,
        seed=0,
        started=0.0,
        version="",
        options=orjson.dumps(options).decode(),
    )

    with pytest.raises(kn.UsageFault, match="no world"):
        kn.worlds.of(Trace([replace(first, fact=fact)]))


@pytest.mark.parametrize(("lines", "torn"), [(9, False), (60, True), (180, True)])
def test_a_run_that_was_killed_goes_on_and_is_judged(
    tmp_path: Path,
    finished: kn.Run,
    lines: int,
    torn: bool,  # noqa: FBT001
) -> None:
    path = tmp_path / "run.jsonl"
    killed("wide(3, seed=1)", path, lines, torn=torn)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TornTail)
        run = end_of(kn.worlds.resume(path))

    assert run.status == "finished"
    assert run.fold.resumed == 1
    assert run.judged == finished.judged
    assert run.answer == finished.answer
    assert run.metrics.total_steps == finished.metrics.total_steps


def test_going_on_without_the_judge_or_the_tools_is_refused_and_says_what_to_type(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run.jsonl"
    killed("wide(3, seed=1)", path, 60)
    said = f"kn.worlds.resume({str(path)!r})"

    with pytest.raises(TraceMismatch, match=re.escape(said)):
        kn.resume(path)

    with pytest.raises(TraceMismatch, match=re.escape(said)):
        kn.resume(path, judge=kn.worlds.wide(4))

    with pytest.raises(TraceMismatch, match=re.escape(said)):
        kn.resume(path, fork=tmp_path / "fork.jsonl")

    for wrong in ({"tools": ()}, {"judge": None}, {"goal": "Another."}, {"plan": "a: b"}):
        with pytest.raises(kn.UsageFault):
            kn.worlds.resume(path, **wrong)

    assert end_of(kn.worlds.resume(path, goal=kn.worlds.wide(3, seed=1).goal)).judged is not None


async def test_whoever_stops_it_reads_what_goes_on_with_it(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    slow = kn.Simulator(latency=600)  # it has not ended by then
    run = kn.worlds.wide(3, seed=1).run(trace=path, simulator=slow)
    waiting = asyncio.create_task(run.wait())
    await asyncio.sleep(0)
    waiting.cancel()

    with pytest.raises(Interrupted, match=re.escape(f"go on with kn.worlds.resume({str(path)!r})")):
        await waiting

    assert f'kn.worlds.resume("{path}") or %swarm resume' in summary_text(run.trace)
    assert (
        end_of(kn.worlds.resume(path, model=Simulator(Options(latency=0.0)))).status == "finished"
    )


def test_a_fork_of_a_worlds_run_is_judged(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    killed("wide(3, seed=1)", path, 60)
    run = end_of(kn.worlds.resume(path, fork=tmp_path / "fork.jsonl"))
    assert run.judged is not None
    assert run.judged.success
    assert kn.replay(path).judged is None


def test_going_on_without_its_files_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    killed("wide(3, seed=1)", path, 20)
    (tmp_path / "run.files").rename(tmp_path / "elsewhere")

    with pytest.raises(kn.UsageFault, match=r"run\.files"):
        kn.worlds.resume(path)


def test_the_command_line_goes_on_with_a_worlds_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.jsonl"
    killed("deep(3, seed=5)", path, 60)
    assert main(["resume", str(path)]) == 0
    assert "judged by deep(items=3, seed=5): success, quality 1.00" in capsys.readouterr().out


def test_a_world_does_not_write_over_another_run(tmp_path: Path) -> None:
    (tmp_path / "run.files").mkdir()

    with pytest.raises(kn.UsageFault, match="is there already"):
        kn.worlds.wide(3).run(trace=tmp_path / "run.jsonl")


@pytest.mark.parametrize("family", ["wide", "deep"])
def test_the_same_seed_gives_the_same_world_and_another_another(
    tmp_path: Path, family: str
) -> None:
    made: list[tuple[World, Path]] = []

    for number, seed in enumerate((1, 1, 2)):
        world = getattr(kn.worlds, family)(4, seed)
        folder = tmp_path / str(number)
        folder.mkdir()
        world.write(folder)
        made.append((world, folder))

    texts = [everything(world, folder) for world, folder in made]
    assert texts[0] == texts[1] != texts[2]
    assert made[0][0].goal == made[1][0].goal != made[2][0].goal


def everything(world: World, folder: Path) -> list[str]:
    """All documents, as the world's own tool opens them."""
    open_ = world.tools(folder).get("open")
    assert open_ is not None
    return [open_.function(number) for number in range(1, 2_001)]


def test_a_run_that_cannot_begin_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        kn.worlds.wide(items=3).run(trace=tmp_path / "run.jsonl", modle="x")

    assert list(tmp_path.iterdir()) == []


def test_whoever_waits_for_a_large_world_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = io.StringIO()

    def write(_folder: Path) -> None:
        while "\n" not in told.getvalue():
            time.sleep(0.001)

    monkeypatch.setattr("kimi_nb.patience.SECONDS", 0.0)
    monkeypatch.setattr("sys.stderr", told)
    world = replace(kn.worlds.wide(items=3), write=write)

    with pytest.raises(kn.UsageFault, match="no corpus"):  # for it has written none
        world.run(trace=tmp_path / "run.jsonl")

    assert told.getvalue().startswith("wide(items=3, seed=7): writing what it is about to ")
