"""Once a day: does what holders signed agree with what the pulls recorded?

In: the deliveries in the log (kind 6), and what each pull recorded in `ops/runs`. Out: differences, each recorded once
as a finding in the log (kind 5): a delivery whose count differs from what the pull counted, one of which no run tells,
and a pull of a holder that signs whose delivery was not signed.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from consent import bodies
from consent.append import instant_text
from consent.bodies import BodyKind
from pipeline.reading import runs
from pipeline.run import Run
from schemas.contract import sources

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
    """A run that was tried again has several rows and deliveries under one id: each delivery needs one that agrees."""
    forms = {contract.dataset: contract.delivery.get("form") for contract in sources()}
    pulled: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in runs(run).to_pylist():
        if row["verb"] == "pull" and row["dataset"] in forms:  # of a dataset that is pulled no more nothing is owed
            pulled[row["run_id"], row["dataset"]].append(json.loads(row["counts"]).get("received", 0))
    delivered = [body for body in bodies.bodies(run.conn, BodyKind.DELIVERY) if body["dataset"] in forms]
    late = instant_text(run.at() - LONGEST_PULL)
    for body in delivered:
        run_id, dataset, recorded = body["run_id"], body["dataset"], pulled.get((body["run_id"], body["dataset"]))
        if recorded is None:
            if body["received_at"] < late:
                yield Difference(dataset, run_id, "not_recorded", body["records"], None)
            continue
        counted = (
            [body["counted"]] if forms[dataset] == "file" else recorded
        )  # signed are lines, a pull counts documents
        if body["records"] not in counted:
            yield Difference(dataset, run_id, "count_differs", body["records"], counted[-1])
    signed = {(body["run_id"], body["dataset"]) for body in delivered}
    for (run_id, dataset), counts in pulled.items():
        if forms[dataset] in SIGNING_FORMS and any(counts) and (run_id, dataset) not in signed:
            yield Difference(dataset, run_id, "unsigned", None, max(counts))


def _key(body: Mapping[str, Any]) -> tuple[Any, ...]:
    return body["dataset"], body["run_id"], body["what"]
