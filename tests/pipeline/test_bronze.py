"""Merging a delivery: F24 (late, corrected, cancelled, out of order), P5 and P6, on small tables."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from pipeline.bronze import merge, newest, quarantine_schema, quarantined, revived, tombstones
from pipeline.coverage import unite
from schemas.contract import source
from tests.pipeline.test_coverage import allowed

INCOME = source("INCM")
START = datetime(2026, 6, 1, tzinfo=UTC)
EVERYTHING = unite(
    allowed((1, "a", list(INCOME.column_paths)), (2, "a", list(INCOME.column_paths))),
    INCOME,
)


def delivered(*rows: tuple[int, int, str], run: str = "r1", deleted: bool = False) -> pa.Table:
    """(subject, hour of the holder's change, name) as bronze rows."""
    return pa.Table.from_pylist(
        [
            {
                "_subject_key": subject,
                "_variant": "standard",
                "_evidence_id": f"e{subject}",
                "_source_record_id": f"s{subject}",
                "_source_record_hash": f"{name}".encode(),
                "_observed_at": START + timedelta(hours=hour),
                "_run_id": run,
                "_is_deleted": deleted,
                "inern_nm": None if deleted else name,
            }
            for subject, hour, name in rows
        ],
        schema=INCOME.bronze_schema,
    )


NOTHING = INCOME.bronze_schema.empty_table()


def names(table: pa.Table) -> list[str | None]:
    return list(table.column("inern_nm").to_pylist())


def test_f24_the_newest_by_the_holders_time_wins_in_either_order() -> None:
    old, new = delivered((1, 1, "옛이름")), delivered((1, 2, "새이름"))
    assert names(merge(INCOME, merge(INCOME, NOTHING, old, EVERYTHING), new, EVERYTHING)) == ["새이름"]
    assert names(merge(INCOME, merge(INCOME, NOTHING, new, EVERYTHING), old, EVERYTHING)) == ["새이름"]


def test_p6_a_replayed_delivery_changes_nothing_not_even_the_run_id() -> None:
    held = merge(INCOME, NOTHING, delivered((1, 1, "가"), (2, 1, "나")), EVERYTHING)
    again = merge(INCOME, held, delivered((1, 1, "가"), (2, 1, "나"), run="r2"), EVERYTHING)
    assert again.equals(held)


def test_f24_a_cancellation_removes_and_a_late_older_record_cannot_return() -> None:
    held = merge(INCOME, NOTHING, delivered((1, 1, "가")), EVERYTHING)
    cancelled = merge(INCOME, held, delivered((1, 3, ""), run="r2", deleted=True), EVERYTHING)
    late = merge(INCOME, cancelled, delivered((1, 2, "늦음"), run="r3"), EVERYTHING)
    assert late.column("_is_deleted").to_pylist() == [True]
    assert names(late) == [None]


def test_p5_a_withdrawn_subject_does_not_come_back_with_a_replay() -> None:
    only_two = EVERYTHING.slice(1)
    held = merge(INCOME, NOTHING, delivered((1, 1, "가"), (2, 1, "나")), EVERYTHING)
    assert names(merge(INCOME, held, delivered((1, 1, "가"), run="r2"), only_two)) == ["나"]


def test_a_record_that_a_complete_file_lacks_gets_a_tombstone() -> None:
    held = merge(INCOME, NOTHING, delivered((1, 1, "가"), (2, 1, "나")), EVERYTHING)
    gone = tombstones(
        held, delivered((2, 1, "나")), EVERYTHING.select(["_subject_key"]), START + timedelta(hours=9), "r2"
    )
    after = merge(INCOME, held, gone, EVERYTHING)
    assert [(r["_subject_key"], r["_is_deleted"], r["inern_nm"]) for r in after.to_pylist()] == [
        (1, True, None),
        (2, False, "나"),
    ]


def test_a_subject_that_was_not_asked_gets_no_tombstone() -> None:
    held = merge(INCOME, NOTHING, delivered((1, 1, "가")), EVERYTHING)
    asked = EVERYTHING.slice(1).select(["_subject_key"])
    assert tombstones(held, NOTHING, asked, START, "r2").num_rows == 0


def with_reasons(table: pa.Table) -> pa.Table:
    reasons = pa.array([["lines.TXBS_AMT: not below 0"]] * table.num_rows, pa.list_(pa.string()))
    return table.append_column("_reasons", reasons).cast(quarantine_schema(INCOME))


@pytest.mark.parametrize(("coverage", "kept"), [(EVERYTHING, [1]), (EVERYTHING.slice(1), [])])
def test_p1_quarantine_holds_only_what_is_covered(coverage: pa.Table, kept: list[int]) -> None:
    empty = quarantine_schema(INCOME).empty_table()
    after = quarantined(INCOME, empty, with_reasons(delivered((1, 1, "가"))), NOTHING, coverage)
    assert after.column("_subject_key").to_pylist() == kept


def test_a_record_that_is_good_now_leaves_quarantine() -> None:
    held = with_reasons(delivered((1, 1, "가")))
    none_failing = quarantine_schema(INCOME).empty_table()
    assert quarantined(INCOME, held, none_failing, delivered((1, 2, "가")), EVERYTHING).num_rows == 0


def test_f24_two_versions_of_one_record_in_one_delivery_become_the_newest_in_either_order() -> None:
    old, new = delivered((1, 1, "옛이름")), delivered((1, 2, "새이름"))
    for both in ([old, new], [new, old]):
        assert names(newest(pa.concat_tables([*both, delivered((2, 1, "나"))]))) == ["새이름", "나"]


def test_f24_a_cancellation_and_an_older_version_in_one_delivery_leave_the_cancellation() -> None:
    both = pa.concat_tables([delivered((1, 2, ""), deleted=True), delivered((1, 1, "가"))])
    assert newest(both).column("_is_deleted").to_pylist() == [True]


def test_f24_two_versions_of_the_same_instant_give_the_same_row_in_either_order() -> None:
    one, other = delivered((1, 1, "가")), delivered((1, 1, "나"))
    assert newest(pa.concat_tables([one, other])).equals(newest(pa.concat_tables([other, one])))


def test_one_record_in_two_variants_and_two_records_of_one_subject_are_all_kept() -> None:
    rows = delivered((1, 1, "가"), (1, 1, "나"), (1, 1, "다")).to_pylist()
    rows[1] |= {"_variant": "detailed", "_evidence_id": "e1-detailed"}
    rows[2] |= {"_source_record_id": "another", "_evidence_id": "e1-another"}
    three = pa.Table.from_pylist(rows, schema=INCOME.bronze_schema)
    assert newest(three).num_rows == 3
    every = unite(allowed((1, "a", list(INCOME.column_paths))), INCOME)
    wider = pa.concat_tables([every, every.set_column(1, "_variant", pa.array(["detailed"]))])
    assert merge(INCOME, NOTHING, three, wider).num_rows == 3


def test_a_record_that_a_later_full_file_has_again_returns_with_its_old_instant_of_change() -> None:
    """A file that lacked it for a night; our tombstone is younger than the record's last change."""
    held = merge(INCOME, NOTHING, delivered((1, 1, "가")), EVERYTHING)
    gone = tombstones(held, NOTHING, EVERYTHING.select(["_subject_key"]), START + timedelta(hours=9), "r2")
    held = merge(INCOME, held, gone, EVERYTHING)
    again = delivered((1, 1, "가"), run="r3")
    assert names(merge(INCOME, held, again, EVERYTHING)) == [None]
    assert names(merge(INCOME, revived(held, again), again, EVERYTHING)) == ["가"]


def test_a_full_file_that_says_deleted_leaves_the_tombstone() -> None:
    held = merge(INCOME, NOTHING, delivered((1, 2, ""), deleted=True), EVERYTHING)
    assert revived(held, delivered((1, 2, ""), deleted=True)).equals(held)


def test_a_quarantined_record_that_fails_for_another_reason_says_so() -> None:
    held = with_reasons(delivered((1, 1, "가")))
    others = pa.array([["INERN_NM: is filled"]], pa.list_(pa.string()))
    failing = held.set_column(held.schema.get_field_index("_reasons"), "_reasons", others)
    assert quarantined(INCOME, held, failing, NOTHING, EVERYTHING).column("_reasons").to_pylist() == others.to_pylist()
