"""The gate before publishing: tables fit their contracts and each other, or nothing is published (P7)."""

import datetime as dt
from collections.abc import Callable

import pyarrow as pa
import pytest

from quality.gold import check_gold
from quality.verdict import VERDICTS_SCHEMA, Verdict
from schemas.contract import gold, published
from schemas.errors import MalformedContract
from tests.quality.batches import Row, batch, setting

EXTRACT, MEMBERS = gold("household_extract"), gold("household_extract__members")


def broken(found: Verdict) -> list[tuple[str | None, str, str]]:
    return [(r.table, r.place, r.expectation) for r in found.failures]


def test_good_tables_pass_and_every_result_names_its_table() -> None:
    found = check_gold({c.name: batch(c, 2) for c in published()})
    assert broken(found) == []
    assert not found.is_refused
    rows = found.rows("run-1", "gold", dt.datetime(2026, 6, 1, tzinfo=dt.UTC))
    assert rows.schema == VERDICTS_SCHEMA
    assert set(rows.column("table").to_pylist()) == {f"gold/{c.name}" for c in published()}


def test_empty_tables_pass() -> None:
    assert not check_gold({c.name: c.gold_schema.empty_table() for c in published()}).is_refused


def test_a_line_without_its_document_refuses_everything() -> None:
    found = check_gold({EXTRACT.name: batch(EXTRACT, 2), MEMBERS.name: batch(MEMBERS, 3)})
    assert found.is_refused
    assert broken(found) == [("gold/household_extract__members", "members._evidence_id", "has its document")]
    assert found.failures[0].unexpected_count == 1
    assert found.failing.to_pylist() == [
        {"_table": "household_extract__members", "_reasons": ["members._evidence_id: has its document"]}
    ]


def test_lines_whose_documents_are_not_published_with_them_are_refused() -> None:
    assert check_gold({MEMBERS.name: batch(MEMBERS, 1)}).is_refused


def test_one_evidence_id_twice_is_refused() -> None:
    def spoil(rows: list[Row]) -> None:
        rows[1]["_evidence_id"] = rows[0]["_evidence_id"]

    found = check_gold({EXTRACT.name: batch(EXTRACT, 2, spoil)})
    assert broken(found) == [("gold/household_extract", "_evidence_id", "stands once")]


def test_f45_a_resident_number_in_any_free_text_is_refused() -> None:
    found = check_gold({EXTRACT.name: batch(EXTRACT, 2, setting("ROAD_NM_ADDR", "자하문로 902101 1234567"))})
    assert broken(found) == [("gold/household_extract", "ROAD_NM_ADDR", "hides no resident number")]
    assert "902101" not in found.message + str(found.failing.to_pylist())


def test_a_column_that_consent_left_empty_is_no_failure() -> None:
    assert not check_gold({EXTRACT.name: batch(EXTRACT, 2, setting("HSHLDR_NM", None))}).is_refused


@pytest.mark.parametrize(
    "drift",
    [
        lambda t: t.drop_columns(["ZIP"]),
        lambda t: t.append_column("ZIP_2", t.column("ZIP")),
        lambda t: t.set_column(t.schema.get_field_index("ZIP"), "ZIP", pa.array([3048] * t.num_rows)),
    ],
)
def test_f22_types_other_than_the_contract_s_are_refused(drift: Callable[[pa.Table], pa.Table]) -> None:
    found = check_gold({EXTRACT.name: drift(batch(EXTRACT, 2))})
    assert found.is_refused
    assert [e for _, _, e in broken(found)] == ["has the columns and types of its contract"]


def test_a_table_without_contract_is_a_mistake_of_the_project() -> None:
    with pytest.raises(MalformedContract, match="No published contract named memo"):
        check_gold({"memo": pa.table({})})


T1, T2 = dt.datetime(2026, 6, 1, tzinfo=dt.UTC), dt.datetime(2026, 6, 2, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((T1, T2), (T2, None), []),
        ((T1, None), (T2, None), ["_valid_to"]),
        ((T1, T2), (T1, None), ["_observed_at"]),
    ],
)
def test_f24_states_of_a_record_follow_each_other_and_one_is_the_present(
    first: tuple[dt.datetime, ...], second: tuple[dt.datetime, ...], expected: list[str]
) -> None:
    def spoil(rows: list[Row]) -> None:
        for row, (begun, ended) in zip(rows, (first, second), strict=True):
            row |= {"_subject_key": 1, "_source_record_id": "one", "_observed_at": begun, "_valid_to": ended}

    found = check_gold({EXTRACT.name: batch(EXTRACT, 2, spoil)})
    assert [place for _, place, _ in broken(found)] == expected
