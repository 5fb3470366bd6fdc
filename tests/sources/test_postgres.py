"""The PostgreSQL connector over a real PostgreSQL: F20 to F24, F27, F29, P2."""

import re
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pyarrow as pa
import pytest

from hanbeon.errors import DependencyDown, SchemaDrift, SettingsError, SourceError
from schemas.contract import read, source
from schemas.request import REQUEST_SCHEMA
from sources.connect import connect
from sources.endpoints import Endpoints
from tests.sources.asking import DUL, HANA, KEYS, SES, SETTINGS, STRANGER, ask, everything, pull

INCM, RRT = source("INCM"), source("RRT")

TAX = """
create schema tax;
create table tax.income_certificate (cert_no text primary key, rrn varchar(13), issu_no text, issu_ymd text,
  issu_inst_cd text, inern_nm text, changed_at timestamptz, is_deleted boolean, internal_note text default 'secret');
create index on tax.income_certificate (rrn);
create table tax.income_line (cert_no text, line_no int, attr_yr text, se_cd text, incm_amt bigint, earn_amt bigint,
  txbs_amt bigint, dcsn_txamt bigint, tsl_amt bigint, bplc_nm text, brno text);
create index on tax.income_line (cert_no);
"""
REGISTER = """
create schema rr;
create table rr.household_extract (extract_no char(13), rrn char(13), issu_no text, issu_ymd text, issu_inst_cd text,
  head_nm text, road_addr text, stdg_cd char(10), dong_cd text, zip text, mvin_ymd text, hh_rsn_cd text,
  changed_at timestamptz, is_deleted boolean);
create table rr.household_extract_member (extract_no char(13), line_no smallint, is_subject boolean, mbr_rrn char(13),
  mbr_nm text, rel_nm text, mbr_mvin_ymd text, stts_cd text, ntnlty_nm text);
"""


def _run(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True, client_encoding="UTF8") as connection:
        for statement in statements:
            connection.execute(statement)


def _certificate(number: str, rrn: str, name: str, at: str = "2026-05-01T00:00:00Z", deleted: bool = False) -> str:
    return (
        "insert into tax.income_certificate values "
        f"('{number}', '{rrn}', 'I-{number}', '20260601', '1210000', '{name}', '{at}', {deleted})"
    )


def _line(number: str, line: int, year: str, amount: int | None = None) -> str:
    return f"insert into tax.income_line values ('{number}', {line}, '{year}', '10', {amount or 'null'})"


@pytest.fixture
def tax(agency: str) -> str:
    _run(agency, TAX)
    return agency


@pytest.fixture
def nts(tax: str) -> Endpoints:
    return Endpoints(postgres={"nts": tax})


def test_documents_come_with_their_lines_in_order(tax: str, nts: Endpoints) -> None:
    _run(
        tax,
        _certificate("A", HANA, "김하나"),
        _line("A", 2, "2024", 3),
        _line("A", 1, "2025", 42_000_000),
        _certificate("B", DUL, "김둘"),
        _certificate("S", STRANGER, "남"),
    )
    rows, report = pull(INCM, everything(INCM, HANA, DUL, SES), nts)
    assert [(r["_subject_key"], r["_record_id"], r["inern_nm"]) for r in rows] == [
        (KEYS[HANA], "A", "김하나"),
        (KEYS[DUL], "B", "김둘"),
    ]
    assert [(x["_line_no"], x["attr_yr"], x["incm_amt"], x["brno"]) for x in rows[0]["lines"]] == [
        (1, "2025", 42_000_000, None),
        (2, "2024", 3, None),
    ]
    assert rows[1]["lines"] == []
    assert (report.asked, report.received, report.kept, report.signed_count) == (3, 2, 2, None)
    assert (report.is_complete, report.watermark) == (True, "2026-05-01T00:00:00+00:00")


def test_p2_uncovered_columns_and_unasked_subjects_never_leave_the_holder(tax: str, nts: Endpoints) -> None:
    _run(
        tax,
        _certificate("A", HANA, "김하나"),
        _line("A", 1, "2025", 7),
        _certificate("B", DUL, "김둘"),
        _line("B", 1, "2025", 7),
        _certificate("S", STRANGER, "남모름"),
    )
    wire = _Wiretap(tax)
    with wire as through:
        rows, _ = pull(
            INCM,
            ask(INCM, (HANA, ["ISSU_NO", "lines.EARN_BLN_YR"]), (DUL, ["INERN_NM"])),
            Endpoints(postgres={"nts": through}),
        )
    assert [(r["issu_no"], r["inern_nm"], r["lines"] and r["lines"][0]["attr_yr"]) for r in rows] == [
        ("I-A", None, "2025"),
        (None, "김둘", None),
    ]
    assert rows[1]["lines"] is None
    assert rows[0]["lines"][0]["incm_amt"] is None
    for value, has_left in (("김둘", True), ("김하나", False), ("남모름", False), ("secret", False), ("I-B", False)):
        assert (value.encode() in wire.received) is has_left, value


