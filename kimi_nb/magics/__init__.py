"""`%%swarm` and `%swarm` in a notebook."""

from kimi_nb.magics.swarm_magics import SwarmMagics, load, unload

__all__ = ["SwarmMagics", "load", "unload"]
