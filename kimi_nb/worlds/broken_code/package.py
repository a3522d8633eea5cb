"""The package of one world: its modules as they should be, as they are, and their cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from string import Template as Text
from types import ModuleType

from kimi_nb.worlds.broken_code.cases import Case, drawn, load
from kimi_nb.worlds.broken_code.library import CHAINS, MODULES
from kimi_nb.worlds.broken_code.library.text import WORDS
from kimi_nb.worlds.broken_code.spoil import Spoilt, spoilt
from kimi_nb.worlds.broken_code.template import Template, intact
from kimi_nb.worlds.broken_code.testing import tests_of

__all__ = ["Module", "Package", "planned"]

PACKAGES = ("toolshed", "workbench", "almanack", "smallworks", "handicraft", "oddments")
KINDS = ("build", "debug", "rename", "debug", "debug", "move", "debug")
"""Of the faults of modules that stand alone, in turn."""
LINK_KINDS = ("debug", "build", "debug")
"""Of those in a chain, from the bottom up."""
HEALTHY = 6
"""One in so many modules that stand alone has no fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One module of the package."""

    name: str
    right: str
    """Its source without a fault."""
    found: Spoilt
    """Its source as the agents find it; the kind is "" for a healthy one."""
    below: str
    """The module that it imports from; "" for none."""
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """All of it."""

    name: str
    modules: tuple[Module, ...]

    @property
    def files(self) -> dict[str, str]:
        """What the agents find, by path."""
        return dict(self._files(lambda module: module.found))

    @property
    def mended(self) -> dict[str, str]:
        """What they would leave if they made no mistake, by path."""
        return dict(self._files(lambda module: Spoilt("", module.right)))

    def _files(self, state: Callable[[Module], Spoilt]) -> Iterator[tuple[str, str]]:
        yield f"{self.name}/__init__.py", f'"""{self.name.title()}: small tools."""\n'

        for module in self.modules:
            found = state(module)
            yield f"{self.name}/{module.name}.py", found.source
            yield f"tests/test_{module.name}.py", tests_of(self.name, module.name, module.cases)

            if found.elsewhere:
                yield f"{self.name}/{module.name}_rest.py", found.elsewhere

    def write(self, folder: Path) -> None:
        """Put the files into a folder."""
        for path, text in self.files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")


def planned(items: int, seed: int) -> Package:
    """The package of so many modules: the same seed, the same package."""
    maker = _Maker(Random(f"code {items} {seed}"))  # noqa: S311 - a seeded world, not a secret
    chains = max(1, items // 10)
    length = 3 if items >= 5 else 2
    modules = [m for n in range(chains) for m in maker.chain(n, length)]
    modules += maker.alone(items - len(modules))
    ordered = sorted(modules, key=lambda module: module.name)
    return Package(name=maker.package, modules=tuple(ordered))


class _Maker:
    """Draws modules, no two of one name."""

    def __init__(self, draw: Random) -> None:
        self.draw = draw
        self.package = draw.choice(PACKAGES)
        self.chains = draw.sample(CHAINS, len(CHAINS))
        self.names: set[str] = set()

    def chain(self, number: int, length: int) -> list[Module]:
        """Modules of which each imports from the one before."""
        loaded: dict[str, ModuleType] = {}
        chosen: dict[str, str] = {}
        made: list[Module] = []

        for template, kind in zip(
            self.chains[number % len(CHAINS)][:length], LINK_KINDS, strict=False
        ):
            below = made[-1].name if made else ""
            chosen = template.chosen(self.draw, {**chosen, "below": f"{self.package}.{below}"})
            made.append(self._made(template, chosen, kind, below, loaded))

        return made

    def alone(self, number: int) -> list[Module]:
        """Modules that need no other."""
        templates: list[Template] = []
        kinds = [KINDS[n % len(KINDS)] for n in range(number - number // HEALTHY)]
        kinds += [""] * (number // HEALTHY)
        self.draw.shuffle(kinds)

        while len(templates) < number:
            templates += self.draw.sample(MODULES, len(MODULES))

        return [
            self._made(template, template.chosen(self.draw, {}), kind, "", {})
            for template, kind in zip(templates, kinds, strict=False)
        ]

    def _made(
        self,
        template: Template,
        chosen: dict[str, str],
        kind: str,
        below: str,
        loaded: dict[str, ModuleType],
    ) -> Module:
        """The module; it is put among those that are `loaded`."""
        name = self._named(template.names)
        marked = template.filled(chosen)
        right = intact(marked)
        module = load(f"{self.package}.{name}", right, loaded)
        calls = {Text(key).substitute(chosen): draw for key, draw in template.calls.items()}
        edges = {Text(key).substitute(chosen): fixed for key, fixed in template.edges.items()}
        cases = drawn(module, calls, edges, self.draw)
        found = spoilt(kind, marked, cases, loaded, self.draw) if kind else Spoilt("", right)
        loaded[module.__name__] = module
        return Module(name=name, right=right, found=found, below=below, cases=tuple(cases))

    def _named(self, names: Sequence[str]) -> str:
        free = [name for name in names if name not in self.names]

        while not free:
            free = [
                longer
                for name in names
                if (longer := f"{name}_{self.draw.choice(WORDS)}") not in self.names
            ]

        name = self.draw.choice(free)
        self.names.add(name)
        return name
