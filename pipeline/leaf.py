"""What a commit's leaf says: hashes of its files, a root over the rows of each, and over whose rows the table holds.

In: the intent, the version and its data files. Out: the leaf with its body (docs/proof.md, section 3). The same comes
out whoever pins a commit, its writer or who recovers it, but for the leaf's number.
"""

from collections.abc import Sequence
from typing import Any

from consent import journal, merkle, owners
from consent.append import canonical
from consent.journal import File, Intent, Leaf
from lake import layout, rows, subjects, tables
from pipeline.run import Run

PERSONAL = ("bronze", "quarantine", "gold", "shares")  # rooms whose rows have owners; ledger and ops copy the ledger


def leaf_of(run: Run, intent: Intent, version: int, commit_sha256: str, files: Sequence[File]) -> Leaf:
    sequence = journal.next_sequence(run.conn)
    is_owned = has_owners(run, intent.table, version)
    row_roots = _row_roots(run, intent.table, files) if is_owned else {}
    held = _subjects(run, intent.table, version) if is_owned else {}
    body: dict[str, Any] = {
        "authorisation_digest": intent.authorisation_digest or "",
        "code": intent.code_hash,
        "commit_sha256": commit_sha256,
        "delivery": intent.delivery,
        "files": [
            {"path": tables.decoded(f.path), "sha256": f.sha256, "rows": f.rows, "row_root": row_roots.get(f.path)}
            for f in files
        ],
        "ledger_position": intent.ledger_position,
        "ledger_root": intent.ledger_root,
        "run_id": intent.run_id,
        "sequence": sequence,
        "subject_roots": {
            str(bucket): {"count": one.count, "root": one.root.hex()} for bucket, one in subjects.roots(held).items()
        },
        "table": intent.table,
        "version": version,
    }
    return Leaf(
        table=intent.table,
        version=version,
        intent_id=intent.intent_id,
        run_id=intent.run_id,
        commit_sha256=commit_sha256,
        files=tuple(files),
        authorisation_digest=intent.authorisation_digest or "",
        ledger_position=intent.ledger_position,
        sequence=sequence,
        body=canonical(body).decode(),
    )


def has_owners(run: Run, table: str, version: int) -> bool:
    """Whether each row of the table is somebody's."""
    if not table.startswith(tuple(f"{room}/" for room in PERSONAL)):
        return False
    handle = tables.open_table(run.settings.lake_root, table, version)
    return handle is not None and rows.owner_column(tables.column_names(handle)) is not None


def _row_roots(run: Run, table: str, files: Sequence[File]) -> dict[str, str]:
    """Path as the log spells it -> root of the file's row tree, in hexadecimal."""
    base = layout.table_path(run.settings.lake_root, table)
    paths = {f.path: tables.decoded(f.path) for f in files}
    everybody = set().union(*(rows.owners(base / path) for path in paths.values()))
    secrets = owners.secrets_of(run.conn, run.secrets, everybody)
    return {spelt: merkle.root(rows.leaf_hashes(base / path, path, secrets)).hex() for spelt, path in paths.items()}


def _subjects(run: Run, table: str, version: int) -> subjects.Owners:
    return subjects.note(
        run.settings.lake_root, table, version, lambda bucket: owners.blinding_key(run.secrets, table, bucket)
    )
