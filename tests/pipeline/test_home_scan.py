"""`erase --now`: the values of who is erased are nowhere in the home, and what still holds them is named (P4)."""

import gzip
import sqlite3
import zipfile
from pathlib import Path

import duckdb
import pytest

from consent import bodies, erasures, ledger
from consent.bodies import BodyKind
from consent.erasures import Values
from hanbeon.errors import IntegrityError
from lake.needles import Needles
from pipeline import home_scan
from pipeline.erase import erase
from tests.pipeline.test_forgetting import inventory, leave_for_good
from tests.small_lake import NAMES, TWO, SmallLake

NAME = NAMES[1]


def write_json(path: Path) -> None:
    path.write_text('{"name": "' + NAME.encode("unicode_escape").decode() + '"}')


def write_gzip(path: Path) -> None:
    path.write_bytes(gzip.compress(f"x{NAME}y".encode()))


def write_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.txt", "a" * 5_000 + f"{TWO[:6]}-{TWO[6:]}")


def write_sqlite(path: Path) -> None:
    conn = sqlite3.connect(path)
    conn.execute("create table log (message text)")
    conn.execute("insert into log values (?)", ["가" * 20_000 + NAME])
    conn.commit()
    conn.close()


def write_duckdb(path: Path) -> None:
    with duckdb.connect(str(path)) as conn:
        conn.execute("create table made as select ? || '님' as name from range(5000)", [NAME])


WRITERS = {
    "cp949": lambda path: path.write_bytes(f"성명 {NAME}".encode("cp949")),
    "utf-16": lambda path: path.write_bytes(NAME.encode("utf-16")),
    "number": lambda path: path.write_text(TWO),
    "json": write_json,
    "gzip": write_gzip,
    "zip": write_zip,
    "sqlite": write_sqlite,
    "duckdb": write_duckdb,
}


@pytest.fixture
def of_two() -> erasures.Erasure:
    values = Values((("FLNM", (NAME,)), ("identifier", (TWO,))), 0, 0)
    return erasures.Erasure(1, "r", None, 1, (), ("evid-nowhere",), values)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", WRITERS)
def test_a_value_is_found_however_it_is_written(still_lake: SmallLake, of_two: erasures.Erasure, kind: str) -> None:
    home = still_lake.run.settings.home_path
    path = home / f"left-{kind}"
    assert path not in {finding.path for finding in home_scan.scan(still_lake.run, of_two).findings}
    try:
        WRITERS[kind](path)
        found = [finding.kind for finding in home_scan.scan(still_lake.run, of_two).findings if finding.path == path]
    finally:
        path.unlink(missing_ok=True)
    assert found == ["identifier" if kind in ("number", "zip") else "FLNM"]


def test_a_file_that_cannot_be_read_is_not_vouched_for(still_lake: SmallLake, of_two: erasures.Erasure) -> None:
    path = still_lake.run.settings.home_path / "cut.gz"
    try:
        path.write_bytes(gzip.compress(b"x" * 100_000)[:-20])
        findings = home_scan.scan(still_lake.run, of_two).findings
    finally:
        path.unlink(missing_ok=True)
    assert home_scan.Finding(path, home_scan.UNREADABLE) in findings


def test_erase_now_looks_for_what_went_and_for_nothing_that_others_hold(own_lake: SmallLake) -> None:
    run, two = own_lake.run, own_lake.two
    leave_for_good(own_lake, two)
    summary = erase(run, is_now=True)
    body = bodies.bodies(run.conn, BodyKind.CERTIFICATE)[-1]
    assert summary.counts["certificate"] == body["number"]
    assert body["scan"]["residue"] == 0
    assert body["scan"]["files"] > 20
    assert inventory(own_lake)["database"][0] == "erased"
    excluded = {entry["what"]: entry["why"] for entry in body["excluded"]}
    assert "write-ahead log, statistics and backups of the ledger's server" in excluded
    shared = [what for what, why in excluded.items() if "rows that stay say them too" in why]
    assert len(shared) == 1  # every family certificate of this lake was issued under one number
    assert run.conn.execute("select count(*) from erasures where sealed is not null").fetchone() == (0,)


def test_a_file_that_still_says_it_is_named_and_the_erasure_waits_for_its_removal(own_lake: SmallLake) -> None:
    run, two = own_lake.run, own_lake.two
    left = run.settings.home_path / "notes.txt"
    left.write_text(f"{NAME} 님")
    leave_for_good(own_lake, two)
    with pytest.raises(IntegrityError, match=r"notes\.txt still holds: ") as refused:
        erase(run, is_now=True)
    assert NAME not in str(refused.value)
    assert TWO not in str(refused.value)
    assert bodies.bodies(run.conn, BodyKind.CERTIFICATE) == []
    assert erase(run).verdict == "unchanged"  # what waits for a person holds up no other erasure
    left.unlink()
    erase(run, is_now=True)
    (body,) = bodies.bodies(run.conn, BodyKind.CERTIFICATE)
    assert {t["table"]: t["rows_removed"] for t in body["tables"]}["gold/family_relation_certificate"] == 1
    assert inventory(own_lake)["persons"] == ("erased", "1")


def test_an_erasure_without_now_says_what_it_left_undone(own_lake: SmallLake) -> None:
    run, two = own_lake.run, own_lake.two
    ledger.withdraw(run.conn, str(two.consent), run.at())
    erase(run)
    body = bodies.bodies(run.conn, BodyKind.CERTIFICATE)[-1]
    what = {entry["what"] for entry in body["excluded"]}
    assert "dead rows and write-ahead log of the ledger's database" in what
    assert "files of the home outside of the lake" in what


def test_a_name_is_looked_for_as_korean_files_write_it() -> None:
    sought = Needles([NAME])
    assert sought.count(NAME.encode("cp949")) == {0: 1}
    assert sought.count(NAME.encode("unicode_escape")) == {0: 1}
