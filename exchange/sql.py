"""SQL for analysts, over aggregates only.

In: one SELECT and who asks. Out: columns and rows. The relations are physical copies in an in-memory DuckDB that can
reach no file, no address, no extension and no Python object, and whose configuration is locked: what is not copied
cannot be read (F63). The query is recorded before it runs (P9), refused if it cannot be (F62), and stops at the
setting's seconds and rows. An error is one sentence that repeats nothing of the query or of the data (P8).

    bundles              applications by service, recipient, document type and state; small groups suppressed
    documents_replaced   decided requirements, and the paper and money that data saved
    verdicts             what the quality gate found, expectation by expectation
    runs                 what each run did
    shadow_agreement     how often papers and data say the same, column by column; small groups suppressed
    statutes             articles of law and the documents that they ask for, whether these come as data
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from consent.accesses import Access, Action, record
from exchange import statement
from hanbeon.errors import UsageError
from pipeline.agreement import AGREEMENT
from pipeline.reading import read, runs, verdicts
from pipeline.run import Run
from schemas.contract import gold
from schemas.statutes import PUBLISHED

RELATIONS: Mapping[str, str] = {
    "bundles": "Applications by service, recipient, document type and state; small groups suppressed, counts rounded",
    "documents_replaced": "Decided requirements, and the paper and money that data saved",
    "verdicts": "What the quality gate found, expectation by expectation",
    "runs": "What each run did",
    "shadow_agreement": "How often papers and data say the same; small groups suppressed, counts rounded",
    "statutes": "Articles of law and the documents that they ask for; one row for each article and document",
}
PRIVATE_RUN_COLUMNS = ("context_digest", "code_hash")
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "memory_limit": "512MB",
    "threads": "2",
    "temp_directory": "",
}
_BUNDLES = """
create table bundles as
with counted as (
    select
        SRVC_NO as service,
        UTZTN_INST_CD as recipient,
        RQDOC_CD as document_type,
        RQDOC_STTS_NM as state,
        count(distinct APLY_NO) as exact,
    from given
    group by all
)
select
    service, recipient, document_type, state,
    case when exact >= $minimum then cast(round(exact / $minimum) * $minimum as bigint) end as applications,
    exact < $minimum as is_suppressed,
from counted
order by all
"""

_SHADOW = """
create table shadow_agreement as
with exact as (
    select
        SRVC_NO as service,
        UTZTN_INST_CD as recipient,
        RQDOC_CD as document_type,
        COL_NM as column_name,
        sum(CCRNC_NOCS) as agrees,
        sum(NCNSN_NOCS) as differs,
        sum(DATA_ABSN_NOCS) as only_on_paper,
        sum(DCMNT_ABSN_NOCS) as only_in_data,
        sum(VRFC_IMPS_NOCS) as not_comparable,
    from given
    group by all
),
grouped as (
    select
        * exclude (agrees, differs, only_on_paper, only_in_data, not_comparable),
        unnest([
            {'verdict': 'agrees', 'exact': agrees},
            {'verdict': 'differs', 'exact': differs},
            {'verdict': 'only_on_paper', 'exact': only_on_paper},
            {'verdict': 'only_in_data', 'exact': only_in_data},
            {'verdict': 'not_comparable', 'exact': not_comparable}
        ], recursive := true),
    from exact
)
select
    service, recipient, document_type, column_name, verdict,
    case when exact >= $minimum then cast(round(exact / $minimum) * $minimum as bigint) end as papers,
    exact < $minimum as is_suppressed,
from grouped
where exact > 0
order by all
"""
_STATUTES = """
    STT_NM as law,
    STT_KND_NM as kind,
    LPRVS_NM as article,
    AGRE_RFSL_PSBLTY_YN = 'Y' as has_refusal_clause,
    STT_RQDOC_NO as document,
    RQDOC_CD as document_type,
    DATA_PVSN_YN = 'Y' as is_data,
    SRVC_LIST_CN as services
