"""What `what_if` rests on: what may be changed, the schedule of what is left, and its outcome."""
