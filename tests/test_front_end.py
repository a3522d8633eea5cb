"""The pictures in the page: what their sources may not contain, and what is built from them."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
WIDGETS = ROOT / "widgets"
SOURCES = WIDGETS / "src"
STATIC = ROOT / "kimi_nb" / "static"
LONGEST = 300
HEAVIEST = 150_000
"""Bytes of one widget's script and style: they travel to the page with every instance."""

SVG = "http://www.w3.org/2000/svg"
NAMESPACES = {SVG, "http://www.w3.org/1999/xhtml", "http://www.w3.org/1998/Math/MathML"}
"""Names that look like addresses; DOMPurify compares with them."""

NEVER = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|srcdoc"
    r"|\beval\b|new Function|https?://|setTimeout\(\s*[\"'`]|@ts-ignore|@ts-nocheck"
)
IMPORT = re.compile(
    r"""^\s*(?:import|export)\s+(?:(?P<names>[\w\s{},*$]+?)\s+from\s+)?["'](?P<origin>[^"']+)["']""",
    re.MULTILINE,
)
MODEL = re.compile(r"save_changes|[\"'`](?:msg:custom|change:)|\bmodel\s*\.\s*\w+\(")
"""What is said to a widget's model."""


class Arrow(NamedTuple):
    """One module imports another, or a package."""

    source: str
    names: str
    origin: str


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    """Every source by its path beneath src/."""
    found = {
        path.relative_to(SOURCES).as_posix(): path.read_text("utf-8")
        for path in sorted(SOURCES.rglob("*"))
        if path.suffix in {".ts", ".css"}
    }
    assert {"swarm.ts", "host.ts", "pure/scene.ts", "draw/frame.ts"} <= found.keys()
    return found


@pytest.fixture(scope="module")
def bundles() -> dict[str, str]:
    """Every built file by its name, built first if a source is newer."""
    command = [sys.executable, str(WIDGETS / "build.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {path.name: path.read_text("utf-8") for path in STATIC.iterdir()}


def entries() -> list[str]:
    """The widgets that have a bundle, as build.mjs has them."""
    listed = re.search(r"const entries = (\[[^\]]*\])", (WIDGETS / "build.mjs").read_text("utf-8"))
    assert listed
    return [name for name in json.loads(listed[1]) if (SOURCES / f"{name}.ts").exists()]


def dangerous(text: str) -> list[str]:
    return NEVER.findall(text.replace(f'"{SVG}"', ""))


def arrows(sources: dict[str, str]) -> list[Arrow]:
    """Every import; those of types alone have `type` before their names."""
    found: list[Arrow] = []

    for source, text in sources.items():
        for match in IMPORT.finditer(text) if source.endswith(".ts") else ():
            origin = match["origin"]

            if origin.startswith("."):
                origin = os.path.normpath(Path(source).parent / origin)

            found.append(Arrow(source, match["names"] or "", origin))

    return found


def upward(found: list[Arrow]) -> list[Arrow]:
    """The imports that point up: pure, wire < host (for draw: its types) < draw < the entries."""

    def allowed(arrow: Arrow) -> bool:
        types = arrow.names.startswith("type ")
        host = re.fullmatch(r"\w*host\.ts", arrow.origin) is not None

        match arrow.source.rpartition("/"):
            case "pure", _, _:
                return arrow.origin.startswith("pure/")
            case "draw", _, _ if host:
                return types and re.search(r"\bModel\b", arrow.names) is None
            case "draw", _, _:
                package = not arrow.origin.endswith((".ts", ".css"))
                return package or arrow.origin.startswith(("pure/", "draw/"))
            case _, _, name if name.endswith("host.ts"):
                return arrow.origin.startswith(("pure/", "wire.ts")) or (host and types)
            case _, _, "wire.ts":
                return False
            case _:
                return True

    return [arrow for arrow in found if not allowed(arrow)]


def test_no_source_writes_html_runs_text_or_knows_an_address(sources: dict[str, str]) -> None:
    assert {name: said for name, text in sources.items() if (said := dangerous(text))} == {}


@pytest.mark.parametrize(
    "text",
    [
        "place.innerHTML = said",
        "place.insertAdjacentHTML('beforeend', said)",
        "eval(said)",
        "new Function(said)()",
        "@import url(https://fonts.example/a.css);",
        f'const SVG = "{SVG}/../script";',
    ],
)
def test_what_is_dangerous_is_seen(text: str) -> None:
    assert dangerous(text)


def test_no_source_is_longer_than_it_reads(sources: dict[str, str]) -> None:
    lengths = {name: len(text.splitlines()) for name, text in sources.items()}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_imports_point_one_way(sources: dict[str, str]) -> None:
    found = arrows(sources)
    assert Arrow("draw/frame.ts", "type { Store }", "host.ts") in found
    assert Arrow("training.ts", "{ reward }", "draw/reward.ts") in found
    assert upward(found) == []


def test_no_ring_of_imports(sources: dict[str, str]) -> None:
    graph: dict[str, set[str]] = {}

    for source, names, origin in arrows(sources):
        if not names.startswith("type "):  # types are gone when anything runs
            graph.setdefault(source, set()).add(origin)

    assert "draw/frame.ts" in list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("pure/a.ts", 'import { h } from "../draw/dom.ts";'),
        ("pure/a.ts", 'import uPlot from "uplot";'),
        ("pure/a.ts", 'import type { Store } from "../host.ts";'),
        ("draw/a.ts", 'import { Store } from "../host.ts";'),
        ("draw/a.ts", 'import type { Model } from "../host.ts";'),
        ("draw/a.ts", 'import {\n  one,\n  two,\n} from "../swarm.ts";'),
        ("draw/a.ts", 'export { one } from "../swarm.ts";'),
        ("draw/a.ts", 'import "../swarm.ts";'),
        ("draw/a.ts", 'import type { Model } from "../wire.ts";'),
        ("host.ts", 'import { h } from "./draw/dom.ts";'),
        ("wire.ts", 'import type { Store } from "./host.ts";'),
    ],
)
def test_an_import_that_points_up_is_seen(source: str, text: str) -> None:
    assert len(upward(arrows({source: text}))) == 1