class _Wiretap:
    """A TCP relay before a PostgreSQL that keeps what the server sends."""

    def __init__(self, dsn: str) -> None:
        self._dsn, self.received = dsn, bytearray()

    def __enter__(self) -> str:
        parts = urlsplit(self._dsn)
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]

        def relay(into: socket.socket, out: socket.socket, keep: bool) -> None:
            while data := out.recv(65536):
                if keep:
                    self.received += data
                into.sendall(data)
            into.shutdown(socket.SHUT_WR)

        def accept() -> None:
            client, _ = self._listener.accept()
            with client, socket.create_connection(("127.0.0.1", parts.port or 5432)) as backend:
                up = threading.Thread(target=relay, args=(backend, client, False))
                up.start()
                relay(client, backend, True)
                up.join()

        self._thread = threading.Thread(target=accept)
        self._thread.start()
        query = f"{parts.query}&" if parts.query else ""
        host = f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{port}" if "@" in parts.netloc else f"127.0.0.1:{port}"
        return urlunsplit(parts._replace(netloc=host, query=query + "sslmode=disable"))

    def __exit__(self, *_: object) -> None:
        self._thread.join(10)
        self._listener.close()


def test_a_subject_that_is_new_brings_its_whole_history_others_what_changed_since(tax: str, nts: Endpoints) -> None:
    _run(
        tax,
        *(
            _certificate(f"{who}{at[8:10]}", rrn, "김", at)
            for who, rrn in (("A", HANA), ("B", DUL))
            for at in ("2026-05-01T00:00:00Z", "2026-05-03T00:00:00Z", "2026-05-05T00:00:00Z")
        ),
    )
    both = everything(INCM, HANA, DUL, watermark="2026-05-03T00:00:00+00:00")
    table = both.table.set_column(4, REQUEST_SCHEMA.field("is_new"), pa.array([False, True]))
    rows, report = pull(INCM, replace(both, table=table), nts)
    assert [r["_record_id"] for r in rows] == ["A03", "A05", "B01", "B03", "B05"]  # the instant itself comes again
    assert report.watermark == "2026-05-05T00:00:00+00:00"


def test_a_watermark_does_not_go_back(tax: str, nts: Endpoints) -> None:
    _run(tax, _certificate("A", HANA, "김", "2020-01-01T00:00:00Z"))
    _, report = pull(INCM, everything(INCM, HANA, watermark="2026-05-03T00:00:00+00:00", is_new=True), nts)
    assert (report.received, report.watermark) == (1, "2026-05-03T00:00:00+00:00")


def test_a_deleted_record_comes_without_content(tax: str, nts: Endpoints) -> None:
    _run(tax, _certificate("A", HANA, "김하나", deleted=True), _line("A", 1, "2025"))
    (row,), _ = pull(INCM, everything(INCM, HANA), nts)
    assert (row["_is_deleted"], row["inern_nm"], row["lines"]) == (True, None, None)


def test_f24_of_several_versions_the_holder_sends_the_newest(tax: str, nts: Endpoints) -> None:
    _run(
        tax,
        "alter table tax.income_certificate drop constraint income_certificate_pkey",
        _certificate("A", HANA, "새이름", "2026-05-02T00:00:00Z"),
        _certificate("A", HANA, "옛이름"),
    )
    (row,), _ = pull(INCM, everything(INCM, HANA), nts)
    assert row["inern_nm"] == "새이름"


@pytest.fixture
def mois(agency: str) -> Endpoints:
    _run(
        agency,
        REGISTER,
        f"insert into rr.household_extract values ('RR01', '{HANA}', 'R-1', '20260601', '1741000', '김하나', '길 1', "
        "'1111010100', null, null, '20200101', '01', '2026-05-01', false)",
        "insert into rr.household_extract_member values "
        f"('RR01', 1, true, '{HANA}', '김하나', '본인', null, '01', null), "
        f"('RR01', 2, false, '{DUL}', '김둘', '자녀', null, '01', null)",
    )
    return Endpoints(postgres={"mois": agency})


