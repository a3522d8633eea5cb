"""The kernels that pytest starts for the notebooks know nothing of whoever runs the tests."""

from __future__ import annotations

import atexit
import shutil
import tempfile

from building.alone import alone

HOME = tempfile.mkdtemp(prefix="kimi_nb-")
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
alone(HOME)
