"""Parallel multi-agent orchestration in a notebook, live, measured and resumable."""
