"""Analysts' SQL: aggregates only, one SELECT, recorded first, and nothing else within reach (F63)."""

import json
from pathlib import Path

import pytest

from consent import accesses
from exchange import sql, statement
from hanbeon.errors import Refused, UsageError
from pipeline.run import Run
from schemas.coverage import coverage
from tests.small_lake import SmallLake

GOOD = [
    "select * from bundles",
    "from bundles",
    "with b as (select * from bundles) select service, sum(applications) from b group by all",
    "select (select max(unexpected_count) from verdicts), count(*) from runs where exists (from bundles)",
    "select * from documents_replaced order by RTRC_AMT desc limit 3",
    "select x, x * 2 from range(3) as r(x)",
    "values (1), (2)",
    "select main.bundles.service from main.bundles",
    "select unnest([1, 2])",
]
REFUSED = [
    "select " + "(" * 5000,
    *(
        "",
        "   ",
        "-- nothing",
        ";",
        "nonsense",
        "select",
        "select from where",
        "\x00",
        "select '\ud800'",
        "select " + "(" * 5000,
    ),
    *("select 1; select 2", "select 1; drop table bundles", "delete from bundles", "update bundles set service = 'x'"),
    *("create table t as select 1", "drop table bundles", "insert into bundles values (1)", "truncate bundles"),
    *("copy bundles to '/tmp/out.csv'", "copy (select 1) to '/tmp/out.csv'", "copy bundles from '/etc/passwd'"),
    *("export database '/tmp/out'", "import database '/tmp/out'", "attach '/tmp/other.db'", "detach memory"),
    *("install httpfs", "load httpfs", "force install httpfs", "set threads = 1", "reset threads", "use memory"),
    *("pragma database_list", "pragma table_info('bundles')", "call pragma_version()", "checkpoint", "vacuum"),
    *("explain select 1", "describe bundles", "show tables", "summarize bundles", "prepare p as select 1", "execute p"),
    *(
        "select * from read_parquet('/etc/passwd')",
        "select * from read_csv('/etc/passwd')",
        "from read_blob('/etc/passwd')",
    ),
    *("select * from read_text('/etc/passwd')", "select * from '/etc/passwd'", "from 'gold/income_certificate'"),
    *("select * from glob('/etc/*')", "select * from sniff_csv('/etc/passwd')", "select * from delta_scan('gold')"),
    *(
        "select * from query('select 1')",
        "select * from query_table('bundles')",
        "from json_execute_serialized_sql('{}')",
    ),
    *(
        "select * from arrow_scan(1, 2, 3)",
        "select * from pandas_scan(1)",
        "from duckdb_settings()",
        "from duckdb_logs()",
    ),
    *(
        "from duckdb_secrets()",
        "select * from information_schema.tables",
        "from pg_catalog.pg_class",
        "from sqlite_master",
    ),
    *("from duckdb_tables", "from memory.main.bundles", "from pragma_database_size()", "from which_secret('a', 'b')"),
    *("with pg_class as (select 1) select * from (select 1) as x, pg_class", "select getenv('HOME')"),
    *("select current_setting('home_directory')", "select version()", "select getvariable('x')", "select pg_sleep(1)"),
    *("select write_log('x')", "select session_user()", "select * from (pivot bundles on state using count(*))"),
    *("select * from gold_income_certificate", "select * from given", "select * from held", "select * from run"),
]


@pytest.mark.parametrize("text", GOOD)
def test_a_select_over_the_relations_is_allowed(text: str) -> None:
    statement.check(text, sql.RELATIONS)


