"""What PARL's rewards do to an orchestrator, measured: trainings over seeds, tables and figures."""
