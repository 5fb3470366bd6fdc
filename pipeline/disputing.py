"""A dispute and the lake: which record is disputed, and whether the holder has corrected it since.

In: an authorisation's document; later, every pull of its dataset. Out: a dispute that remembers the keyed hashes of the
holder's records; and once a pull brought others, the citizen and every recipient of the old record are told.
"""

import json

import pyarrow.compute as pc

from consent import disputes, ledger, vault
from consent.disputes import Dispute, Record
from hanbeon.errors import UsageError
from lake import tables
from pipeline.run import Run
from pipeline.versions import current_state
from schemas.contract import Contract, source


def open_dispute(run: Run, authorisation_id: str, document_type: str, columns: list[str], claim: str) -> str:
    """Dispute what came under an authorisation; the dispute's id. `columns` are official paths of the document."""
    contract = source(document_type)
    strange = sorted(set(columns) - set(contract.column_paths))
    if strange:
        raise UsageError(f"{document_type} has no column {strange[0]}. Known: {', '.join(contract.column_paths)}.")
    rows = ledger.authorisations(run.conn, authorisation_id=authorisation_id, document_type=document_type).to_pylist()
    if len(rows) != 1:
        raise UsageError(f"This authorisation covers {document_type} of {len(rows)} subjects; a dispute is about one.")
    key = rows[0]["_subject_key"]
    hashes = tuple(sorted(hashes_of(run, contract, key)))
    if not hashes:
        raise UsageError("The lake holds no record of this document, so there is nothing to dispute. Pull it first.")
    told = rows[0]["_grantor_key"] or key
    record = Record(key, told, document_type, contract.holder, hashes)
    return disputes.open(run.conn, run.trust, record, columns, _for_holder(run, contract, key, claim), run.at())


def _for_holder(run: Run, contract: Contract, subject_key: int, claim: str) -> str:
    """What the holder needs to find the record: sealed for it before it is stored (P10)."""
    kind = contract.subject_identifier_kind
    known = vault.reveal(run.conn, run.secrets, kind, [subject_key]).column("identifier").to_pylist()
    if not claim.strip() or not known:
        raise UsageError("A dispute says what is claimed, about somebody whom the vault still knows.")
    return json.dumps({"claim": claim, "identifier_kind": kind, "identifier": known[0]}, ensure_ascii=False)


def hashes_of(run: Run, contract: Contract, subject_key: int) -> set[bytes]:
    """The keyed hashes of what a subject's records of one document say now."""
    name = f"bronze/{contract.dataset}"
    if not tables.exists(run.settings.lake_root, name):
        return set()
    held = tables.read(run.settings.lake_root, name, schema=contract.bronze_schema)
    own = held.filter(pc.and_(pc.equal(held["_subject_key"], subject_key), pc.invert(held["_is_deleted"])))
    return {bytes(one) for one in current_state(own).column("_source_record_hash").to_pylist()}


def detect(run: Run, contract: Contract) -> list[int]:
    """After a pull: disputes whose record has changed are corrected; the numbers of the messages to recipients.

    A record that is gone is no correction: consent may have ended. A new hash is.
    """
    told: list[int] = []
    for one in disputes.disputes(run.conn):
        if one.document_type == contract.document_type and one.state in ("open", "upheld"):
            told += _correct(run, contract, one)
    return told


def _correct(run: Run, contract: Contract, dispute: Dispute) -> list[int]:
    if not hashes_of(run, contract, dispute.subject_key) - dispute.record_hashes:
        return []
    recipients = disputes.recipients_of(run.conn, dispute)
    return disputes.correct(run.conn, dispute.dispute_id, recipients, run.at())