@pytest.mark.parametrize(("variant", "names"), [("members_included", ["김하나", "김둘"]), ("head_only", ["김하나"])])
def test_p2_the_narrow_variant_brings_the_subjects_own_line_only(
    mois: Endpoints, variant: str, names: list[str]
) -> None:
    (row,), _ = pull(RRT, everything(RRT, HANA, variant=variant), mois)
    assert (row["_variant"], row["_record_id"]) == (variant, "RR01")
    assert [m["mbr_nm"] for m in row["members"]] == names
    assert row["members"][0]["mbr_rrn"] == HANA


def test_both_variants_of_one_subject_come_side_by_side(mois: Endpoints) -> None:
    one, two = (everything(RRT, HANA, variant=v) for v in RRT.variants)
    rows, _ = pull(RRT, replace(one, table=pa.concat_tables([one.table, two.table])), mois)
    assert {r["_variant"]: len(r["members"]) for r in rows} == {"members_included": 2, "head_only": 1}


def test_one_person_under_two_numbers_gets_a_record_once(tax: str, nts: Endpoints) -> None:
    _run(
        tax,
        _certificate("A", HANA, "김하나"),
        "alter table tax.income_certificate rename to certificates",
        "create view tax.income_certificate as select * from tax.certificates union all select cert_no, "
        f"'{DUL}', issu_no, issu_ymd, issu_inst_cd, inern_nm, changed_at, is_deleted, null from tax.certificates",
    )
    both = everything(INCM, HANA, DUL)
    table = both.table.set_column(1, REQUEST_SCHEMA.field("_subject_key"), pa.array([7, 7], pa.int64()))
    rows, report = pull(INCM, replace(both, table=table), nts)
    assert [(r["_subject_key"], r["_record_id"]) for r in rows] == [(7, "A")]
    assert report.dropped == {"superseded": 1}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            "alter table tax.income_certificate rename inern_nm to name",
            "column inern_nm .* string, found no such column",
        ),
        ("alter table tax.income_line alter incm_amt type text", "column lines.incm_amt .* found the type text"),
        ("alter table tax.income_line alter incm_amt type numeric", "found the type numeric"),
        (
            "alter table tax.income_certificate alter changed_at type timestamp",
            "changed_at .* found the type timestamp",
        ),
        ("alter table tax.income_certificate alter is_deleted type text", "column is_deleted is expected as boolean"),
        ("alter table tax.income_line rename to lines", "column tax.income_line is expected as a relation"),
        ("drop schema tax cascade", "column tax.income_certificate is expected as a relation"),
    ],
)
def test_f22_a_changed_relation_is_drift_before_anything_is_asked(
    tax: str, nts: Endpoints, change: str, sentence: str
) -> None:
    _run(tax, _certificate("A", HANA, "김하나"), change)
    with pytest.raises(SchemaDrift, match=f"source:nts:income 1.0.0: .*{sentence}"):
        pull(INCM, everything(INCM, HANA), nts)


def test_more_columns_at_the_holder_are_no_drift(tax: str, nts: Endpoints) -> None:
    _run(tax, "alter table tax.income_line add extra text", _certificate("A", HANA, "김하나"))
    assert len(pull(INCM, everything(INCM, HANA), nts)[0]) == 1


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        ("update tax.income_certificate set inern_nm = repeat('가', 10000000) where cert_no = 'A'", "too_long"),
        ("update tax.income_line set bplc_nm = repeat('a', 1000001) where cert_no = 'A'", "too_long"),
        ("update tax.income_certificate set changed_at = 'infinity' where cert_no = 'A'", "control_value_missing"),
        ("update tax.income_certificate set changed_at = null where cert_no = 'A'", "control_value_missing"),
        ("update tax.income_certificate set changed_at = '9999-12-31' where cert_no = 'A'", "time_out_of_range"),
        ("update tax.income_certificate set is_deleted = null where cert_no = 'A'", "control_value_missing"),
        ("update tax.income_certificate set inern_nm = U&'\\FFFD' where cert_no = 'A'", "undecodable"),
        ("update tax.income_line set line_no = -1 where cert_no = 'A'", "line_number_unreadable"),
        ("insert into tax.income_line select 'A', n, '2025' from generate_series(2, 10001) n", "too_many_lines"),
    ],
)
def test_f23_a_poison_record_is_withheld_and_the_rest_goes_on(tax: str, nts: Endpoints, flaw: str, reason: str) -> None:
    _run(tax, _certificate("A", HANA, "김하나"), _line("A", 1, "2025"), _certificate("B", DUL, "김둘"), flaw)
    rows, report = pull(INCM, everything(INCM, HANA, DUL), nts)
    assert [r["_record_id"] for r in rows] == ["B"]
    assert (report.withheld, set(report.withheld_subjects)) == ({reason: 1}, {KEYS[HANA]})
    assert report.watermark == "2026-05-01T00:00:00+00:00"


