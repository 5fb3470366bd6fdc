"""Once a day: does what holders signed agree with what the pulls recorded?

In: the deliveries in the log (kind 6), and what each pull recorded in `ops/runs`. Out: differences, each recorded once
as a finding in the log (kind 5): a delivery whose count differs from what the pull counted, one of which no run tells,
and a pull of a holder that signs whose delivery was not signed.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from consent import bodies
from consent.append import instant_text
from consent.bodies import BodyKind
from pipeline.pull import contract_of
from pipeline.reading import runs
from pipeline.run import Run

KIND = "reconciliation"
LONGEST_PULL = timedelta(hours=2)  # until then a delivery may belong to a pull that is not done
SIGNING_FORMS = ("rest", "court_xml", "file")  # a PostgreSQL holder does not sign


@dataclass(frozen=True)
class Difference:
    """`what` is one of count_differs, not_recorded, unsigned."""

    dataset: str
    run_id: str
    what: str
    signed: int | None
    recorded: int | None


def reconcile(run: Run) -> list[Difference]:
    """Every difference, new ones recorded as findings. Said again, it records nothing twice."""
    known = {_key(body) for body in bodies.bodies(run.conn, BodyKind.FINDING) if body.get("kind") == KIND}
    found = list(differences(run))
    for one in found:
        body = {"kind": KIND, **vars(one)}
        if _key(body) not in known:
            bodies.record_body(run.conn, BodyKind.FINDING, body)
    return found


def differences(run: Run) -> Iterator[Difference]:
    pulled = {(row["run_id"], row["dataset"]): _counts(row) for row in runs(run).to_pylist() if row["verb"] == "pull"}
    signed = {(b["run_id"], b["dataset"]): b for b in bodies.bodies(run.conn, BodyKind.DELIVERY)}
    late = instant_text(run.at() - LONGEST_PULL)
    for (run_id, dataset), body in signed.items():
        counts = pulled.get((run_id, dataset))
        if counts is None:
            if body["received_at"] < late:
                yield Difference(dataset, run_id, "not_recorded", body["records"], None)
            continue
        is_file = contract_of(dataset).delivery.get("form") == "file"  # signed are its lines, a pull counts documents
        recorded = body["counted"] if is_file else counts.get("received")
        if recorded != body["records"]:
            yield Difference(dataset, run_id, "count_differs", body["records"], recorded)
    for (run_id, dataset), counts in pulled.items():
        form = contract_of(dataset).delivery.get("form")
        if form in SIGNING_FORMS and counts.get("received") and (run_id, dataset) not in signed:
            yield Difference(dataset, run_id, "unsigned", None, counts["received"])


def _counts(row: Mapping[str, Any]) -> dict[str, int]:
    return dict(json.loads(row["counts"]))


def _key(body: Mapping[str, Any]) -> tuple[Any, ...]:
    return body["dataset"], body["run_id"], body["what"]
