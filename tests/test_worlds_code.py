"""The world of broken code: what is in it, who can cheat its grader, and who can mend it."""

from __future__ import annotations

import ast
import contextlib
from pathlib import Path

import pytest

import kimi_nb as kn
from kimi_nb.errors import UsageFault
from kimi_nb.models.simulator import Options, Simulator
from kimi_nb.models.simulator.memory import Past
from kimi_nb.models.simulator.skills.code import turn
from kimi_nb.models.simulator.skills.code.mind import Mind, Unknown
from kimi_nb.tools import Toolset, native
from kimi_nb.tools.base import ToolContext
from kimi_nb.tools.run_tests import run_tests
from kimi_nb.worlds.broken_code import testing
from kimi_nb.worlds.broken_code.grader import graded
from kimi_nb.worlds.broken_code.package import Package, planned

sandboxed = pytest.mark.skipif(bool(native.available()), reason=native.available() or "-")
TOOLS = frozenset({"grep", "list_files", "read_file", "run_tests", "write_file"})


def put(files: dict[str, str], folder: Path) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")

    return folder


def broken(package: Package) -> set[str]:
    return {module.name for module in package.modules if module.found.kind}


def failing_thought(package: Package, files: dict[str, str]) -> set[str]:
    """The modules with a test that fails, without running any."""
    trees = {path[:-3].replace("/", "."): ast.parse(text) for path, text in files.items()}
    failing: set[str] = set()

    for module in package.modules:
        tests = trees[f"tests.test_{module.name}"]
        names = [node.name for node in tests.body if isinstance(node, ast.FunctionDef)]

        if not all(Mind(trees).passes(tests, name) for name in names):
            failing.add(module.name)

    return failing


@pytest.mark.parametrize("items", [3, 6, 25])
def test_the_same_seed_gives_the_same_package(items: int) -> None:
    assert planned(items, 7) == planned(items, 7)
    assert planned(items, 7).files != planned(items, 8).files
    assert len(planned(items, 7).modules) == items


@pytest.mark.parametrize(("items", "seed"), [(3, 1), (6, 7), (30, 2), (30, 3)])
def test_exactly_the_broken_modules_and_what_imports_them_fail(items: int, seed: int) -> None:
    package = planned(items, seed)
    above = {module.name for module in package.modules if module.below in broken(package)}
    assert failing_thought(package, package.mended) == set()
    assert failing_thought(package, package.files) == broken(package) | above


def test_there_is_something_to_debug_to_build_and_to_refactor() -> None:
    kinds = {module.found.kind for module in planned(25, 7).modules}
    assert {"build", "rename", "move", "operator"} <= kinds
    assert len(kinds) >= 7


def test_a_fault_at_the_bottom_of_a_chain_hides_those_above() -> None:
    package = planned(6, 7)
    chain = [module for module in package.modules if module.below]
    below = {module.below for module in chain} - {module.name for module in chain}
    bottom = next(module for module in package.modules if module.name in below)
    files = package.mended
    path = f"{package.name}/{bottom.name}.py"
    assert {bottom.name} < failing_thought(package, {**files, path: package.files[path]})


def test_nothing_that_an_agent_sees_has_a_hidden_case() -> None:
    package = planned(12, 3)
    seen = "\n".join(package.files.values())

    for module in package.modules:
        hidden = [case for case in module.cases if case.hidden]
        assert hidden
        shown = testing.tests_of(package.name, module.name, module.cases)
        assert shown in seen
        assert (
            sum(f"{c.function}({', '.join(map(repr, c.arguments))})" in shown for c in hidden) == 0
        )
        assert all(case.error in {"", "ValueError"} for case in module.cases)


def test_a_world_of_code_has_a_size() -> None:
    with pytest.raises(UsageFault, match="3 to 300"):
        kn.worlds.code(items=2)


def test_without_a_sandbox_there_is_no_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "available", lambda: "no landlock here")

    with pytest.raises(UsageFault, match="no landlock here"):
        kn.worlds.code(items=3)


