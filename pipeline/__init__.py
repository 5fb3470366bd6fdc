"""IN WHAT ORDER: one module a verb. Plain functions that the command line and the DAGs both call."""
