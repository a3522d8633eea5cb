"""Functions that compute for long, in processes: threads would take turns on one core.

Not `ProcessPoolExecutor` by default: it cannot end a call that was cancelled, one process that
dies takes all calls with it, and each of its processes runs the user's script anew, which may
well start the swarm a second time.
"""

from kimi_nb.tools.processes.pool import Processes
from kimi_nb.tools.processes.submitted import submitted

__all__ = ["Processes", "submitted"]
