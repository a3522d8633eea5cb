"""The comparison of trainers does what it says: it runs, it counts, and it says what is missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

BENCH = Path(__file__).parent / "bench" / "parl.py"


def ran(tmp_path: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """A quick run without any of the environments that may lie in the user's cache."""
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, str(BENCH), "--quick", *flags]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False
    )


def test_numpy_trains_and_is_measured(tmp_path: Path) -> None:
    done = ran(tmp_path, "--only", "numpy", "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["rows"]
    assert row["training"] == row["actions"] / row["cpu"]
    assert row["actions"] > 5 * 32 * 16 * 5  # no task has fewer than five parts
    assert min(row[of] for of in ("small", "large", "import", "rss", "installed")) > 0
    assert 0.3 < row["r_perf"] < 1


@pytest.mark.skipif(find_spec("torch") is not None, reason="this interpreter has PyTorch")
def test_a_missing_peer_says_what_to_type(tmp_path: Path) -> None:
    done = ran(tmp_path, "--only", "torch")
    assert "not installed: parl.py --install --only torch" in done.stdout
    assert "NumPy" in done.stdout
    assert done.returncode == 1
