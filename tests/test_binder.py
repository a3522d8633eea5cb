"""Ways in without an installation: what Binder builds, and the container of an editor."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import nbformat
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
BINDER = ROOT / "binder"
CONTAINER = ROOT / ".devcontainer"
NOT_THERE = {"playwright"}
"""It would find no browser."""


def script() -> ModuleType:
    """tests/bench/notebooks.py"""
    path = ROOT / "tests" / "bench" / "notebooks.py"
    spec = importlib.util.spec_from_file_location("bench_notebooks", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclass looks for its own names
    spec.loader.exec_module(module)
    return module


bench = script()


def pins() -> dict[str, str]:
    """The version of each package in binder/requirements.txt."""
    lines = (BINDER / "requirements.txt").read_text("utf-8").splitlines()
    found: dict[str, str] = {}

    for requirement in (Requirement(line) for line in lines if not line.startswith("#")):
        (one,) = requirement.specifier
        assert one.operator == "=="
        assert requirement.url is None
        found[canonicalize_name(requirement.name)] = one.version.removesuffix(".*")

    return found


def needed(*extras: str) -> dict[str, Requirement]:
    """Third-party packages that extras of ours ask for, also by way of one another."""
    optional = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]
    found: dict[str, Requirement] = {}

    for requirement in (Requirement(line) for extra in extras for line in optional[extra]):
        if requirement.name == "kimi-nb":
            found |= needed(*requirement.extras)
        else:
            found[canonicalize_name(requirement.name)] = requirement

    return found


@pytest.fixture(scope="module")
def dockerfile() -> list[str]:
    """The steps that repo2docker would have Docker do, for Binder's user."""
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug"]
    user = ["--user-id", "1000", "--user-name", "jovyan"]
    done = subprocess.run([*command, *user, str(ROOT)], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def test_binder_installs_the_dependencies_before_it_has_the_repository(
    dockerfile: list[str],
) -> None:
    """So that a build after a change of ours takes them from the layer of the build before."""
    steps = (
        r'RUN .*pip install .*-r "binder/requirements\.txt"',
        r"COPY --chown=1000:1000 src/ \$\{REPO_DIR\}/",
        r"USER \$\{NB_USER\}",
        r"RUN \./binder/postBuild",
    )
    lines = iter(dockerfile)

    for step in steps:
        assert any(re.fullmatch(step, line) for line in lines), step


def test_binder_takes_python_from_its_file_and_nothing_from_ours(dockerfile: list[str]) -> None:
    text = "\n".join(dockerfile)
    assert "environment-2epy-2d3-2e12" in text
    assert (BINDER / "runtime.txt").read_text("utf-8") == "python-3.12\n"
    assert text.count("pip install") == 1


def test_what_the_notebooks_need_is_pinned_as_well_but_for_the_browsers() -> None:
    wanted = needed("dask", "processes", "worlds")
    assert {"cloudpickle", "distributed", "pillow", "pandas", *NOT_THERE} <= wanted.keys()

    for name in wanted.keys() - NOT_THERE:
        assert wanted[name].specifier.contains(pins()[name]), name

    assert not NOT_THERE & pins().keys()


def test_the_kernel_that_binder_has_is_too_old_and_ours_goes_over_it() -> None:
    base = dict(pin.split("==") for pin in bench.base_pins())
    assert base.keys() == set(bench.BASE)
    assert base["ipykernel"].startswith("7.0.")
    assert pins()["ipykernel"].split(".") >= ["7", "4"]


def post_build(folder: Path, exit_code: int) -> subprocess.CompletedProcess[str]:
    """Run postBuild with a pip that only ends with that code."""
    pip = folder / "bin" / "pip"
    pip.parent.mkdir()
    pip.write_text(f'#!/bin/sh\necho "$@"\nexit {exit_code}\n', "utf-8")
    pip.chmod(0o755)
    path = os.pathsep.join([str(pip.parent), os.environ["PATH"]])
    return subprocess.run(
        [BINDER / "postBuild"],
        cwd=ROOT,
        env={**os.environ, "PATH": path, "NB_PYTHON_PREFIX": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_binder_does_last_installs_us_and_our_settings(tmp_path: Path) -> None:
    done = post_build(tmp_path, 0)
    assert (done.returncode, done.stdout) == (0, "install --no-deps -e .\n")
    settings = tmp_path / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    assert settings.read_bytes() == (BINDER / "overrides.json").read_bytes()


def test_a_build_that_fails_is_no_image(tmp_path: Path) -> None:
    assert post_build(tmp_path, 3).returncode == 3


def test_jupyterlab_knows_every_setting_of_ours() -> None:
    schemas = Path(sys.prefix) / "share" / "jupyter" / "lab" / "schemas"

    if not schemas.is_dir():
        pytest.skip("JupyterLab is not installed")

    for plugin, settings in json.loads((BINDER / "overrides.json").read_bytes()).items():
        package, name = plugin.split(":")
        schema = json.loads((schemas / package / f"{name}.json").read_bytes())

        assert settings.keys() <= schema["properties"].keys()
        jsonschema.validate(settings, schema)


def notebook(folder: Path, *cells: str) -> Path:
    """A notebook of such cells."""
    path = folder / "tried.ipynb"
    made: Any = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells)))
    nbformat.write(made, path)
    return path


def test_a_notebook_that_takes_too_much_memory_is_ended_and_named(tmp_path: Path) -> None:
    greedy = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', '{}'])".format(
        'import signal; a = b"1" * 600_000_000; signal.pause()'
    )
    cost = bench.execute(notebook(tmp_path, greedy), 400_000_000)
    assert cost.why == "more than 400 MB"
    assert cost.memory > 400_000_000


def test_a_notebook_that_fails_says_why_and_one_that_does_not_has_its_cost(tmp_path: Path) -> None:
    cost = bench.execute(notebook(tmp_path, "sum(range(10**6))", "1 / 0"), 2_000_000_000)
    assert cost.why == "ZeroDivisionError: division by zero"
    assert 20_000_000 < cost.memory < 2_000_000_000
    cost = bench.execute(notebook(tmp_path, "sum(range(10**6))"), 2_000_000_000)
    assert cost.why == ""
    assert cost.cpu > 0
    assert cost.wall > 0


def test_the_container_of_an_editor_sets_up_what_make_needs() -> None:
    described = json.loads((CONTAINER / "devcontainer.json").read_bytes())
    assert described.keys() == {"name", "image", "postCreateCommand", "customizations"}
    assert re.fullmatch(r"mcr\.microsoft\.com/devcontainers/python:1-3\.12-\w+", described["image"])
    script = ROOT / described["postCreateCommand"]
    assert os.access(script, os.X_OK)
    bash = shutil.which("bash") or "bash"
    assert subprocess.run([bash, "-n", script], check=False).returncode == 0
    targets = re.findall(r"^make (\w+)$", script.read_text("utf-8"), re.MULTILINE)
    assert targets == ["setup"]
    assert re.search(r"^setup:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    settings = described["customizations"]["vscode"]["settings"]
    assert settings["python.defaultInterpreterPath"].endswith("/.venv/bin/python")
