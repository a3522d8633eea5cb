"""Rows 23, 24, 37 and 38 of the fault matrix, in real kernels: whoever looks at a run may stop
looking, stop it, or start it again."""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from matrix_child import begin, block
from matrix_page import SETUP, opened
from matrix_trial import PATIENCE, Trial, lines_of, stalling, team, until
from scripted import call, calls, say
from test_magics import Cell, Kernel, _note

import kimi_nb as kn
from kimi_nb.events import RunEnded
from kimi_nb.widgets.feed import BEAT

# jupyter_client's blocking client makes event loops that it never closes.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
TASKS = tuple(f"t{n}" for n in range(20))
AT_ONCE = 5.0
"""Seconds in which control is back, on a machine that does much else; a call takes an hour."""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        made = Kernel(tmp_path_factory.mktemp("kernel"))
        begun = made.run(SETUP)
        assert (begun.status, begun.error) == ("ok", "")
        yield made
        made.close()


def using(tool: str) -> Any:
    """What a sub-agent says that calls a tool once."""
    return lambda _task, got: say(got[0]) if got else calls(call(tool))


# 23


@pytest.mark.parametrize("awaited", ["by %%swarm", "by await"])
def test_fault_23_the_stop_button_gives_control_back_at_once_and_leaves_no_task(
    kernel, tmp_path, awaited
):
    with opened(kernel, tmp_path, team(*TASKS), faults=stalling(*TASKS)) as page:
        code = page.cell("stopped")

        if awaited == "by await":
            where = f"folder={str(tmp_path)!r}, trace={str(page.trial.path)!r}"
            code = f"stopped = kn.swarm('go', model='kimi-k3', {where})\nawait stopped"

        def stop() -> None:
            until(lambda: page.trial.server.in_flight == len(TASKS))
            page.interrupt()

        cell, seconds = page.run(code, stop)
        assert cell.error.startswith("Interrupted: the swarm was stopped, what it did is kept")
        assert seconds < AT_ONCE
        assert page.look("(stopped.status, stopped.done, tasks_left())") == (
            "('cancelled', True, [])"
        )
        until(lambda: page.trial.server.in_flight == 0)
        sent = len(page.trial.server.log)
        assert page.look("await asyncio.sleep(0.3)") == ""
        assert len(page.trial.server.log) == sent
        page.check("stopped", cell)


# 24


@pytest.mark.parametrize(
    ("tool", "said"), [("block", "blocked"), ("linger", "lingered")], ids=["once", "twice"]
)
def test_fault_24_stopped_under_a_function_once_or_twice_the_log_is_closed(
    kernel, tmp_path, tool, said
):
    """A plain function is left to itself; while a slow one leaves, the button is pressed again."""
    with opened(kernel, tmp_path, team("a", "b", work=using(tool))) as page:

        def stop() -> None:
            until((tmp_path / "entered").exists)
            page.interrupt()

            if tool == "linger":
                until((tmp_path / "leaving").exists)
                page.interrupt()
                (tmp_path / "left").touch()

        cell, seconds = page.run(page.cell("stuck", f"--tools {tool}"), stop)
        assert cell.error.startswith("Interrupted: the swarm was stopped, what it did is kept")
        assert seconds < AT_ONCE
        assert page.look("(stuck.status, stuck.done, tasks_left())") == "('cancelled', True, [])"
        page.check("stuck", cell)
        (tmp_path / "go").touch()  # the thread that was left behind ends, and speaks to nobody
        written = lines_of(page.trial.path)
        again = page.kernel.run(
            f"again = kn.resume({str(page.trial.path)!r}, tools=[{tool}])\n(await again).answer"
        )
        assert again.text == f"'{said} | {said}'", again.error
        assert lines_of(page.trial.path)[: len(written)] == written
        page.check("again", again)


@pytest.mark.parametrize("times", [1, 2])
def test_fault_24_ctrl_c_in_plain_python_once_or_twice_loses_nothing(tmp_path, times):
    with (
        Trial(tmp_path, team("a", "b", work=using("block"))) as trial,
        begin(trial, "blocking") as child,
    ):
        until((tmp_path / "entered").exists)
        done = lines_of(trial.path)

        for _ in range(times):
            child.send_signal(signal.SIGINT)
            time.sleep(0.005)

        _, errors = child.communicate(timeout=PATIENCE)
        assert child.returncode != 0
        assert "KeyboardInterrupt" in errors
        assert lines_of(trial.path)[: len(done)] == done
        last = kn.read(trial.path)[-1].fact

        if times == 1:
            assert isinstance(last, RunEnded)
            assert last.status == "cancelled"

        (tmp_path / "go").touch()
        assert trial.resume(tools=[block]).answer == "blocked | blocked"


# 37


def test_fault_37_a_page_that_is_closed_ends_nothing_and_a_new_one_sees_the_end(kernel, tmp_path):
    with opened(kernel, tmp_path, team("a", "b", work=using("hold"))) as page:
        kernel.client.execute(page.cell("left", "--tools hold"))
        until(lambda: page.trial.path.exists() and b'"hold"' in page.trial.path.read_bytes())
        closed = kernel.client
        closed.stop_channels()  # nobody reads what the kernel sends
        (tmp_path / "go").touch()
        until(lambda: b'"RunEnded"' in page.trial.path.read_bytes())
        kernel.client = kernel.manager.client()
        kernel.client.start_channels()
        kernel.client.wait_for_ready(timeout=PATIENCE)
        assert page.look("(left.status, left.answer)") == "('finished', 'held | held')"
        page.check("left", before="None")  # the new page has sockets of its own


