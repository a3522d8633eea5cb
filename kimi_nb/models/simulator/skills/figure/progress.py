"""How far one target has come, and what is to be done next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kimi_nb.models.simulator.memory import Done, Past
from kimi_nb.models.simulator.script import Call
from kimi_nb.models.simulator.skills.figure.drafts import Look, next_draft
from kimi_nb.models.simulator.skills.figure.sight import pixels
from kimi_nb.models.simulator.skills.figure.wish import labels_of, page_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Progress", "progress"]

TRIES = 2
"""Times that a file is opened before it is given up: what was seen may have been forgotten."""
GONE = "a picture that was seen is no longer there"


class Progress(NamedTuple):
    """The next call for a target, or how it has ended."""

    call: Call | None = None
    thinking: str = ""
    rounds: int = 0
    """Drafts that were written."""
    note: str = ""
    """How good it is at the end, or why there is no end."""
    ok: bool = False


def progress(target: str, wanted: str, past: Past) -> Progress:
    """What comes next for one target, from what was seen and done."""
    own = [done for done in past.done if done.arguments.get("path") in {target, wanted}]
    return (_sentence if target.endswith(".txt") else _picture)(target, wanted, own)


def _picture(target: str, wanted: str, own: list[Done]) -> Progress:
    views = [done for done in own if done.name == "view_image"]
    seen = next((view.images[0] for view in reversed(views) if view.images), None)

    if seen is None and len(views) < TRIES:
        return Progress(Call("view_image", {"path": target}))

    picture = pixels(seen) if seen is not None else None

    if picture is None:
        return Progress(note=_why(views[-1], "it cannot be seen"))

    drawn = [done for done in own if done.name in {"write_file", "look"}]
    failed = [done for done in drawn if _failed(done)]

    if len(failed) >= TRIES:
        rounds = sum(done.name == "look" for done in drawn) - len(failed)
        return Progress(rounds=max(0, rounds), note=_why(failed[-1], "it failed"))

    return _drafted(picture, wanted, [done for done in drawn if not _failed(done)])


def _drafted(picture: NDArray[Any], wanted: str, drawn: list[Done]) -> Progress:
    """Write a draft, look at it, write the next; at the end the best one stays."""
    texts = [str(done.arguments.get("text", "")) for done in drawn if done.name == "write_file"]
    found = [_looked(done) for done in drawn if done.name == "look"]
    looks = [look for look in found if look is not None]
    offs = [look.off for look in looks]
    rounds = len(found)

    if len(looks) < rounds:
        return Progress(rounds=rounds, note=GONE)

    if len(texts) > rounds and texts[-1] not in texts[:rounds]:
        return Progress(Call("look", {"path": wanted}))

    text = next_draft(picture, looks, page=wanted.endswith(".html"))
    best = min(range(rounds), key=offs.__getitem__, default=0)

    if text and len(texts) == rounds:
        return Progress(_write(wanted, text), _thought(wanted, offs), rounds)

    if texts[best] != texts[-1]:
        return Progress(
            _write(wanted, texts[best]), f"Draft {best + 1} was the better one.", rounds
        )

    return _ended(rounds, offs)


def _ended(rounds: int, offs: list[float]) -> Progress:
    first = f", {offs[0]:.2f} at first" if len(offs) > 1 else ""
    return Progress(rounds=rounds, note=f"differs by {min(offs):.2f} of 255{first}", ok=True)


def _thought(wanted: str, offs: list[float]) -> str:
    if not offs:
        return f"A first draft of {wanted}, from a glance."

    return f"{wanted} differs by {offs[-1]:.2f} of 255 on average. Mend what differs."


def _sentence(target: str, wanted: str, own: list[Done]) -> Progress:
    writes = [done for done in own if done.name == "write_file"]
    tried = [done for done in own if done.name == "render"]

    if tried:
        return _tried(tried, len(writes))

    if writes:
        if _failed(writes[-1]):
            return Progress(note=_why(writes[-1], "it failed"))

        labels = labels_of(str(writes[-1].arguments.get("text", "")))
        actions = [f'click button:text-is("{label}")' for label in labels if '"' not in label]
        arguments = {"path": wanted, "width": 480, "height": 360, "actions": actions}
        return Progress(Call("render", arguments), rounds=1)

    reads = [done for done in own if done.name == "read_file"]
    text = next((done.result for done in reversed(reads) if done.result), None)

    if text is None:
        if len(reads) >= TRIES:
            return Progress(note="it cannot be read")

        return Progress(Call("read_file", {"path": target}))

    page = "" if text.startswith("ERROR") else page_for(text)
    short = " ".join(text.split())[:100]
    return Progress(_write(wanted, page)) if page else Progress(note=f"not understood: {short}")


def _tried(tried: list[Done], rounds: int) -> Progress:
    """How trying a page ended; once more if something failed, for the browser may be busy."""
    lines = (tried[-1].result or "").splitlines()
    wrong = next((line for line in lines if "error" in line.lower() or "action " in line), "")

    if wrong and len(tried) < TRIES:
        return Progress(Call("render", tried[-1].arguments), rounds=rounds)

    return Progress(rounds=rounds, note=wrong[:120] or "tried in the browser", ok=not wrong)


def _write(path: str, text: str) -> Call:
    return Call("write_file", {"path": path, "text": text})


def _looked(done: Done) -> Look | None:
    """The two pictures of a look; None if one is not there."""
    shown: list[Any] = [pixels(url) for url in done.images[:2]]
    same = len(shown) == 2 and all(each is not None for each in shown)
    return Look(*shown) if same and shown[0].shape == shown[1].shape else None


def _failed(done: Done) -> bool:
    return (done.result or "").startswith("ERROR")


def _why(done: Done, otherwise: str) -> str:
    return " ".join((done.result or otherwise).split())[:160]
