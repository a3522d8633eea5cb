"""An opt-in sandbox for native Python: another process that gives up what it might do harm with.

Landlock bounds the files that it sees, seccomp the system calls, rlimits and a watch its time,
memory and output. Where the kernel lacks one of them, every call refuses: there is no lesser
sandbox.

What it does not hide: whether a file of a known name exists, how large it is and when it was
changed. What no limit counts: empty files, and memory files mapped on a /tmp in memory.
"""

from __future__ import annotations

from kimi_nb.tools.native.calls import run, run_blocking
from kimi_nb.tools.native.probe import available
from kimi_nb.tools.native.process import Finished
from kimi_nb.tools.native.tool import python_native_tool

__all__ = ["Finished", "available", "python_native_tool", "run", "run_blocking"]
