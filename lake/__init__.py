"""WHERE it lives: the only code that spells a path of the lake or opens a Delta table."""