def test_fault_37_a_view_is_rebuilt_from_the_kernel_and_one_that_is_closed_is_no_matter(
    kernel, tmp_path
):
    ids: list[str] = []
    told: list[str] = []

    def note(cell: Cell, message: dict[str, Any]) -> None:
        ids.extend([message["content"].get("comm_id")] * (message["msg_type"] == "comm_open"))
        _note(cell, message)

    def reload() -> None:
        until(lambda: ids and page.trial.path.exists())
        until(lambda: page.trial.path.read_bytes().count(b'"hold"') == 2)

        with page.again() as client:
            control = {"comm_id": "anew", "target_name": "jupyter.widget.control", "data": {}}
            send(client, "comm_open", control, version="1.0.0")
            until(lambda: told.extend(view_of(client, "anew")) or held(told) == 2)
            send(client, "comm_close", {"comm_id": ids[0], "data": {}})
            time.sleep(5 * BEAT)  # pictures that nobody takes

        (tmp_path / "go").touch()

    with opened(kernel, tmp_path, team("a", "b", work=using("hold"))) as page:
        page.note = note  # type: ignore[method-assign]
        cell, _ = page.run(page.cell("anew", "--tools hold"), reload)
        scene = json.loads(told[-1])  # the whole view, as it was then
        assert (scene["run"]["name"], scene["run"]["status"]) == ("anew", "running")
        assert held(told) == 2
        assert (cell.status, cell.error) == ("ok", "")
        assert "held | held" in cell.text
        page.check("anew", cell, before="None")


def held(told: list[str]) -> int:
    """How many sub-agents hold in the view that was told last."""
    agents = json.loads(told[-1])["agents"] if told else []
    return sum(agent["doing"].startswith("hold") for agent in agents)


def send(client: Any, kind: str, content: dict[str, Any], **metadata: Any) -> None:
    """A message as the page's widgets send them."""
    client.shell_channel.send(client.session.msg(kind, content, metadata=metadata))


def view_of(client: Any, name: str) -> list[str]:
    """The snapshots of the live views of a run, as the kernel tells them to a page loaded anew.

    Nothing if it does not answer soon: a page that has just connected may miss the answer.
    """
    send(client, "comm_msg", {"comm_id": "anew", "data": {"method": "request_states"}})

    with contextlib.suppress(queue.Empty):
        while True:
            data = client.get_iopub_msg(timeout=1)["content"].get("data", {})

            if data.get("method") == "update_states":
                states = [state["state"] for state in data["states"].values()]
                return [s["snapshot"] for s in states if name in s.get("snapshot", "")]

    return []


def test_fault_37_a_slow_page_gets_few_pictures_and_small_ones_of_a_busy_run(kernel, tmp_path):
    """The queue is bounded: messages come by the clock, however much happens between them."""
    tasks = [f"t{n}" for n in range(100)]

    with opened(kernel, tmp_path, team(*tasks, work=using("list_files"))) as page:
        begun = time.monotonic()
        client = kernel.client
        client.execute(page.cell("busy", "--agents 100"))
        until(lambda: page.trial.path.exists() and b'"RunEnded"' in page.trial.path.read_bytes())
        time.sleep(3 * BEAT)
        sent = Cell()

        while True:  # only now the page begins to read
            message = client.get_iopub_msg(timeout=PATIENCE)
            _note(sent, message)

            if message["content"].get("execution_state") == "idle" and sent.text:
                break

        client.get_shell_msg(timeout=PATIENCE)
        most = (time.monotonic() - begun) / BEAT + 3
        assert 2 <= len(sent.live) <= most
        assert max(len(text) for text in sent.live) < 800 * 101  # a row for each agent at most
        assert int(page.look("len(busy.trace)")) > 10 * 100
        page.check("busy", sent)


# 38


def test_fault_38_a_cell_that_is_run_again_is_refused_and_the_run_goes_on(kernel, tmp_path):
    with opened(kernel, tmp_path, team("a", "b", work=using("hold"))) as page:
        page.kernel.run(page.cell("twice", "--background --tools hold"))
        until(lambda: page.trial.path.read_bytes().count(b'"hold"') == 2)
        sent = len(page.trial.server.log)
        again = page.kernel.run(page.cell("twice", "--background --tools hold"))
        assert "'twice' is still running; `%swarm cancel twice`, or take another" in again.error
        other = page.kernel.run(page.cell("other", "--tools hold"))
        assert "holds a run already; to go on with it: kn.resume(" in other.error
        third = page.kernel.run(f"%swarm resume {page.trial.path}")
        assert third.status == "error"
        assert "TraceLocked" in third.error or "had hold" in third.error
        assert len({again.error.count("\n"), other.error.count("\n"), 0}) == 1  # a line each
        assert page.look("'other' in dir()") == "False"
        (tmp_path / "go").touch()
        assert page.look("(await twice).answer") == "'held | held'"
        assert len(page.trial.server.log) == sent + 3
        page.check("twice", again, other, third)
