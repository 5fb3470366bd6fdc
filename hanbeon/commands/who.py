"""Who consents, for the commands: numbers from files become keys here, and their ages are looked at before that."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hanbeon.commands.common import identifiers
from hanbeon.errors import UsageError

if TYPE_CHECKING:
    from consent.model import Capacity, Grant
    from pipeline.run import Run

PERSON, CORPORATION = "RRN", "CRN"


def pair(path: Path, first: str, second: str) -> tuple[str, str]:
    """The two numbers of a file. Raises UsageError saying whose they are."""
    given = identifiers(path)
    if len(given) != 2:
        raise UsageError(f"Give a file with two lines: the number of {first}, then that of {second}.")
    return given[0], given[1]


def one(path: Path, whose: str) -> str:
    """The one number of a file."""
    given = identifiers(path)
    if len(given) != 1:
        raise UsageError(f"Give a file with one line: the number of {whose}.")
    return given[0]


def grantor(run: "Run", path: Path | None, capacity: str | None, at: datetime) -> "tuple[int | None, Capacity]":
    """(key, capacity) of who consents for the subject; (None, self) when nobody is named."""
    from consent import vault
    from consent.capacity import need_number_of_age
    from consent.model import Capacity, member

    if (path is None) != (capacity is None):
        raise UsageError("Who consents for somebody else is named with --by and --capacity together.")
    if path is None or capacity is None:
        return None, Capacity.SELF
    kind = member(Capacity, capacity)
    if kind is Capacity.SELF:
        raise UsageError("Who consents for herself needs neither --by nor --capacity.")
    number = one(path, "who consents")
    need_number_of_age(PERSON, [number], at)
    return vault.keys(run.conn, run.secrets, PERSON, [number], at).to_pylist()[0], kind


def need_able(run: "Run", kind: str, grants: "Sequence[Grant]", at: datetime) -> None:
    """Raises GateRefused unless everybody may consent who does: herself, or recorded to act for each subject.

    `kind` is the kind of identifier that names who applies. A corporation consents to nothing itself.
    """
    from consent import vault
    from consent.capacity import need_number_of_age, need_recorded, need_representative
    from consent.model import Capacity

    for_others: dict[tuple[int, Capacity], set[int]] = {}
    own = set()
    for given in grants:
        grantor_key = given.grantor_key
        for subject in {s.subject_key for s in given.scopes} if grantor_key is not None else ():
            if subject == grantor_key:
                own.add(subject)
            else:
                as_what = Capacity(given.grantor_capacity or Capacity.SELF)
                for_others.setdefault((int(grantor_key or 0), as_what), set()).add(subject)
    if own:
        need_representative(kind)
        numbers = vault.reveal(run.conn, run.secrets, kind, sorted(own)).column("identifier").to_pylist()
        need_number_of_age(kind, numbers, at)
    for (acting, as_what), subjects in for_others.items():
        need_recorded(run.conn, subjects, acting, as_what, at)


def household(run: "Run", path: Path, applicants: Sequence[str], at: datetime) -> tuple[int, ...]:
    """The keys of the other members of one applicant's household, who are persons."""
    from consent import vault

    if len(applicants) != 1:
        raise UsageError("Members belong to one applicant's household. Open her application alone.")
    return tuple(vault.keys(run.conn, run.secrets, PERSON, identifiers(path), at).to_pylist())


def known_person(run: "Run", path: Path, at: datetime) -> int:
    """The key of a person whom the vault knows and who may consent herself."""
    from consent import vault
    from consent.capacity import need_number_of_age

    number = one(path, "who renews")
    need_number_of_age(PERSON, [number], at)
    key: int | None = vault.find(run.conn, run.secrets, PERSON, [number]).to_pylist()[0]
    if key is None:
        raise UsageError("Nothing is recorded about this person, so there is nothing to renew.")
    return key
