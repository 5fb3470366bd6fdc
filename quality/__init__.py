"""WHETHER it is good: suites made from contracts plus hand-written ones, and the gate that they decide."""
