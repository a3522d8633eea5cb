"""What a submission may try: it costs at most the exercise that tries it, and the class goes on."""

from __future__ import annotations

import json
import os
import py_compile
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from grading import OWN, TOTAL, answer, notebook, short_for, submit

from kimi_nb.teach.grade import Graded, Mark, grade, marking
from kimi_nb.teach.grade.feedback import feedback
from kimi_nb.teach.grade.sandboxed import HIDDEN
from kimi_nb.tools.native import available

pytestmark = [
    pytest.mark.skipif(bool(available()), reason=available() or "there is a sandbox"),
    pytest.mark.timeout(300),  # seventy attacks in one class
]

SEED = "the teacher's secret"
HONEST = answer("ex90.double", 'doubled = 2 * kn.given("ex90.double")')
"""A right answer to another exercise: handed in beside each attack."""

FUNCTIONS = {
    "says that it equals anything": "class Trick(float):\n"
    "    def __eq__(self, other): return True\n"
    "    def __hash__(self): return 1\n"
    "    def __rsub__(self, other): return 0.0\n"
    "    __sub__ = __lt__ = __le__ = __gt__ = __ge__ = __eq__\n"
    "def total(n): return Trick(1)",
    "a class that says that it is float": "class Meta(type):\n"
    "    def __eq__(self, other): return True\n"
    "    def __hash__(self): return hash(float)\n"
    "class Any(float, metaclass=Meta):\n"
    "    def __eq__(self, other): return True\n"
    "    __hash__ = None\n"
    "def total(n): return Any(1)",
    "os._exit in the cell": "import os\nos._exit(0)",
    "os._exit in the function": "import os\ndef total(n): os._exit(0)",
    "sys.exit in the cell": "import sys\nsys.exit(0)",
    "sys.exit in the function": "import sys\ndef total(n): sys.exit(0)",
    "a signal to itself": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "a loop": "def total(n):\n    while True: pass",
    "a sleep": "import time\ndef total(n): time.sleep(1000)",
    "a loop that ignores signals": "import signal\nfor s in (1, 2, 15, 24):\n"
    "    signal.signal(s, signal.SIG_IGN)\nwhile True: pass",
    "a fork bomb": "import os\ndef total(n):\n    while True: os.fork()",
    "another process": "import subprocess\ndef total(n): return subprocess.run(['true'])",
    "a bomb of threads": "import threading, time\ndef total(n):\n"
    "    while True: threading.Thread(target=time.sleep, args=(99,)).start()",
    "a bomb of memory": "def total(n): return len(bytearray(10**10))",
    "a bomb of recursion": "import sys\nsys.setrecursionlimit(10**9)\n"
    "def total(n): return total(n)",
    "a bomb for the parser": "total = " + "(" * 5000 + ")" * 5000,
    "a deep bomb for the parser": "total = " + "-" * 90_000 + "1",
    "a long bomb for the parser": "total = a" + ".b" * 90_000,
    "a huge file": "def total(n):\n    with open('x', 'wb') as f:\n"
    "        while True: f.write(bytes(10**6))",
    "a huge answer": "def total(n): return 'x' * 3_000_000",
    "a deep answer": "def total(n):\n    x = []\n    for _ in range(10**5): x = [x]\n    return x",
    "a number without end": "def total(n): return 10**400_000",
    "not a number": "def total(n): return float('nan')",
    "half a letter": "def total(n): return '\\ud800'",
    "an error that cannot be told": "class E(Exception):\n"
    "    def __str__(self): raise self\n"
    "def total(n): raise E",
    "an error that nobody catches": "class E(BaseException): pass\ndef total(n): raise E",
    "a pickle": "import os\nclass P:\n    def __reduce__(self): return os._exit, (0,)\n"
    "def total(n): return P()",
    "a generator": "def total(n): yield sum(n)",
    "a forged result": 'import os, sys\nforged = b\'{"passed": true, "share": 1, "key": ""}\'\n'
    "for fd in range(3, 50):\n"
    "    try: os.write(fd, forged)\n"
    "    except OSError: pass\n"
    "print(forged)\nsys.__stdout__.write(str(forged))\n"
    "def total(n): return {'passed': True}",
    "a forged file": "import glob, os, json\n"
    "for place in glob.glob(os.environ['HOME'] + '/results'):\n"
    "    open(place + '/outcome.json', 'w').write('[{\"value\": true}]')\nos._exit(0)",
    "a forged file that is a folder": "import os\n"
    "os.mkdir(os.environ['HOME'] + '/results/outcome.json')\nos._exit(0)",
    "the grader's modules, patched": "import json\n"
    "import kimi_nb.teach.plain as p, kimi_nb.teach.exercise as e\n"
    "p.same = p.isclose = lambda *a: True\n"
    "e.same = lambda *a: True\ne.Exercise.verdict = lambda *a: e.Verdict(\n"
    "    passed=True, share=1.0, key='', says=None, case=None, gave=None)\n"
    "json.dumps = lambda *a, **k: '[{\"value\": true}]'\nprint = json.dumps\n"
    "def total(n): return 1",
    "the parent, killed": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n"
    "def total(n): return 1",
    "its input, read again": "import sys, os\nos.lseek(0, 0, 0)\n"
    "def total(n): return sys.stdin.read()",
    "hidden cases in the history": "def total(n): return In[-1]",
}
"""Of a function, by what it tries. None may pass."""

