"""The offline model: a pure, seeded function from a chat request to streamed deltas."""
