"""The documents of a world: papers of owners, rolls of posts, and much without a compass."""

from __future__ import annotations

import random
from collections.abc import Iterator

from kimi_nb.tools.corpus import Document
from kimi_nb.worlds.deep_search.trail import Owner, Trail, names, posts, words

__all__ = ["LEAST", "documents"]

LEAST = 2_000
NAMESAKE = 0.3
"""Share of the owners with a namesake who left papers as well."""
ONE = (
    "In {year} the compass was given to the {post}.",
    "The compass went to the {post} in {year}.",
    "By a will of {year} the compass was left to the {post}.",
)
TWO = (
    "Some say that the compass went to the {post} in {year}; others, that it went to the {other} "
    "in {later}."
)
COPY = (
    "What {name} had was a copy, lost at sea in {year}.",
    "{name} never had the compass: the chest was empty when it was opened in {year}.",
)
END = "{name} kept the compass to the end."
ENGRAVED = "The word {word} was engraved on the lid."
PLAIN = (
    "There are {n} letters on the price of wool.",
    "An inventory lists {n} pewter plates and a clock that had stopped.",
    "A dispute over a hedge fills {n} pages.",
    "Receipts for candles, {n} in all, are tied with string.",
    "The diary breaks off after {n} days.",
    "A recipe for ink stands on the back of a map.",
)


def documents(trail: Trail, seed: int) -> Iterator[Document]:
    """At least `LEAST`, in an order that tells nothing."""
    draw = random.Random(f"deep documents {seed}")  # noqa: S311 -- a task, not a secret
    everybody = list(trail.everybody())
    taken = {owner.post for owner in everybody}
    free = [post for post in posts() if post not in taken]
    people = list(names())
    draw.shuffle(free)
    found: list[Document] = []

    for owner in everybody:
        found += [_papers(owner, draw), _roll(owner.post, owner, people, draw)]

        if free and draw.random() < NAMESAKE:
            other = Owner(owner.name, free.pop(), owner.year, copy=True, word=words(draw))
            found.append(_papers(other, draw))

    while len(found) < LEAST:
        post = draw.choice(free)
        found.append(_paper(draw.choice(people), post, [], draw))

        if draw.random() < 0.5:
            found.append(_roll(free.pop(), None, people, draw))

    draw.shuffle(found)
    return iter(found)


def _papers(owner: Owner, draw: random.Random) -> Document:
    told = draw.choice(COPY) if owner.copy else END

    if owner.heirs:
        first, *more = owner.heirs
        told = draw.choice(ONE).format(post=first.post, year=first.year)

        if more:
            told = TWO.format(
                post=first.post, year=first.year, other=more[0].post, later=more[0].year
            )
    else:
        told = told.format(name=owner.name, year=owner.year + draw.randint(1, 9))

    said = [told, *([ENGRAVED.format(word=owner.word)] if owner.word else [])]
    return _paper(owner.name, owner.post, said, draw)


def _paper(name: str, post: str, said: list[str], draw: random.Random) -> Document:
    plain = [line.format(n=draw.randint(3, 90)) for line in draw.sample(PLAIN, 3)]
    text = " ".join([f"{name} was {post}.", *plain[:2], *said, *plain[2:]])
    return Document(f"Papers of {name}, {post}", text)


def _roll(post: str, owner: Owner | None, people: list[str], draw: random.Random) -> Document:
    """Who held the post and when; an owner held it in the year in which the compass came."""
    since = owner.year - draw.randint(1, 6) if owner else draw.randint(1501, 1870)
    held = [(since, since + draw.randint(8, 20), owner.name if owner else draw.choice(people))]

    for _ in range(draw.randint(1, 3)):
        began = held[0][0]
        held.insert(0, (began - draw.randint(5, 20), began, draw.choice(people)))

    for _ in range(draw.randint(1, 3)):
        ended = held[-1][1]
        held.append((ended, ended + draw.randint(5, 20), draw.choice(people)))

    lines = "\n".join(f"{began}–{ended}: {name}" for began, ended, name in held)
    return Document(f"Roll: {post}", f"Those who were {post}, and when:\n{lines}\n")