"""


@dataclass(frozen=True)
class Answer:
    """`types` are DuckDB's names. `is_cut` when the setting's number of rows ended the answer."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    is_cut: bool = False

    def as_dicts(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def query(run: Run, text: str, reader: str) -> Answer:
    """Answer one SELECT. Raises UsageError for anything else, Refused when the query cannot be recorded."""
    statement.check(text, RELATIONS)
    record(run.conn, Access(reader=reader, action=Action.SQL, asked=text), run.at())
    bounds = run.settings.exchange
    with _offered(run) as duck:
        return _answer(duck, text, bounds.query_seconds, bounds.query_rows)


def relations(run: Run) -> list[dict[str, str]]:
    """What can be queried: relation, column, type, and what it means."""
    with _offered(run) as duck:
        columns = duck.execute(
            "select table_name, column_name, data_type from duckdb_columns() where not internal"
            " order by table_name, column_index"
        ).fetchall()
    keys = ("relation", "column", "type")
    korean = {c.name: c.korean for c in gold("documents_replaced").columns}
    return [
        dict(zip(keys, c, strict=True)) | {"korean": korean.get(c[1], ""), "about": RELATIONS[c[0]]} for c in columns
    ]


@contextmanager
def _offered(run: Run) -> Iterator[duckdb.DuckDBPyConnection]:
    """A locked DuckDB that holds the relations and nothing else."""
    with duckdb.connect(":memory:", config=_CONFIG) as duck:
        bundles = read(run, "gold/service_bundles", gold("service_bundles").gold_schema)
        duck.register("given", bundles.select(["APLY_NO", "SRVC_NO", "UTZTN_INST_CD", "RQDOC_CD", "RQDOC_STTS_NM"]))
        duck.execute(_BUNDLES, {"minimum": max(1, run.settings.exchange.minimum_group)})
        duck.unregister("given")
        replaced = gold("documents_replaced")
        held = read(run, "gold/documents_replaced", replaced.gold_schema)
        _copy(duck, "documents_replaced", held.select([c.name for c in replaced.columns]))
        _copy(duck, "verdicts", verdicts(run))
        _copy(duck, "runs", _runs(run))
        duck.register("given", read(run, f"gold/{AGREEMENT}", gold(AGREEMENT).gold_schema))
        duck.execute(_SHADOW, {"minimum": max(1, run.settings.exchange.minimum_group)})
        duck.unregister("given")
        held = read(run, f"gold/{PUBLISHED}", gold(PUBLISHED).gold_schema)
        _copy(duck, "statutes", held, _STATUTES)
        duck.execute("set enable_external_access = false")
        duck.execute("set lock_configuration = true")
        yield duck


def _copy(duck: duckdb.DuckDBPyConnection, name: str, table: pa.Table, columns: str = "*") -> None:
    duck.register("given", table)
    duck.execute(f"create table {name} as select {columns} from given")
    duck.unregister("given")


def _runs(run: Run) -> pa.Table:
    """Runs without what only an auditor needs; a reason that withheld very few is not counted out."""
    held = runs(run)
    minimum = run.settings.exchange.minimum_group
    withheld = [_suppressed(text, minimum) for text in held.column("withheld").to_pylist()]
    place = held.schema.get_field_index("withheld")
    return held.set_column(place, "withheld", pa.array(withheld, pa.string())).drop_columns(list(PRIVATE_RUN_COLUMNS))


def _suppressed(text: str | None, minimum: int) -> str:
    given: dict[str, int] = json.loads(text or "{}")
    return json.dumps({reason: count if count >= minimum else None for reason, count in sorted(given.items())})


def _answer(duck: duckdb.DuckDBPyConnection, text: str, seconds: float, most_rows: int) -> Answer:
    clock = threading.Timer(seconds, duck.interrupt)
    clock.daemon = True
    clock.start()
    try:
        cursor = duck.execute(text)
        columns = cursor.description or []
        rows = cursor.fetchmany(most_rows + 1)
    except (duckdb.Error, ValueError, OverflowError) as error:
        raise UsageError(_sentence(error, seconds)) from None
    finally:
        clock.cancel()
    names = _distinct([str(c[0]) for c in columns])
    types = tuple(str(c[1]) for c in columns)
    return Answer(names, types, tuple(map(tuple, rows[:most_rows])), is_cut=len(rows) > most_rows)


def _distinct(names: list[str]) -> tuple[str, ...]:
    """Two columns of one name would overwrite each other in a JSON object."""
    return tuple(n if n not in names[:i] else f"{n}_{i + 1}" for i, n in enumerate(names))


def _sentence(error: Exception, seconds: float) -> str:
    """What went wrong, by the kind of error alone: DuckDB's own text repeats the query and the data."""
    if isinstance(error, duckdb.InterruptException):
        return f"The query took longer than {seconds:g} seconds and was stopped. Ask for less."
    if isinstance(error, duckdb.OutOfMemoryException):
        return "The query needs more memory than a query is given. Ask for less."
    if isinstance(error, duckdb.BinderException | duckdb.CatalogException):
        return "The query names a column or function that is not there. `hanbeon sql` alone lists what is."
    if isinstance(error, duckdb.ConversionException | duckdb.OutOfRangeException):
        return "A value in the query cannot become the type that it is compared with or cast to."
    return "The query cannot be answered. `hanbeon sql` alone lists relations and columns."