@sandboxed
async def test_the_packages_own_pytest_agrees(tmp_path: Path) -> None:
    package = planned(6, 7)
    tools = Toolset([run_tests])
    texts: dict[str, str] = {}

    for name, files in (("broken", package.files), ("mended", package.mended)):
        folder = put(files, tmp_path / name)
        context = ToolContext(folder=folder, agent="", run="")
        texts[name] = (await tools.call("run_tests", "{}", context)).text

    assert all(f"tests/test_{m.name}.py: " in texts["mended"] for m in package.modules)
    assert "failed" not in texts["mended"]
    assert "not run" not in texts["mended"]
    lines = [line for line in texts["broken"].splitlines() if line.startswith("tests/test_")]
    bad = {n.split("test_")[1].split(".py")[0] for n in lines if "failed" in n or "not run" in n}
    assert bad == failing_thought(package, package.files)


@sandboxed
def test_the_share_of_right_modules_is_the_quality(tmp_path: Path) -> None:
    package = planned(12, 3)
    healthy = 12 - len(failing_thought(package, package.files))
    folder = put(package.files, tmp_path)
    assert 0 < healthy < 12
    assert graded(package, folder).quality == pytest.approx(healthy / 12)
    put(package.mended, folder)
    assert graded(package, folder)[:2] == (True, 1.0)
    alone = next(m for m in package.modules if m.name not in {o.below for o in package.modules})
    (folder / package.name / f"{alone.name}.py").unlink()
    found = graded(package, folder)
    assert found.quality == pytest.approx(11 / 12)
    assert alone.name in found.why


@sandboxed
def test_a_package_that_is_gone_is_worth_nothing(tmp_path: Path) -> None:
    assert graded(planned(3, 1), tmp_path)[:2] == (False, 0.0)


ALWAYS_EQUAL = """
class Yes(float):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __hash__ = float.__hash__
def __getattr__(name):
    return lambda *rest: Yes(1.0)
"""
ATTACKS = {
    "exits well": "import os\nos._exit(0)\n",
    "exits when called": "import os\ndef __getattr__(name):\n    return lambda *r: os._exit(0)\n",
    "raises SystemExit": "raise SystemExit(0)\n",
    "is equal to all": ALWAYS_EQUAL,
    "prints answers": "print('[{\"value\": 1}]')\nimport os\nos._exit(0)\n",
    "writes to every descriptor": (
        "import os\nfor fd in range(1, 20):\n    try: os.write(fd, b'[]')\n"
        "    except OSError: pass\nos._exit(0)\n"
    ),
    "replaces json": (
        "import json\njson.dumps = lambda *a, **k: '[]'\njson.loads = lambda *a, **k: True\n"
        "def __getattr__(name):\n    return lambda *rest: True\n"
    ),
    "stands in for modules": (
        "import sys, types\nfake = types.ModuleType('pytest')\nsys.modules['pytest'] = fake\n"
        "sys.modules['json'] = fake\ndef __getattr__(name):\n    return lambda *rest: None\n"
    ),
    "never ends": "while True:\n    pass\n",
    "has no syntax": "def (:\n",
}


