"""By what numbers each subject of the world is known: a person's, her business's, passport's and licence's; a firm's.

Out: one row per number: `is_firm`, `id` (person or corporation), `kind`, `identifier`. The vault of an exchange learns
from it that they are one subject, as it would from the identity provider or from whoever opens the application.
"""

from pathlib import Path

import polars as pl

from schemas.contract import sources
from schemas.identifiers import KINDS
from sources.simulate import store
from sources.simulate.populations import FIRST_FIRM
from sources.simulate.store import Frames

PERSONAL, CORPORATE = "RRN", "CRN"


def identities(home: Path, base: Frames) -> pl.DataFrame:
    """Every number of every subject, those under which she may apply first."""
    persons = base["persons"].select(is_firm=pl.lit(False), id="person_id", kind=pl.lit(PERSONAL), identifier="rrn")
    firms = base["corporations"].select(
        is_firm=pl.lit(True), id="corporation_id", kind=pl.lit(CORPORATE), identifier="crn"
    )
    parts = [persons, firms]
    for contract in sources():
        kind = contract.subject_identifier_kind
        is_own = kind not in (PERSONAL, CORPORATE) and not KINDS[kind].is_of_thing
        if contract.table.document in store.REGISTERS and is_own:
            parts.append(_numbers(home, contract.table.document, kind))
    return pl.concat([p.with_columns(pl.col("id").cast(pl.Int64)) for p in parts]).unique(maintain_order=True)


def holders(home: Path, register: str) -> pl.DataFrame:
    """Whose records a register holds: `is_firm`, `id`, `identifier`. Tombstones are not among them."""
    number = pl.col("record_id").str.slice(2).cast(pl.Int64) - 1
    is_firm = pl.lit(register == "corporate_registration") | (number >= FIRST_FIRM)
    header = store.register(home, register)[register].filter(~pl.col("is_deleted"))
    return header.select(is_firm=is_firm, id=number % FIRST_FIRM, identifier="identifier")


def _numbers(home: Path, register: str, kind: str) -> pl.DataFrame:
    return holders(home, register).select("is_firm", "id", kind=pl.lit(kind), identifier="identifier")
