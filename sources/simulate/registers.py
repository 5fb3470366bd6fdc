"""Which function renders which register from the base tables."""

import polars as pl

from sources.simulate import court_registers, documents
from sources.simulate.store import Frames

_RENDER = {
    "household_extract": documents.household_extract,
    "income_certificate": documents.income_certificate,
    "disability_certificate": documents.disability_certificate,
    "health_insurance_history": documents.health_insurance_history,
    "family_relation_certificate": court_registers.family_relation_certificate,
    "corporate_registration": court_registers.corporate_registration,
}


def render(base: Frames, register: str, instants: pl.DataFrame) -> Frames:
    """A register's tables; `instants` says whose records, and when each changed."""
    return _RENDER[register]({n: t.drop("changed_at") for n, t in base.items()}, instants)
