"""What a verb did, as numbers: shown after a run, kept in `ops/runs`, carried by asset events (P8: counts only)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa

RUNS_SCHEMA = pa.schema(
    [
        pa.field("run_id", pa.string()),
        pa.field("verb", pa.string()),
        pa.field("dataset", pa.string()),
        pa.field("started_at", pa.timestamp("us", tz="UTC")),
        pa.field("finished_at", pa.timestamp("us", tz="UTC")),
        pa.field("verdict", pa.string()),
        pa.field("ledger_position", pa.int64()),
        pa.field("code_hash", pa.string()),
        pa.field("counts", pa.string()),  # JSON object of integers
        pa.field("withheld", pa.string()),  # JSON object: reason -> count
        pa.field("versions", pa.string()),  # JSON object: table -> version
        pa.field("context_digest", pa.string()),  # what a publication was computed from, besides bronze
    ]
)


@dataclass(frozen=True)
class Summary:
    """`verdict` is passed, unchanged, refused or failed; `message` is a safe sentence when it is not good."""

    run_id: str
    verb: str
    dataset: str | None
    started_at: datetime
    finished_at: datetime
    verdict: str
    ledger_position: int
    code_hash: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    withheld: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    context_digest: str | None = None
    message: str | None = None

    @property
    def seconds(self) -> float:
        return (self.finished_at - self.started_at).total_seconds()

    def as_event(self) -> dict[str, str | int]:
        """What an asset event carries: run id, verdict, counts and table versions, no personal value."""
        event: dict[str, str | int] = {"run_id": self.run_id, "verb": self.verb, "verdict": self.verdict}
        event |= {f"count_{k}": v for k, v in self.counts.items()}
        event |= {f"withheld_{k}": v for k, v in self.withheld.items()}
        event |= {f"version_{k}": v for k, v in self.versions.items()}
        return event

    def as_row(self) -> dict[str, object]:
        return {
            "run_id": self.run_id,
            "verb": self.verb,
            "dataset": self.dataset,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "verdict": self.verdict,
            "ledger_position": self.ledger_position,
            "code_hash": self.code_hash,
            "counts": json.dumps(dict(self.counts), sort_keys=True),
            "withheld": json.dumps(dict(self.withheld), sort_keys=True),
            "versions": json.dumps(dict(self.versions), sort_keys=True),
            "context_digest": self.context_digest,
        }


def runs_table(summaries: Iterable[Summary]) -> pa.Table:
    return pa.Table.from_pylist([s.as_row() for s in summaries], schema=RUNS_SCHEMA)
