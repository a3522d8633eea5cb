"""`%%swarm` and `%swarm` in real kernels: progress, the stop button, the page's messages."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import midway
import pytest
from jupyter_client.manager import start_new_kernel

from kimi_nb.events import StepEnded
from kimi_nb.trace import read

GOAL = "For each Python package installed here, give its version and licence."
SMALL = "Give the version of each of these Python packages: aiohttp, orjson, ipython, openai."
ROOT = Path(__file__).parents[1]
SETUP = """
%load_ext kimi_nb
import kimi_nb as kn, asyncio, os
from kimi_nb.swarm.runtime import runtime
async def _alive():
    return len(asyncio.all_tasks()) - 1
def alive():
    return runtime().spawn(_alive()).result()
"""

PATIENCE = 60.0
"""Seconds until a kernel counts as dead."""

# jupyter_client's blocking client makes event loops that it never closes.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.timeout(180),  # kernels begin in it, and whole runs go on
]


@dataclass
class Cell:
    """What the execution of one cell brought."""

    status: str = ""
    text: str = ""
    """Its value, as text."""
    html: str = ""
    stream: str = ""
    error: str = ""
    shown: list[str] = field(default_factory=list)
    """Displays and their updates, as text."""
    live: list[str] = field(default_factory=list)
    """What the widgets were told, as JSON."""
    payload: list[Any] = field(default_factory=list)
    comms: list[str] = field(default_factory=list)
    """Ids of the widgets that were opened."""

    @property
    def facts(self) -> int:
        """How many facts of the run the widget was told."""
        return max((json.loads(text).get("to", 0) for text in self.live), default=0)


class Once:
    """Does something the first time that a cell has brought so many facts of its run."""

    def __init__(self, facts: int, do: Callable[[Cell], Any]) -> None:
        self._facts = facts
        self._do = do
        self.done = False

    def __call__(self, cell: Cell) -> None:
        if not self.done and cell.facts >= self._facts:
            self.done = True
            self._do(cell)


class Kernel:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        env = {**os.environ, "PYTHONPATH": str(ROOT), "MOONSHOT_API_KEY": "", "KIMI_API_KEY": ""}
        self.manager, self.client = start_new_kernel(cwd=str(folder), env=env)

    def run(self, code: str, *, meanwhile: Callable[[Cell], Any] | None = None) -> Cell:
        """What the cell brought; `meanwhile` is called with it whenever that was more."""
        cell = Cell()

        def note(message: dict[str, Any]) -> None:
            _note(cell, message)

            if meanwhile is not None:
                meanwhile(cell)

        reply = self.client.execute_interactive(code, output_hook=note, timeout=PATIENCE)
        cell.status = reply["content"]["status"]
        cell.payload = reply["content"].get("payload", [])
        return cell

    def send(self, kind: str, content: dict[str, Any]) -> None:
        """A message as the page sends it."""
        self.client.shell_channel.send(self.client.session.msg(kind, content))

    def stand(self, answers: int, name: str) -> None:
        """The next simulated run stands still after so many answers, until `go(name)`."""
        assert self.run(f"{midway.SETUP}\nmidway.stand({answers}, {name!r})").status == "ok"

    def reach(self, name: str, answers: int) -> None:
        """Wait until the run in that variable, which stands still then, has so many answers."""
        self.run(f"while {name}.fold.steps < {answers}:\n    await asyncio.sleep(0.01)")

    def go(self, name: str) -> None:
        (self.folder / name).touch()

    def complete(self, code: str) -> list[str]:
        self.client.complete(code)
        return self.client.get_shell_msg(timeout=PATIENCE)["content"]["matches"]

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def _note(cell: Cell, message: dict[str, Any]) -> None:
    content = message["content"]

    match message["msg_type"]:
        case "execute_result":
            cell.text = content["data"]["text/plain"]
            cell.html = content["data"].get("text/html", "")
        case "display_data" | "update_display_data":
            cell.shown.append(content["data"]["text/plain"])
        case "stream":
            cell.stream += content["text"]
        case "error":
            cell.error = "\n".join(content["traceback"])
        case "comm_open":
            cell.comms.append(content["comm_id"])
        case "comm_msg" if content["data"].get("method") == "custom":
            cell.live.append(json.dumps(content["data"]["content"], ensure_ascii=False))


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with pytest.MonkeyPatch.context() as patch:  # whatever the user's own IPython is set to
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        made = Kernel(tmp_path_factory.mktemp("kernel"))
        made.run(SETUP)
        yield made
        made.close()


def test_a_cell_shows_progress_and_its_value_is_the_run(kernel):
    kernel.stand(40, "go-pk")
    cell = kernel.run(
        f"%%swarm pk --agents 30\n{GOAL}\nJoin the results into one table.",
        meanwhile=lambda cell: len(cell.live) > 1 and kernel.go("go-pk"),
    )
    assert cell.status == "ok"
    assert len(cell.live) >= 3
    told = [json.loads(text) for text in cell.live]
    assert [m["from"] for m in told[1:]] == [m["to"] for m in told[:-1]]  # every fact, once
    assert told[0]["from"] == 0
    assert all(m["run"]["simulated"] for m in told if "run" in m)
    assert told[0]["run"]["status"] == "running"
    assert cell.shown == ["pk: a live view; what came of it stands below"]
    assert "| aiohttp |" in cell.text
    assert "SIMULATOR: no language model took part" in cell.text
    assert "<svg" in cell.html
    assert cell.stream == ""
    later = kernel.run("(pk.status, pk.metrics.agents, len(pk.graph) > 30, pk.done)")
    assert later.text == "('finished', 31, True, True)"


def test_the_run_has_its_name_from_its_start_and_messages_arrive_while_it_runs(kernel):
    kernel.run(
        "heard = []\n"
        "from comm import get_comm_manager\n"
        "from pathlib import Path\n"
        "def opened(comm, message):\n"
        "    heard.append((slow.status, len(slow.trace)))\n"
        "    Path('go-slow').touch()\n"
        "get_comm_manager().register_target('probe', opened)"
    )
    content = {"comm_id": "probe-1", "target_name": "probe", "data": {}}
    probe = Once(1, lambda _: kernel.send("comm_open", content))
    kernel.stand(10, "go-slow")
    assert kernel.run(f"%%swarm slow --agents 20\n{GOAL}", meanwhile=probe).status == "ok"
    heard = kernel.run("heard").text
    assert heard.startswith("[('running', ")


def test_the_stop_button_ends_a_hundred_agents_at_once(kernel):
    """All of them wait for answers that do not come: whoever waited for one would never end."""
    kernel.stand(150, "go-big")
    stop = Once(600, lambda _: kernel.manager.interrupt_kernel())
    cell = kernel.run(f"%%swarm big --agents 100\n{GOAL}", meanwhile=stop)
    assert cell.status == "error"
    assert cell.error.startswith("Interrupted: the swarm was stopped, what it did is kept; go on")
    assert cell.error.count("\n") == 0  # one line, no traceback
    assert kernel.run("big.status, alive(), big.done").text == "('cancelled', 0, True)"
    before = kernel.run("len(big.trace)").text
    kernel.go("go-big")
    time.sleep(0.5)
    assert kernel.run("len(big.trace)").text == before  # no call was sent afterwards
    # and nothing is lost
    resumed = kernel.run("%swarm resume {big.path} again")
    assert resumed.status == "ok"
    assert kernel.run("again.status, again.metrics.agents").text == "('finished', 101)"


def test_in_the_background(kernel):
    kernel.stand(60, "go-quiet")
    cell = kernel.run(f"%%swarm quiet --background --agents 40\n{GOAL}")
    assert cell.status == "ok"
    assert "running" in cell.text
    during = kernel.run("1 + 1")
    assert during.text == "2"
    assert "running" in kernel.run("%swarm status").text
    again = kernel.run(f"%%swarm quiet --background\n{GOAL}")
    assert "'quiet' is still running; `%swarm cancel quiet`" in again.error
    other = kernel.run(f"%%swarm other --agents 4\n{SMALL}")  # a second run while one is running
    assert other.text.startswith("✓ finished")
    assert kernel.run("quiet.status").text == "'running'"
    kernel.go("go-quiet")
    assert kernel.run("(await quiet).status").text == "'finished'"
    assert (during.stream, other.stream) == ("", "")  # nothing printed into the wrong cell


def test_cancel_by_magic_keeps_what_was_done(kernel):
    kernel.stand(60, "go-gone")
    kernel.run(f"%%swarm gone --background --agents 50\n{GOAL}")
    kernel.reach("gone", 10)
    assert kernel.run("%swarm cancel gone").text == "cancelling gone; what was done is kept"
    assert kernel.run("gone.result().status").text == "'cancelled'"
    assert kernel.run("gone.fold.steps >= 10").text == "True"
    assert kernel.run("%swarm cancel gone").text == "nothing to cancel: it is not running"
    listed = kernel.run("%swarm list").text
    assert "gone" in listed
    assert "cancelled" in listed


def test_the_pages_cancel_button_ends_the_cell_normally(kernel):
    def press(cell: Cell) -> None:
        data = {"method": "custom", "content": {"kind": "cancel"}}
        kernel.send("comm_msg", {"comm_id": cell.comms[-1], "data": data})

    kernel.stand(90, "go-pressed")
    cell = kernel.run(f"%%swarm pressed --agents 60\n{GOAL}", meanwhile=Once(300, press))
    assert cell.status == "ok"
    assert cell.text.startswith("⊘ cancelled")
    assert kernel.run("alive()").text == "0"


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("%%swarm x --agents 0\ngo", "max_agents is 0, but it must be at least 1"),
        ("%%swarm x\n  \n", "the goal is empty"),
        ("%%swarm x --folder no/where\ngo", "does not exist"),
        ("%%swarm x --plan no.yaml\ngo", "cannot read the plan 'no.yaml'"),
        ("%%swarm x --tools nothing\ngo", "no such function in this notebook"),
        ("%%swarm x --tools write_fil\ngo", "did you mean 'write_file'?"),
        ("%%swarm x --base-url ftp://a\ngo", "http"),
        ("%swarm replay none.jsonl", "cannot read the trace"),
        ("%swarm resume none.jsonl", "there is no trace"),
        ("%swarm status nobody", "no swarm 'nobody' in this kernel"),
    ],
)
def test_mistakes_get_one_clear_line(kernel, code, complaint):
    cell = kernel.run(code)
    assert cell.status == "error"
    assert complaint in cell.error
    assert cell.error.count("\n") == 0
    assert kernel.run("'x' in dir()").text == "False"


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("%%swarm x --agents\ngo", "argument --agents: expected one argument"),
        ("%%swarm x --nonsense\ngo", "unrecognized arguments: --nonsense"),
        ("%%swarm not-a-name\ngo", "is not a name for a variable"),
        ("%swarm nonsense", "there is status, list, cancel"),
    ],
)
def test_wrong_arguments_are_usage_errors(kernel, code, complaint):
    cell = kernel.run(code)
    assert "UsageError" in cell.stream
    assert complaint in cell.stream


def test_config_help_and_completion(kernel):
    assert kernel.run("%config SwarmMagics.max_agents = 3").status == "ok"
    cell = kernel.run(f"%%swarm few\n{SMALL}")
    assert cell.status == "ok"
    assert kernel.run("few.metrics.agents").text == "4"
    wrong = kernel.run("%config SwarmMagics.max_agents = 0")
    assert "should not be less than 1" in wrong.error + wrong.stream
    assert kernel.run("%config SwarmMagics.max_agents = 20").status == "ok"
    usage = kernel.run("%%swarm?").payload[0]["data"]["text/plain"]
    assert "--agents N" in usage
    assert "Launch an orchestrator" in usage
    assert "--background" in kernel.complete("%%swarm x --ba")
    assert "resume" in kernel.complete("%swarm re")


def test_model_and_doctor(kernel):
    assert "simulator" in kernel.run("%swarm model").text
    assert kernel.run("%swarm model simulator").text == "model: simulator"
    assert kernel.run("%swarm model default").status == "ok"
    report = kernel.run("%swarm doctor")
    assert "✘" not in report.text
    assert "✔ pass   sandbox" in report.text
    assert "the simulator has no eyes" in report.text
    assert "<td" in report.html
    assert any("sandbox" in text for text in report.shown[1:-1])
    assert report.shown[-1] == "nothing failed"


def test_a_checkpoint_with_a_space_in_its_name_is_completed_checked_and_named(kernel):
    kernel.run(
        "from pathlib import Path\n"
        "from kimi_nb.parl.checkpoint import save\n"
        "from kimi_nb.parl.learner import begin\n"
        "Path('my d').mkdir()\n"
        "save(begin(kn.parl.Plan()), Path('my d/a b.npz'))"
    )
    assert kernel.complete('%%swarm x --model "parl:my') == ["my d/a b.npz"]
    assert kernel.complete('%%swarm x --model "parl:my d/a') == ["d/a b.npz"]
    assert not any(".npz" in found for found in kernel.complete("%swarm model parl:"))  # a space
    missing = kernel.run("%swarm model parl:missing.npz")
    assert "there is no checkpoint 'missing.npz'" in missing.error
    assert "in quotes" in kernel.run("%swarm model parl:my d/a b.npz").stream
    assert "missing" not in kernel.run("%swarm model").text
    assert kernel.run("%swarm model 'parl:my d/a b.npz'").text == "model: parl:my d/a b.npz"
    assert kernel.run("%swarm model default").status == "ok"
    cell = kernel.run(f'%%swarm spaced --model "parl:my d/a b.npz" --folder "my d"\n{SMALL}')
    assert "parl:a b.npz · SIMULATOR: no language model took part" in cell.text
    assert "A trained policy decided who did what" in cell.text


def test_replay_shows_a_run_from_its_trace(kernel):
    kernel.run(f"%%swarm seen --agents 5\n{SMALL}")
    cell = kernel.run("%swarm replay {seen.path}")
    assert cell.text == kernel.run("seen").text
    assert "<svg" in cell.html


def test_the_body_is_verbatim_and_the_line_is_expanded(kernel):
    kernel.run("many = 2")
    kernel.run("%%swarm braces --agents {many}\nList the number {many} of nothing $many")
    assert kernel.run("braces.goal").text == "'List the number {many} of nothing $many'"


def test_functions_of_the_notebook_become_tools(kernel):
    kernel.run(
        "@kn.tool\n"
        "def price(museum: str) -> str:\n"
        '    "The adult ticket price of a museum, in euros."\n'
        "    return {'Prado': '15', 'Louvre': '22'}[museum]"
    )
    cell = kernel.run(
        "%%swarm tickets --tools price\nGive the ticket price of each of these: Prado, Louvre"
    )
    assert "15" in cell.text
    assert "22" in cell.text


def test_reload_and_unload(kernel):
    kernel.stand(60, "go-left")
    kernel.run(f"%%swarm left --background --agents 50\n{GOAL}")
    reloaded = kernel.run("%reload_ext kimi_nb")
    assert (reloaded.status, reloaded.error) == ("ok", "")
    assert kernel.run("left.status").text == "'cancelled'"
    count = "sum(f.__name__ == 'prefix_await' for f in get_ipython().input_transformers_post)"
    assert kernel.run(count).text == "1"
    assert kernel.run(f"%%swarm fresh --agents 3\n{SMALL}").status == "ok"
    kernel.run("%unload_ext kimi_nb")
    assert kernel.run(count).text == "0"
    assert "not found" in kernel.run(f"%%swarm none\n{SMALL}").stream
    kernel.run("%load_ext kimi_nb")


def test_without_autoawait_it_blocks_and_still_works(kernel):
    kernel.run("%autoawait False")
    cell = kernel.run(f"%%swarm blocking --agents 3\n{SMALL}")
    assert cell.status == "ok"
    assert cell.live  # the view does not need the kernel's own thread
    assert "✓ finished" in cell.text
    kernel.run("%autoawait True")


@pytest.mark.filterwarnings("ignore::kimi_nb.trace.TornTail")
def test_a_killed_kernel_loses_nothing(kernel, tmp_path):
    first = Kernel(tmp_path)
    number = int(first.run("%load_ext kimi_nb\nimport os\nos.getpid()").text)
    first.stand(60, "go-packages")
    first.run(f"%%swarm packages --background --agents 20 --trace run.jsonl\n{GOAL}")
    log = tmp_path / "run.jsonl"

    while log.read_bytes().count(b'"ToolReturned"') < 5:
        time.sleep(0.02)

    os.kill(number, signal.SIGKILL)
    first.close()
    paid = steps_paid(log)
    resumed = kernel.run(f"%swarm resume {log} packages")
    assert resumed.text.startswith("✓ finished")
    again = steps_paid(log)
    assert len(paid) > 5
    assert set(paid) < set(again)
    assert len(set(again)) == len(again)  # no completed call was made again
    assert kernel.run("packages.metrics.agents").text == "21"


def steps_paid(log: Path) -> list[tuple[str, int]]:
    return [(r.agent, r.fact.step) for r in read(log) if isinstance(r.fact, StepEnded)]


def test_a_simulator_that_a_class_shares(kernel):
    kernel.run("%config SwarmMagics.base_url = 'http://127.0.0.1:8000/v1'")
    kernel.run("%swarm model simulator")
    asked = kernel.run(
        "magics = get_ipython().magics_manager.registry['SwarmMagics']\n"
        "typed = ([], ['--model', 'simulator'], ['--base-url', 'cn'])\n"
        "[magics._base_url(magics.swarm.parser.parse_args(words)) for words in typed]"
    )
    kernel.run("%swarm model default")
    kernel.run("%config SwarmMagics.base_url = ''")
    assert asked.text == "['http://127.0.0.1:8000/v1', None, 'cn']"