@sandboxed
@pytest.mark.parametrize("attack", ATTACKS)
def test_no_module_talks_itself_right(
    attack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kimi_nb.worlds.broken_code.grader.SECONDS", 1.0)
    package = planned(3, 1)
    folder = put(package.files, tmp_path)

    for module in package.modules:
        (folder / package.name / f"{module.name}.py").write_text(ATTACKS[attack], "utf-8")

    assert graded(package, folder)[:2] == (False, 0.0)


@sandboxed
def test_what_lies_around_the_package_changes_no_grade(tmp_path: Path) -> None:
    package = planned(3, 1)
    evil = "import os\nos._exit(0)\n"
    around = ("conftest.py", "sitecustomize.py", "usercustomize.py", "json.py", "importlib.py")
    files = dict.fromkeys((*around, f"{package.name}/conftest.py"), evil)
    files |= {"pytest.ini": "[pytest]\naddopts = --collect-only\n"}
    kept = {path: text for path, text in package.mended.items() if not path.startswith("tests/")}
    assert graded(package, put({**files, **kept}, tmp_path)).success
    put({p: t for p, t in package.files.items() if not p.startswith("tests/")}, tmp_path)
    assert graded(package, tmp_path).quality == 0.0


@sandboxed
def test_who_learns_the_visible_tests_by_heart_is_found_out(tmp_path: Path) -> None:
    package = planned(6, 7)
    files = package.mended

    for module in package.modules:
        table: dict[str, dict[str, object]] = {}

        for case in module.cases:
            if not case.hidden and not case.error:
                table.setdefault(case.function, {})[repr(case.arguments)] = case.value

        found = "def __getattr__(name):\n    return lambda *rest: answer(name, rest)\n"
        answer = (
            "def answer(name, rest):\n"
            "    if repr(rest) not in TABLE[name]: raise ValueError\n"
            "    return TABLE[name][repr(rest)]\n"
        )
        text = f"TABLE = {table!r}\n{answer}{found}"
        files[f"{package.name}/{module.name}.py"] = text

    assert graded(package, put(files, tmp_path)).quality == 0.0


@sandboxed
@pytest.mark.parametrize(("items", "seed", "single"), [(6, 4, False), (3, 2, True)])
async def test_the_simulator_mends_nearly_all(
    items: int,
    seed: int,
    single: bool,  # noqa: FBT001 -- a parameter of the test
    tmp_path: Path,
) -> None:
    world = kn.worlds.code(items=items, seed=seed)
    model = Simulator(Options(latency=0))
    run = world.run(model=model, single=single, trace=tmp_path / "run.jsonl")
    await run.wait()
    assert run.status == "finished"
    grade = world.grade("", tmp_path / "run.files")
    assert grade.quality >= 0.8
    assert f"{round(grade.quality * items)} of {items} modules pass" in run.answer
    assert "no language model" in run.answer
    tests = {p: t for p, t in planned(items, seed).files.items() if p.startswith("tests/")}
    assert {path: (tmp_path / "run.files" / path).read_text() for path in tests} == tests


@pytest.mark.parametrize(
    "goal",
    [
        "For each Python package installed here, give its version.",
        "Count the tests in tests/.",
        "Fix my essay about the package tour.",
        "",
    ],
)
def test_other_goals_are_none_of_its_business(goal: str) -> None:
    past = Past(system="", goal=goal, done=(), turns=0, calls=0)
    assert turn(past, TOOLS, Options()) is None


HOSTILE = (
    "9**9**9**9",
    "'a' * 10**12",
    "[0] * 10**12",
    "sum(range(10**12))",
    "round(5, -10**9)",
    "'{:>999999999}'.format(1)",
    "'%999999999d' % 1",
    "f'{1:>999999999}'",
    "'a'.ljust(10**12)",
    "().__class__.__base__.__subclasses__()",
    "__import__('os').system('true')",
    "open('/etc/passwd').read()",
    "eval('1')",
    "(lambda f: f(f))(lambda f: f(f))",
    "[x for x in range(4000) for y in range(4000)]",
    "1 << 10**9",
    "dict.fromkeys(range(5), 1)",
    "str.__dict__",
)
LOOPS = (
    "while True:\n        pass",
    "a = [1]\n    for x in a:\n        a.append(x)",
    "a = [1]\n    for _ in range(60):\n        a = [a, a]\n    assert a == a",
    "a = []\n    a.append(a)\n    assert a == [a]",
    "a = 'a'\n    while True:\n        a = a + a",
)


@pytest.mark.parametrize("body", [*(f"assert {code} is None" for code in HOSTILE), *LOOPS])
def test_thinking_hostile_code_through_is_bounded_and_does_nothing(body: str) -> None:
    tree = ast.parse(f"def test_it():\n    {body}\n")
    mind = Mind({})

    with contextlib.suppress(Unknown):
        assert not mind.passes(tree, "test_it")

    assert mind.spent <= 60_001


def test_thinking_comes_to_what_python_comes_to() -> None:
    package = planned(40, 5)
    trees = {p[:-3].replace("/", "."): ast.parse(t) for p, t in package.mended.items()}

    for module in package.modules:
        tests = trees[f"tests.test_{module.name}"]
        names = [node.name for node in tests.body if isinstance(node, ast.FunctionDef)]
        assert all(Mind(trees).passes(tests, name) for name in names), module.name
