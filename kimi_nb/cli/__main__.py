"""`python -m kimi_nb.cli`, where `kimi-nb` is not on the PATH."""

import sys

from kimi_nb.cli.main import main

sys.exit(main())
