"""The demonstration's people in the vault: a key for everybody, and who is recorded to act for whom, and why.

In: an open `Run` and who applies (rows of `sources.simulate.candidates`). Out: subject keys, in the applicants' order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consent import blocks, deaths, representations, vault
from consent.age import of_age_at
from consent.model import Capacity
from consent.subjects import meet
from pipeline.run import Run

PERSON, FIRM = "RRN", "CRN"
WRITTEN_IN, OWNED_IN, KINSHIP = "법인 등기사항증명서", "등록원부", "가족관계등록부"
BLOCKED_BY = "가족관계의 등록 등에 관한 법률 제14조 제8항"
Row = dict[str, Any]
Keys = Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Member:
    """Another person of the household, and who consents for her: herself, or a child's guardian where there is one."""

    key: int
    grantor_key: int | None
    capacity: Capacity


def keys(run: Run, chosen: Sequence[Row], at: datetime) -> list[int]:
    """A subject key for each applicant, and all her numbers in it: a passport's, a licence's, a firm's two."""
    return meet(run.conn, run.secrets, [_numbers(row["identifier_kind"], row["identifier"], row) for row in chosen], at)


def _numbers(kind: str, identifier: str, row: Row) -> list[tuple[str, str]]:
    return list(dict.fromkeys([(kind, identifier), *((one["kind"], one["identifier"]) for one in row["also"])]))


def acting(run: Run, chosen: Sequence[Row], keys: Sequence[int], at: datetime) -> dict[int, int]:
    """Who consents for those who cannot themselves: a firm's representative, recorded as such. Key to key."""
    firms = {key: r["grantor_identifier"] for r, key in zip(chosen, keys, strict=True) if _is_represented(r)}
    heads = vault.keys(run.conn, run.secrets, PERSON, list(firms.values()), at).to_pylist()
    for key, head in zip(firms, heads, strict=True):
        representations.record(run.conn, key, head, Capacity.REPRESENTATIVE, WRITTEN_IN, at)
    return dict(zip(firms, heads, strict=True))


def about(run: Run, chosen: Sequence[Row], keys: Sequence[int], acting: Mapping[int, int], at: datetime) -> list[Keys]:
    """For each applicant the keys of what documents are about besides her: what she owns, and of whom she is heir.

    That she may consent about it is recorded, with where it is written.
    """
    known: dict[tuple[str, str], int] = {}
    for kind in sorted({one["kind"] for row in chosen for one in row["about"]}):
        own = [one["identifier"] for row in chosen for one in row["about"] if one["kind"] == kind]
        subjects = vault.keys(run.conn, run.secrets, kind, own, at).to_pylist()
        known |= {(kind, i): subject for i, subject in zip(own, subjects, strict=True)}
    found: list[Keys] = []
    for row, key in zip(chosen, keys, strict=True):
        mine: dict[str, list[int]] = {}
        for one in row["about"]:
            subject, grantor = known[one["kind"], one["identifier"]], acting.get(key, key)
            mine.setdefault(one["kind"], []).append(subject)
            capacity = Capacity.OWNER if one["died_on"] is None else Capacity.HEIR
            if one["died_on"] is not None:
                deaths.record(run.conn, subject, one["died_on"], KINSHIP, at)
            representations.record(run.conn, subject, grantor, capacity, KINSHIP if one["died_on"] else OWNED_IN, at)
        found.append(mine)
    return found


def members(run: Run, chosen: Sequence[Row], at: datetime) -> list[list[Member]]:
    """For each applicant the others of her household, and who consents for each; a child's guardian is recorded.

    Nobody consents for a child whose parents do not live with it.
    """
    named = {m["identifier"] for r in chosen for m in r["members"]} | {
        m["guardian"] for r in chosen for m in r["members"] if m["guardian"] is not None
    }
    numbers = sorted(named)
    keys = dict(zip(numbers, vault.keys(run.conn, run.secrets, PERSON, numbers, at).to_pylist(), strict=True))
    found: list[list[Member]] = []
    for row in chosen:
        mine = []
        for one in row["members"]:
            key, guardian, own_at = keys[one["identifier"]], keys.get(one["guardian"]), of_age_at(one["identifier"])
            is_child = own_at is not None and at < own_at
            if is_child and guardian is not None:
                representations.record(
                    run.conn, key, guardian, Capacity.GUARDIAN_OF_CHILD, KINSHIP, at, of_age_at=own_at
                )
            capacity = Capacity.GUARDIAN_OF_CHILD if is_child else Capacity.SELF
            mine.append(Member(key, guardian if is_child else key, capacity))
        found.append(mine)
    return found


def hide(run: Run, chosen: Sequence[Row], keys: Sequence[int], at: datetime) -> None:
    """Record the disclosure blocks: whose lines no applicant may have through her own consent."""
    pairs = [(victim, key) for row, key in zip(chosen, keys, strict=True) for victim in row["victims"]]
    hidden = vault.keys(run.conn, run.secrets, PERSON, [victim for victim, _ in pairs], at).to_pylist()
    for victim, (_, key) in zip(hidden, pairs, strict=True):
        blocks.block(run.conn, victim, key, BLOCKED_BY, at)


def _is_represented(row: Row) -> bool:
    return row["identifier_kind"] == FIRM and row["grantor_identifier"] is not None
