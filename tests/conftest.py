"""What every test relies on: no network, no key of the user's, the same examples each time."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import signal
import sys
import tempfile

import pytest
from hypothesis import settings

from kimi_nb.models.limiter import limiter_for

KEYS = ("MOONSHOT_API_KEY", "KIMI_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL")
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
HOME = tempfile.mkdtemp(prefix="kimi_nb-")
"""Where a learner's record goes: the one of this machine is no test's business."""

atexit.register(shutil.rmtree, HOME, ignore_errors=True)
os.environ["KIMI_NB_HOME"] = HOME

for chosen in ("KIMI_NB_LANGUAGE", "KIMI_NB_STUDENT"):
    os.environ.pop(chosen, None)

settings.register_profile("kimi_nb", derandomize=True, deadline=None)
settings.load_profile("kimi_nb")


def _stay_at_home(event: str, args: tuple[object, ...]) -> None:
    """Refuse a connection that leaves this machine, whichever library makes it."""
    if event != "socket.connect":
        return

    address = args[1]
    if isinstance(address, tuple) and address[0] not in LOOPBACK:
        message = f"a test tried to connect to {address!r}; tests stay on this machine"
        raise RuntimeError(message)


sys.addaudithook(_stay_at_home)
gc.disable()  # all that the collection makes stays until the end


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Six thousand tests and what they import are not looked through again and again."""
    gc.collect()
    gc.freeze()
    gc.enable()


# A shell lets its background jobs ignore Ctrl-C, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)


@pytest.fixture(autouse=True)
def _nothing_learned() -> None:
    """Ports come again: what an endpoint taught in another test is not true of the next one."""
    limiter_for.cache_clear()
