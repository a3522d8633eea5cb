"""`%swarm status`, `list`, `cancel`, `replay`, `resume`, `model`, `key`, `doctor` and so on."""

from __future__ import annotations

import getpass
import glob
import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

from IPython.core.error import StdinNotImplementedError, UsageError
from IPython.core.magic_arguments import MagicArgumentParser
from IPython.display import DisplayHandle

from kimi_nb.errors import UsageFault
from kimi_nb.magics.words import words_of
from kimi_nb.models.endpoint import MOONSHOT, is_moonshot, refuse_on_binder
from kimi_nb.models.named import is_named, made
from kimi_nb.models.secret import Secret
from kimi_nb.models.simulator import Options
from kimi_nb.redact import Environment
from kimi_nb.swarm.doctor import Report, examine
from kimi_nb.swarm.handle import Replay, Run
from kimi_nb.swarm.start import replay, runs
from kimi_nb.swarm.telemetry import PORT, metrics_server
from kimi_nb.views.words import count

__all__ = ["COMMANDS", "Notebook", "complete", "place", "run_command"]


class Notebook(Protocol):
    """What the commands need of the magics: their defaults, and the notebook's variables."""

    model: str
    base_url: str
    cluster: str
    keys: dict[str, Secret]

    def resumed(self, words: list[str]) -> Any:
        """What a `%%swarm` line of these words gives over an empty cell."""
        ...