@pytest.mark.parametrize("text", REFUSED)
def test_anything_but_one_select_over_the_relations_is_refused_f63(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        statement.check(text, sql.RELATIONS)
    assert "/etc" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_offered_database_reaches_no_file_even_if_a_statement_got_through_f63(
    own_lake: SmallLake, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("name\n비밀\n", encoding="utf-8")
    held = [1]  # noqa: F841 - a Python object of this name must not become a relation
    escapes = [
        f"select * from read_csv('{secret}')",
        f"copy bundles to '{tmp_path / 'out.csv'}'",
        f"attach '{tmp_path / 'x.db'}'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "select * from held",
    ]
    with sql._offered(own_lake.run) as duck:
        for escape in escapes:
            with pytest.raises(Exception, match=r"Error"):
                duck.execute(escape)
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix in {".csv", ".db"}) == ["secret.csv"]


def test_small_groups_are_suppressed_and_counts_rounded_f63(own_lake: SmallLake) -> None:
    rows = sql.query(own_lake.run, "select state, applications, is_suppressed from bundles", "ana").rows

    assert rows == (("no_authorisation", None, True), ("satisfied_by_data", 5, False))


@pytest.mark.parametrize(("minimum", "shown"), [(6, 6), (7, 7), (8, None)])
def test_a_group_is_shown_from_the_setting_on(own_lake: SmallLake, minimum: int, shown: int | None) -> None:
    """Thresholds at plus and minus one: seven applications have data."""
    run = own_lake.run
    exchange = type(run.settings.exchange)(minimum_group=minimum)
    narrowed = type(run)(
        **{**vars(run), "settings": type(run.settings)(**{**vars(run.settings), "exchange": exchange})}
    )

    text = "select applications from bundles where state = 'satisfied_by_data'"
    assert sql.query(narrowed, text, "ana").rows == ((shown,),)


def test_a_reason_that_withheld_few_is_not_counted_out(own_lake: SmallLake) -> None:
    withheld = sql.query(own_lake.run, "select withheld from runs where verb = 'pull'", "ana").rows[0][0]

    assert json.loads(withheld) == {"paused": None}


def test_the_statute_registry_gives_the_coverage_that_the_command_prints(own_lake: SmallLake) -> None:
    text = """
        with served as (
            select law, kind, article, bool_and(is_data) as is_whole, bool_or(is_data) as is_part
            from statutes where document is not null group by all
        )
        select count(*) filter (is_whole), count(*) filter (is_part and not is_whole), count(*) filter (not is_part)
        from served
    """
    found = coverage().articles
    assert sql.query(own_lake.run, text, "ana").rows == ((found.fully, found.partly, found.not_at_all),)


def test_the_relations_hold_no_key_and_no_evidence(own_lake: SmallLake) -> None:
    columns = {row["column"] for row in sql.relations(own_lake.run)}

    assert {c for c in columns if c.startswith("_")} == set()
    assert columns.isdisjoint({"APLY_NO", "application_id", "authorisation_id"})
    assert {row["relation"] for row in sql.relations(own_lake.run)} == set(sql.RELATIONS)


def test_a_query_is_recorded_before_it_runs_p9(own_lake: SmallLake) -> None:
    run = own_lake.run
    with pytest.raises(UsageError):
        sql.query(run, "select nothing_like_this from bundles", "ana")

    found = accesses.listing(run.conn, reader="ana").to_pylist()

    assert [(a["action"], a["asked"]) for a in found] == [("sql", "select nothing_like_this from bundles")]


def test_no_record_no_answer_f62(own_lake: SmallLake) -> None:
    own_lake.run.conn.execute("drop table accesses")

    with pytest.raises(Refused, match="could not be recorded"):
        sql.query(own_lake.run, "select 1", "ana")


@pytest.mark.parametrize(
    "text",
    [
        "select cast(service as integer) from bundles",
        "select error(service) from bundles",
        "select cast('9021152345678' as date)",
        "select nope from bundles",
        "select nope('9021152345678')",
        "select 9223372036854775807 + count(*) from bundles",
        "select list_sum(list_transform(range(1), x -> x / nope)) from bundles",
    ],
)
def test_an_error_is_one_sentence_that_repeats_nothing_p8(own_lake: SmallLake, text: str) -> None:
    with pytest.raises(UsageError) as failed:
        sql.query(own_lake.run, text, "ana")

    said = str(failed.value)
    assert "\n" not in said
    assert not {"9021152345678", "nope", "SINGLE_PARENT"} & set(said.replace("'", " ").split())


def test_a_query_that_takes_too_long_is_stopped(own_lake: SmallLake) -> None:
    run = _with(own_lake.run, query_seconds=0.2)
    with pytest.raises(UsageError, match="stopped"):
        sql.query(run, "select count(*) from range(100000000000) as r(x) where hash(x) = 1", "ana")


def test_a_long_answer_is_cut_and_says_so(own_lake: SmallLake) -> None:
    answer = sql.query(_with(own_lake.run, query_rows=3), "select x from range(5) as r(x)", "ana")

    assert answer.rows == ((0,), (1,), (2,))
    assert answer.is_cut


def test_two_columns_of_one_name_are_both_answered(own_lake: SmallLake) -> None:
    assert sql.query(own_lake.run, "select 1 as a, 2 as a", "ana").as_dicts() == [{"a": 1, "a_2": 2}]


def _with(run: Run, **bounds: float) -> Run:
    exchange = type(run.settings.exchange)(**bounds)  # type: ignore[arg-type]
    settings = type(run.settings)(**{**vars(run.settings), "exchange": exchange})
    return type(run)(**{**vars(run), "settings": settings})