def test_what_counts_or_draws_knows_no_model(sources: dict[str, str]) -> None:
    speaking = [name for name, text in sources.items() if MODEL.search(text)]
    assert {"host.ts", "wire.ts"} <= set(speaking)
    assert [name for name in speaking if "/" in name] == []


def test_a_bundle_is_light(bundles: dict[str, str]) -> None:
    for name in entries():
        size = sum(len(bundles[f"{name}.{kind}"].encode()) for kind in ("js", "css"))
        assert 1000 < size < HEAVIEST, f"{name}: {size} bytes"


def test_nothing_else_is_built(bundles: dict[str, str]) -> None:
    built = {f"{name}.{kind}" for name in entries() for kind in ("js", "css")}
    assert built | {"LICENSES.txt"} == bundles.keys()


def test_a_bundle_needs_nothing_from_the_network(bundles: dict[str, str]) -> None:
    for name in (f"{entry}.{kind}" for entry in entries() for kind in ("js", "css")):
        text = bundles[name]
        assert set(re.findall(r"https?://[^\s\"'`<>)\\]+", text)) <= NAMESPACES, name
        assert re.findall(r"(?:[\"'`(]|url\()//[a-z]", text) == [], name
        assert re.findall(r"(?:^|[;}\s])import\b|\bimport\(|\}from[\"']|@import", text) == [], name
        assert re.findall(r"\bfetch\(|XMLHttpRequest|WebSocket|sendBeacon", text) == [], name


def test_what_is_bundled_comes_with_its_licence(
    sources: dict[str, str], bundles: dict[str, str]
) -> None:
    origins = {arrow.origin for arrow in arrows(sources)}
    packages = json.loads((WIDGETS / "package.json").read_text("utf-8"))["dependencies"]
    used = [name for name in packages if any(o.split("/")[0] == name for o in origins)]
    stated = bundles["LICENSES.txt"]

    for name in used:
        licence = (WIDGETS / "node_modules" / name / "LICENSE").read_text("utf-8").strip()
        assert re.search(rf"^{re.escape(name)} \d+\.\d+\.\d+, ", stated, re.MULTILINE), name
        assert licence in stated, name

    assert len(re.findall(r"^-{80}$", stated, re.MULTILINE)) == len(used)


@pytest.fixture
def builder(tmp_path: Path) -> ModuleType:
    """build.py of a small front end in a folder of its own."""
    for folder in ("widgets/src", "widgets/node_modules", "kimi_nb/static"):
        (tmp_path / folder).mkdir(parents=True)

    for name in ("build.mjs", "package.json", "package-lock.json", "src/swarm.ts"):
        (tmp_path / "widgets" / name).touch()

    script = tmp_path / "widgets" / "build.py"
    script.write_bytes((WIDGETS / "build.py").read_bytes())
    spec = importlib.util.spec_from_file_location("build_of_a_small_front_end", script)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_only_a_newer_source_builds_anew(builder: ModuleType) -> None:
    assert builder.stale()
    built = (builder.HERE / "src").stat().st_mtime_ns + 10**9
    (builder.STATIC / "swarm.js").touch()
    os.utime(builder.STATIC / "swarm.js", ns=(built, built))  # a clock's tick may be long
    assert not builder.stale()

    later = built + 10**9

    for path in ("src/swarm.ts", "build.mjs", "package-lock.json", "src"):
        before = (builder.HERE / path).stat().st_mtime_ns
        os.utime(builder.HERE / path, ns=(later, later))
        assert builder.stale(), path
        os.utime(builder.HERE / path, ns=(before, before))
        assert not builder.stale(), path


def test_a_source_archive_builds_nothing_and_asks_for_no_node(
    builder: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builder, "find_node", lambda: None)
    hook = builder.BundleHook.__new__(builder.BundleHook)
    assert hook.dependencies() == [builder.NODE_PACKAGE]
    (builder.HERE / "src" / "swarm.ts").unlink()
    (builder.HERE / "src").rmdir()
    assert hook.dependencies() == []
    hook.initialize("standard", {})


@pytest.mark.parametrize(
    ("said", "cure"),
    [
        ("npm error code ENOTFOUND", "npm config set registry"),
        ("npm error code SELF_SIGNED_CERT_IN_CHAIN", "export NODE_EXTRA_CA_CERTS="),
        ("npm error code EUSAGE", "rm -rf "),
    ],
)
def test_what_npm_cannot_do_says_what_to_type(
    builder: ModuleType, monkeypatch: pytest.MonkeyPatch, said: str, cure: str
) -> None:
    failed = subprocess.CompletedProcess([], 1, f"{said}\nnpm error A complete log of this run …\n")
    monkeypatch.setattr(builder, "_run", lambda *_: failed)

    with pytest.raises(builder.BuildError) as told:
        builder.build(builder.Node("/usr/bin/node", ["/usr/bin/npm"]))

    assert said in str(told.value)
    assert cure in str(told.value)
    assert "complete log" not in str(told.value)


def test_an_old_node_is_passed_over(builder: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(builder, "find_spec", lambda _: None)
    monkeypatch.setattr(builder, "_version", lambda _: (18, 20))
    assert builder.find_node() is None
    monkeypatch.setattr(builder, "_version", lambda _: (20, 19))
    assert builder.find_node() == ("/usr/bin/node", ["/usr/bin/npm"])
