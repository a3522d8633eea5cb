"""Tools that come with kimi_nb and that agents have only where somebody names them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import orjson
import pytest
from IPython.core.interactiveshell import InteractiveShell
from scripted import Scripted, call, calls, results, say

import kimi_nb as kn
from kimi_nb.cli.main import main
from kimi_nb.magics.resuming import tools_named
from kimi_nb.models.base import Message, Reply
from kimi_nb.swarm.asked import toolset_of
from kimi_nb.swarm.equipped import own_tools
from kimi_nb.swarm.resume import peek
from kimi_nb.tools import standard_tools
from kimi_nb.tools.shipped import SHIPPED, shipped
from kimi_nb.tools.write import write_file

NEEDS_SANDBOX = pytest.mark.skipif(
    bool(importlib.import_module("kimi_nb.tools.native").available()), reason="no Landlock here"
)


@kn.tool
def weigh(thing: str) -> str:
    """Weigh a thing."""
    return f"{thing}: 3 kg"


@kn.tool(name="write_file")
def my_own(path: str) -> str:
    """Write in a way of one's own."""
    return path


def respond(messages: list[Message]) -> Reply:
    """Writes a file, weighs if it can, and says what came back."""
    got = results(messages)

    if not got:
        return calls(call("write_file", path="out/a.txt", text="one\n"))

    return say(got[-1])


def names(path: Path) -> list[str]:
    """The tools that a log has."""
    return sorted(peek(path).tools)


# By name


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=NEEDS_SANDBOX if n == "python_native" else ()) for n in SHIPPED]
)
def test_each_is_made_by_the_name_that_agents_see(name: str) -> None:
    assert shipped(name).name == name
    assert name not in standard_tools()
    assert toolset_of([name]).names == (*standard_tools().names, name)


def test_a_name_that_is_nobody_s_says_what_there_is() -> None:
    with pytest.raises(kn.UsageFault, match=r"not its name\); did you mean 'write_file'\?"):
        kn.swarm("go", tools=["write_files"])

    with pytest.raises(kn.UsageFault, match=r"give a list, as in tools=\['write_file'\]"):
        kn.swarm("go", tools="write_file")

    with pytest.raises(kn.UsageFault, match=r"type list is no tool; .*tools=\[mine, \*them\]"):
        kn.swarm("go", tools=["write_file", [my_own]])  # as kn.tools.mcp_tools gives

    with pytest.raises(kn.UsageFault, match=r"type int is no tool; see @kn.tool"):
        kn.swarm("go", tools=[3])

    with pytest.raises(kn.UsageFault, match="two tools are called 'write_file'"):
        kn.swarm("go", tools=["write_file", my_own])