def test_f23_text_in_no_encoding_at_all_is_narrowed_down_to_its_record(agency_cluster: str) -> None:
    name = "agency_ascii"
    _run(agency_cluster, f"create database {name} encoding 'SQL_ASCII' locale 'C' template template0")
    try:
        dsn = urlunsplit(urlsplit(agency_cluster)._replace(path="/" + name))
        people = [f"{n:013d}" for n in range(30)]
        _run(
            dsn,
            TAX,
            *(_certificate(p[-3:], p, "김") for p in people),
            "update tax.income_certificate set inern_nm = E'\\xb1\\xe8' where cert_no = '017'",
        )
        rows, report = pull(INCM, everything(INCM, *people), Endpoints(postgres={"nts": dsn}))
        assert {r["_record_id"] for r in rows} == {p[-3:] for p in people} - {"017"}
        assert report.withheld == {"undecodable": 1}
        _run(dsn, "update tax.income_certificate set inern_nm = E'\\xb1\\xe8'")
        with pytest.raises(SourceError, match="answer after answer"):
            pull(INCM, everything(INCM, *people), Endpoints(postgres={"nts": dsn}))
    finally:
        _run(agency_cluster, f"drop database {name} with (force)")


def test_f26_names_that_look_like_sql_are_values(tax: str, nts: Endpoints) -> None:
    name = "x'); drop table tax.income_line; --\\ \t\n{{ 7*7 }} =cmd()"
    with psycopg.connect(tax, autocommit=True) as connection:
        connection.execute(_certificate("A", HANA, "?").replace("'?'", "%s"), [name])
    rows, _ = pull(INCM, everything(INCM, HANA, "x\\N\t'); --"), nts)
    assert [r["inern_nm"] for r in rows] == [name]


def test_f29_a_statement_that_takes_too_long_is_stopped(tax: str, nts: Endpoints) -> None:
    _run(
        tax,
        _certificate("A", HANA, "김하나"),
        "alter table tax.income_certificate rename to c",
        "create view tax.income_certificate as select c.* from tax.c, pg_sleep(30)",
    )
    before = time.monotonic()
    with pytest.raises(SourceError, match="nts did not answer for nts/income in time"):
        pull(INCM, everything(INCM, HANA), nts, replace(SETTINGS, timeout_seconds=0.5))
    assert time.monotonic() - before < 20


def test_f29_a_server_that_hangs_is_left_when_the_time_of_the_dataset_ends(tax: str) -> None:
    """A relay that goes deaf in the middle: neither statement time-out nor cancel request reaches anybody."""
    parts = urlsplit(tax)
    listener = socket.create_server(("127.0.0.1", 0))

    def deaf() -> None:
        client, _ = listener.accept()
        with client, socket.create_connection(("127.0.0.1", parts.port or 5432)) as backend:
            for sock in (client, backend):
                sock.settimeout(0.3)
            try:
                while True:
                    for a, b in ((client, backend), (backend, client)):
                        data = a.recv(65536)
                        if b"income_certificate" in data:
                            client.settimeout(20)
                            client.recv(1)  # until the connector hangs up
                            return
                        b.sendall(data)
            except OSError:
                return

    thread = threading.Thread(target=deaf)
    thread.start()
    netloc = parts.netloc.rpartition(":")[0] + f":{listener.getsockname()[1]}"
    query = f"{parts.query}&sslmode=disable" if parts.query else "sslmode=disable"
    dsn = urlunsplit(parts._replace(netloc=netloc, query=query))
    with pytest.raises(SourceError, match="nts took longer than a dataset may take"):
        pull(INCM, everything(INCM, HANA), Endpoints(postgres={"nts": dsn}), replace(SETTINGS, dataset_seconds=1.0))
    thread.join()
    listener.close()


