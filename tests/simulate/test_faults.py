"""Every switch makes its holder misbehave over the real wire, and healing ends it (F20 to F23, F27, F28)."""

import hashlib
import http.client
import json
import time
from pathlib import Path

import psycopg
import pytest

from hanbeon.errors import UsageError
from sources.simulate import faults, nightly
from sources.simulate.truth import truth
from tests.simulate.conftest import Reply, Served, ask_court, ask_mohw

FIELDS = ["name", "mainType"]


def disabled(served: Served) -> list[str]:
    return [str(i) for i in truth(served.home, "DISB")["disability_certificate"]["identifier"].to_pylist()]


def ask(served: Served, page: int = 1) -> Reply:
    return ask_mohw(served, disabled(served)[:20], FIELDS, page=page)


def test_a_switch_that_does_not_exist_is_refused(served: Served) -> None:
    with pytest.raises(UsageError, match="No such fault"):
        faults.inject(served.home, "mohw", nonsense=True)
    with pytest.raises(UsageError, match="No such fault"):
        faults.inject(served.home, "nobody", truncate=True)
    with pytest.raises(UsageError, match="Poison of mohw is one of"):
        faults.inject(served.home, "mohw", poison="arsenic")


def test_f21_strangers_and_extra_fields_come_along(healing: Served) -> None:
    faults.inject(healing.home, "mohw", strangers=3, extra_columns=True)
    page = ask(healing).json
    assert page["total"] == len(page["records"]) == 23
    assert len({r["rrn"] for r in page["records"]} - set(disabled(healing)[:20])) == 3
    assert all("bloodType" in r for r in page["records"])


def test_f20_counts_pages_and_bodies_are_wrong(healing: Served) -> None:
    faults.inject(healing.home, "mohw", wrong_count=True)
    assert ask(healing).json["total"] == 21
    faults.inject(healing.home, "mohw", duplicate_page=True)
    first, second = ask(healing).json, ask(healing, page=2).json
    assert (first["totalPages"], second["page"]) == (2, 2)
    assert first["records"] == second["records"]
    faults.inject(healing.home, "mohw", looping_page=True)
    assert [ask(healing, page=n).json["totalPages"] for n in (1, 2, 3)] == [2, 3, 4]
    faults.inject(healing.home, "mohw", error_body_200=True)
    assert "error" in ask(healing).json
    faults.inject(healing.home, "mohw", truncate=True)
    with pytest.raises(http.client.IncompleteRead):
        ask(healing)


def test_f20_a_bomb_is_small_on_the_wire_and_a_slow_holder_is_slow(healing: Served) -> None:
    faults.inject(healing.home, "mohw", slow=0.5)
    started = time.monotonic()
    assert ask(healing).status == 200
    assert time.monotonic() - started >= 0.5
    faults.inject(healing.home, "mohw", bomb=True)
    reply = ask(healing)
    assert reply.headers["content-encoding"] == "gzip"
    assert len(reply.body) < 2 * 1024 * 1024


def test_f27_f28_statuses_come_once_and_a_redirect_points_elsewhere(healing: Served) -> None:
    for switch, status in (("status_500_once", 500), ("status_401_once", 401), ("status_429_once", 429)):
        faults.inject(healing.home, "mohw", "", **{switch: True})
        assert [ask(healing).status, ask(healing).status] == [status, 200]
    faults.inject(healing.home, "mohw", redirect="http://192.0.2.1/")
    reply = ask(healing)
    assert (reply.status, reply.headers["location"]) == (302, "http://192.0.2.1/")


@pytest.mark.parametrize(
    ("poison", "needle"),
    [
        ("nul", b"\\u0000"),
        ("surrogate", b"\\ud800"),
        ("undecodable", b"\xff\xfe"),
        ("duplicate_keys", b'", "name": "'),
        ("huge", b"x" * 1_000),
    ],
)
def test_f23_some_json_records_are_poison_and_the_rest_is_well(healing: Served, poison: str, needle: bytes) -> None:
    clean = ask(healing).body
    faults.inject(healing.home, "mohw", poison=poison, every=4)
    spoiled = ask(healing).body
    assert needle in spoiled
    assert needle not in clean
    assert len(json.loads(clean)["records"]) == 20


