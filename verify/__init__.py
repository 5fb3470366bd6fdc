"""The offline verifier: reads files alone, shares no code with the writers."""
