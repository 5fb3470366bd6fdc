"""No row holds a column that the authorisations which cover it do not let stand (P1, P2): the offline verifier says so.

A writer that ignores the gate commits through the write protocol, so that log and files agree: only the ledger's events
contradict it.
"""

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from consent import approvals, ledger
from hanbeon import authenticating, granting
from lake import tables
from pipeline.bronze import quarantine_schema
from pipeline.commit import Change, Plan, commit
from pipeline.gold import share_schema
from pipeline.ledger_copy import copy_ledger
from schemas.contract import gold
from schemas.services import service
from tests.small_lake import FAMR, SmallLake
from verify import lake as full
from verify import rows
from verify.standing import Scope, Standing

PARENT, CHILD = gold("family_relation_certificate"), gold("family_relation_certificate__relatives")
TABLES = {
    "gold": (f"gold/{PARENT.name}", PARENT.gold_schema),
    "lines": (f"gold/{CHILD.name}", CHILD.gold_schema),
    "share": (f"shares/mogef/{PARENT.name}", share_schema(PARENT, "mogef")),
    "bronze": (f"bronze/{FAMR.dataset}", FAMR.bronze_schema),
    "quarantine": (f"quarantine/{FAMR.dataset}", quarantine_schema(FAMR)),
}
Row = dict[str, Any]


@pytest.fixture
def narrow(own_lake: SmallLake) -> str:
    """The third citizen, who has no row yet, consents to two columns of the family register alone."""
    run, three = own_lake.run, own_lake.three
    wide = granting.grant(service("SINGLE_PARENT"), three.key, three.application, run.at())
    columns = ("ISSU_NO", "relatives.FAM_NM")
    scopes = tuple(replace(s, columns=columns) for s in wide.scopes if s.document_type == "FAMR")
    given = authenticating.simulated(run, [replace(wide, scopes=scopes)], run.at())
    return ledger.grant(run.conn, given, run.at())[0]


def plant(lake: SmallLake, which: str, key: str | None, kept: dict[str, Any], is_instead: bool = False) -> None:
    """Beside what is there (or instead of it), one row under this authorisation with these values."""
    name, schema = TABLES[which]
    held = read(lake, which).to_pylist()
    model = read(lake, "bronze" if which == "quarantine" else which).to_pylist()[0]
    own = {n: v for n, v in model.items() if n.startswith("_")} | {"_authorisation_id": key}
    own |= ({} if which == "share" else {"_subject_key": lake.three.key}) | kept
    wanted = pa.Table.from_pylist([own] if is_instead else [own, *held], schema=schema)
    buckets = None if which == "share" else (0,)
    commit(lake.run, [Plan(name, schema, lambda _: Change(wanted, buckets), partitioned=which != "share")], {})


def read(lake: SmallLake, which: str) -> pa.Table:
    name, schema = TABLES[which]
    return tables.read(lake.run.settings.lake_root, name, schema=schema)


