"""Modules about words and letters."""

from __future__ import annotations

from random import Random

from kimi_nb.worlds.broken_code.template import Template

__all__ = ["MODULES", "WORDS"]

WORDS = [
    "amber",
    "basin",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "harbour",
    "inlet",
    "jetty",
    "kelp",
    "lagoon",
    "meadow",
    "north",
    "orchard",
    "pier",
    "quarry",
    "river",
    "summit",
    "tide",
    "upland",
    "valley",
    "willow",
    "yard",
    "zenith",
]


def words(draw: Random, least: int = 2, most: int = 6) -> list[str]:
    return [draw.choice(WORDS) for _ in range(draw.randint(least, most))]


def title(draw: Random) -> str:
    joints = (" ", " ", ", ", " - ", "  ", "/")
    return "".join(word.title() + draw.choice(joints) for word in words(draw)).strip()


SLUGS = Template(
    names=("slugs", "links", "permalinks"),
    choose={"slug": ("slug", "slug_of", "link_name"), "longest": (18, 20, 24, 28)},
    source='''
"""Names for links, made of titles."""

LONGEST = $longest


def $slug(title):
    """The words of a title in small letters, joined by dashes, in at most LONGEST characters."""
    kept = [letter if letter.isalnum() else " " for letter in title.⟦attribute:lower¦upper⟧()]
    words = "".join(kept).split()
    return ⟦arguments:"-".join(words)[:LONGEST]¦"-".join(words)[:LONGEST - 1]⟧.strip("-")


def unique(title, taken):
    """A name that is not among those taken: a number is put behind it, from 2 up."""
    base = $slug(title)
    name = base
    number = ⟦constant:2¦1⟧

    while name in taken:
        name = base + "-" + str(number)
        number += 1

    ⟦return:return name¦name⟧
''',
    calls={
        "$slug": lambda draw: [title(draw)],
        "unique": lambda draw: [
            (name := draw.choice(WORDS)).title(),
            [name, *(f"{name}-{n}" for n in range(2, draw.randint(2, 4)))],
        ],
    },
    edges={"$slug": ((" Cedar & Delta ",), ("Summit Orchard Meadow Harbour",))},
)

COUNTS = Template(
    names=("wordcount", "vocabulary", "frequencies"),
    choose={"count": ("count_words", "word_counts", "tally"), "shortest": (3, 4, 5)},
    source='''
"""How often words occur in a text."""

SHORTEST = $shortest


def $count(text):
    """How often each word of at least SHORTEST letters occurs, upper and lower case alike."""
    counts = {}

    for word in text.lower().split():
        word = word.strip(".,;:!?")

        if len(word) ⟦operator:>=¦>⟧ SHORTEST:
            counts[word] = counts.get(word, ⟦constant:0¦1⟧) + 1

    return counts


def most_common(text, number):
    """The most frequent words, the first in the alphabet first where they are equal."""
    counts = $count(text)
    ordered = sorted(counts, key=lambda word: (⟦operator:-counts[word]¦counts[word]⟧, word))
    return ordered[:number]


def longest_word(text):
    """The longest word of a text, the first one where they are equal, "" if there is none."""
    longest = ""

    for word in text.split():
        if len(word) ⟦operator:>¦>=⟧ len(longest):
            longest = word

    return longest
''',
    calls={
        "$count": lambda draw: [", ".join(words(draw, 6, 12)) + " so is a tip, an old tip."],
        "most_common": lambda draw: [" ".join(draw.choices(WORDS[:5], k=12)), draw.randint(1, 3)],
        "longest_word": lambda draw: [" ".join(words(draw, 3, 8))],
    },
    edges={
        "$count": (("Pier pier, tide. Six oars lie here",),),
        "longest_word": (("",), ("amber basin cedar",)),
    },
)

