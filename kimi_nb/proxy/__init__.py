"""One key for a class: an OpenAI-compatible proxy with a key and a budget for each learner."""