@pytest.mark.parametrize(
    ("poison", "needle"),
    [
        ("nul", b"\x00"),
        ("surrogate", b"&#xD800;"),
        ("undecodable", b"\xff\xfe"),
        ("duplicate_keys", "</성명><성명>".encode()),
        ("huge", b"x" * 1_000),
        ("entity", b"<!DOCTYPE"),
        ("encoding", b'encoding="UTF-16"'),
    ],
)
def test_f23_some_certificates_are_poison(healing: Served, poison: str, needle: bytes) -> None:
    people = truth(healing.home, "FAMR")["family_relation_certificate"]["identifier"].to_pylist()[:20]
    clean = ask_court(healing, "family", people, "본인/성명", "specific").body
    faults.inject(healing.home, "scourt", poison=poison, every=4)
    spoiled = ask_court(healing, "family", people, "본인/성명", "specific").body
    assert needle in spoiled
    assert needle not in clean


def test_f22_codes_that_no_list_knows(healing: Served) -> None:
    faults.inject(healing.home, "mohw", unknown_code=True, every=4)
    codes = [r["mainType"] for r in ask(healing).json["records"]]
    assert 0 < codes.count("99") < len(codes)
    firms = truth(healing.home, "CORR")["corporate_registration"]["identifier"].to_pylist()
    faults.inject(healing.home, "scourt", unknown_code=True, every=4)
    assert '코드="9"' in ask_court(healing, "corporate", firms, "상태/@코드").body.decode("cp949")


def newest(home: Path) -> tuple[bytes, dict[str, object]]:
    data = sorted(nightly.outbox(home).glob("ELIG_*.dat"))[-1]
    return data.read_bytes(), json.loads(data.with_suffix(".ctl").read_text())


def test_f20_the_file_is_cut_or_its_control_file_lies(healing: Served) -> None:
    clean, control = newest(healing.home)
    faults.inject(healing.home, "nhis", truncate=True)
    body, said = newest(healing.home)
    assert clean.startswith(body)
    assert len(body) % (nightly.ELIGIBILITY.record_bytes + 1)
    assert said == control
    faults.inject(healing.home, "nhis", wrong_count=True)
    assert newest(healing.home)[1]["records"] == int(str(control["records"])) + 1
    faults.inject(healing.home, "nhis", bad_sha=True)
    body, said = newest(healing.home)
    assert said["sha256"] != hashlib.sha256(body).hexdigest()
    faults.heal(healing.home)
    assert newest(healing.home) == (clean, control)


def test_f23_the_file_holds_bytes_that_are_no_text_and_codes_that_are_none(healing: Served) -> None:
    faults.inject(healing.home, "nhis", poison="undecodable", unknown_code=True, every=7)
    body, control = newest(healing.home)
    with pytest.raises(UnicodeDecodeError):
        body.decode("cp949")
    records = [body[i : i + 401] for i in range(0, len(body), 401)]
    kinds = [r[18:19] for r in records if r[:1] == b"L"]
    assert 0 < kinds.count(b"9") < len(kinds) / 3
    assert control["sha256"] == hashlib.sha256(body).hexdigest()


def test_f22_a_column_is_renamed_and_a_code_is_unknown_in_postgresql(healing: Served) -> None:
    faults.inject(healing.home, "mois", renamed_column=True, extra_columns=True)
    with psycopg.connect(healing.endpoints.postgres["mois"]) as conn:
        shown = [c.name for c in conn.execute("select * from rr.household_extract limit 0").description or []]
    assert "head_nm" not in shown
    assert {"head_nm_renamed", "blood_type"} <= set(shown)
    faults.inject(healing.home, "nts", unknown_code=True)
    with psycopg.connect(healing.endpoints.postgres["nts"]) as conn:
        share = conn.execute("select avg((se_cd = '77')::int) from tax.income_line").fetchone()
    assert share is not None
    assert 0 < share[0] < 0.25
    faults.heal(healing.home)
    with psycopg.connect(healing.endpoints.postgres["mois"]) as conn:
        conn.execute("select head_nm from rr.household_extract limit 1")