STEALS = {
    "import": "from kimi_nb.teach.exercises import ex03_stages as found",
    "read": f"found = type('M', (), {{}})\nspace = {{}}\n"
    f"from pathlib import Path\nexec(Path({str(HIDDEN / 'ex03_stages.py')!r}).read_text(), space)\n"
    "found.critical_steps = space['critical_steps']",
    "bytecode": "import importlib.util, marshal, types\nfrom pathlib import Path\n"
    f"path = importlib.util.cache_from_source({str(HIDDEN / 'ex03_stages.py')!r})\n"
    "found = types.ModuleType('m')\n"
    "exec(marshal.loads(Path(path).read_bytes()[16:]), found.__dict__)",
    "another path": "import os, types\nfrom pathlib import Path\nfound = types.ModuleType('m')\n"
    f"here = os.path.relpath({str(HIDDEN)!r})\n"
    "exec(Path(here, 'ex03_stages.py').read_text(), found.__dict__)",
    "loader": "import importlib.util\n"
    f"spec = importlib.util.spec_from_file_location('m', {str(HIDDEN / 'ex03_stages.py')!r})\n"
    "found = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(found)",
    "check": "from kimi_nb.teach.curriculum import exercise\n"
    "found = type('M', (), {})\nfound.critical_steps = exercise('ex03.critical').solve",
}
"""Ways to the public solution; each works outside of the sandbox."""

FINDS = {
    "stack": "import inspect\n"
    "frames = [each.frame for each in inspect.stack()]\n"
    "seen = repr([f.f_globals | f.f_locals for f in frames])",
    "memory": "import gc\n"
    "words = []\n"
    "for o in gc.get_objects():\n"
    "    try: words.append(repr(o) if type(o) in (str, dict, list) else '')\n"
    "    except Exception: pass\n"  # an object that has no words
    "seen = ''.join(words)",
    "environment": "import os\nseen = repr(os.environ)",
    "parent": "import os\nseen = ''\n"
    "for name in ('environ', 'cmdline', 'maps', 'mem'):\n"
    "    try:\n"
    "        with open(f'/proc/{os.getppid()}/{name}', 'rb') as file:\n"
    "            seen += repr(file.read(10**6))\n"
    "    except OSError: pass",
    "files": "import os\nseen = ''\n"
    "for fd in range(50):\n"
    "    try: seen += repr(os.pread(fd, 10**6, 0))\n"
    "    except OSError: pass",
}
"""What code can see in ways that might show a secret."""
TOLD = "import re\nfound = re.search(r'teacher.s\\ssecre[t]', seen)"
"""Whether it saw it; these words themselves are not it."""


@dataclass(frozen=True)
class Class:
    """What came of all attacks at once."""

    found: Graded
    outside: Path
    connections: list[Any]

    def mark(self, student: str, exercise: str = TOTAL) -> Mark:
        (mark,) = [each for each in self.found.of(student) if each.exercise == exercise]
        return mark


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Class]:
    base = tmp_path_factory.mktemp("hostile")
    folder, own = base / "class", base / "mine.py"
    own.write_text(OWN, "utf-8")
    py_compile.compile(str(HIDDEN / "ex03_stages.py"), doraise=True)
    (base / "secret.txt").write_text("GOT IN")

    with socket.create_server(("127.0.0.1", 0)) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIMI_NB_SEED", SEED)
        patch.setenv("MOONSHOT_API_KEY", "sk-canary")
        patch.setattr(marking, "JUDGED", 2.0)
        short_for(ENDLESS, patch)
        connections: list[Any] = []
        threading.Thread(target=_accept, args=(server, connections), daemon=True).start()

        for student, source in (FUNCTIONS | _on(base, server.getsockname()[1], own)).items():
            submit(folder, student, answer(TOTAL, source), HONEST)

        for way, source in STEALS.items():
            stolen = answer("ex03.critical", f"{source}\ncritical_steps = found.critical_steps")
            submit(folder, f"steals by {way}", stolen, HONEST)

        busy = answer("ex91.next", "following = 1e18")
        submit(folder, "keeps the judge busy", busy, HONEST, answer(TOTAL, "total = sum"))
        _files(folder)
        found = grade(folder, seed=SEED, file=own, seconds=60.0, jobs=2)
        yield Class(found, base, connections)


