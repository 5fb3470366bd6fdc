"""The negative answer: no version of a table between two sizes of the log held a row of this person (P3).

In: a table, the person's identifier, two log sizes. Out: a disclosure pack whose `absences/0.json` holds every entry
between the sizes, every commit of the table among them, and in each the two neighbours between which the person would
stand (docs/proof.md, section 5). It says what it does not prove: what happened outside of this table and these sizes.
"""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from consent import journal, owners, vault
from consent.accesses import Access, Action, record
from consent.append import canonical
from consent.journal import Leaf
from consent.log import Kind, range_proof
from consent.log.entries import ENTRY, stream_of
from consent.log.entries import entries as sequenced
from hanbeon.errors import UsageError
from lake.layout import key_bucket
from pipeline.attest import attest
from pipeline.gold import pairwise_ids
from pipeline.lineage import evidence_tables
from pipeline.pack import DOES_NOT_PROVE, need_free, write_files
from pipeline.proving import Absence, absences
from pipeline.run import Run
from pipeline.trusting import FILE_NAME, trust
from schemas.contract import source

STATEMENT = {
    "ko": "이 기간의 로그에서 이 표에는 이 사람의 행이 한 번도 없었음을 증명합니다.",
    "en": "Between these two sizes of the log, no version of this table held a row of this person.",
}
LIMITS = (
    "Anything about other tables, or outside of the two sizes of the log.",
    "That the identifier is the person's: the pack names a pseudonym, which the operator derived from it.",
)


def prove_absence(
    run: Run, folder: Path, table: str, identifier: str, reader: str, start: int = 0, stop: int | None = None
) -> int:
    """Write the pack; how many versions of the table it covers.

    Raises UsageError for an unknown table, a range that the log does not have, or a person who was there.
    """
    need_free(folder)
    contract, recipient = evidence_tables().get(table, (None, None))
    if contract is None:
        raise UsageError("There is no such table of evidence. `hanbeon trace application` lists rows and their tables.")
    kind = source(contract.document_type).subject_identifier_kind
    asked = f"absence from {table}"
    record(run.conn, Access(reader, Action.ABSENCE, asked, recipient, document_type=contract.document_type), run.at())
    checkpoint = attest(run)
    end = checkpoint.size if stop is None else stop
    if not 0 <= start < end <= checkpoint.size:
        raise UsageError(f"The log has {checkpoint.size} entries. Name sizes --from below --to within it.")
    owner, bucket = _owner(run, kind, identifier, recipient)
    entries = [data for _, data in sequenced(run.conn, start, end)]
    indexes = _commits(entries, table, start)
    left, right = range_proof(run.settings.log_path, start, end, checkpoint.size)
    told = _told(run, table, owner, bucket, indexes)
    proof = {
        "table": table,
        "bucket": bucket,
        "owner": owner.hex(),
        "blinding_key": owners.blinding_key(run.secrets, table, bucket).hex(),
        "from": start,
        "to": end,
        "entries": [entry.hex() for entry in entries],
        "left": [one.hex() for one in left],
        "right": [one.hex() for one in right],
        "bodies": {str(indexes[leaf.sequence]): json.loads(leaf.body) for leaf in _leaves(run, table, indexes)},
        "neighbours": {str(indexes[one.sequence]): _neighbours(one) for one in told},
    }
    files = {
        FILE_NAME: canonical(trust(run)) + b"\n",
        "checkpoint": checkpoint.text.encode(),
        "absences/0.json": canonical(proof),
    }
    write_files(run, folder, files, STATEMENT, (*LIMITS, *DOES_NOT_PROVE[2:]))
    return len(indexes)


def _owner(run: Run, kind: str, identifier: str, recipient: str | None) -> tuple[bytes, int]:
    """The owner of the person's rows, if there were any, and the bucket in which they would be. Nothing is kept."""
    with run.conn.transaction(force_rollback=True):
        key = int(vault.keys(run.conn, run.secrets, kind, [identifier], run.at())[0].as_py())
    if recipient is None:
        return owners.owner_of_key(key), int(key_bucket(pa.array([key]), run.settings.lake.key_buckets)[0].as_py())
    hashes = partial(vault.keyed_hashes, run.secrets)
    return pairwise_ids(pa.chunked_array([[key]], pa.int64()), recipient, hashes)[0].as_py(), 0


def _commits(entries: Sequence[bytes], table: str, start: int) -> dict[int, int]:
    """Leaf number -> index of each entry that is a commit of the table."""
    found = {}
    for index, data in enumerate(entries, start):
        _, kind, number, stream, _ = ENTRY.unpack(data)
        if kind == Kind.COMMIT and stream == stream_of(table):
            found[number] = index
    return found


def _leaves(run: Run, table: str, indexes: Mapping[int, int]) -> list[Leaf]:
    return [leaf for leaf in journal.leaves(run.conn, table) if leaf.sequence in indexes]


def _told(run: Run, table: str, owner: bytes, bucket: int, indexes: Mapping[int, int]) -> list[Absence]:
    return absences(run, table, owner, bucket, min(indexes), max(indexes)) if indexes else []


def _neighbours(absence: Absence) -> list[dict[str, Any]]:
    return [
        {"at": one.at, "blinded": one.blinded.hex(), "path": [step.hex() for step in one.path]}
        for one in absence.neighbours
    ]
