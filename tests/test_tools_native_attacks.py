"""What code in the native sandbox must not be able to do, tried inside and outside of it."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from native_attacks import ATTACKS, Attack

from kimi_nb.tools.native import available, probe, run_blocking

pytestmark = pytest.mark.skipif(bool(available()), reason=available() or "there is a sandbox")

VICTIM = """
import ctypes, time
ctypes.CDLL(None).prctl(0x59616d61, -1, 0, 0, 0)  # anybody of ours may trace it
print("there", flush=True)
time.sleep(600)
"""
ONE_BY_ONE = """
import ast, sys
for name, code in ast.literal_eval(sys.stdin.read()).items():
    print(f"<<{name}>>", flush=True)
    try:
        exec(code, {"__name__": "__main__"})
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", flush=True)
    else:
        print("no error", flush=True)
print("<<the end>>")
"""
REFUSED = re.compile(
    r"ValueError: not allowed to raise maximum limit|"
    r"PermissionError: |OSError: \[Errno (9|18|38)\] |KeyError: 'KIMI_CANARY'"
)
LEAST = 3
"""The oldest landlock that is accepted. It knows neither signals nor sockets."""


class Surroundings:
    """A folder, what lies around it, and others to do harm to; made when they are needed."""

    def __init__(self, path: Path, stack: contextlib.ExitStack) -> None:
        self.path = path
        self.folder = path / "folder"
        self._stack = stack

        for name, text in {
            "secret.txt": "GOT IN",
            "folder/data.txt": "data",
            "folder/sub/more.txt": "more",
            "folder/closed.txt": "GOT IN",
            "folder/.kimi_nb/runs/log.jsonl": "GOT IN",
            "folder/.git/hooks/sample": "",
        }.items():
            file = path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")

        (self.folder / "link").symlink_to("../secret.txt")
        (self.folder / "closed.txt").chmod(0)

        with contextlib.suppress(PermissionError):
            os.chown(self.folder / "closed.txt", 65534, 65534)

    def code(self, attack: Attack) -> str:
        """The attack with the values of the names that it uses."""
        names = set(re.findall(r"\b[A-Z]{3,}(?:_[A-Z]+)*\b", attack.code))
        makers: dict[str, Callable[[], Any]] = {
            "ABSTRACT": lambda: self._server(socket.SOCK_STREAM, f"\0kimi_nb-{os.getpid()}")[1:],
            "DATAGRAMS": lambda: self._server(socket.SOCK_DGRAM, "datagrams"),
            "INHERITED": self._descriptor,
            "OUR_HOME": lambda: str(Path.home()),
            "OUTSIDE": lambda: str(self.path),
            "PARENT": os.getpid,
            "SECRET": lambda: str(self.path / "secret.txt"),
            "TCP": lambda: self._port(socket.SOCK_STREAM),
            "UDP": lambda: self._port(socket.SOCK_DGRAM),
            "UNIX": lambda: self._server(socket.SOCK_STREAM, "stream"),
            "VICTIM": self._victim,
        }
        given = [f"{name} = {make()!r}" for name, make in makers.items() if name in names]
        return "\n".join([*given, "print('TRIES', flush=True)", attack.code])

    def _port(self, kind: int) -> int:
        server = self._stack.enter_context(socket.socket(socket.AF_INET, kind))
        server.bind(("127.0.0.1", 0))

        if kind == socket.SOCK_STREAM:
            server.listen()

        return server.getsockname()[1]

    def _server(self, kind: int, name: str) -> str:
        server = self._stack.enter_context(socket.socket(socket.AF_UNIX, kind))
        # The path of a socket must be short, and pytest's are not.
        folder = self._stack.enter_context(_short_folder())
        address = name if name.startswith("\0") else str(folder / name)
        server.bind(address)

        if kind == socket.SOCK_STREAM:
            server.listen()

        return address

    def _descriptor(self) -> int:
        file = self._stack.enter_context((self.path / "secret.txt").open("rb"))
        os.set_inheritable(file.fileno(), True)  # noqa: FBT003
        return file.fileno()

    def _victim(self) -> int:
        command = [sys.executable, "-I", "-c", VICTIM]
        env = {**os.environ, "KIMI_CANARY": "canary"}
        process = self._stack.enter_context(
            subprocess.Popen(command, stdout=subprocess.PIPE, env=env)
        )
        self._stack.callback(process.kill)
        assert process.stdout is not None
        assert process.stdout.readline() == b"there\n"
        return process.pid


@contextlib.contextmanager
def _short_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/tmp") as path:
        yield Path(path)


@pytest.fixture
def around(tmp_path: Path) -> Iterator[Surroundings]:
    with contextlib.ExitStack() as stack:
        yield Surroundings(tmp_path, stack)


def outside(code: str, around: Surroundings) -> str:
    """What code prints that nothing holds back."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", code],
        cwd=around.folder,
        capture_output=True,
        text=True,
        check=False,
        close_fds=False,
        env={**os.environ, "KIMI_CANARY": "canary"},
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_works_outside(name: str, around: Surroundings) -> None:
    attack = ATTACKS[name]
    tried = outside(around.code(attack), around)

    if attack.may_fail and "GOT IN" not in tried:
        pytest.skip(f"this machine refuses it anyway: {tried.splitlines()[-1]}")

    assert "GOT IN" in tried


@pytest.mark.parametrize("abi", [probe.landlock_abi(), LEAST])
@pytest.mark.parametrize("writable", [False, True])
def test_no_attack_works_inside(
    abi: int, around: Surroundings, monkeypatch: pytest.MonkeyPatch, *, writable: bool
) -> None:
    """One after the other in one process: those before it have got nowhere."""
    monkeypatch.setattr(probe, "landlock_abi", lambda: abi)
    monkeypatch.setenv("KIMI_CANARY", "canary")
    attacks = {
        name: around.code(attack)
        for name, attack in ATTACKS.items()
        if attack.writable in {None, writable}
    }
    command = [sys.executable, "-I", "-c", ONE_BY_ONE]
    done = run_blocking(
        command,
        folder=around.folder,
        writable=writable,
        seconds=30,
        stdin=repr(attacks).encode(),
    )
    tried = dict(re.findall(r"^<<(.*?)>>\n(.*?)(?=^<<|\Z)", done.output, re.MULTILINE | re.DOTALL))
    assert list(tried) == [*attacks, "the end"]
    assert [name for name, said in tried.items() if "GOT IN" in said] == []
    refusals = {name: said.splitlines()[-1] for name, said in tried.items() if name in attacks}
    assert {name: said for name, said in refusals.items() if not REFUSED.match(said)} == {}
