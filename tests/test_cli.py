"""`kimi-nb` in real processes: what it prints where, its exit codes, and how it is stopped."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from held import PATIENCE, Held
from processes import COMMAND, ENVIRONMENT, prices, rows_of, simulator

from kimi_nb.cli import main
from kimi_nb.events import StepEnded
from kimi_nb.trace import read

pytestmark = pytest.mark.timeout(180)  # processes one after the other, each of which imports all
NAMES = [f"shop{number:02}.csv" for number in range(12)]
GOAL = "For each CSV file in shops, give the number of rows and the highest price."
METRICS = {
    *("agents", "stages", "total_steps", "critical_steps", "tool_calls", "work_s", "span_s"),
    *("wall_s", "average_concurrency", "parallelism", "tokens_in", "tokens_out"),
    *("tokens_cached", "cost_usd", "failed_agents", "retries"),
}


@pytest.fixture(scope="module")
def quick() -> Iterator[str]:
    with simulator("--latency", "0.02") as url:
        yield url


@pytest.fixture
def held() -> Iterator[Held]:
    """An endpoint that keeps a run between its first tools and its end."""
    with Held(answers=4) as endpoint:
        yield endpoint


@pytest.fixture
def truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, str]]:
    monkeypatch.chdir(tmp_path)
    return prices(tmp_path / "shops", NAMES)


@pytest.fixture(scope="module")
def finished(quick: str, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The log of a run on GOAL."""
    folder = tmp_path_factory.mktemp("finished")
    prices(folder / "shops", NAMES)
    kimi_nb("run", GOAL, "--trace", "run.jsonl", *at(quick), cwd=folder)
    return (folder / "run.jsonl").read_bytes()


@pytest.fixture
def run(finished: bytes, truth: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """It lies here as run.jsonl; what its answer has to say."""
    Path("run.jsonl").write_bytes(finished)
    return truth


def kimi_nb(*arguments: str, code: int = 0, **more) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *arguments],
        check=False,
        **{"env": ENVIRONMENT, "capture_output": True, "text": True} | more,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in str(done.stderr)

    if isinstance(done.stderr, str):
        done.stderr = settled(done.stderr)

    return done


def settled(told: str) -> str:
    """Without what is said to somebody who waits, which depends on how busy the machine is."""
    lines = told.splitlines(keepends=True)
    return "".join(line for line in lines if not line.endswith(" …\n"))


def at(url: str) -> tuple[str, ...]:
    return ("--base-url", url, "--model", "simulator")


def check_table(answer: str, truth: dict[str, tuple[str, str]]) -> None:
    found = {Path(row[0]).name: tuple(row[1:3]) for row in rows_of(answer)}
    assert found == truth


def test_run_prints_the_answer_and_keeps_the_log(truth, quick) -> None:
    done = kimi_nb("run", GOAL, "--trace", "run.jsonl", *at(quick))
    assert done.stdout.startswith("✓ finished\nSIMULATOR: no language model took part\n")
    check_table(done.stdout, truth)
    assert read("run.jsonl")[-1].fact.status == "finished"


def test_json_is_exactly_one_object(truth, quick) -> None:
    done = kimi_nb("run", GOAL, "--json", "--trace", "run.jsonl", *at(quick))
    assert done.stdout.count("\n") == 1
    found = json.loads(done.stdout)
    assert {"status", "answer", "trace", "metrics"} <= set(found)
    assert (found["status"], found["trace"], found["simulated"]) == ("finished", "run.jsonl", True)
    assert set(found["metrics"]) == METRICS
    check_table(found["answer"], truth)

    assert json.loads(kimi_nb("replay", "run.jsonl", "--json").stdout) == found
    assert json.loads(kimi_nb("resume", "run.jsonl", "--json").stdout) == found
    reported = kimi_nb("report", "run.jsonl", "--json")
    assert reported.stdout.count("\n") == 1
    report = json.loads(reported.stdout)
    assert list(report) == ["simulated", "metrics", "critical_path", "diagnosis"]
    assert report["simulated"]
    assert report["metrics"] == found["metrics"]
    assert report["diagnosis"] == []
    assert sum(part["ended"] - part["began"] for part in report["critical_path"]) > 0
    assert reported.stderr == "report: run.html\n"
    assert "SIMULATOR" in Path("run.html").read_text("utf-8")


@pytest.mark.usefixtures("truth")
def test_the_goal_may_come_from_standard_input_whatever_its_bytes(quick) -> None:
    goal = b"\xef\xbb\xbf" + GOAL.encode() + b" caf\xe9\n"
    done = kimi_nb("run", "-", "--json", *at(quick), input=goal, text=False)
    found = json.loads(done.stdout)
    assert read(found["trace"])[0].fact.goal == f"{GOAL} caf\ufffd\n"


