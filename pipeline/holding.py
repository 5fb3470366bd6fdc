"""What is held leaves the lake and is kept apart: encrypted, under a key of its own, in no table and on no read path.

In: a run, before the files of old versions go for good. Out: the rows under a hold that these files have and the newest
versions have not, in `home/holds/<hold id>/`, AES-256-GCM under the hold's key. Whatever took a row out of its table,
an erasure or a pull, its file is still there until purged, so nothing under a hold is missed. A hold that ended is
destroyed: first its key, then its files. An auditor opens a hold by name, which is recorded before it is answered.

Kept are rows of bronze and of gold with its lines. A share repeats gold for one recipient, and is not kept again.
"""

import hashlib
import io
import os
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consent import accesses, holds
from consent.accesses import Access, Action
from consent.ciphers import NONCE_BYTES
from consent.holds import Hold
from hanbeon.errors import IntegrityError, UsageError
from lake import layout
from lake.files import sync_folder, write_durably
from pipeline.leavings import live_files, personal_tables
from pipeline.run import Run
from pipeline.sharing import documents
from schemas.contract import sources

ROOMS = ("bronze", "gold")
SUFFIX = ".sealed"
PASSING = ("_run_id", "_pulled_at", "_authorisation_id", "_valid_to")  # differ between versions that say the same


@dataclass(frozen=True)
class Kept:
    """Rows of one table as one old version had them."""

    table: str
    rows: tuple[dict[str, Any], ...]


def keep(run: Run) -> int:
    """Move what is held out of files that are about to go; how many files were sealed. Said again, nothing twice."""
    standing, sealed = holds.in_force(run.conn, run.at()), 0
    for name in personal_tables(run) if standing else ():
        document_type = _document_type(name)
        own = [hold for hold in standing if any(d == document_type for _, d in hold.scopes)]
        if own:
            sealed += _keep_table(run, name, str(document_type), own)
    return sealed


def release(run: Run) -> list[str]:
    """Destroy what was kept for holds that ended; their ids, with those that no certificate names yet."""
    for hold in holds.ended(run.conn, run.at()):
        run.secrets.service.destroy(_key_name(hold.hold_id), 1)
        if _folder(run, hold.hold_id).exists():
            shutil.rmtree(_folder(run, hold.hold_id))
            sync_folder(_folder(run, hold.hold_id).parent)
        holds.destroyed(run.conn, hold.hold_id, run.at())
    return holds.uncertified(run.conn)


def open_hold(run: Run, hold_id: str, reader: str, why: str) -> list[Kept]:
    """What is kept for a hold. The access is recorded and committed first (P9)."""
    found = holds.holds(run.conn, hold_id)
    if not found:
        raise UsageError("There is no hold with this id. `hanbeon hold list` shows them.")
    if not why.strip():
        raise UsageError("Whoever opens a hold says why. Name the reason.")
    access = [
        Access(reader, Action.HOLD, f"{hold_id}: {why}", subject_key=key, document_type=document,
               authorisation_id=found[0].authorisation_id)
        for key, document in found[0].scopes
    ]  # fmt: skip
    accesses.record_all(run.conn, access, run.at())
    folder = _folder(run, hold_id)
    return [_opened(run, hold_id, path) for path in sorted(folder.glob(f"*{SUFFIX}"))] if folder.exists() else []


def _keep_table(run: Run, name: str, document_type: str, standing: list[Hold]) -> int:
    live, sealed = set(live_files(run, name)), 0
    base = layout.table_path(run.settings.lake_root, name)
    old = sorted(path for path in base.rglob("*.parquet") if path not in live)
    if not old:
        return 0
    for hold in standing:
        keys = {key for key, document in hold.scopes if document == document_type}
        said = {digest for path in live for digest in _digests(_rows_of(path, keys))}
        for path in old:
            rows = _rows_of(path, keys)
            kept = [i for i, digest in enumerate(_digests(rows)) if digest not in said]
            said |= set(_digests(rows))
            if kept:
                _seal(run, hold, name, path.relative_to(base).as_posix(), rows.take(kept))
                sealed += 1
    return sealed


def _rows_of(path: Path, keys: Collection[int]) -> pa.Table:
    with pq.ParquetFile(path) as file:
        rows: pa.Table = file.read()
    return rows.filter(pc.is_in(rows.column("_subject_key"), value_set=pa.array(sorted(keys), pa.int64())))


def _digests(rows: pa.Table) -> list[bytes]:
    told = rows.drop_columns([name for name in PASSING if name in rows.column_names])
    return [hashlib.sha256(repr(sorted(row.items())).encode()).digest() for row in told.to_pylist()]


def _seal(run: Run, hold: Hold, table: str, file: str, rows: pa.Table) -> None:
    """One sealed file for each old data file, named after it, so that a kill and another try keep it once."""
    name = hashlib.sha256(f"{table}/{file}".encode()).hexdigest()[:32] + SUFFIX
    path = _folder(run, hold.hold_id) / name
    if not path.exists():
        sink, nonce = io.BytesIO(), os.urandom(NONCE_BYTES)
        with pa.ipc.new_stream(sink, rows.schema.with_metadata({"table": table})) as writer:
            writer.write_table(rows.combine_chunks().replace_schema_metadata({"table": table}))
        cipher = AESGCM(run.secrets.service.make(_key_name(hold.hold_id), 1))
        write_durably(path, nonce + cipher.encrypt(nonce, sink.getvalue(), _associated(hold.hold_id, name)))
        path.chmod(0o600)
    holds.kept(run.conn, hold.hold_id, name, table, rows.num_rows, run.at())


def _opened(run: Run, hold_id: str, path: Path) -> Kept:
    raw = path.read_bytes()
    try:
        cipher = AESGCM(run.secrets.service.material(_key_name(hold_id), 1))
        clear = cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _associated(hold_id, path.name))
    except InvalidTag:
        raise IntegrityError("What is kept for this hold was changed, or is another's. Restore it.") from None
    table = pa.ipc.open_stream(clear).read_all()
    return Kept(table.schema.metadata[b"table"].decode(), tuple(table.to_pylist()))


def _document_type(name: str) -> str | None:
    room, _, rest = name.partition("/")
    if room == "gold":  # a former version's table outlives its contract
        return {c.name: c.document_type for c in documents()}.get(rest)
    return {c.dataset: c.document_type for c in sources()}.get(rest) if room == "bronze" else None


def _folder(run: Run, hold_id: str) -> Path:
    return run.settings.home_path / "holds" / hold_id


def _key_name(hold_id: str) -> str:
    return f"holds/{hold_id}"


def _associated(hold_id: str, name: str) -> bytes:
    return f"holds\x00{hold_id}\x00{name}".encode()
