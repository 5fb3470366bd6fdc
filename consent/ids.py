"""New ids that nobody can mistake for a number of a person: letters only, so no run of digits looks like one (F45)."""

import secrets

LETTERS = "abcdefghjkmnpqrstuvwxyz"


def new_id(prefix: str) -> str:
    """`<prefix>-` and 24 random letters, some 108 bits."""
    return f"{prefix}-{''.join(secrets.choice(LETTERS) for _ in range(24))}"