CIPHER = Template(
    names=("cipher", "shifted", "secrets"),
    choose={"encode": ("encode", "encrypt", "scramble"), "shift": (3, 5, 7, 11)},
    source='''
"""Letters that move along the alphabet."""

SHIFT = $shift
ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def moved(letter, steps):
    """The letter so many steps further, from z on to a; what is no small letter stays."""
    if letter not in ALPHABET:
        return letter

    place = ALPHABET.index(letter) ⟦operator:+¦-⟧ steps
    return ALPHABET[place % len(ALPHABET)]


def $encode(text):
    """The text with each small letter moved by SHIFT."""
    return "".join(moved(letter, SHIFT) for letter in text)


def decode(text):
    """The text that was encoded."""
    return "".join(moved(letter, ⟦operator:-SHIFT¦SHIFT⟧) for letter in text)


def vowels(text):
    """How many vowels a text has."""
    total = ⟦constant:0¦1⟧

    for letter in text.lower():
        if letter in ⟦constant:"aeiou"¦"aeio"⟧:
            total += 1

    return total
''',
    calls={
        "moved": lambda draw: [draw.choice("abcxyz?"), draw.randint(1, 9)],
        "$encode": lambda draw: [" ".join(words(draw))],
        "decode": lambda draw: [" ".join(words(draw))],
        "vowels": lambda draw: [" ".join(words(draw))],
    },
    edges={"vowels": (("Upland Sun",),)},
)

RUNS = Template(
    names=("runlength", "packing", "squeeze"),
    choose={"pack": ("pack", "compress", "encode_runs")},
    source='''
"""Texts with many equal letters in a row, made short."""


def $pack(text):
    """Pairs of a letter and how often it stands there in a row."""
    pairs = []

    for letter in text:
        if pairs and pairs[-1][0] ⟦operator:==¦!=⟧ letter:
            pairs[-1][1] += 1
        else:
            pairs.append([letter, ⟦constant:1¦0⟧])

    return pairs


def unpack(pairs):
    """The text of such pairs."""
    text = ""

    for letter, times in pairs:
        text += letter * ⟦variable:times¦len(pairs)⟧

    return text


def longest_run(text):
    """The length of the longest row of equal letters, 0 for no text."""
    lengths = [times for letter, times in $pack(text)]
    return ⟦attribute:max¦min⟧(lengths, default=0)
''',
    calls={
        "$pack": lambda draw: ["".join(draw.choice("abx") * draw.randint(1, 4) for _ in range(4))],
        "unpack": lambda draw: [[[draw.choice("abx"), draw.randint(1, 4)] for _ in range(3)]],
        "longest_run": lambda draw: [
            "".join(draw.choice("abx") * draw.randint(1, 4) for _ in range(4))
        ],
    },
    edges={"$pack": (("aab",),), "longest_run": (("",), ("abbb",))},
)

CHECKS = Template(
    names=("palindromes", "mirrors", "wordplay"),
    choose={"mirrored": ("is_palindrome", "reads_both_ways", "is_mirrored")},
    source='''
"""Plays with words."""


def letters(text):
    """The letters of a text in small, without all else."""
    return "".join(letter for letter in text.lower() if letter.⟦attribute:isalpha¦isalnum⟧())


def $mirrored(text):
    """Whether a text reads the same from both ends; only its letters count."""
    plain = letters(text)
    return plain ⟦operator:==¦!=⟧ plain[::-1]


def anagrams(word, others):
    """Those of the other words that have the same letters, in their order."""
    wanted = sorted(letters(word))
    found = []

    for other in others:
        if ⟦missing:sorted(letters(other))¦list(letters(other))⟧ == wanted:
            found.append(other)

    return found


def initials(name):
    """The first letters of a name's parts, large, each with a point."""
    found = ""

    for part in name.split():
        found += part[⟦constant:0¦-1⟧].upper() + "."

    return found
''',
    calls={
        "letters": lambda draw: [f"{title(draw)} {draw.randint(1, 99)}"],
        "$mirrored": lambda draw: [
            draw.choice(("Never odd or even", "No lemon, no melon", "Step on no pets", title(draw)))
        ],
        "anagrams": lambda draw: [
            "tide",
            draw.sample(["edit", "diet", "tied", "tide", "time", "deit"], 4),
        ],
        "initials": lambda draw: [" ".join(words(draw, 2, 3))],
    },
    edges={"$mirrored": (("Was it a car or a cat I saw?",), ("pier",))},
)

MODULES = (SLUGS, COUNTS, CIPHER, RUNS, CHECKS)
