"""Sub-agents on the workers of a Dask cluster. Only this package knows of Dask."""

from kimi_nb.swarm.cluster.place import ClusterPlace, join

__all__ = ["ClusterPlace", "join"]
