"""Our structural similarity beside scikit-image's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.metrics import structural_similarity as peer

from kimi_nb.worlds.figures.similarity import LUMA, likeness, structural_similarity

PICTURES = arrays(np.uint8, st.tuples(st.integers(11, 30), st.integers(11, 30), st.just(3)))


def peers(one: np.ndarray, two: np.ndarray) -> float:
    return peer(
        one.astype(float),
        two.astype(float),
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )


def with_noise(picture: np.ndarray, amount: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, amount, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


@settings(max_examples=40, deadline=None)
@given(PICTURES, st.floats(0, 120), st.integers(0, 99))
def test_it_is_the_peers(picture: np.ndarray, amount: float, seed: int) -> None:
    other = with_noise(picture, amount, seed)

    for n in range(3):
        ours = structural_similarity(picture[..., n], other[..., n])
        assert ours == pytest.approx(peers(picture[..., n], other[..., n]), abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(PICTURES, st.integers(0, 99))
def test_likeness_is_that_of_the_worst_channel(picture: np.ndarray, seed: int) -> None:
    other = with_noise(picture, 40, seed)
    grey = peers(picture @ np.array(LUMA), other @ np.array(LUMA))
    worst = min([grey, *(peers(picture[..., n], other[..., n]) for n in range(3))])
    assert likeness(picture, other) == pytest.approx(worst, abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(PICTURES)
def test_a_picture_is_like_itself_whichever_comes_first(picture: np.ndarray) -> None:
    other = picture[::-1, ::-1]
    assert likeness(picture, picture) == pytest.approx(1)
    assert likeness(picture, other) == pytest.approx(likeness(other, picture))


def test_noise_makes_pictures_less_alike() -> None:
    y, x = np.mgrid[0:60, 0:80]
    picture = np.dstack([x * 3, y * 4, x + y]).astype(np.uint8)
    found = [likeness(picture, with_noise(picture, amount, 1)) for amount in (0, 5, 20, 80)]
    assert found == sorted(found, reverse=True)
    assert found[0] == pytest.approx(1)
    assert found[-1] < 0.5


def test_a_colour_that_grey_does_not_show_is_seen() -> None:
    one = np.zeros((40, 40, 3), np.uint8)
    two = one.copy()
    one[10:30, 10:30] = (150, 0, 0)
    two[10:30, 10:30] = (0, 76, 0)
    weights = np.array(LUMA)
    assert structural_similarity(one @ weights, two @ weights) > 0.99
    assert likeness(one, two) < 0.7


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(20, 20\) and \(20, 21\)"):
        structural_similarity(np.zeros((20, 20)), np.zeros((20, 21)))

    with pytest.raises(ValueError, match="cannot compare"):
        structural_similarity(np.zeros((10, 20)), np.zeros((10, 20)))
