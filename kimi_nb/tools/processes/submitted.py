"""A call in an executor that the user has given, be it of threads, processes or a cluster."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Mapping
from typing import Any

from kimi_nb.errors import ToolError
from kimi_nb.tools.processes.carried import carried, packed, unpacked
from kimi_nb.tools.threads import in_thread

__all__ = ["submitted"]


async def submitted(
    executor: concurrent.futures.Executor, function: Callable[..., Any], keywords: Mapping[str, Any]
) -> Any:
    """What the function returns there. Cancelling takes back a call that has not begun.

    Raises what it raises in threads, and ToolError elsewhere, also where the executor fails.
    """
    if isinstance(executor, concurrent.futures.ThreadPoolExecutor):
        return await asyncio.wrap_future(executor.submit(function, **keywords))

    call = await in_thread(lambda: packed(function, keywords))

    try:
        outcome = await asyncio.wrap_future(executor.submit(carried, call))
    except asyncio.CancelledError:
        task = asyncio.current_task()

        if task is None or task.cancelling():
            raise

        why = "it gave the call up, as one does whose processes or cluster are gone"
        raise ToolError(f"the executor of this tool failed: {why}") from None
    except Exception as error:
        why = str(error) or type(error).__name__
        raise ToolError(f"the executor of this tool failed: {why}") from error

    return unpacked(outcome)
