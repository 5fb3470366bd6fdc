"""Disclosure packs: one row, why it was allowed to be there, and everything that proves it, in a folder (P3).

In: a table, an evidence id, who asks, a folder. Out: JSON files that `verify/verify.py` checks with nothing else
(docs/proof.md, section 5): the row, its path, the authorisation's events with the citizen's authentication, receipts,
checkpoint and keys. Nothing in it concerns anybody else: of lines about relatives, and of a holder's raw record, which
names them, only the commitment is shown; so too of an authorisation's scopes about other subjects. Writing one is a
read, recorded before.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from consent import evidence, journal, ledger
from consent.accesses import Access, Action, record
from consent.append import canonical, instant_text
from consent.history import LedgerEvent
from consent.log import Checkpoint, Kind, index_of, newest, prove
from consent.log.entries import NO_STREAM, stream_of
from consent.signing import sign_jws
from hanbeon.errors import DependencyDown, GateRefused, IntegrityError, UsageError
from lake.row_text import Part
from pipeline.attest import attest, operator
from pipeline.coverage import consented_as
from pipeline.grounds import Grounds, covering, grounds_of
from pipeline.lineage import evidence_tables
from pipeline.proving import RowProof, row_proofs
from pipeline.receipt import event_members, receipt
from pipeline.run import Run
from pipeline.trusting import FILE_NAME, trust

FORMAT, TYP = "hanbeon-pack/1", "disclosure-pack+jwt"
STATEMENT = {
    "ko": "이 행이 이 동의에 따라 공개된 것임을 증명합니다.",
    "en": "This row stood in the published table, under this authorisation, as the log commits to it.",
}
DOES_NOT_PROVE = (
    "Who the pseudonyms are: naming a person takes a recorded opening of the vault.",
    "That the holder's record is true: only that this is what the holder delivered and what was published.",
    "That operator and witness did not both sign another history: compare checkpoints with others who keep them.",
    "What happened after the checkpoint of this pack.",
)
Files = dict[str, bytes]


def write_pack(
    run: Run, folder: Path, table: str, evidence_id: str, reader: str, *, is_redacted: bool = False
) -> list[str]:
    """Write the pack of one row; the names of its files. An older pack in the folder is replaced as a whole.

    `is_redacted` shows the row's pipeline columns alone. Raises UsageError when there is no such row, when the folder
    holds something else, or when the authorisation's payload was erased; GateRefused for content that nothing covers
    any more.
    """
    need_free(folder)
    if table not in evidence_tables():
        raise UsageError("That is no table of evidence. Name one like gold/income_certificate or bronze/nts/income.")
    contract, recipient = evidence_tables()[table]
    proofs = row_proofs(run, table, evidence_id)
    grounds = grounds_of(run, proofs, contract, recipient)
    about = Access(
        reader,
        Action.PACK,
        f"{table} {evidence_id}",
        recipient=recipient,
        subject_key=grounds.subject_key,
        document_type=grounds.document_type,
        authorisation_id=grounds.authorisation_ids[0],
    )
    is_shown = not is_redacted and contract.kind != "source" and not contract.group
    if is_shown:
        try:
            grounds = covering(run, grounds, proofs, contract, recipient)
        except GateRefused as refused:
            record(run.conn, replace(about, is_granted=False, reason=refused.reason), run.at())
            raise
    record(run.conn, about, run.at())
    attest(run)
    renamed = consented_as(contract) if is_shown else {}
    files = _files(run, proofs, grounds, is_shown, renamed)
    write_files(run, folder, files, STATEMENT, DOES_NOT_PROVE)
    return sorted(files)


def _files(
    run: Run, proofs: Sequence[RowProof], grounds: Grounds, is_shown: bool, renamed: Mapping[str, list[str]]
) -> Files:
    checkpoint = newest(run.settings.log_path)
    assert checkpoint is not None  # attested just before
    files: Files = {FILE_NAME: canonical(trust(run)) + b"\n"}
    for number, proof in enumerate(proofs):
        commit = _index(run, Kind.COMMIT, proof.sequence, stream_of(proof.table))
        files[f"rows/{number}.json"] = canonical(_row(proof, commit, is_shown, renamed))
        files[f"entries/{commit}.json"] = _entry(run, checkpoint, commit, _body(run, proof.table, proof.sequence))
    for key in grounds.authorisation_ids:
        for event in ledger.history(run.conn, key):
            index = _index(run, Kind.EVENT, event.position)
            files[f"entries/{index}.json"] = _entry(run, checkpoint, index, _members(event, grounds))
        shown = evidence.open_evidence(run.conn, run.secrets, key)
        if shown is not None:
            files[f"evidence/{key}.json"] = canonical(shown)
        files[f"receipts/{key}.jws"] = receipt(run, key, is_shown=grounds.is_shown).token.encode() + b"\n"
    files["checkpoint"] = checkpoint.text.encode()
    return files


def _row(proof: RowProof, commit: int, is_shown: bool, renamed: Mapping[str, list[str]]) -> dict[str, Any]:
    other = {name: paths for name, paths in renamed.items() if name in proof.content.columns}
    return ({"consented_as": other} if other else {}) | {
        "table": proof.table,
        "version": proof.version,
        "file": proof.file,
        "row": proof.row,
        "file_rows": proof.file_rows,
        "row_path": [one.hex() for one in proof.row_path],
        "pipeline": _opened(proof.pipeline),
        "content": _opened(proof.content) if is_shown else {"commitment": proof.content.commitment.hex()},
        "commit": commit,
    }


def _opened(part: Part) -> dict[str, Any]:
    return {"columns": dict(part.columns), "salt": part.salt.hex()}


def _entry(run: Run, checkpoint: Checkpoint, index: int, body: dict[str, Any]) -> bytes:
    proof = prove(run.settings.log_path, index)
    if proof.checkpoint_text != checkpoint.text:
        raise DependencyDown("The log grew while the pack was made. Ask for the pack again.")
    return canonical(
        {
            "index": index,
            "entry": proof.entry.hex(),
            "path": [one.hex() for one in proof.path],
            "size": proof.size,
            "body": body,
        }
    )


def _members(event: LedgerEvent, grounds: Grounds) -> dict[str, Any]:
    if event.is_erased:
        raise UsageError("A payload of the authorisation was erased, so there is no pack of it. The log has its hash.")
    return event_members(event, grounds.is_shown)


def _body(run: Run, table: str, sequence: int) -> dict[str, Any]:
    leaf = next(leaf for leaf in journal.leaves(run.conn, table) if leaf.sequence == sequence)
    found: dict[str, Any] = json.loads(leaf.body)
    return found


def _index(run: Run, kind: Kind, number: int, stream: bytes = NO_STREAM) -> int:
    index = index_of(run.conn, kind, number, stream)
    if index is None:
        raise IntegrityError("What the row rests on is not in the log. Run `hanbeon recover`, then ask again.")
    return index


def need_free(folder: Path) -> None:
    """Raises UsageError when the folder holds something else than an older pack."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "pack.json").exists():
        raise UsageError("The folder for the pack holds other files. Name an empty folder, or one with an older pack.")


def write_files(
    run: Run, folder: Path, files: Files, statement: Mapping[str, str], does_not_prove: Sequence[str]
) -> None:
    """List and sign the files of a pack. The whole of it is made beside its place first: no half pack is shown."""
    listing = canonical(
        {
            "format": FORMAT,
            "made_at": instant_text(run.at()),
            "statement": dict(statement),
            "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
            "does_not_prove": list(does_not_prove),
        }
    )
    signed = sign_jws(operator(run.settings).documents, listing, TYP).encode() + b"\n"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as beside:
        made = Path(beside) / "pack"
        for name, content in {**files, "pack.json": listing, "pack.jws": signed}.items():
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
