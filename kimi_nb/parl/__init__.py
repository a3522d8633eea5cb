"""Parallel-agent reinforcement learning: an orchestrator learns when to create sub-agents."""