class Text(str):
    """A cell's value that shows itself as it is, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def run_command(magics: Notebook, line: str) -> Any:
    """What `%swarm LINE` gives. Raises UsageError for a line that is none."""
    words = words_of(line) or ["status"]
    command = COMMANDS.get(words[0])

    if command is None:
        message = f"%swarm {words[0]}: there is {', '.join(COMMANDS)}; a goal goes below %%swarm"
        raise UsageError(message)

    return command(magics, words[1:])


def _status(_magics: Notebook, words: list[str]) -> Text:
    chosen = [_run(words[0])] if words else [run for run in runs().values() if not run.done]

    if not chosen:
        return Text("no swarm is running; `%swarm list` has those of this kernel")

    return Text("\n\n".join(map(_progress, chosen)))


def _progress(run: Run) -> str:
    return run.progress() if run.waiting else f"{run.progress()}\n{run.pace}"


def _list(_magics: Notebook, _words: list[str]) -> Text:
    rows = [
        f"{run.name:<20} {run.status:<12} {count(len(run.fold.agents), 'agent'):>11} "
        f"{count(run.fold.steps, 'step'):>12} {run.seconds:>8.1f} s  {run.path}"
        for run in runs().values()
    ]
    return Text("\n".join(rows) or "no swarm has run in this kernel yet")


def _cancel(_magics: Notebook, words: list[str]) -> Text:
    running = [run for run in runs().values() if not run.done]
    chosen = [_run(words[0])] if words else running[-1:]

    if not chosen or chosen[0].done:
        return Text("nothing to cancel: it is not running")

    chosen[0].cancel(*words[1:2])
    return Text(f"cancelling {' '.join([chosen[0].name, *words[1:2]])}; what was done is kept")


def _replay(_magics: Notebook, words: list[str]) -> Replay:
    return replay(_file(words))


def _resume(magics: Notebook, words: list[str]) -> Any:
    return magics.resumed([*words[1:], "--resume", _file(words)])


def _model(magics: Notebook, words: list[str]) -> Text:
    if words[1:]:
        message = "%swarm model takes one name; put one that has a space in quotes"
        raise UsageError(message)

    if words and is_named(words[0]):
        made(words[0], Options())  # complains here, and not in the next cell

    if words:
        magics.model = "" if words[0] == "default" else words[0]

    if magics.model:
        return Text(f"model: {magics.model}")

    return Text(
        "model: that of the key in MOONSHOT_API_KEY or KIMI_API_KEY; without one the simulator. "
        "`%swarm model ID` sets one, `%swarm model default` goes back"
    )


def _key(magics: Notebook, words: list[str]) -> Text:
    if words == ["forget"]:
        magics.keys.clear()
        return Text("forgotten; what runs goes on with it")

    if words:
        message = "%swarm key asks for the key itself, so that none stands in the notebook"
        raise UsageError(message)

    url = place(magics.base_url)
    where = url or "Moonshot"
    refuse_on_binder(url or MOONSHOT["ai"], Environment())
    typed = _ask(f"key for {where} (it is not shown): ")

    if typed is None:
        return Text("nothing was typed; all is as before")

    magics.keys[url] = typed
    return Text(f"kept until this kernel ends, for {where} only; `%swarm key forget` drops it")


def _ask(prompt: str) -> Secret | None:
    try:
        return Secret.of(getpass.getpass(prompt).strip())
    except StdinNotImplementedError:
        message = "nobody can be asked here; set MOONSHOT_API_KEY before the kernel starts"
        raise UsageFault(message) from None


def _doctor(magics: Notebook, _words: list[str]) -> Report:
    """The report; each line shows as it comes to be known."""
    url = None if is_named(magics.model) else magics.base_url or None
    lines = ["checking …"]
    shown = cast("Any", DisplayHandle())
    shown.display(Text(lines[0]))

    def tell(line: str) -> None:
        lines.append(line)
        shown.update(Text("\n".join(lines)))

    report = examine(magics.model or None, url, magics.keys.get(place(url)), told=tell)
    wrong = sum(check.ok is False for check in report)
    shown.update(Text(f"{len(report)} checks, {wrong} failed" if wrong else "nothing failed"))
    return report


def _metrics(_magics: Notebook, words: list[str]) -> Text:
    try:
        (port,) = map(int, words or [PORT])
    except ValueError:
        message = f"which port? such as: %swarm metrics {PORT}; 0 takes a free one"
        raise UsageError(message) from None

    return Text(metrics_server(port))


def _learned(_magics: Notebook, words: list[str]) -> Any:
    from kimi_nb.teach.report import forgotten, report  # the curriculum is for those who learn

    if words == ["forget"]:
        return Text(forgotten())

    if words:
        message = "%swarm progress shows how far you are; %swarm progress forget deletes the record"
        raise UsageError(message)

    return report()


def place(base_url: str | None) -> str:
    """The endpoint that a typed key is for, and to no other does it go; "" is Moonshot."""
    url = (base_url or "").strip().rstrip("/")
    return "" if url in MOONSHOT or is_moonshot(url) else url


COMMANDS: dict[str, Callable[[Any, list[str]], Any]] = {
    "status": _status,
    "list": _list,
    "cancel": _cancel,
    "replay": _replay,
    "resume": _resume,
    "model": _model,
    "key": _key,
    "doctor": _doctor,
    "metrics": _metrics,
    "progress": _learned,
}
"""What `%swarm` understands."""
WORDS = {"key": ("forget",), "progress": ("forget",)}
"""What may follow a command."""


def _run(name: str) -> Run:
    if name not in runs():
        message = f"no swarm {name!r} in this kernel; there is {', '.join(runs()) or 'none yet'}"
        raise UsageFault(message)

    return runs()[name]


def _file(words: list[str]) -> str:
    if not words:
        message = "which file? such as: %swarm resume .kimi_nb/runs/20260101-120000-museums.jsonl"
        raise UsageError(message)

    return words[0]


def complete(
    line: str, symbol: str, parser: MagicArgumentParser, names: Sequence[str]
) -> list[str]:
    """What can stand at the end of a `%%swarm` or `%swarm` line, beginning with `symbol`."""
    if typed := _CHECKPOINT.search(line):
        return _checkpoints(typed[2], symbol, quoted=bool(typed[1]))

    if line.lstrip().startswith("%%"):
        options = re.findall(r"--[a-z-]+", parser.format_help())
        return sorted({text for text in options if text.startswith(symbol or "--")})

    words = line.split()
    command = words[1] if len(words) > 1 else ""

    if command in {"replay", "resume"}:
        paths = glob.glob(f"{symbol}*.jsonl") + glob.glob(".kimi_nb/runs/*.jsonl")  # noqa: PTH207
        return sorted({path for path in paths if path.startswith(symbol)})

    if command in {"status", "cancel"}:
        return [name for name in names if name.startswith(symbol)]

    if command in WORDS and symbol != command:
        return [word for word in WORDS[command] if word.startswith(symbol)]

    return [name for name in COMMANDS if name.startswith(symbol)]


_CHECKPOINT = re.compile(r"""(?:--model[ =]|%swarm +model )\s*(["']?)parl:([^"']*)$""")


def _checkpoints(typed: str, symbol: str, *, quoted: bool) -> list[str]:
    """The rest of the paths that begin with what was typed, of which `symbol` is the end.

    Only within quotes may a path have spaces.
    """
    deep = ("*.npz", "*/*.npz", "*/*/*.npz")
    paths = [path.replace("\\", "/") for each in deep for path in glob.iglob(each)]  # noqa: PTH207
    before = len(typed) - len(symbol)
    fit = (path for path in paths if path.startswith(typed) and (quoted or " " not in path))
    return sorted(path[before:] for path in fit)
