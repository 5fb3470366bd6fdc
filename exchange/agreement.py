"""How far papers and data agree, document type by document type: what an agency decides by when to stop asking.

In: a run and who reads. Out: an `Agreement` for each recipient, service and document type, at the pointer. The bound is
what the share of agreeing papers is at least, at 95 % one-sided confidence (Clopper and Pearson): three papers in
agreement say no more than 37 %. Columns are named only where as many papers were compared as the setting's smallest
group; fewer could tell of one person.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, lgamma, log
from typing import Any

from consent.accesses import Access, Action, record
from consent.shadow import WHOLE
from pipeline.agreement import AGREEMENT
from pipeline.reading import read
from pipeline.run import Run
from schemas.contract import gold

CONFIDENCE = 0.95
MOST_COLUMNS = 3
DIFFERENT = ("NCNSN_NOCS", "DATA_ABSN_NOCS", "DCMNT_ABSN_NOCS")
STEPS = 60  # halvings, past the precision of a float


@dataclass(frozen=True)
class Agreement:
    """`papers` could be compared, `agreeing` of them in every field; `unreadable` more could not. `differing` columns

    come with the number of papers on which they differ or only one side has a value, the most first.
    """

    service: str
    recipient: str
    document_type: str
    papers: int
    agreeing: int
    unreadable: int
    at_least: float
    differing: tuple[tuple[str, int], ...]


def report(run: Run, reader: str, recipient: str | None = None) -> list[Agreement]:
    """Every document type with a paper, fewest agreeing first. Recorded before it is answered (P9)."""
    record(run.conn, Access(reader, Action.SQL, "shadow report", recipient=recipient), run.at())
    rows = read(run, f"gold/{AGREEMENT}", gold(AGREEMENT).gold_schema).to_pylist()
    of_document: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in rows:
        if recipient in (None, row["UTZTN_INST_CD"]):
            of_document.setdefault((row["SRVC_NO"], row["UTZTN_INST_CD"], row["RQDOC_CD"]), []).append(row)
    fewest = max(1, run.settings.exchange.minimum_group)
    found = [_agreement(names, own, fewest) for names, own in of_document.items()]
    return sorted(found, key=lambda a: (a.at_least, a.service, a.document_type))


def _agreement(names: tuple[str, str, str], rows: Iterable[dict[str, Any]], fewest: int) -> Agreement:
    agreeing = differing = unreadable = 0
    columns: dict[str, int] = {}
    for row in rows:
        different = sum(row[n] for n in DIFFERENT)
        if row["COL_NM"] == WHOLE:
            agreeing, differing = agreeing + row["CCRNC_NOCS"], differing + different
            unreadable += row["VRFC_IMPS_NOCS"]
        elif different:
            columns[row["COL_NM"]] = columns.get(row["COL_NM"], 0) + different
    papers = agreeing + differing
    most = sorted(columns.items(), key=lambda c: (-c[1], c[0]))[:MOST_COLUMNS] if papers >= fewest else []
    return Agreement(*names, papers, agreeing, unreadable, at_least(agreeing, papers), tuple(most))


def at_least(agreeing: int, papers: int) -> float:
    """The share at which as many agreeing papers, or more, would be as rare as 1 - CONFIDENCE."""
    if not agreeing:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        share = (low + high) / 2
        if _fewer_than(agreeing, papers, share) > CONFIDENCE:
            low = share
        else:
            high = share
    return low


def _fewer_than(agreeing: int, papers: int, share: float) -> float:
    """The chance of fewer agreeing papers than these, each agreeing with the same chance."""
    if share in (0.0, 1.0):
        return 1.0 - share
    whole = lgamma(papers + 1)
    # The shorter tail is summed: most papers agree.
    tail = sum(
        exp(whole - lgamma(k + 1) - lgamma(papers - k + 1) + k * log(share) + (papers - k) * log(1 - share))
        for k in range(agreeing, papers + 1)
    )
    return 1.0 - tail
