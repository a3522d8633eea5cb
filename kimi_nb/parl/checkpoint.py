"""How far a training is: a file beside its log, from which it goes on to the same weights."""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path

import numpy as np

from kimi_nb.errors import TraceError
from kimi_nb.parl.learner import Learner
from kimi_nb.parl.policy import POLICIES
from kimi_nb.parl.tasks import Floats
from kimi_nb.parl.update import Adam

__all__ = ["LARGEST", "beside", "load", "save"]

LARGEST = 2**24
"""Bytes of all that a checkpoint holds; those of the largest policy are some 40,000."""
_DAMAGED = (
    ArithmeticError,
    EOFError,
    KeyError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What NumPy, zipfile and json say of a file that is none."""


def beside(log: Path) -> Path:
    """Where the checkpoint of the training with this log lies."""
    return log.with_suffix(".npz")


def save(state: Learner, path: Path) -> None:
    """Write it, whole or not at all. Raises TraceError where that is not possible."""
    scratch = path.with_name(path.name + ".part")
    adam = state.adam

    try:
        with scratch.open("wb") as file:
            np.savez(
                file,
                policy=state.policy,
                weights=state.weights,
                adam_mean=adam.mean,
                adam_square=adam.square,
                adam_rate=adam.rate,
                adam_count=adam.count,
                iteration=state.iteration,
                dice=json.dumps(state.dice.bit_generator.state),
            )

        scratch.replace(path)
    except OSError as error:
        raise TraceError(f"cannot write the checkpoint {str(path)!r}: {error.strerror}") from None


def load(path: str | Path) -> Learner:
    """The checkpoint in a file. Raises TraceError for one that is not there or is damaged."""
    try:
        state = _read(path)
    except OSError as error:
        reason = error.strerror or error
        raise TraceError(f"cannot read the checkpoint {str(path)!r}: {reason}") from None
    except _DAMAGED:
        message = f"{path} is no checkpoint of a training: name the .npz that lies beside its log"
        raise TraceError(message) from None

    policy = POLICIES.get(state.policy)
    shapes = {numbers.shape for numbers in _numbers(state)}

    if policy is None or shapes != {(policy.number,)}:
        raise TraceError(f"{path} is of another policy, which had other features: train anew")

    return state


def _read(path: str | Path) -> Learner:
    """What is in the file, which somebody else may have made."""
    with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as found:
        if sum(entry.file_size for entry in found.zip.infolist()) > LARGEST:
            raise ValueError("larger than any policy")

        dice = np.random.default_rng()
        dice.bit_generator.state = json.loads(str(found["dice"]))
        adam = Adam(
            float(found["adam_rate"]),
            found["adam_mean"],
            found["adam_square"],
            int(found["adam_count"]),
        )
        state = Learner(
            weights=found["weights"],
            policy=str(found.get("policy", "linear")),  # the only one, once
            adam=adam,
            iteration=int(found["iteration"]),
            dice=dice,
        )

    if not all(each.dtype == float and np.isfinite(each).all() for each in _numbers(state)):
        raise ValueError("no numbers")

    return state


def _numbers(state: Learner) -> tuple[Floats, ...]:
    return state.weights, state.adam.mean, state.adam.square
