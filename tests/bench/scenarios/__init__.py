"""One file for each scenario; each has `run(options)`, which returns a `bench.Report`."""