def test_nothing_asked_is_help(capsys) -> None:
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "run a swarm on a goal" in err


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["run", " "], 2, "the goal is empty"),
        (["run", "go", "--agents", "0"], 2, "max_agents is 0, but it must be at least 1"),
        (["run", "go", "--folder", "no/where"], 2, "the working folder 'no/where' does not exist"),
        (["run", "go", "--plan", "no.yaml"], 2, "cannot read the plan 'no.yaml'"),
        (["run", "go", "--base-url", "ftp://a"], 2, "is not the base URL of an endpoint"),
        (["run", "go", "--model", "kimi-k3"], 2, "needs a key: set MOONSHOT_API_KEY"),
        (["run", "go", "--tokens", "-1"], 2, "the budget for tokens is -1"),
        (["run", "go", "--rpm", "0"], 2, "the limit rpm is 0"),
        (["run", "go", "--trace", "old.jsonl"], 1, "old.jsonl is not a kimi_nb trace"),
        (["replay", "none.jsonl"], 1, "cannot read the trace 'none.jsonl'"),
        (["replay", "."], 1, "cannot read the trace '.': Is a directory"),
        (["replay", "old.jsonl"], 1, "old.jsonl is not a kimi_nb trace"),
        (["resume", "none.jsonl"], 1, "there is no trace 'none.jsonl'"),
        (["report", "none.jsonl"], 1, "cannot read the trace 'none.jsonl'"),
        (["simulator", "--failure-rate", "3"], 2, "rates must each be in [0, 1]"),
    ],
)
def test_mistakes_get_one_clear_line(
    arguments, code, complaint, capsys, tmp_path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("old.jsonl").write_text("this is no trace\n")
    as_json = [] if arguments[0] == "simulator" else ["--json"]
    assert main([*arguments, *as_json]) == code
    out, err = capsys.readouterr()
    assert complaint in err
    assert err.count("\n") == 1
    assert not as_json or complaint in json.loads(out)["error"]
    assert list(tmp_path.iterdir()) == [tmp_path / "old.jsonl"]  # nothing was begun


@pytest.mark.usefixtures("run")
def test_a_report_that_cannot_be_written_says_so() -> None:
    done = kimi_nb("report", "run.jsonl", "-o", "run.jsonl/page.html", code=1)
    assert done.stderr == (
        "kimi-nb: cannot write 'run.jsonl/page.html': File exists; give another file\n"
    )
    was = Path("run.jsonl").read_bytes()
    done = kimi_nb("report", "run.jsonl", "-o", "run.jsonl", code=2)
    assert "run.jsonl is a trace and stays as it is" in done.stderr
    assert Path("run.jsonl").read_bytes() == was


def begin(*arguments: str, **more) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments],
        **{"env": ENVIRONMENT, "text": True, "stdout": -1, "stderr": -1} | more,
    )


def wait_for(log: Path, what: bytes) -> None:
    """Return once the log has it, however much of its last line is written."""
    while not (log.exists() and what in log.read_bytes()):  # the test's time limit ends it
        time.sleep(0.02)


def check_resumed(log: Path, truth: dict[str, tuple[str, str]]) -> None:
    paid = [(r.agent, r.fact.step) for r in read(log) if isinstance(r.fact, StepEnded)]
    done = kimi_nb("resume", log.name, "--json")
    found = json.loads(done.stdout)
    assert found["status"] == "finished"
    check_table(found["answer"], truth)
    trace = read(log)
    again = Counter((r.agent, r.fact.step) for r in trace if isinstance(r.fact, StepEnded))
    assert set(paid) < set(again)
    assert set(again.values()) == {1}  # no completed call was paid for twice


@pytest.mark.filterwarnings("ignore::kimi_nb.trace.TornTail")
def test_ctrl_c_keeps_the_log_and_says_how_to_go_on(truth, held, tmp_path) -> None:
    log = tmp_path / "run.jsonl"
    process = begin("run", GOAL, "--trace", log.name, *at(held.base_url))
    held.wait()
    wait_for(log, b'"ToolReturned"')
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    held.let_go()
    assert process.returncode == 130
    assert out.startswith("⊘ cancelled")
    assert "to go on: kimi-nb resume run.jsonl" in err
    assert "Traceback" not in err
    assert read(log)[-1].fact.status == "cancelled"
    check_resumed(log, truth)


@pytest.mark.filterwarnings("ignore::kimi_nb.trace.TornTail")
def test_a_killed_run_is_readable_and_goes_on(truth, held, tmp_path) -> None:
    log = tmp_path / "run.jsonl"
    process = begin("run", GOAL, "--trace", log.name, *at(held.base_url))
    held.wait()
    wait_for(log, b'"ToolReturned"')
    process.kill()
    process.communicate(timeout=PATIENCE)
    held.let_go()
    shown = kimi_nb("replay", log.name).stdout
    assert shown.startswith("● unfinished: the log ends before the run does")
    check_resumed(log, truth)


