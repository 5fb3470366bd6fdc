"""What recomputing counts and bundles whole costs, at so many documents: seconds for each step of a publication.

    .venv/bin/python -m bench.counts [--documents 100000]

Out: lines of figures. `documents_replaced` is counted by the text of the dbt models themselves, without dbt's own
start; bundles by `pipeline.bundles`, all of them open, consented, and there as data.
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

import duckdb
import jinja2
import pyarrow as pa
import yaml

from consent.applications import Decided
from consent.gate import EXPLAINED_SCHEMA, GATE_SCHEMA
from consent.snapshot import APPLICATIONS_SCHEMA, PAPERS_SCHEMA
from pipeline import bundles
from pipeline.counting import decided_rows
from pipeline.evidence import ASKED_SCHEMA, EVIDENCE_SCHEMA
from pipeline.sharing import whole_if_changed
from pipeline.standardise import FOLDER
from schemas.services import Service, services

MODELS = (
    "staging/context/stg_context__decisions",
    "intermediate/int_decisions__deduplicated",
    "intermediate/int_decisions__costed",
    "marts/documents_replaced",
)
AT = datetime(2026, 6, 1, tzinfo=UTC)


@contextmanager
def timed(what: str) -> Iterator[None]:
    began, used = time.perf_counter(), time.process_time()
    yield
    print(f"{what:58} {time.perf_counter() - began:8.3f} s  {time.process_time() - used:8.3f} s of processor")


def numbered(documents: int) -> list[tuple[int, Service, list[str]]]:
    """So many applications, over all services in turn, that they need at least so many documents."""
    found: list[tuple[int, Service, list[str]]] = []
    total = 0
    for n in count():
        chosen = services()[n % len(services())]
        needed = [r.document_type for r in chosen.needed_of(chosen.applicants[0]) if r.is_available]
        found.append((n, chosen, needed))
        total += len(needed)
        if total >= documents:
            return found
    raise AssertionError


def decided(documents: int) -> pa.Table:
    rows = (
        Decided(f"dcsn_{n:032x}", s.id, s.recipient, s.applicants[0], "approved", AT + timedelta(days=n % 250),
                dict.fromkeys(needed, "data"))
        for n, s, needed in numbered(documents)
    )  # fmt: skip
    return decided_rows(list(rows))


def count_models(decisions: pa.Table) -> pa.Table:
    """What dbt would make of the decisions: its models' own text, one table after the other."""
    with duckdb.connect(":memory:") as duck:
        duck.register("arriving", decisions.append_column("sheets", pa.nulls(decisions.num_rows, pa.int64())))
        duck.execute("create table decisions as select * from arriving")
        for model in MODELS:
            name = model.rsplit("/", 1)[1]
            text = (FOLDER / "models" / f"{model}.sql").read_text(encoding="utf-8")
            duck.execute(f"create table {name} as {_rendered(text)}")
        return duck.sql("select * from documents_replaced order by all").to_arrow_table()


def _rendered(text: str) -> str:
    variables = yaml.safe_load((FOLDER / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    given = {
        "ref": lambda name: name,
        "source": lambda _, name: name,
        "var": variables.__getitem__,
        "word_list": lambda name: "'" + "', '".join(variables[name]) + "'",
    }
    return jinja2.Template(text).render(given)


def open_applications(documents: int) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Applications, what the gate lets flow for them, and evidence for each of their documents."""
    applications, allowed, held = [], [], []
    for n, s, _ in numbered(documents):
        applications.append({"application_id": f"A-{n}", "service": s.id, "recipient": s.recipient, "applicant_key": n,
                             "applicant_kind": s.applicants[0], "opened_at": AT, "state": "open"})  # fmt: skip
        for r in s.needed_of(s.applicants[0]):
            row = {"_subject_key": n, "document_type": r.document_type, "variant": r.variant}
            allowed.append({**row, "_grantor_key": n, "columns": list(r.columns), "recipient": s.recipient,
                            "service": s.id, "application_id": f"A-{n}", "authorisation_id": f"C-{n}"})  # fmt: skip
            held.append({"document_type": r.document_type, "_subject_key": n, "_variant": r.variant,
                         "_evidence_id": f"{n}-{r.document_type}", "_observed_at": AT})  # fmt: skip
    return (
        pa.Table.from_pylist(applications, schema=APPLICATIONS_SCHEMA),
        pa.Table.from_pylist(allowed, schema=GATE_SCHEMA),
        pa.Table.from_pylist(held, schema=EVIDENCE_SCHEMA),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    documents = parser.parse_args().documents
    told = decided(documents)
    with timed(f"documents_replaced over {told.num_rows:,} decided documents"):
        counted = count_models(told)
    with timed("  the digest that says whether they are due"):
        bundles.digest({"decisions": told})
    with timed(f"  its {counted.num_rows:,} rows held against the table's"):
        whole_if_changed(counted, counted)
    applications, allowed, held = open_applications(documents)
    papers, explained = PAPERS_SCHEMA.empty_table(), EXPLAINED_SCHEMA.empty_table()
    with timed(f"requirements of {applications.num_rows:,} open applications"):
        needed = bundles.requirements(applications, papers, allowed, explained)
    with timed(f"service_bundles over their {needed.num_rows:,} documents"):
        rows = bundles.stated(needed, held, ASKED_SCHEMA.empty_table(), AT.date())
    with timed("  its rows held against the table's"):
        whole_if_changed(rows, rows)


if __name__ == "__main__":
    main()
