"""A notebook that runs: what is stored of it, and that nbval notices when it changes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from building.commands import main
from building.execute import SANITIZED
from building.source import FOLDER
from building.write import place
from sourced import code, source

TAG = ":tags: [nbval-check-output]"
LESSON = """
    import os, tempfile
    from kimi_nb.teach.language import language

    said = [os.environ.get("MOONSHOT_API_KEY"), language(), os.path.basename(os.getcwd())]
    print(tempfile.mkdtemp(), "holds", object())
    said
"""


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A notebook that was executed in both languages, by somebody who has a key."""
    monkeypatch.setenv("MOONSHOT_API_KEY", "sk-of-whoever-builds")
    monkeypatch.setenv("KIMI_NB_LANGUAGE", "zh")
    free = code("print(1)", ":name: free")
    parts = (code(LESSON, TAG, ":name: told"), free, code("1 / 0", ":tags: [raises-exception]"))
    found = source(tmp_path, *parts)
    assert main(["--execute"], tmp_path / "src") == 0
    assert os.environ["MOONSHOT_API_KEY"] == "sk-of-whoever-builds"
    return found


def outputs(path: Path) -> dict[str, list[dict[str, object]]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return {cell["id"]: cell["outputs"] for cell in cells if cell["cell_type"] == "code"}


def compared(path: Path) -> subprocess.CompletedProcess[str]:
    """As `make test` does it."""
    options = ["--nbval-lax", "--nbval-current-env", "--nbval-sanitize-with", str(SANITIZED)]
    plain = ["-q", "-p", "no:cacheprovider", "--rootdir", str(path.parent)]
    command = [sys.executable, "-m", "pytest", *plain, *options, path.name]
    shutil.copy(FOLDER.parent / "conftest.py", path.parent)
    known = os.environ | {"PYTHONPATH": str(FOLDER.parent)}
    options = {"cwd": path.parent, "env": known, "capture_output": True, "text": True}
    return subprocess.run(command, **options, check=False)


def test_executed_stored_and_compared(made):
    for language in ("en", "zh"):
        found = outputs(place(made, language))
        told, result = found.pop("told")
        assert told["text"][0].endswith("/... holds <object object at 0x...>\n")
        assert result["data"]["text/plain"] == [f"[None, '{language}', '{language}']"]
        assert result["execution_count"] == 1
        assert set(map(len, found.values())) == {0}, "only what is compared is kept"

    path = place(made, "zh")
    before = path.read_bytes()
    assert main([], made.path.parent) == 0
    assert path.read_bytes() == before, "a mere build keeps the outputs"

    assert compared(path).returncode == 0
    path.write_bytes(before.replace(b"[None, 'zh'", b"[None, 'en'"))
    run = compared(path)
    assert run.returncode == 1
    assert "1 failed" in run.stdout


def test_a_cell_that_fails_is_told_and_nothing_is_stored(tmp_path, capsys):
    made = source(tmp_path, code("wrong = 1 / 0", ":name: wrong"))
    assert main(["--execute"], tmp_path / "src") == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert not place(made, "en").exists()
