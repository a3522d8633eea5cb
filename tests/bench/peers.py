"""The clients of the benchmark, each in an environment of its own, made on demand and pinned."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FRAMEWORKS", "HERE", "OURS", "PEERS", "ROOT", "SERVER", "Peer", "install", "python_of"]

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


@dataclass(frozen=True, slots=True)
class Peer:
    """A client: a script, and what has to be installed for it."""

    name: str
    label: str
    script: str
    requirements: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    """What this interpreter must have to stand in where the environment is missing."""

    @property
    def folder(self) -> Path:
        return cache() / self.name


SERVER = Peer("server", "fake server", "server.py", ("uvloop==0.23.0", "orjson==3.13.0"))
OURS = Peer("kimi_nb", "**kimi_nb**", "clients/kimi.py")
PEERS = (
    Peer(
        "floor",
        "aiohttp + orjson, by hand",
        "clients/floor.py",
        ("aiohttp==3.14.5", "orjson==3.13.0"),
        ("aiohttp", "orjson"),
    ),
    OURS,
    Peer(
        "openai",
        "openai 3.54 + gather, by hand",
        "clients/openai_loop.py",
        ("openai==3.54.0",),
        ("openai",),
    ),
    Peer(
        "openai-agents",
        "openai-agents 0.24",
        "clients/with_openai_agents.py",
        ("openai-agents==0.24.0", "openai==3.54.0"),
    ),
    Peer(
        "pydantic-ai",
        "pydantic-ai 2.68",
        "clients/with_pydantic_ai.py",
        ("pydantic-ai-slim[openai]==2.68.0", "openai==3.54.0"),
    ),
    Peer(
        "langgraph",
        "langgraph 1.2",
        "clients/with_langgraph.py",
        ("langgraph==1.2.22", "langchain==1.4.7", "langchain-openai==1.7.3", "openai==3.54.0"),
    ),
)
FRAMEWORKS = ("openai-agents", "pydantic-ai", "langgraph")


def cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "kimi_nb-bench"


def python_of(peer: Peer) -> str | None:
    """The interpreter for a client: its environment's, or this one where that will do."""
    own = peer.folder / "bin" / "python"

    if peer is not OURS and own.exists():
        return str(own)

    if peer in (OURS, SERVER):
        return sys.executable

    found = peer.modules and all(importlib.util.find_spec(name) for name in peer.modules)
    return sys.executable if found else None


def install(peers: tuple[Peer, ...]) -> None:
    """Make the environments of `peers`. Raises CalledProcessError with the installer's output."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")

    for peer in peers:
        if not peer.requirements:
            continue

        python = peer.folder / "bin" / "python"
        print(f"installing {peer.name} into {peer.folder}", file=sys.stderr)  # noqa: T201

        if uv:
            run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(peer.folder))
            run(uv, "pip", "install", "-q", "--compile-bytecode", "-p", python, *peer.requirements)
        else:
            run(sys.executable, "-m", "venv", "--clear", str(peer.folder))
            run(python, "-m", "pip", "install", "-q", *peer.requirements)


def run(*command: str | Path) -> None:
    subprocess.run(command, check=True, stdout=sys.stderr)
