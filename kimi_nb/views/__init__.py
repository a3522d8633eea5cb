"""Pure functions from a trace to something seen, measured or scored."""
