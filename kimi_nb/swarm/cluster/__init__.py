"""Sub-agents on the workers of a Dask cluster. Only this package knows of Dask."""
