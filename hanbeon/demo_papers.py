"""The papers of the demonstration: a service that still asks for them, compared with the data (shadow mode).

In: an open `Run` on a built world. Out: how many papers were compared. One in so many is misread by a stroke, so that
the report has a column that differs. A second run finds them compared.
"""

from collections.abc import Iterator
from typing import Any

from consent import applications, vault
from exchange.shadow import compare
from pipeline.run import Run
from schemas.services import Service, service
from sources.simulate.papers import papers

STILL_ASKED = ("SINGLE_PARENT", ("FAMR", "INCM"))
SELF = {"FAMR": "SELF_FLNM", "INCM": "INERN_NM"}
MOST_PAPERS = 20
ONE_MISREAD_IN, STROKE = 12, "ㅣ"

Paper = dict[str, Any]


def shadow(run: Run) -> int:
    """Compare the first papers of each document type."""
    compared = 0
    asking = service(STILL_ASKED[0])
    for document_type in STILL_ASKED[1]:
        for n, (application, paper) in enumerate(sorted(papers_of(run, asking, document_type))[:MOST_PAPERS]):
            if n % ONE_MISREAD_IN == 0:
                misread(paper, SELF[document_type])
            compared += compare(run, application, document_type, paper, "demo:case-worker").reason is None
    return compared


def papers_of(run: Run, asking: Service, document_type: str) -> Iterator[tuple[str, Paper]]:
    """(open application, what its applicant's paper says) in the simulated world."""
    variant = next(r.variant for r in asking.requirements if r.document_type == document_type)
    printed = papers(run.settings.home_path, document_type, str(variant))
    keys = vault.find(run.conn, run.secrets, asking.applicants[0], list(printed)).to_pylist()
    of_key = {key: paper for key, paper in zip(keys, printed.values(), strict=True) if key is not None}
    for row in applications.applications(run.conn, service=asking.id, state="open").to_pylist():
        if row["applicant_key"] in of_key:
            yield row["application_id"], of_key[row["applicant_key"]]


def misread(paper: Paper, path: str) -> None:
    """Plant a difference: a stroke too many, in the first line of a group."""
    group, _, column = path.rpartition(".")
    place = paper[group][0] if group else paper
    place[column] = f"{place[column]}{STROKE}"
