"""Trials as tasks of a Dask cluster."""

from __future__ import annotations

import pickle
import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, cast

from kimi_nb.cluster_client import open_client
from kimi_nb.errors import KimiNbError, ToolError
from kimi_nb.parl.experiments.alone import apart
from kimi_nb.parl.experiments.rows import Row
from kimi_nb.parl.experiments.trial import Trial

__all__ = ["on_cluster"]

KEPT = "what was done is kept"


def on_cluster(
    trials: Sequence[Trial],
    cluster: object,
    begun: Callable[[int], None],
    kept: Callable[[Sequence[Row]], None],
) -> None:
    """`begun` hears how many threads the cluster has, `kept` gets the rows of each trial.

    Dask runs a trial again whose worker died. What has ended when this is interrupted is kept, the
    rest is cancelled. Raises UsageFault for a cluster that cannot be used, and KimiNbError for a
    trial that fails and where the cluster is lost.
    """
    opened = open_client(cluster, ["numpy"])  # another one may round otherwise

    try:
        begun(sum(opened.client.nthreads().values()))
        _carry_out(trials, opened.client, kept)
    finally:
        opened.close()


def _carry_out(trials: Sequence[Trial], client: Any, kept: Callable[[Sequence[Row]], None]) -> None:
    from distributed import as_completed

    left = _submitted(trials, client)
    ended = cast("Iterable[Any]", as_completed(list(left), loop=client.loop))

    try:
        for future in ended:
            kept(_rows(future, left[future]))
            del left[future]  # not before: Ctrl-C in between would lose its rows
    except BaseException:
        with suppress(KimiNbError):  # what it ends with is what was raised first
            for future in [each for each in left if each.status == "finished"]:
                kept(_rows(future, left.pop(future)))

        raise
    finally:
        with suppress(OSError, RuntimeError):  # nobody is there any more
            client.cancel(list(left))


def _submitted(trials: Sequence[Trial], client: Any) -> dict[Any, Trial]:
    name = f"trial-{secrets.token_hex(8)}"
    keys = [(name, number) for number in range(len(trials))]
    futures = client.map(apart, [pickle.dumps(each) for each in trials], keys, key=keys, pure=False)
    return dict(zip(futures, trials, strict=True))


def _rows(future: Any, trial: Trial) -> list[Row]:
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    try:
        return future.result()
    except (ToolError, KilledWorker) as error:
        raise KimiNbError(f"{trial.label}: {error}; {KEPT}") from error
    except (FutureCancelledError, OSError) as error:
        why = getattr(error, "reason", "") or error
        raise KimiNbError(f"the cluster is lost ({why}); {KEPT}: type the same again") from error
