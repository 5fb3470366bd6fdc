"""WHO reads it: bundles for case workers, aggregates for analysts; every read is recorded before it is answered."""
