"""P1: SQL, plain Python and Cedar decide alike on 20,000 random authorisations; `make drill` takes a million."""

import os
import random
from collections.abc import Sequence
from typing import Any

import pytest

from consent import gate
from consent.model import Capacity, Reason
from schemas.services import Service
from tests.consent import cedar
from tests.consent.making import AT, DAY, SECOND, approval_row, authorisation_row, death_row, snapshot_of
from tests.consent.test_gate_model import CONTRACTS, SERVICES, Facts, expected

DECISIONS = int(os.environ.get("HANBEON_DRILL_DECISIONS", "20000"))
SEED = int(os.environ.get("HANBEON_DRILL_SEED", str(random.randrange(2**32))))
TOGETHER = 500  # authorisations that meet the same approvals
FEW = 12  # services that these are about
INSTANTS = (AT - DAY, AT - SECOND, AT, AT + SECOND, AT + DAY, None)
CHANGES: dict[str, tuple[Any, ...]] = {
    "document_type": (*CONTRACTS, "INSV", "ZZZZ", None),
    "holder": ("mois", "scourt", "nts", None),
    "recipient": ("mogef", "mohw", None),
    "purpose": (*{s.purpose for s in SERVICES.values()}, None),
    "service": (*SERVICES, "NO_SUCH", None),
    "variant": ("specific", "general", "detailed", "members_included", "no_such", None),
    "columns": (["STDG_CD"], ["SELF_FLNM"], ["STDG_CD", "X"], [], [None], ["STDG_CD", None], None, ["ZIP"]),
    "valid_from": INSTANTS,
    "valid_until": INSTANTS,
    "state": ("granted", "paused", "withdrawn", "expired", "consumed", "odd", None),
    "mode": ("one_time", "standing", "odd", None),
    "kind": ("consent", "demand", "statute", "odd", None),
    "proof_digest": ("ab" * 32, "ab" * 32, None),
    "used_count": (0, 1, 2, None),
    "identifier_statute": ("주민등록법 제30조", "", " ", None),
    "frequency_cap": (None, 1, 2),
    "_subject_key": (1, None),
    "_grantor_key": (1, 2, 3, None),
    "grantor_capacity": (*Capacity, "odd", None),
    "retain_until": INSTANTS,
    "authorisation_id": ("a", None),
}
APPROVAL_CHANGES = {n: CHANGES[n] for n in ("holder", "recipient", "purpose", "valid_from", "valid_until")} | {
    "state": ("active", "suspended", "suspended", "suspended", "ended", "odd", None)
}


def requirement_of(dice: random.Random, chosen: Sequence[Service]) -> dict[str, Any]:
    """What one of these services needs, as both sides of lawfulness name it."""
    service = dice.choice(chosen)
    needed = dice.choice(service.data_requirements)
    return {
        "service": service.id,
        "recipient": service.recipient,
        "purpose": service.purpose,
        "document_type": needed.document_type,
        "variant": needed.variant,
        "columns": list(needed.columns),
        "holder": CONTRACTS[needed.document_type].holder,
    }


def changed(row: dict[str, Any], changes: dict[str, tuple[Any, ...]], dice: random.Random) -> dict[str, Any]:
    """The row with none, one or some members changed: two in five stay good."""
    for name in dice.sample(sorted(changes), dice.choice([0, 0, 1, 2, 3])):
        row[name] = dice.choice(changes[name])
    return row


def an_authorisation(dice: random.Random, facts: Facts, chosen: Sequence[Service]) -> dict[str, Any]:
    """Some of those who consent for somebody else are recorded as who may, or once might."""
    row = authorisation_row(
        authorisation_id=dice.choice("abc"), _subject_key=dice.randint(1, 3), **requirement_of(dice, chosen)
    )
    row["_grantor_key"] = row["_subject_key"]
    if dice.random() < 0.3:
        row |= {"_grantor_key": dice.randint(1, 3), "grantor_capacity": dice.choice([*Capacity, None])}
    if facts.representations and dice.random() < 0.2:
        acting = dice.choice(facts.representations)
        row |= {"_subject_key": acting["represented_key"], "_grantor_key": acting["representative_key"]}
        row["grantor_capacity"] = acting["capacity"]
    row["mode"] = dice.choice(["one_time", "standing"])
    return changed(row, CHANGES, dice)


def some_facts(dice: random.Random) -> Facts:
    """Who acts for whom, who has died, who is hidden from whom: of few persons, so that they meet."""
    when = [t for t in INSTANTS if t is not None]
    acting = []
    for _ in range(dice.randint(0, 5)):
        capacity = dice.choice(list(Capacity)[1:])
        is_child = capacity is Capacity.GUARDIAN_OF_CHILD
        acting.append(
            {
                "represented_key": dice.randint(1, 3),
                "representative_key": dice.randint(1, 3),
                "capacity": str(capacity),
                "valid_from": dice.choice(when),
                "valid_until": dice.choice(INSTANTS),
                "of_age_at": dice.choice(when) if is_child else None,
            }
        )
    hidden = [
        {
            "victim_key": dice.randint(1, 3),
            "restricted_key": dice.randint(1, 3),
            "valid_from": dice.choice(when),
            "valid_until": dice.choice(INSTANTS),
        }
        for _ in range(dice.randint(0, 1))
    ]
    return Facts(acting, dice.sample([1, 2, 3], dice.choice([0, 0, 1])), hidden)


def an_approval(dice: random.Random, chosen: Sequence[Service]) -> dict[str, Any]:
    needed = requirement_of(dice, chosen)
    names = ("holder", "recipient", "purpose", "document_type")
    return changed(approval_row(**{n: needed[n] for n in names}), APPROVAL_CHANGES, dice)


@pytest.mark.timeout(300 + DECISIONS // 100)
def test_p1_sql_plain_python_and_cedar_agree() -> None:
    print(f"HANBEON_DRILL_SEED={SEED} HANBEON_DRILL_DECISIONS={DECISIONS}")
    dice = random.Random(SEED)
    flowing = 0
    seen: set[Reason | None] = set()
    for _ in range(max(DECISIONS // TOGETHER, 1)):
        facts = some_facts(dice)
        chosen = dice.sample(list(SERVICES.values()), FEW)  # few, so that consents and approvals meet
        rows = [an_authorisation(dice, facts, chosen) for _ in range(TOGETHER)]
        approvals = [an_approval(dice, chosen) for _ in range(dice.randint(0, 60))]
        at = dice.choice([AT, AT + SECOND])
        plain = [expected(row, approvals, facts, at) for row in rows]
        dead = [death_row(key) for key in facts.deaths]
        snapshot = snapshot_of(rows, approvals, representations=facts.representations, deaths=dead, blocks=facts.blocks)
        judged = gate.judged(snapshot, at).to_pylist()
        assert [r["reason"] for r in judged] == plain
        assert [r["flows"] for r in judged] == [reason is None for reason in plain]
        assert cedar.flows(rows, approvals, facts, at) == [reason is None for reason in plain]
        flowing += plain.count(None)
        seen |= set(plain)
    assert flowing > DECISIONS // 20  # agreeing on refusals alone would say little
    assert seen == set(Reason) | {None}
