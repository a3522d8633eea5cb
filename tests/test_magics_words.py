"""How the line of a magic falls into words."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_nb.magics.words import words_of


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("museums  --agents 20 ", ["museums", "--agents", "20"]),
        ('--model "parl:a b.npz" x', ["--model", "parl:a b.npz", "x"]),
        ("--folder 'my d'", ["--folder", "my d"]),
        ('--folder="my d" --model=parl:"a b.npz"', ["--folder=my d", "--model=parl:a b.npz"]),
        ('--trace ""', ["--trace", ""]),
        ("--folder Ann's --trace Bob's.jsonl", ["--folder", "Ann's", "--trace", "Bob's.jsonl"]),
        ("""--folder "Ann's files" """, ["--folder", "Ann's files"]),
        (r"--folder C:\runs\new", ["--folder", r"C:\runs\new"]),
        ("--folder 'open", ["--folder", "'open"]),
        ("--price 3,0.3,15 # no comment", ["--price", "3,0.3,15", "#", "no", "comment"]),
    ],
)
def test_quotes_hold_together_and_are_gone(line: str, words: list[str]) -> None:
    assert words_of(line) == words


@given(st.lists(st.text('ab c:=-/.#"', min_size=1), max_size=5))
def test_what_a_shell_would_need_in_quotes_comes_back(words: list[str]) -> None:
    assert words_of(shlex.join(words)) == words
