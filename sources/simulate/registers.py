"""Which function renders which register from the base tables."""

from collections.abc import Callable, Mapping

from sources.simulate import (
    border,
    business,
    court_persons,
    court_registers,
    credentials,
    documents,
    exports,
    insurance_records,
    leases,
    property_ledgers,
    property_register,
    residence,
    tax,
    vehicles,
    welfare,
)
from sources.simulate.populations import SUBJECTS
from sources.simulate.store import Frames, Instants

Builder = Callable[[Frames, Instants], Frames]

# A register's function is called as the register is, in one of these.
_ROOMS = (
    documents,
    court_registers,
    tax,
    business,
    insurance_records,
    welfare,
    border,
    credentials,
    residence,
    court_persons,
    exports,
    leases,
    vehicles,
    property_ledgers,
    property_register,
)
BUILDERS: Mapping[str, Builder] = {
    name: next(getattr(room, name) for room in _ROOMS if hasattr(room, name)) for name in SUBJECTS
}


def render(base: Frames, register: str, instants: Instants) -> Frames:
    """A register's tables; `instants` says whose records, and when each changed."""
    return BUILDERS[register]({n: t.drop("changed_at") for n, t in base.items()}, instants)