def test_an_error_of_the_holder_shows_its_code_and_no_value(tax: str, nts: Endpoints) -> None:
    _run(
        tax,
        _certificate("A", HANA, "김하나"),
        "alter table tax.income_certificate rename to c",
        "create function tax.leak(t text) returns text language plpgsql as "
        "$$ begin raise exception 'cannot show %', t using errcode = '42501'; end $$",
        "create view tax.income_certificate as select cert_no, rrn, issu_no, issu_ymd, issu_inst_cd, "
        "tax.leak(inern_nm) as inern_nm, changed_at, is_deleted from tax.c",
    )
    with pytest.raises(SourceError, match=r"nts refused the question for nts/income \(SQLSTATE 42501\)") as caught:
        pull(INCM, everything(INCM, HANA), nts)
    assert caught.value.__cause__ is None
    assert "김하나" not in str(caught.value)


def test_a_database_that_is_down_is_a_dependency_that_is_down(tax: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(DependencyDown, match="database of nts"):
        pull(INCM, everything(INCM, HANA), Endpoints(postgres={"nts": f"postgresql://someone@127.0.0.1:{port}/nts"}))


@pytest.mark.parametrize(
    ("dsn", "error"),
    [
        ("postgresql://169.254.169.254/nts", SourceError),
        ("postgresql://127.0.0.2/nts", SourceError),
        ("host=127.0.0.1 hostaddr=10.0.0.1", SettingsError),
        ("host=127.0.0.1,10.0.0.1", SettingsError),
        ("service=nts", SettingsError),
        ("postgresql://[", SettingsError),
    ],
)
def test_f27_only_allowed_hosts_are_dialled(dsn: str, error: type[Exception]) -> None:
    with pytest.raises(error, match="nts"):
        pull(INCM, everything(INCM, HANA), Endpoints(postgres={"nts": dsn}))


def test_a_part_is_asked_after_the_other(tax: str, nts: Endpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sources.postgres._PART", 7)
    people = [f"{n:013d}" for n in range(50)]
    _run(tax, *(_certificate(p[-3:], p, "김") for p in people))
    rows, report = pull(INCM, everything(INCM, *people), nts)
    assert (len(rows), report.kept) == (50, 50)


def test_abandoning_a_delivery_leaves_no_connection_and_no_watermark(tax: str, nts: Endpoints) -> None:
    _run(tax, _certificate("A", HANA, "김하나"))
    delivery = connect(INCM, everything(INCM, HANA), nts, SETTINGS)
    batches = delivery.batches()
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert (delivery.report.is_complete, delivery.report.watermark) == (False, None)
    with psycopg.connect(tax) as connection:
        for _ in range(600):
            found = connection.execute(
                "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() "
                "and backend_type = 'client backend'"
            ).fetchone()
            if found == (0,):
                break
            time.sleep(0.05)
    assert found == (0,)


def test_the_contract_alone_decides_so_a_new_dataset_needs_no_python(tmp_path: Path, tax: str) -> None:
    """The income contract with other names, at another holder."""
    text = INCM.path.read_text(encoding="utf-8")
    for old, new in (("tax.income_certificate", "stat.paper"), ("tax.", "stat."), ("inern_nm", "who")):
        text = text.replace(old, new)
    path = tmp_path / "kostat__income.yaml"
    path.write_text(re.sub(r"\bnts\b", "kostat", text), encoding="utf-8")
    contract = read(path)
    _run(
        tax,
        _certificate("A", HANA, "김하나"),
        "alter schema tax rename to stat",
        "alter table stat.income_certificate rename to paper",
        "alter table stat.paper rename inern_nm to who",
    )
    (row,), _ = pull(contract, everything(contract, HANA), Endpoints(postgres={"kostat": tax}))
    assert (contract.dataset, row["who"]) == ("kostat/income", "김하나")


def test_a_request_set_of_many_column_sets_keeps_each_subject_to_its_own(tax: str, nts: Endpoints) -> None:
    people = [f"{n:013d}" for n in range(8)]
    _run(tax, *(_certificate(p[-1], p, f"이름{p[-1]}") for p in people))
    paths = ["ISSU_NO", "ISSU_YMD", "INERN_NM"]
    sets = [frozenset(p for bit, p in enumerate(paths) if n >> bit & 1) for n in range(8)]
    rows, _ = pull(INCM, ask(INCM, *zip(people, sets, strict=True)), nts)
    shown = {
        r["_record_id"]: {p for p, c in zip(paths, ("issu_no", "issu_ymd", "inern_nm"), strict=True) if r[c]}
        for r in rows
    }
    assert shown == {str(n): set(s) for n, s in enumerate(sets)}
