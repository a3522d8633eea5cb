"""A run: an orchestrator, its sub-agents, their budget."""
