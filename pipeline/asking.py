"""The gate as a commit asks it: at the newest ledger position, not before anybody needs it, and again when it moved.

In: a run. Out: snapshot and gate relation of one moment, whether that moment is over, and the digest of what was
allowed. The moment is over when the ledger has a newer position, when an interval of an authorisation or approval
began or ended since (F7), or when the overlap of two versions of a contract ended: each may change the answer. A plan
that never asks (a table about no person) is never late.
"""

import hashlib
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from consent import gate, ledger
from consent.snapshot import Snapshot
from lake.engine import scratch
from pipeline.run import Run
from schemas.contract import published

KEPT = "_subject_key, document_type, variant, columns, recipient, service, purpose, authorisation_id, blocked"


class Asking:
    """One commit call's view of ledger and gate, shared by its plans as long as it is the newest."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._snapshot: Snapshot | None = None
        self._allowed: pa.Table | None = None
        self._was_asked = False
        self.position = 0
        self.at: datetime = run.at()

    def begin(self) -> None:
        """Before each attempt: forget what is no longer the newest."""
        self._was_asked = False
        if self._snapshot is None or self._is_over():
            self._snapshot = self._allowed = None
            self.position = ledger.position(self._run.conn)
            self.at = self._run.at()

    @property
    def snapshot(self) -> Snapshot:
        self._was_asked = True
        if self._snapshot is None:
            self._snapshot = ledger.snapshot(self._run.conn)
            self.position = self._snapshot.position
            self.at = self._run.at()
        return self._snapshot

    @property
    def allowed(self) -> pa.Table:
        if self._allowed is None:
            self._allowed = gate.allowed(self.snapshot, self.at)
        self._was_asked = True
        return self._allowed

    @property
    def digest(self) -> str:
        """sha256 of the authorisation set, row by row with its columns; empty when the plan did not ask the gate."""
        if not self._was_asked or self._allowed is None:
            return ""
        total = hashlib.sha256()
        with pa.ipc.new_stream(pa.PythonFile(_Digesting(total), "w"), self._allowed.schema) as stream:
            stream.write_table(self._allowed.combine_chunks(), max_chunksize=100_000)
        return total.hexdigest()

    def is_late(self) -> bool:
        """Whether what was asked since `begin` is no longer the newest answer."""
        return self._was_asked and self._is_over()

    def takes_away(self) -> bool:
        """Whether the gate of now lets less through than what was answered since `begin`."""
        now = gate.allowed(ledger.snapshot(self._run.conn), self._run.at())
        before = self.allowed
        with scratch() as duck:
            duck.register("before", before)
            duck.register("now", now)
            lost = duck.execute(f"select {KEPT} from before except select {KEPT} from now limit 1").fetchone()
        return lost is not None

    def _is_over(self) -> bool:
        if self._snapshot is None:
            return False
        has_moved = ledger.position(self._run.conn) != self.position or self._crosses(self._snapshot)
        return has_moved or self._ends_an_overlap()

    def _ends_an_overlap(self) -> bool:
        now = self._run.at()
        return any(c.is_over(now) and not c.is_over(self.at) for c in published())

    def _crosses(self, snapshot: Snapshot) -> bool:
        now = pa.scalar(self._run.at(), pa.timestamp("us", tz="UTC"))
        since = pa.scalar(self.at, now.type)
        return any(
            pc.any(pc.and_(pc.greater(table.column(name), since), pc.less_equal(table.column(name), now))).as_py()
            for table in (snapshot.authorisations, snapshot.approvals, snapshot.blocks, snapshot.representations)
            for name in ("valid_from", "valid_until", "retain_until", "of_age_at")
            if name in table.schema.names
        )


class _Digesting:
    """A file that keeps nothing but the digest of what is written to it."""

    closed = False

    def __init__(self, total: "hashlib._Hash") -> None:
        self._total = total

    def write(self, data: bytes) -> int:
        self._total.update(data)
        return len(data)

    def flush(self) -> None:
        return

    def close(self) -> None:
        self.closed = True
