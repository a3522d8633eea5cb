"""The orchestrator's task for a language model: its words, its tools, its trainers."""
