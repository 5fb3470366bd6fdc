"""Merging a delivery: F24 (late, corrected, cancelled, out of order), P5 and P6, on small tables."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.bronze import merge, newest, quarantine_schema, quarantined, revived, tombstones
from pipeline.coverage import unite
from pipeline.versions import current_state, state_at
from schemas.contract import source
from tests.pipeline.test_coverage import allowed
from tests.pipeline.test_gold import hashes

INCOME = source("INCM")
START = datetime(2026, 6, 1, tzinfo=UTC)
EVERYTHING = unite(
    allowed((1, "a", list(INCOME.column_paths)), (2, "a", list(INCOME.column_paths))),
    INCOME,
)


def delivered(*rows: tuple[int, int, str], run: str = "r1", deleted: bool = False, pulled: int = 0) -> pa.Table:
    """(subject, hour of the holder's change, name) as bronze rows, pulled in this hour."""
    return pa.Table.from_pylist(
        [
            {
                "_subject_key": subject,
                "_variant": "standard",
                "_evidence_id": f"e{subject}-{hour}",
                "_source_record_id": f"s{subject}",
                "_source_record_hash": f"{name}".encode(),
                "_observed_at": START + timedelta(hours=hour),
                "_pulled_at": START + timedelta(hours=pulled),
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


Told = tuple[int, int, int | None, str | None, bool]


def states(table: pa.Table) -> list[Told]:
    """(subject, hour from, hour to, name, is a tombstone) of every row."""

    def hour(instant: datetime | None) -> int | None:
        return None if instant is None else int((instant - START) / timedelta(hours=1))

    return sorted(
        (r["_subject_key"], hour(r["_observed_at"]) or 0, hour(r["_valid_to"]), r["inern_nm"], r["_is_deleted"])
        for r in table.to_pylist()
    )


def merged(*told: pa.Table, coverage: pa.Table = EVERYTHING) -> pa.Table:
    held = NOTHING
    for one in told:
        held = merge(INCOME, held, one, coverage)
    return held


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_f24_states_follow_each_other_in_the_holders_time_whatever_came_first(order: tuple[int, ...]) -> None:
    told = [delivered((1, 1, "하나")), delivered((1, 2, "둘")), delivered((1, 5, "셋"))]
    assert states(merged(*(told[i] for i in order))) == [
        (1, 1, 2, "하나", False),
        (1, 2, 5, "둘", False),
        (1, 5, None, "셋", False),
    ]


def test_f24_the_present_state_is_the_newest_and_an_interval_is_half_open() -> None:
    held = merged(delivered((1, 2, "새이름")), delivered((1, 1, "옛이름")))
    assert names(current_state(held)) == ["새이름"]
    change = START + timedelta(hours=2)
    second = timedelta(seconds=1)
    told = [names(state_at(held, at)) for at in (START, change - second, change, change + second)]
    assert told == [[], ["옛이름"], ["새이름"], ["새이름"]]


def test_f24_of_one_instant_the_state_that_was_pulled_later_stands_whichever_came_first() -> None:
    first, corrected = delivered((1, 1, "틀린이름"), pulled=3), delivered((1, 1, "바른이름"), pulled=4)
    assert names(merged(first, corrected)) == names(merged(corrected, first)) == ["바른이름"]


def test_a_holder_that_takes_a_correction_back_is_believed() -> None:
    told = [delivered((1, 1, name), pulled=hour) for hour, name in enumerate(("가", "나", "가"))]
    assert names(merged(*told)) == ["가"]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_f24_a_deletion_removes_every_state_up_to_it_and_what_is_told_of_later_stands(order: tuple[int, ...]) -> None:
    told = [
        delivered((1, 1, "가")),
        delivered((1, 2, "나")),
        delivered((1, 2, ""), deleted=True),
        delivered((1, 4, "다시")),
    ]
    assert states(merged(*(told[i] for i in order))) == [(1, 2, 4, None, True), (1, 4, None, "다시", False)]


SUBJECTS = range(1, 9)
ALL = unite(allowed(*((subject, "a", list(INCOME.column_paths)) for subject in SUBJECTS)), INCOME)


@st.composite
def deliveries(draw: st.DrawFn) -> list[pa.Table]:
    """What one holder tells in deliveries one after the other: late, corrected and deleted states, never taken back."""
    told: list[pa.Table] = []
    revised: dict[tuple[int, int], int] = {}
    for number in range(draw(st.integers(2, 4))):
        parts = []
        for subject in sorted(draw(st.sets(st.sampled_from(SUBJECTS), min_size=4))):
            hour, is_deleted = draw(st.integers(0, 3)), draw(st.integers(0, 3)) == 0
            revised[subject, hour] = revised.get((subject, hour), 0) + draw(st.integers(0, 1))
            name = "" if is_deleted else f"{hour}-{revised[subject, hour]}"
            parts.append(delivered((subject, hour, name), run=f"r{number}", deleted=is_deleted, pulled=number))
        told.append(pa.concat_tables(parts))
    return told


@settings(max_examples=8, deadline=None)
@given(deliveries(), st.data())
def test_f24_p6_the_same_deliveries_in_any_order_and_told_twice_give_the_same_table(
    told: list[pa.Table], data: st.DataObject
) -> None:
    shuffled = merged(*data.draw(st.permutations(told)), coverage=ALL)
    assert states(shuffled) == expected(told)
    assert states(merged(*told, coverage=ALL)) == expected(told)
    assert merge(INCOME, shuffled, data.draw(st.sampled_from(told)), ALL).equals(shuffled)


def expected(told: list[pa.Table]) -> list[Told]:
    """The rules once more, said record by record."""
    found: list[Told] = []
    rows = [row for one in told for row in one.to_pylist()]
    for subject in sorted({r["_subject_key"] for r in rows}):
        own = [r for r in rows if r["_subject_key"] == subject]
        deleted = max((r["_observed_at"] for r in own if r["_is_deleted"]), default=None)
        last = {r["_observed_at"]: r["inern_nm"] for r in own if deleted is None or r["_observed_at"] > deleted}
        instants = sorted([*last, *([deleted] if deleted else [])])
        for at, end in zip(instants, [*instants[1:], None], strict=True):
            hours = [None if i is None else int((i - START) / timedelta(hours=1)) for i in (at, end)]
            found.append((subject, hours[0] or 0, hours[1], last.get(at), at == deleted))
    return found


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


def absent(held: pa.Table, told: pa.Table, asked: pa.Table) -> pa.Table:
    at = START + timedelta(hours=9)
    return tombstones(INCOME, held, told, asked.select(["_subject_key"]), at, "r2", hashes)


def test_p1_former_states_go_and_are_narrowed_with_the_present_one() -> None:
    held = merged(delivered((1, 1, "가"), (2, 1, "나")), delivered((1, 2, "다"), (2, 2, "라")))
    narrow = unite(allowed((1, "a", ["ISSU_NO"])), INCOME)
    assert states(merge(INCOME, held, NOTHING, narrow)) == [(1, 1, 2, None, False), (1, 2, None, None, False)]


def test_a_record_that_a_complete_file_lacks_gets_a_tombstone() -> None:
    held = merge(INCOME, NOTHING, delivered((1, 1, "가"), (2, 1, "나")), EVERYTHING)
    gone = absent(held, delivered((2, 1, "나")), EVERYTHING)
    after = merge(INCOME, held, gone, EVERYTHING)
    assert [(r["_subject_key"], r["_is_deleted"], r["inern_nm"]) for r in after.to_pylist()] == [
        (1, True, None),
        (2, False, "나"),
    ]


def test_a_subject_that_was_not_asked_gets_no_tombstone() -> None:
    held = merge(INCOME, NOTHING, delivered((1, 1, "가")), EVERYTHING)
    assert absent(held, NOTHING, EVERYTHING.slice(1)).num_rows == 0


def test_a_record_of_two_states_that_a_file_lacks_gets_one_tombstone_with_an_id_of_its_own() -> None:
    held = merged(delivered((1, 1, "가")), delivered((1, 2, "나")))
    gone = absent(held, NOTHING, EVERYTHING)
    after = merge(INCOME, held, gone, EVERYTHING)
    assert states(after) == [(1, 9, None, None, True)]
    assert after.column("_evidence_id")[0].as_py() not in held.column("_evidence_id").to_pylist()
    assert absent(after, NOTHING, EVERYTHING).num_rows == 0


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
    held = merge(INCOME, held, absent(held, NOTHING, EVERYTHING), EVERYTHING)
    again = delivered((1, 1, "가"), run="r3")
    assert names(merge(INCOME, held, again, EVERYTHING)) == [None]
    assert names(merge(INCOME, revived(held, again), again, EVERYTHING)) == ["가"]


def test_a_tombstone_that_newer_states_follow_keeps_late_ones_out_though_a_full_file_has_the_record() -> None:
    held = merged(delivered((1, 2, ""), deleted=True), delivered((1, 4, "다시")))
    assert revived(held, delivered((1, 4, "다시"))).equals(held)


def test_a_full_file_that_says_deleted_leaves_the_tombstone() -> None:
    held = merge(INCOME, NOTHING, delivered((1, 2, ""), deleted=True), EVERYTHING)
    assert revived(held, delivered((1, 2, ""), deleted=True)).equals(held)


def test_quarantine_holds_the_newest_state_that_failed_alone() -> None:
    held = with_reasons(delivered((1, 2, "새이름")))
    for late, kept in (((1, 1, "옛이름"), ["새이름"]), ((1, 3, "더새이름"), ["더새이름"])):
        assert names(quarantined(INCOME, held, with_reasons(delivered(late)), NOTHING, EVERYTHING)) == kept


def test_a_quarantined_record_that_fails_for_another_reason_says_so() -> None:
    held = with_reasons(delivered((1, 1, "가")))
    others = pa.array([["INERN_NM: is filled"]], pa.list_(pa.string()))
    failing = held.set_column(held.schema.get_field_index("_reasons"), "_reasons", others)
    assert quarantined(INCOME, held, failing, NOTHING, EVERYTHING).column("_reasons").to_pylist() == others.to_pylist()
