"""Shadow mode's counters: how often papers and data said the same, without a word of what they said.

In: a connection, and the verdicts of one paper that was just compared. Out: whether it counted, and the counters. A
paper counts once for its application and document; that it did is remembered without an instant, until the application
is decided, when nothing can be compared any more. The counters name nobody, so erasing changes none.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

import psycopg
import pyarrow as pa

WHOLE = "*"  # the column that stands for the whole paper
TABLES = """
create table if not exists shadow_compared (
    application_id text not null,
    document_type text not null,
    primary key (application_id, document_type)
);
create table if not exists shadow_counts (
    service text not null,
    recipient text not null,
    document_type text not null,
    column_path text not null,  -- '*' for the whole paper
    compared_on date not null,
    verdict text not null,
    papers bigint not null check (papers > 0),
    primary key (service, recipient, document_type, column_path, compared_on, verdict)
);
"""


class Verdict(StrEnum):
    """What comparing one field of a paper with the data found. A difference on either side is no agreement."""

    AGREES = "agrees"
    DIFFERS = "differs"
    ONLY_ON_PAPER = "only_on_paper"
    ONLY_IN_DATA = "only_in_data"
    NOT_COMPARABLE = "not_comparable"  # what stands on the paper is no value of the column: unreadable, no such day


COUNTS_SCHEMA = pa.schema(
    [
        *(pa.field(n, pa.string()) for n in ("service", "recipient", "document_type", "column_path")),
        pa.field("compared_on", pa.date32()),
        *(pa.field(v.value, pa.int64()) for v in Verdict),
    ]
)


def whole(verdicts: Mapping[str, Verdict]) -> Verdict:
    """What the paper as a whole is: in agreement if every field that could be compared agrees."""
    judged = set(verdicts.values()) - {Verdict.NOT_COMPARABLE}
    if not judged:
        return Verdict.NOT_COMPARABLE
    return Verdict.AGREES if judged == {Verdict.AGREES} else Verdict.DIFFERS


def is_compared(conn: psycopg.Connection, application_id: str, document_type: str) -> bool:
    row = conn.execute(
        "select 1 from shadow_compared where application_id = %s and document_type = %s",
        [application_id, document_type],
    ).fetchone()
    return row is not None


def count(
    conn: psycopg.Connection,
    application_id: str,
    document: tuple[str, str, str],
    day: date,
    verdicts: Mapping[str, Verdict],
) -> bool:
    """Count one paper of (service, recipient, document type); False if it was counted before. All or nothing."""
    with conn.transaction():
        conn.execute(
            "delete from shadow_compared where application_id in"
            " (select application_id from applications where state = 'decided')"
        )
        new = conn.execute(
            "insert into shadow_compared values (%s, %s) on conflict do nothing returning 1",
            [application_id, document[2]],
        ).fetchone()
        if new is None:
            return False
        rows = [(*document, path, day, str(v)) for path, v in sorted({**verdicts, WHOLE: whole(verdicts)}.items())]
        with conn.cursor() as cursor:
            cursor.executemany(
                "insert into shadow_counts values (%s, %s, %s, %s, %s, %s, 1) on conflict"
                " (service, recipient, document_type, column_path, compared_on, verdict)"
                " do update set papers = shadow_counts.papers + 1",
                rows,
            )
    return True


def counts(conn: psycopg.Connection) -> pa.Table:
    """The counters: one row for each service, recipient, document type, column and day, a number for each verdict."""
    sums = ", ".join(f"coalesce(sum(papers) filter (where verdict = '{v}'), 0)::bigint" for v in Verdict)
    names = "service, recipient, document_type, column_path, compared_on"
    rows = conn.execute(f"select {names}, {sums} from shadow_counts group by {names} order by {names}").fetchall()
    return pa.Table.from_pylist([dict(zip(COUNTS_SCHEMA.names, r, strict=True)) for r in rows], schema=COUNTS_SCHEMA)