def _on(base: Path, port: int, own: Path) -> dict[str, str]:
    """Attacks on what is there."""
    guess = "def total(n): return "
    finds = {
        f"finds a secret by {way}": f"{code}\n{TOLD}\n{guess}sum(n) if found else 1"
        for way, code in FINDS.items()
    }
    return {
        **finds,
        "reads a file": f"{guess}sum(n) if open({str(base / 'secret.txt')!r}).read() else 1",
        "reads the exercises": f"import runpy\ntotal = runpy.run_path({str(own)!r})['total']",
        "reads another's": f"import json\nall = open({str(base / 'class/honest/work.ipynb')!r})\n"
        f"{guess}sum(n) if all.read() else 1",
        "lists a folder": f"import os\n{guess}sum(n) if os.listdir({str(base)!r}) else 1",
        "writes outside": f"open({str(base / 'written')!r}, 'w').write('x')\n{guess}sum(n)",
        "speaks to the network": "import socket\n"
        f"socket.create_connection(('127.0.0.1', {port}))\n{guess}sum(n)",
        "honest": f"{guess}sum(n)",
        "läuft 好": f"{guess}sum(n)",
    }


def _files(folder: Path) -> None:
    """Submissions that are no notebooks."""
    for student, text in {
        "no JSON": "not a notebook",
        "other JSON": "[1, 2]",
        "old format": json.dumps({"worksheets": [], "nbformat": 3}),
        "odd cells": json.dumps({"cells": [1, None, {"cell_type": "code", "source": {"a": 1}}]}),
        "deep JSON": "[" * 100_000 + "]" * 100_000,
        "empty file": "",
        "much code": notebook(answer(TOTAL, "total = sum\n" * 20_000)),
        "many cells": notebook(*["a = 1"] * 600),
    }.items():
        (folder / student).mkdir()
        (folder / student / "work.ipynb").write_text(text)

    for student in ("large", "link", "link out", "pipe", "folder", "nothing"):
        (folder / student).mkdir()

    with (folder / "large" / "work.ipynb").open("wb") as file:
        file.truncate(500_000_000)

    (folder / "link" / "work.ipynb").symlink_to(folder / "honest" / "work.ipynb")
    (folder / "link out" / "work.ipynb").symlink_to("/etc/passwd")
    (folder / "linked folder").symlink_to(folder / "honest")
    os.mkfifo(folder / "pipe" / "work.ipynb")
    (folder / "folder" / "work.ipynb").mkdir()


def _accept(server: socket.socket, connections: list[Any]) -> None:
    while True:
        try:
            connections.append(server.accept())
        except OSError:
            return


@pytest.mark.parametrize("student", FUNCTIONS)
def test_no_trick_gets_points_and_the_student_goes_on(attacked: Class, student: str) -> None:
    mark = attacked.mark(student)
    assert (mark.passed, mark.points) == (False, 0)
    assert mark.key
    assert mark.says.en
    assert attacked.mark(student, "ex90.double").passed


KEYS = {
    "os._exit in the cell": "ended",
    "os._exit in the function": "ended",
    "sys.exit in the cell": "raised",
    "sys.exit in the function": "raised",
    "a loop": "timeout",
    "a sleep": "timeout",
    "a loop that ignores signals": "timeout",
    "a fork bomb": "raised",
    "a bomb of memory": "raised",
    "a huge file": "raised",
    "a huge answer": "unread",
    "a class that says that it is float": "wrong",
    "says that it equals anything": "odd",
    "a pickle": "odd",
    "a generator": "odd",
    "half a letter": "unread",
    "the grader's modules, patched": "wrong",
    "hidden cases in the history": "raised",
}
ENDLESS = {student for student, key in KEYS.items() if key == "timeout"}
ENDLESS |= {"a bomb of threads", "a bomb of recursion"}  # they end at last, after a minute


