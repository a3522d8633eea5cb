"""The pictures of a run in a notebook's page. They draw traces, and know nothing of the swarm."""

from kimi_nb.widgets.view import SwarmView, TrainingView

__all__ = ["SwarmView", "TrainingView"]
