"""Receipts: what a citizen keeps of what happened to her consent, signed, with its place in the log.

In: an authorisation's id. Out: claims as JSON-LD with the fields of ISO/IEC TS 27560 in terms of the Data Privacy
Vocabulary, and the signed receipt (docs/proof.md, section 4). It names pseudonyms, never a person.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from consent import ledger
from consent.append import Scope, canonical, event_salt, everything, instant_text, shown_payload
from consent.history import LedgerEvent
from consent.log import Kind, index_of, prove
from consent.signing import sign_jws
from hanbeon.errors import IntegrityError, UsageError
from pipeline.attest import attest, operator
from pipeline.run import Run
from schemas.contract import source
from schemas.services import recipients, service

TYP = "consent-receipt+jwt"
CONTEXT = {"dpv": "https://w3id.org/dpv#", "dct": "http://purl.org/dc/terms/", "hanbeon": "urn:hanbeon:"}
STATUS = {
    "granted": "dpv:ConsentGiven",
    "resumed": "dpv:ConsentGiven",
    "renewed": "dpv:RenewedConsentGiven",
    "withdrawn": "dpv:ConsentWithdrawn",
    "expired": "dpv:ConsentExpired",
    "paused": "dpv:ConsentStatusInvalidForProcessing",
    "consumed": "dpv:ConsentStatusInvalidForProcessing",
    "used": "dpv:ConsentGiven",
}


@dataclass(frozen=True)
class Receipt:
    """`token` is the compact JWS; `claims` what it says."""

    token: str
    claims: dict[str, Any]


def receipt(
    run: Run, authorisation_id: str, position: int | None = None, is_shown: Callable[[Scope], bool] = everything
) -> Receipt:
    """The receipt of one event of an authorisation, its newest by default.

    Scopes that `is_shown` says no to stay hidden behind their commitments: a receipt in a pack concerns one subject.

    Raises UsageError for an unknown one, or one whose payload is erased, IntegrityError when log and ledger disagree.
    """
    attest(run)
    events = ledger.history(run.conn, authorisation_id)
    chosen = [e for e in events if position in (None, e.position)]
    if not chosen or not events:
        raise UsageError("There is no such event of an authorisation with this id. `hanbeon consent list` shows them.")
    event, grant = chosen[-1], events[0]
    if grant.payload is None or event.payload is None:
        raise UsageError("The event's payload was erased, so there is no receipt of it any more. The log has its hash.")
    claims = _terms(grant, is_shown) | _happened(event)
    claims |= {"log": _place(run, event), "event": event_members(event, is_shown)}
    return Receipt(sign_jws(operator(run.settings).documents, canonical(claims), TYP), claims)


def event_members(event: LedgerEvent, is_shown: Callable[[Scope], bool] = everything) -> dict[str, Any]:
    """What the event's digest is taken over, each scope with its salt or as a commitment, and the event's shown salt.

    Raises IntegrityError for one that was edited.
    """
    if event.salt is None or not event.is_intact:
        raise IntegrityError("An event is not what its hash says. Run `hanbeon doctor`; nothing is signed over it.")
    return {
        "authorisation_id": event.authorisation_id,
        "instant": instant_text(event.instant),
        "kind": event.kind,
        "payload": shown_payload(event.salt, event.payload or {}, is_shown),
        "position": event.position,
        "subject": event.subject,
        "salt": event_salt(event.salt).hex(),
    }


def _terms(grant: LedgerEvent, is_shown: Callable[[Scope], bool]) -> dict[str, Any]:
    """What was agreed, as the grant has it."""
    given = grant.payload
    assert given is not None
    scopes = [scope for scope in given["scopes"] if is_shown(scope)]
    chosen = service(given["service"])
    recipient = next((r for r in recipients() if r.id == given["recipient"]), None)
    return {
        "@context": CONTEXT,
        "@type": "dpv:ConsentReceipt",
        "dct:conformsTo": "ISO/IEC TS 27560:2023",
        "dct:identifier": given["authorisation_id"],
        "dct:language": ["ko", "en"],
        "dpv:hasJurisdiction": "KR",
        "dpv:hasDataSubject": sorted({scope["subject_key"] for scope in scopes}),
        "dpv:isIndicatedBy": given["grantor_key"],
        "hanbeon:capacity": given["grantor_capacity"],
        "dpv:hasRecipient": {
            "dct:identifier": given["recipient"],
            "ko": recipient.korean if recipient else given["recipient"],
            "en": recipient.english if recipient else given["recipient"],
        },
        "dpv:hasService": {"dct:identifier": chosen.id, "ko": chosen.korean, "en": chosen.english},
        "dpv:hasPurpose": given["purpose"],
        "dpv:hasLegalBasis": given["legal_basis"],
        "dpv:hasPersonalData": [_documents(scope) for scope in scopes],
        "dpv:hasNotice": {"dct:hasVersion": given["notice_version"], "hanbeon:sha256": given["notice_hash"]},
        "hanbeon:mode": given["mode"],
        "dct:valid": {"from": given["valid_from"], "until": given["valid_until"]},
        "dpv:hasStorageCondition": {"until": given["retain_until"]},
        "dpv:hasRight": {
            "right": "dpv:WithdrawConsent",
            "ko": "동의는 언제든지, 동의할 때보다 어렵지 않게 철회할 수 있습니다.",
            "en": "You may withdraw at any time, and it is no harder than consenting was.",
        },
    }


def _documents(scope: dict[str, Any]) -> dict[str, Any]:
    contract = source(scope["document_type"])
    korean = {path: c.korean for path, c in contract.columns_by_path.items()}
    return {
        "dct:identifier": scope["document_type"],
        "ko": contract.description.partition(" (")[0],
        "variant": scope["variant"],
        "dpv:hasDataSource": {
            "dct:identifier": scope["holder"],
            "ko": contract.properties.get("holderName", scope["holder"]),
        },
        "columns": {column: korean.get(column, column) for column in scope["columns"]},
    }


def _happened(event: LedgerEvent) -> dict[str, Any]:
    return {
        "dpv:hasConsentStatus": {
            "event": event.kind,
            "status": STATUS.get(event.kind, event.kind),
            "dpv:isIndicatedAtTime": instant_text(event.instant),
        }
    }


def _place(run: Run, event: LedgerEvent) -> dict[str, Any]:
    index = index_of(run.conn, Kind.EVENT, event.position)
    if index is None:
        raise IntegrityError("The event is not in the log. Run `hanbeon recover`, then ask again.")
    proof = prove(run.settings.log_path, index)
    return {
        "origin": run.settings.log.origin,
        "index": index,
        "entry": proof.entry.hex(),
        "size": proof.size,
        "path": [one.hex() for one in proof.path],
        "checkpoint": proof.checkpoint_text,
    }