@pytest.mark.parametrize("student", KEYS)
def test_it_is_said_why(attacked: Class, student: str) -> None:
    assert attacked.mark(student).key == KEYS[student]


@pytest.mark.parametrize("way", STEALS)
def test_the_solutions_cannot_be_read(attacked: Class, way: str) -> None:
    assert not attacked.mark(f"steals by {way}", "ex03.critical").passed
    assert attacked.mark(f"steals by {way}", "ex90.double").passed


@pytest.mark.parametrize("way", STEALS)
def test_outside_of_the_sandbox_they_can(way: str) -> None:
    py_compile.compile(str(HIDDEN / "ex03_stages.py"), doraise=True)
    space: dict[str, Any] = {}
    exec(STEALS[way], space)  # noqa: S102 -- ours: the attack would work
    assert space["found"].critical_steps([[9, 1], [1, 9]]) == 20


@pytest.mark.parametrize("way", ["stack", "memory", "environment"])
def test_a_secret_that_is_there_is_found(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIMI_NB_SEED", SEED)
    space: dict[str, Any] = {"kept": [SEED]}
    exec(f"{FINDS[way]}\n{TOLD}", space)  # noqa: S102 -- ours
    assert space["found"]


@pytest.mark.parametrize(
    "student",
    [
        *(f"finds a secret by {way}" for way in FINDS),
        "reads a file",
        "reads the exercises",
        "reads another's",
        "lists a folder",
        "writes outside",
        "speaks to the network",
    ],
)
def test_nothing_around_it_can_be_reached(attacked: Class, student: str) -> None:
    assert not attacked.mark(student).passed
    assert attacked.mark(student, "ex90.double").passed


def test_nothing_was_left_outside(attacked: Class) -> None:
    assert not (attacked.outside / "written").exists()
    assert attacked.connections == []


@pytest.mark.parametrize("student", ["honest", "läuft 好"])
def test_the_honest_get_their_points(attacked: Class, student: str) -> None:
    assert attacked.mark(student).passed
    assert attacked.mark(student, "ex90.double").passed


def test_a_judge_that_is_kept_busy_costs_one_exercise(attacked: Class) -> None:
    assert attacked.mark("keeps the judge busy", "ex91.next").key == "unjudged"
    assert attacked.mark("keeps the judge busy").passed
    assert attacked.mark("keeps the judge busy", "ex90.double").passed


@pytest.mark.parametrize(
    ("student", "why"),
    [
        ("no JSON", "it is not JSON"),
        ("other JSON", "it has no cells"),
        ("old format", "it has no cells"),
        ("odd cells", ""),
        ("deep JSON", "it is not JSON"),
        ("empty file", "it is not JSON"),
        ("much code", "more than 200,000 characters"),
        ("many cells", "or 500 cells"),
        ("large", "too large to read (500 MB)"),
        ("link", "is a link"),
        ("link out", "no .ipynb file (links, pipes"),
        ("linked folder", "no .ipynb file (links, pipes"),
        ("pipe", "no .ipynb file (links, pipes"),
        ("folder", "no .ipynb file (links, pipes"),
        ("nothing", "no .ipynb file (links, pipes"),
    ],
)
def test_what_is_no_notebook_is_told(attacked: Class, student: str, why: str) -> None:
    mark = attacked.mark(student)
    assert (mark.key, mark.points) == ("missing", 0)
    assert why in mark.detail
    (page,) = [feedback(attacked.found, s) for s in attacked.found.students if s.student == student]
    assert "This exercise was not found" in page


def test_a_notebook_cannot_forge_its_cells(tmp_path: Path) -> None:
    """Ids and names that are no text, or not of this world, are nobody's."""
    own = tmp_path / "mine.py"
    own.write_text(OWN, "utf-8")
    odd: list[Any] = [
        {"cell_type": "code", "source": "total = sum", "metadata": {"kimi_nb": {"exercise": 1}}},
        {"cell_type": "code", "source": ["total", 1, None], "metadata": []},
        answer("../../ex90.total", "total = sum"),
        answer(TOTAL, "total = sum", "solution"),
    ]
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "anna.ipynb").write_text(notebook(*odd, answer(TOTAL, "x = None")))
    found = grade(tmp_path / "class", seed=SEED, file=own)
    assert [(mark.exercise, mark.key) for mark in found.marks] == [(TOTAL, "unanswered")]
    assert found.unknown == ("../../ex90.total",)
