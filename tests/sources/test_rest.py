"""The REST/JSON connector over a real HTTP server: F20 to F24, P2."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hanbeon.errors import SchemaDrift, SourceError
from schemas.contract import source
from sources.connect import connect
from sources.endpoints import Endpoints
from tests.sources.asking import DUL, HANA, KEYS, SES, SETTINGS, STRANGER, ask, everything, pull
from tests.sources.servers import Heard, Said, Server

DISB = source("DISB")
JSON = {"Content-Type": "application/json"}


def record(
    identifier: str, record_id: str = "D1", at: str = "2026-05-01T09:00:00+09:00", **fields: Any
) -> dict[str, Any]:
    """A record with every field of the contract."""
    own = {c.name: None for c in DISB.content} | {"name": "김하나", "mainType": "03"}
    return {"rrn": identifier, "registrationId": record_id, "updatedAt": at, "deleted": False} | own | fields


def page(*records: dict[str, Any], number: int = 1, pages: int = 1, total: int | None = None) -> Said:
    total = len(records) if total is None else total
    body = {"page": number, "totalPages": pages, "total": total, "records": list(records)}
    return Said(json.dumps(body).encode(), headers=JSON)


def honest(*records: dict[str, Any]) -> Callable[[Heard], Said]:
    """A holder that filters: asked subjects, asked fields, changed since."""

    def answer(heard: Heard) -> Said:
        asked = {s["id"]: s for s in heard.json["subjects"]}
        kept = []
        for r in records:
            subject = asked.get(r["rrn"])
            if subject and not (subject["changedSince"] and r["updatedAt"] < subject["changedSince"]):
                control = ("rrn", "registrationId", "updatedAt", "deleted")
                kept.append({k: v for k, v in r.items() if k in control or k in subject["fields"]})
        return page(*kept)

    return answer


@pytest.fixture
def mohw(server: Server, tmp_path: Path) -> Endpoints:
    return Endpoints(rest={"mohw": server.endpoint(tmp_path)})


def test_p2_only_asked_subjects_and_fields_are_asked_of_the_holder(server: Server, mohw: Endpoints) -> None:
    server.answer = honest(record(HANA), record(DUL, name="김둘"), record(STRANGER))
    rows, report = pull(DISB, ask(DISB, (HANA, ["FLNM"]), (DUL, ["MDSBLTY_TYPE_CD", "FLNM"])), mohw)
    assert {s["id"]: s["fields"] for s in server.asked[0].json["subjects"]} == {
        HANA: ["name"],
        DUL: ["name", "mainType"],
    }
    assert [(r["_subject_key"], r["name"], r["mainType"], r["issueNo"]) for r in rows] == [
        (KEYS[HANA], "김하나", None, None),
        (KEYS[DUL], "김둘", "03", None),
    ]
    assert (report.asked, report.received, report.kept, report.signed_count, report.is_complete) == (2, 2, 2, 2, True)
    assert report.watermark == "2026-05-01T00:00:00+00:00"
    assert (report.dropped, report.withheld) == ({}, {})


def test_what_changed_since_the_watermark_is_asked_with_an_overlap_and_the_new_whole(
    server: Server, mohw: Endpoints
) -> None:
    server.answer = honest()
    old, new = "2026-05-01T00:00:00+00:00", None
    _, report = pull(DISB, everything(DISB, HANA, watermark=old), mohw)
    _, _ = pull(DISB, everything(DISB, HANA, watermark=old, is_new=True), mohw)
    assert [h.json["subjects"][0]["changedSince"] for h in server.asked] == ["2026-04-30T23:59:00+00:00", new]
    assert report.watermark == old  # nothing newer came


def test_a_record_deleted_at_the_holder_comes_without_content(server: Server, mohw: Endpoints) -> None:
    server.answer = lambda _: page(record(HANA, deleted=True, name="김하나"))
    (row,), _ = pull(DISB, everything(DISB, HANA), mohw)
    assert (row["_is_deleted"], row["_record_id"], row["name"]) == (True, "D1", None)


def test_f24_versions_of_a_record_in_any_order_and_on_any_page_the_newest_wins(server: Server, mohw: Endpoints) -> None:
    versions = [record(HANA, at=f"2026-05-0{d}T00:00:00Z", name=f"이름{d}") for d in (2, 3, 1)]
    server.answer = lambda h: page(versions[h.json["page"] - 1], number=h.json["page"], pages=3, total=3)
    (row,), report = pull(DISB, everything(DISB, HANA), mohw)
    assert (row["name"], report.dropped, report.received) == ("이름3", {"superseded": 2}, 3)


def test_f21_strangers_and_extra_columns_are_dropped_counted_and_never_echoed(server: Server, mohw: Endpoints) -> None:
    server.answer = lambda _: page(record(HANA, religion="불교"), record(STRANGER, name="남"))
    rows, report = pull(DISB, ask(DISB, (HANA, ["FLNM"])), mohw)
    assert [(r["_subject_key"], r["name"], r["mainType"]) for r in rows] == [(KEYS[HANA], "김하나", None)]
    assert report.dropped == {"not_requested": 1, "column_not_requested": len(DISB.content)}
    assert "불교" not in str(report)
    assert STRANGER not in str(report)


PAGES: dict[str, tuple[Callable[[int], Said], str]] = {
    "another page than asked": (lambda n: page(record(HANA), number=7), "page 1 answers as page 7"),
    "fewer records than announced": (lambda n: page(record(HANA), total=2), "page 1 is the last, and 1 of 2"),
    "totals that change": (
        lambda n: page(record(HANA, f"D{n}"), number=n, pages=2, total=n + 1),
        "page 2 has other totals",
    ),
    "the same records again": (lambda n: page(record(HANA), number=n, pages=2, total=2), "page 2 repeats"),
    "an empty page": (lambda n: page(*[record(HANA)][: 2 - n], number=n, pages=2, total=2), "page 2 is empty"),
    "pages without end": (
        lambda n: page(record(HANA, f"D{n}"), number=n, pages=10**9, total=3),
        "announces 1000000000 pages",
    ),
    "a flood": (
        lambda n: page(record(HANA), total=10**9, pages=10**6),
        "announces 1000000000 records for 1 subjects",
    ),
}


@pytest.mark.parametrize("flaw", PAGES)
def test_f20_pages_that_contradict_each_other_yield_nothing(server: Server, mohw: Endpoints, flaw: str) -> None:
    said, sentence = PAGES[flaw]
    server.answer = lambda h: said(h.json["page"])
    delivery = connect(DISB, everything(DISB, HANA, watermark="2026-01-01T00:00:00Z"), mohw, SETTINGS)
    with pytest.raises(SourceError, match=f"mohw.*{sentence}"):
        list(delivery.batches())
    assert (delivery.report.is_complete, delivery.report.watermark, delivery.report.kept) == (False, None, 0)


@pytest.mark.parametrize(
    "said",
    [
        Said(b'{"error": "internal", "detail": "9021011000001"}', headers=JSON),
        Said(b"<html>down for maintenance</html>", headers={"Content-Type": "text/html"}),
        Said(b'{"page": 1, "totalPages": 1, "total": "1", "records": []}', headers=JSON),
        Said(b'{"page": 1, "totalPages": 1, "total": 1, "total": 0, "records": []}', headers=JSON),
        Said(b"[]", headers=JSON),
    ],
)
def test_f20_an_error_that_says_200_is_an_error(server: Server, mohw: Endpoints, said: Said) -> None:
    server.answer = lambda _: said
    with pytest.raises(SourceError, match="mohw answered the request for page 1") as caught:
        pull(DISB, everything(DISB, HANA), mohw)
    assert HANA not in str(caught.value)


@pytest.mark.parametrize(
    ("flaw", "column", "found"),
    [
        ({"name": 7}, "name", "integer"),
        ({"name": ["김하나"]}, "name", "list"),
        ({"deleted": "N"}, "deleted", "string"),
    ],
)
def test_f22_a_value_of_another_type_is_drift(
    server: Server, mohw: Endpoints, flaw: dict[str, Any], column: str, found: str
) -> None:
    server.answer = lambda _: page(record(HANA, **flaw))
    with pytest.raises(SchemaDrift, match=f"source:mohw:disability 1.0.0: column {column} .* found {found}"):
        pull(DISB, everything(DISB, HANA), mohw)


@pytest.mark.parametrize("missing", ["guardianName", "updatedAt", "rrn", "registrationId", "deleted"])
def test_f22_a_renamed_field_is_drift_even_where_it_may_be_empty(server: Server, mohw: Endpoints, missing: str) -> None:
    renamed = record(HANA)
    renamed["renamed"] = renamed.pop(missing)
    server.answer = lambda _: page(renamed)
    with pytest.raises(SchemaDrift, match=f"column {missing} is expected as a field of every record"):
        pull(DISB, everything(DISB, HANA), mohw)


def _body(poison: bytes) -> Said:
    """One page: a record with a raw JSON text in place of its name, and a good record."""
    bad, good = record(HANA, name="POISON"), record(DUL, name="김둘")
    body = {"page": 1, "totalPages": 1, "total": 2, "records": [bad, good]}
    return Said(json.dumps(body).encode().replace(b'"POISON"', poison), headers=JSON)


@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        (b'"A\\u0000B"', "nul"),
        (b'"A\x00B"', "nul"),
        (b'"\\ud800"', "lone_surrogate"),
        (b'"\xb1\xe8"', "undecodable"),
        (b"NaN", "not_a_number"),
        (b"-Infinity", "not_a_number"),
        (b"1e400", "number_out_of_range"),
        (b"9" * 5000, "number_out_of_range"),
        (b'"a", "name": "b"', "duplicate_key"),
        (b'"' + b"a" * 10_000_000 + b'"', "too_long"),
        (b'"a", "rrn": "9021011000001"', "duplicate_key"),
        (b'"a", "updatedAt": "yesterday"', "duplicate_key"),
    ],
)
def test_f23_a_poison_record_is_withheld_and_the_rest_goes_on(
    server: Server, mohw: Endpoints, poison: bytes, reason: str
) -> None:
    server.answer = lambda _: _body(poison)
    rows, report = pull(DISB, everything(DISB, HANA, DUL), mohw)
    assert [(r["_subject_key"], r["name"]) for r in rows] == [(KEYS[DUL], "김둘")]
    assert (report.withheld, report.is_complete) == ({reason: 1}, True)


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        ({"updatedAt": "yesterday"}, "time_unreadable"),
        ({"updatedAt": None}, "control_value_missing"),
        ({"updatedAt": "9999-12-31T00:00:00Z"}, "time_out_of_range"),
        ({"registrationId": ""}, "control_value_missing"),
        ({"deleted": None}, "control_value_missing"),
        ({"rrn": None}, "control_value_missing"),
    ],
)
def test_f23_a_record_whose_own_controls_are_poison_moves_no_watermark(
    server: Server, mohw: Endpoints, flaw: dict[str, Any], reason: str
) -> None:
    server.answer = lambda _: page(record(HANA, **flaw), record(DUL, at="2026-01-01T00:00:00Z"))
    rows, report = pull(DISB, everything(DISB, HANA, DUL), mohw)
    assert [r["_subject_key"] for r in rows] == [KEYS[DUL]]
    assert (report.withheld, report.watermark) == ({reason: 1}, "2026-01-01T00:00:00+00:00")


def test_f23_a_version_with_an_unreadable_time_withholds_every_version_of_its_record(
    server: Server, mohw: Endpoints
) -> None:
    server.answer = lambda _: page(record(HANA), record(HANA, at="?"), record(HANA, "D2", name="다른 기록"))
    rows, report = pull(DISB, everything(DISB, HANA), mohw)
    assert [r["_record_id"] for r in rows] == ["D2"]
    assert report.withheld == {"time_unreadable": 1}


def test_f23_a_page_broken_by_one_record_is_halved_down_to_it(server: Server, mohw: Endpoints) -> None:
    people = [f"{n:013d}" for n in range(40)]
    good = honest(*(record(p, f"D{p}") for p in people))
    server.answer = lambda h: Said(b'{"page": 1, "rec', headers=JSON) if people[17].encode() in h.body else good(h)
    rows, report = pull(DISB, everything(DISB, *people), mohw)
    assert {r["_record_id"] for r in rows} == {f"D{p}" for p in people} - {f"D{people[17]}"}
    assert (report.withheld, report.received, report.is_complete) == ({"malformed_json": 1}, 39, True)


def test_f20_page_after_page_that_cannot_be_read_is_a_broken_holder(server: Server, mohw: Endpoints) -> None:
    server.answer = lambda _: Said(b'{"page": 1, "rec', headers=JSON)
    with pytest.raises(SourceError, match="answer after answer"):
        pull(DISB, everything(DISB, *(f"{n:013d}" for n in range(40))), mohw)
    assert len(server.asked) < 30


def test_f23_many_large_records_are_asked_for_in_smaller_parts(server: Server, mohw: Endpoints) -> None:
    people = [f"{n:013d}" for n in range(16)]
    server.answer = honest(*(record(p, f"D{p}", name="가" * 30_000) for p in people))
    rows, report = pull(DISB, everything(DISB, *people), mohw, replace(SETTINGS, max_bytes_per_response=1_000_000))
    assert (len(rows), report.withheld, report.is_complete) == (16, {}, True)
    assert [len(h.json["subjects"]) for h in server.asked] == [16, 8, 4, 4, 8, 4, 4]


def test_f20_page_after_page_of_poison_between_good_ones_is_no_broken_holder(server: Server, mohw: Endpoints) -> None:
    people = [f"{n:013d}" for n in range(60)]
    bad = people[::6]
    good = honest(*(record(p, f"D{p}") for p in people))
    server.answer = lambda h: Said(b"{", headers=JSON) if any(b.encode() in h.body for b in bad) else good(h)
    rows, report = pull(DISB, everything(DISB, *people), mohw)
    assert (len(rows), report.withheld) == (50, {"malformed_json": 10})


def test_a_deeply_nested_answer_is_no_page(server: Server, mohw: Endpoints) -> None:
    server.answer = lambda _: Said(b"[" * 200_000, headers=JSON)
    rows, report = pull(DISB, everything(DISB, HANA), mohw)
    assert (rows, report.withheld) == ([], {"malformed_json": 1})


def test_a_compressed_answer_is_read(server: Server, mohw: Endpoints) -> None:
    server.answer = lambda _: Said(gzip.compress(page(record(SES)).body), headers=JSON | {"Content-Encoding": "gzip"})
    assert len(pull(DISB, everything(DISB, SES), mohw)[0]) == 1


def test_requests_are_made_in_parts_and_pages(server: Server, mohw: Endpoints) -> None:
    people = [f"{n:013d}" for n in range(2_500)]
    server.answer = honest(*(record(p, f"D{p}") for p in people))
    rows, report = pull(DISB, everything(DISB, *people), mohw)
    assert (len(rows), report.signed_count) == (2_500, 2_500)
    assert [len(h.json["subjects"]) for h in server.asked] == [1000, 1000, 500]


def test_an_empty_request_dials_nobody(server: Server, mohw: Endpoints) -> None:
    rows, report = pull(DISB, everything(DISB, watermark="2026-01-01T00:00:00Z"), mohw)
    assert (rows, server.heard, report.is_complete, report.watermark) == ([], [], True, "2026-01-01T00:00:00Z")