@pytest.mark.parametrize(("name", "extra"), [(n, s.extra) for n, s in SHIPPED.items() if s.extra])
def test_what_is_not_installed_says_what_to_type(
    monkeypatch: pytest.MonkeyPatch, name: str, extra: str
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(kn.UsageFault, match=rf"pip install 'kimi-nb\[{extra}\]'"):
        kn.swarm("go", tools=[name])


def test_the_extras_are_those_of_the_package() -> None:
    project = (Path(__file__).parents[1] / "pyproject.toml").read_text()
    assert all(f"\n{s.extra} = [" in project for s in SHIPPED.values() if s.extra)


def test_python_native_is_refused_where_there_is_no_sandbox(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kimi_nb.tools.native.available", lambda: "no Landlock")

    with pytest.raises(kn.UsageFault, match="python_native cannot run here: no Landlock"):
        shipped("python_native")


# In a run


def test_an_agent_that_may_write_writes_in_its_folder(tmp_path: Path) -> None:
    run = kn.swarm(
        "go", model=Scripted(respond), tools=["write_file", weigh], single=True,
        folder=tmp_path, trace=tmp_path / "run.jsonl",
    ).result(20)  # fmt: skip
    assert run.answer == "wrote out/a.txt: 4 bytes (a new file)"
    assert (tmp_path / "out" / "a.txt").read_text() == "one\n"


def test_an_agent_that_may_not_is_told_so(tmp_path: Path) -> None:
    run = kn.swarm(
        "go", model=Scripted(respond), single=True, folder=tmp_path, trace=tmp_path / "run.jsonl"
    ).result(20)
    assert "no tool 'write_file'" in run.answer
    assert not (tmp_path / "out").exists()


@pytest.fixture
def cut(tmp_path: Path) -> Path:
    """The log of a run with write_file and a function, of which the last answer is missing."""
    path = tmp_path / "run.jsonl"
    kn.swarm(
        "go", model=Scripted(respond), tools=["write_file", weigh], single=True,
        folder=tmp_path, trace=path,
    ).result(20)  # fmt: skip
    cut_short(path)
    return path


def cut_short(path: Path) -> None:
    """A log as it was when its process was killed, before the first tool returned."""
    lines = path.read_bytes().splitlines(keepends=True)
    returned = [b'"ToolReturned"' in line for line in lines]
    path.write_bytes(b"".join(lines[: returned.index(True)]))


def test_resume_finds_it_without_being_told(cut: Path) -> None:
    assert own_tools(peek(cut)) == ["weigh"]
    run = kn.resume(cut, model=Scripted(respond), tools=[weigh])
    assert run.result(20).answer == "wrote out/a.txt: 4 bytes (it had 4)"
    assert "write_file" in names(cut)


def test_resume_takes_the_one_that_is_given(cut: Path) -> None:
    run = kn.resume(cut, model=Scripted(respond), tools=[weigh, write_file])
    assert run.result(20).status == "finished"


def test_a_function_of_one_s_own_is_not_taken_for_ours(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    kn.swarm(
        "go", model=Scripted(respond), tools=[my_own], single=True, folder=tmp_path, trace=path
    ).result(20)
    cut_short(path)
    assert own_tools(peek(path)) == ["write_file"]

    with pytest.raises(kn.KimiNbError, match="it had write_file; pass tools="):
        kn.resume(path, model=Scripted(respond))

    with pytest.raises(kn.KimiNbError, match="of write_file has changed"):
        kn.resume(path, model=Scripted(respond), tools=["write_file"])


def test_a_fork_may_go_on_without_it(cut: Path, tmp_path: Path) -> None:
    kept, less = tmp_path / "kept.jsonl", tmp_path / "less.jsonl"
    kn.resume(cut, model=Scripted(respond), fork=kept).result(20)
    run = kn.resume(cut, model=Scripted(respond), fork=less, tools=[weigh]).result(20)
    assert names(kept) == sorted({*standard_tools().names, "write_file"})
    assert names(less) == sorted({*standard_tools().names, "weigh"})
    assert "no tool 'write_file'" in run.answer


def test_a_finished_run_is_read_without_what_its_tools_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.jsonl"
    kn.swarm("go", model=Scripted(lambda _: say("done")), tools=["view_image"], trace=path).result(
        20
    )
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert kn.resume(path).answer == "done"


# In a notebook


def test_a_notebook_names_its_functions_and_ours() -> None:
    names = {"weigh": weigh, "plain": len}
    assert tools_named(names, " weigh, write_file ") == [weigh, "write_file"]
    assert tools_named({"write_file": write_file}, "write_file") == [write_file]
    assert tools_named(names, "") == []

    with pytest.raises(
        kn.UsageFault, match=r"no such function .*; of what kimi_nb brings, there are: write_"
    ):
        tools_named(names, "nothing")


@pytest.mark.parametrize("own", [{"write_file": print}, {"mine": my_own}])
def test_a_name_that_is_both_s_is_refused(own: dict[str, object]) -> None:
    with pytest.raises(kn.UsageFault, match=r"has a write_file of its own, .*name='my_write_file'"):
        tools_named(own, "write_file")


def test_a_cell_gives_its_agents_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shell = InteractiveShell()
    shell.autoawait = False
    shell.run_line_magic("load_ext", "kimi_nb")
    shell.user_ns["weigh"] = weigh
    shell.run_cell("%%swarm x --tools write_file,weigh --trace run.jsonl --single\nSay hello")
    assert {"write_file", "weigh"} <= set(names(tmp_path / "run.jsonl"))
    shell.run_line_magic("unload_ext", "kimi_nb")


# On the command line


def test_the_command_line_knows_ours_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    line = ["run", "Say hello", "--single", "--trace", "run.jsonl", "--json"]
    assert main([*line, "--tools", "write_file, view_image"]) == 0
    assert {"write_file", "view_image"} <= set(names(tmp_path / "run.jsonl"))
    assert orjson.loads(capfd.readouterr().out)["status"] == "finished"
    assert main([*line, "--tools", "weigh"]) == 2
    assert "no tool 'weigh' comes with kimi_nb" in capfd.readouterr().err