@pytest.mark.usefixtures("run")
def test_a_reader_that_goes_away_is_no_crash() -> None:
    for command in (("replay", "run.jsonl"), ("report", "run.jsonl", "--json")):
        reader, writer = os.pipe()
        os.close(reader)  # as `head` does
        process = begin(*command, stdout=writer)
        os.close(writer)
        _, told = process.communicate(timeout=PATIENCE)
        assert process.returncode == 141
        assert settled(told) in {"", "report: run.html\n"}


def test_a_terminal_of_few_letters_gets_question_marks(run) -> None:
    done = kimi_nb("replay", "run.jsonl", env=ENVIRONMENT | {"PYTHONIOENCODING": "ascii"})
    assert done.stdout.startswith("? finished")
    check_table(done.stdout, run)


@pytest.mark.usefixtures("truth")
def test_on_a_terminal_progress_is_one_line_written_over_and_over(held) -> None:
    ours, theirs = pty.openpty()
    terminal = ENVIRONMENT | {"COLUMNS": "60", "TERM": "xterm"}
    process = begin("run", GOAL, *at(held.base_url), stderr=theirs, env=terminal)
    os.close(theirs)
    told = b""

    try:
        while chunk := os.read(ours, 65_536):
            told += chunk

            if told.count(b"\r\x1b[K") >= 3:
                held.let_go()
    except OSError:  # how Linux says that the other side has closed
        pass

    process.communicate(timeout=PATIENCE)
    os.close(ours)
    assert process.returncode == 0
    lines = told.decode().split("\r\x1b[K")
    assert len(lines) > 3
    assert lines[-1] == ""
    assert all("\n" not in line and len(line) < 60 for line in lines)
    assert any("sub-agents" in line for line in lines)


@pytest.mark.usefixtures("truth")
def test_without_one_standard_error_is_plain_lines(quick) -> None:
    assert "\x1b" not in kimi_nb("run", GOAL, *at(quick)).stderr


def test_a_run_that_fails_exits_with_1_and_says_how_to_go_on(tmp_path, quick) -> None:
    wrong = ("--base-url", quick, "--model", "kimi-k3", "--trace", "run.jsonl")
    done = kimi_nb("run", "go", "--json", *wrong, code=1, cwd=tmp_path)
    found = json.loads(done.stdout)
    assert found["status"] == "failed"
    assert "there is no model 'kimi-k3' here, only 'simulator'" in found["why"]
    assert done.stderr.endswith("kimi-nb: failed; to go on: kimi-nb resume run.jsonl\n")


def test_doctor_checks_the_endpoint(quick, tmp_path) -> None:
    done = kimi_nb("doctor", "--json", *at(quick), cwd=tmp_path)
    assert done.stdout.count("\n") == 1
    checks = json.loads(done.stdout)["checks"]
    assert all(check.keys() == {"name", "ok", "detail", "todo"} for check in checks)
    assert {c["name"] for c in checks if c["ok"]} >= {"models", "call", "tools", "parallel"}
    unfit = {"key", "balance", "arguments", "images"}
    assert {c["name"] for c in checks if c["ok"] is None} == unfit
    assert "small calls follow" in done.stderr

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        failed = kimi_nb("doctor", "--json", "--base-url", dead, code=1, cwd=tmp_path)

    found = {check["name"]: check for check in json.loads(failed.stdout)["checks"]}
    assert [name for name, check in found.items() if check["ok"] is False] == ["endpoint"]
    assert "cannot be reached" in found["endpoint"]["detail"]
    assert "check --base-url" in found["endpoint"]["todo"]
    assert found["call"]["detail"] == "not tried, because of endpoint"
    plain = kimi_nb("doctor", "--base-url", dead, code=1, cwd=tmp_path)
    assert "✘ fail   endpoint" in plain.stdout
    assert plain.stderr == ""


def test_the_simulator_names_its_place_and_answers_for_no_other_model(quick) -> None:
    body = json.dumps({"model": "kimi-k3", "messages": [{"role": "user", "content": "hello"}]})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{quick}/chat/completions", body.encode())  # noqa: S310

    assert refused.value.code == 404
    assert "only 'simulator'" in json.load(refused.value)["error"]["message"]
    refused.value.close()
    taken = quick.rsplit(":", 1)[1].removesuffix("/v1")
    done = kimi_nb("simulator", "--port", taken, code=1)
    assert "address already in use" in done.stderr.lower()
    assert done.stderr.count("\n") == 1