def findings(lake: SmallLake, which: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What the verifier finds, which must be about this table alone."""
    copy_ledger(lake.run)
    capsys.readouterr()
    code = full.main(lake.run.settings.lake_root, None, None, False)
    found = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAILED ")]
    assert bool(found) == bool(code)
    start = f"FAILED {TABLES[which][0]}: "
    assert [f for f in found if not f.startswith(start)] == []
    return [f.removeprefix(start) for f in found]


# table -> what is allowed; one value too many; what is said
TOO_MANY: dict[str, tuple[Row, Row, str]] = {
    "gold": ({"ISSU_NO": "1"}, {"SELF_FLNM": "x"}, "they hold SELF_FLNM, which no authorisation lets stand"),
    "share": ({"ISSU_NO": "1"}, {"GNDR_CD": "1"}, "they hold GNDR_CD, which no authorisation lets stand"),
    "lines": ({"FAM_NM": "x"}, {"DTH_YN": "N"}, "they hold relatives.DTH_YN, which no authorisation lets stand"),
    "bronze": ({"issu_no": "1"}, {"self_nm": "x"}, "they hold more columns than authorisations let stand"),
    "quarantine": ({"issu_no": "1"}, {"self_nm": "x"}, "they hold more columns than authorisations let stand"),
}


@pytest.mark.parametrize("which", TOO_MANY)
def test_one_value_too_many_is_found_and_named(
    own_lake: SmallLake, narrow: str, which: str, capsys: pytest.CaptureFixture[str]
) -> None:
    allowed, extra, said = TOO_MANY[which]
    plant(own_lake, which, narrow, allowed, is_instead=True)
    assert findings(own_lake, which, capsys) == []
    plant(own_lake, which, narrow, {**allowed, **extra}, is_instead=True)
    assert findings(own_lake, which, capsys) == [f"1 rows: {said}"]


@pytest.mark.parametrize("which", ["gold", "share", "bronze", "quarantine"])
def test_a_row_that_names_no_authorisation_hides_nobody(
    own_lake: SmallLake, narrow: str, which: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A first row without one once ended the check of its table."""
    plant(own_lake, which, None, {})
    assert findings(own_lake, which, capsys) == [f"1 rows: {rows.NOT_IN_FORCE}"]


@pytest.mark.parametrize("which", ["gold", "bronze"])
def test_a_row_about_nobody_or_somebody_else_is_found(
    own_lake: SmallLake, narrow: str, which: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(own_lake, which, narrow, {"_subject_key": own_lake.one.key})
    assert findings(own_lake, which, capsys) == ["1 rows: their authorisation is about somebody else"]


def test_rows_without_an_approval_are_found(own_lake: SmallLake, capsys: pytest.CaptureFixture[str]) -> None:
    """The writer looks at the authorisations alone: both of the register's approvals are suspended."""
    run = own_lake.run
    held = read(own_lake, "gold")
    for row in approvals.approvals(run.conn).to_pylist():
        if row["document_type"] == "FAMR":
            ledger.suspend_approval(run.conn, row["approval_id"], run.at())
    name, schema = TABLES["gold"]
    commit(run, [Plan(name, schema, lambda _: Change(held, (0,)), partitioned=True)], {})
    assert findings(own_lake, "gold", capsys) == [f"{held.num_rows} rows: {rows.NOTHING_STANDS}"]


def test_a_copy_of_the_ledger_without_its_newest_events_is_found(
    own_lake: SmallLake, capsys: pytest.CaptureFixture[str]
) -> None:
    """A withdrawal that is left out of the copy would let its rows stand."""
    assert findings(own_lake, "gold", capsys) == []
    ledger.withdraw(own_lake.run.conn, str(own_lake.two.consent), own_lake.run.at())
    held, (name, schema) = read(own_lake, "gold"), TABLES["gold"]
    commit(own_lake.run, [Plan(name, schema, lambda _: Change(held, (0,)), partitioned=True)], {})
    full.main(own_lake.run.settings.lake_root, None, None, False)
    assert f"FAILED {name}: ledger/events ends at " in capsys.readouterr().out
    assert findings(own_lake, "gold", capsys) == [f"1 rows: {rows.NOT_IN_FORCE}"]


def scope(recipient: str, *columns: str, document: str = "FAMR", kept_out: frozenset[int] = frozenset()) -> Scope:
    return Scope((7, document, "general"), frozenset(columns), recipient, kept_out)


BOTH = {"a": [scope("mogef", "ISSU_NO", "relatives.FAM_BRDT")], "b": [scope("mohw", "ISSU_NO", "relatives.FAM_NM")]}


@pytest.mark.parametrize(
    ("table", "witness", "said"),
    [
        ("gold/x__relatives", "b", ""),
        ("shares/mogef/x__relatives", "a", ""),
        ("shares/mohw/x__relatives", "b", "they hold relatives.FAM_BRDT, which no authorisation lets stand"),
        ("shares/mohw/x__relatives", "a", "their authorisation names another recipient"),
        ("gold/x__owners", "a", "they hold owners.FAM_BRDT, which no authorisation lets stand"),
        ("gold/x", "a", "they hold FAM_BRDT, which no authorisation lets stand"),
    ],
)
def test_gold_holds_what_all_let_stand_together_a_share_what_those_of_its_recipient_do(
    table: str, witness: str, said: str
) -> None:
    row = {"_authorisation_id": witness, "FAM_BRDT": "20260601"}
    if table.startswith("gold/"):
        row |= {"_subject_key": 7, "_variant": "general"}
    assert rows.wrong(table, [row], Standing(BOTH), {"FAMR"}) == (1, {said: 1} if said else {})


def test_an_authorisation_for_another_document_covers_nothing_of_this_one() -> None:
    """The document of a table is what most of its rows name; columns of the others do not count for it."""
    standing = Standing({**BOTH, "c": [scope("mogef", "SELF_FLNM", document="INCM")]})
    own = {"_subject_key": 7, "_variant": "general"}
    good, other = {**own, "_authorisation_id": "a", "ISSU_NO": "1"}, {**own, "_authorisation_id": "c"}
    documents = rows.most_named(rows.named([good, good, other], standing))
    assert documents == {"FAMR"}
    assert rows.wrong("gold/x", [other], standing, documents)[1] == {"their authorisation is about another document": 1}
    (finding,) = rows.wrong("gold/x", [{**good, "SELF_FLNM": "x"}], standing, documents)[1]
    assert "SELF_FLNM" in finding


def test_a_line_about_a_person_whom_a_block_keeps_out_is_found() -> None:
    standing = Standing({"a": [scope("mogef", "relatives.FAM_NM", kept_out=frozenset({9}))]})
    own = {"_subject_key": 7, "_variant": "general", "_authorisation_id": "a"}
    for table, row in {
        "gold/x__relatives": {**own, "_person_key": 9},
        "bronze/scourt/family": {**own, "relatives": [{"_line_no": 1, "_person_key": 9}]},
    }.items():
        assert list(rows.wrong(table, [row], standing, {"FAMR"})[1]) == [
            "they show a person whom a disclosure block keeps out"
        ]
