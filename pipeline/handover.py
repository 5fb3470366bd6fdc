"""A decision, and the evidence that it rested on handed over to the recipient's case file.

In: an application, the outcome, and what the case worker read of each document (`exchange.deciding` gathers it). Out:
the decision's id, and a hand-over for each document, in one transaction with the decision (P6). Each is a JWS by the
operator's document key (typ `evidence-handover+jwt`) over the evidence as the recipient may see it, with where its row
stood. One-time authorisations are consumed by the decision, and the lake's rows fall due then: what still has to reach
the recipient waits sealed for it alone (`consent.handovers`) and needs the lake no more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from consent import append as log
from consent import applications, handovers, ledger
from consent.append import canonical, instant_text
from consent.handovers import Sending
from consent.model import Decision, State
from consent.signing import sign_jws
from hanbeon.errors import Refused
from pipeline.attest import operator
from pipeline.reading import standing
from pipeline.run import Run
from schemas.contract import source
from schemas.decimals import plain

TYP = "evidence-handover+jwt"
RESTS_ON_EVIDENCE = (Decision.APPROVED, Decision.REFUSED)


@dataclass(frozen=True)
class Copy:
    """One record of a document as the recipient's share has it. `groups` are the lines of its repeating groups."""

    evidence_id: str
    observed_at: datetime
    values: Mapping[str, Any]
    groups: Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class Rested:
    """One document that a decision rested on, under these authorisations."""

    document_type: str
    variant: str | None
    authorisation_ids: tuple[str, ...]
    copies: tuple[Copy, ...]


@dataclass(frozen=True)
class Outcome:
    decision_id: str
    handovers: tuple[int, ...]


def decide(
    run: Run, application_id: str, decision: Decision, satisfied_by: Mapping[str, str], rested: Sequence[Rested]
) -> Outcome:
    """Record the decision and queue its evidence: both or neither. Deciding again the same way hands over nothing.

    Raises Refused when consent moved since the evidence was read, DependencyDown when the recipient has no key.
    """
    at = run.at()
    application = applications.get(run.conn, application_id)
    documents = rested if decision in RESTS_ON_EVIDENCE else ()
    given = [_sending(run, application, decision, one, at) for one in documents]
    trust = run.trust if given else None
    due = at + timedelta(days=run.settings.retention.acknowledge_within_days)
    with run.conn.transaction():
        log.lock(run.conn)
        if documents:
            _need_granted(run, documents)
        decision_id = applications.decide(run.conn, application_id, decision, at, satisfied_by)
        numbers = handovers.queue(run.conn, trust, given, at, due) if trust else []
    return Outcome(decision_id, tuple(numbers))


def _need_granted(run: Run, rested: Sequence[Rested]) -> None:
    """Under the ledger's lock: nothing was withdrawn, paused or spent since it was read (P4)."""
    wanted = {key for one in rested for key in one.authorisation_ids}
    rows = run.conn.execute(
        "select distinct authorisation_id from authorisations where authorisation_id = any(%s) and state = %s",
        [sorted(wanted), str(State.GRANTED)],
    ).fetchall()
    if {row[0] for row in rows} != wanted:
        raise Refused("Consent changed while this was decided. Look at the bundle again, then decide.")


def _sending(run: Run, application: Mapping[str, Any], decision: Decision, one: Rested, at: datetime) -> Sending:
    holder, recipient = source(one.document_type).holder, str(application["recipient"])
    terms = [
        row
        for key in one.authorisation_ids
        for row in ledger.authorisations(run.conn, authorisation_id=key, document_type=one.document_type).to_pylist()
    ]
    claims = {
        "iss": run.settings.log.origin,
        "aud": recipient,
        "iat": int(at.timestamp()),
        "application_id": application["application_id"],
        "service": application["service"],
        "decision": str(decision),
        "decided_at": instant_text(at),
        "document_type": one.document_type,
        "variant": one.variant,
        "holder": holder,
        "authorisations": [
            {"id": row["authorisation_id"], "kind": row["kind"], "purpose": row["purpose"], "law": row["legal_basis"]}
            for row in terms
        ],
        "copies": [_copy(run, one.document_type, recipient, copy) for copy in one.copies],
    }
    token = sign_jws(operator(run.settings).documents, canonical(claims), TYP)
    keep_until = max(row["retain_until"] for row in terms)
    application_id = str(application["application_id"])
    return Sending(application_id, one.document_type, holder, recipient, one.authorisation_ids, token, keep_until)


def _copy(run: Run, document_type: str, recipient: str, copy: Copy) -> dict[str, Any]:
    """The record with its provenance: which commit of the recipient's share it stands in."""
    stands = standing(run, f"shares/{recipient}/{source(document_type).published}", copy.evidence_id)
    return {
        "evidence_id": copy.evidence_id,
        "observed_at": instant_text(copy.observed_at),
        "values": {name: _plain(value) for name, value in copy.values.items()},
        "groups": {
            name: [{column: _plain(value) for column, value in line.items()} for line in lines]
            for name, lines in copy.groups.items()
        },
        "provenance": None if stands is None else asdict(stands),
    }


def _plain(value: Any) -> Any:
    """As canonical JSON holds it: there are no floats in it, and instants are texts."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return plain(value)
    return value.hex() if isinstance(value, bytes) else str(value)
