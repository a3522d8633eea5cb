"""The table of short trainings that an exercise reads."""

from __future__ import annotations

from kimi_nb.teach.exercises.anneals import CAME_TO, SEEDS, SPAWNING, STARTS, UNTIL, measured


def test_the_table_is_whole() -> None:
    assert set(CAME_TO) == {(prior, start) for prior in SPAWNING for start in STARTS}
    assert all(len(row) == len(UNTIL) for row in CAME_TO.values())
    assert all(0 <= came.collapsed <= SEEDS for row in CAME_TO.values() for came in row)


def test_trainings_far_from_the_edge_come_to_what_it_has() -> None:
    """Rounding differs between machines, so only what is clear on all of them."""
    useful, useless = measured(0, 0.8, None, seed=0)
    assert CAME_TO[0, 0.8][-1].collapsed == 0
    assert useful > 1
    assert useless > CAME_TO[0, 0.8][0].useless + 2
