"""What `diagnose` rests on: where results went, and the rules by which a run lost something."""
