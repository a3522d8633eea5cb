"""Structural similarity of two pictures.

Wang, Bovik, Sheikh, Simoncelli: Image quality assessment: from error visibility to structural
similarity. IEEE Transactions on Image Processing 13 (2004), with the paper's own constants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LUMA", "likeness", "structural_similarity"]

RADIUS = 5
"""Pixels: the window is 11 wide, a Gaussian of 1.5 pixels."""
SIGMA = 1.5
K1, K2 = 0.01, 0.03
RANGE = 255.0
LUMA = (0.299, 0.587, 0.114)
"""How much red, green and blue weigh in grey (ITU-R BT.601)."""


def likeness(one: NDArray[Any], two: NDArray[Any]) -> float:
    """The structural similarity of two RGB pictures in [-1, 1]; 1 for equal pictures.

    That of grey or of the worst channel, whichever is lowest. Raises ValueError where their
    sizes differ.
    """
    import numpy as np

    weights = np.array(LUMA)
    pairs = [(one @ weights, two @ weights), *((one[..., n], two[..., n]) for n in range(3))]
    return min(structural_similarity(a, b) for a, b in pairs)


def structural_similarity(one: NDArray[Any], two: NDArray[Any]) -> float:
    """The mean over all places at which the window lies within both pictures of one channel.

    Values from 0 to 255. Raises ValueError for different sizes and for less than 11 pixels.
    """
    import numpy as np

    if one.shape != two.shape or min(one.shape) <= 2 * RADIUS:
        raise ValueError(f"cannot compare pictures of {one.shape} and {two.shape}")

    x, y = one.astype(np.float64), two.astype(np.float64)
    mean_x, mean_y = _smooth(x), _smooth(y)
    var_x = _smooth(x * x) - mean_x**2
    var_y = _smooth(y * y) - mean_y**2
    both = _smooth(x * y) - mean_x * mean_y
    c1, c2 = (K1 * RANGE) ** 2, (K2 * RANGE) ** 2
    above = (2 * mean_x * mean_y + c1) * (2 * both + c2)
    below = (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    return float((above / below).mean())


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weighted mean of every window, first along the rows and then along the columns."""
    import numpy as np

    offsets = np.arange(-RADIUS, RADIUS + 1)
    weights = np.exp(-(offsets**2) / (2 * SIGMA**2))
    weights /= weights.sum()
    size = 2 * RADIUS
    rows, columns = values.shape
    half = sum(w * values[:, n : columns - size + n] for n, w in enumerate(weights.tolist()))
    whole = sum(w * half[n : rows - size + n] for n, w in enumerate(weights.tolist()))  # type: ignore[index]
    return np.asarray(whole)
