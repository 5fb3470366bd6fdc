"""The quality gate on batches that are good but for one flaw, and at its thresholds (P7, F22, F45)."""

import datetime as dt
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from hanbeon.errors import SchemaDrift
from quality.frames import Frame, frames
from quality.gate import check, verdict
from quality.suite import all_suites, gx_suite, run
from quality.verdict import VERDICTS_SCHEMA, Verdict
from schemas.contract import Contract, gold, load_all, source
from schemas.expectations import Expectation, Suite
from tests.quality.batches import Row, batch, setting

CONTRACTS = [pytest.param(c, id=c.name) for c in load_all()]
SOURCES = [pytest.param(c, id=c.name) for c in load_all() if c.kind == "source"]
RRT = source("RRT")
# Month 21 to 32: a number of the simulated world, which belongs to nobody.
HIDDEN = "902101-1234567"


def reasons(found: Verdict) -> list[str]:
    return [r for row in found.failing.column("_reasons").to_pylist() for r in row]


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_batch_of_good_examples_passes_whole(contract: Contract) -> None:
    given = batch(contract, 3)
    found = check(given, contract)
    assert reasons(found) == []
    assert not found.is_refused
    assert found.good.equals(given)
    assert all(r.is_evaluated and r.success for r in found.results)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_an_empty_batch_passes(contract: Contract) -> None:
    found = check(batch(contract, 0), contract)
    assert (found.is_refused, found.row_count, found.good.num_rows, found.failing.num_rows) == (False, 0, 0, 0)


# F45 among them: a resident number in free text.
FLAWS = [
    # document type, path in the holder's words, value, reason
    ("RRT", "head_nm", None, "HSHLDR_NM: is filled wherever consent covers it"),
    ("RRT", "head_nm", "가" * 101, "HSHLDR_NM: has 1 to 100 characters"),
    ("RRT", "head_nm", "", "HSHLDR_NM: has 1 to 100 characters"),
    ("RRT", "stdg_cd", "9999999999", "STDG_CD: is a code of list stdg"),
    ("RRT", "issu_ymd", "20260230", "ISSU_YMD: is a day of the calendar as YYYYMMDD"),
    ("RRT", "issu_ymd", "20260601\n", "ISSU_YMD: is a day of the calendar as YYYYMMDD"),
    ("RRT", "zip", "0304\n", "ZIP: matches ^[0-9]{5}$"),
    ("RRT", "mvin_ymd", "20260602", "MVIN_YMD: is not after the day on which the holder recorded it"),
    ("RRT", "members.mbr_nm", None, "members.FMBR_NM: is filled wherever consent covers it"),
    ("RRT", "members.stts_cd", "99", "members.RSDNC_STTS_CD: is a code of list rsdnc_stts"),
    ("RRT", "members.rel_nm", "자녀", "members.HSHLDR_REL_NM: names exactly one householder"),
    (
        "RRT",
        "members.mbr_mvin_ymd",
        "20260602",
        "members.MVIN_YMD: is not after the day on which the holder recorded it",
    ),
    ("RRT", "_source_record_id", None, "_source_record_id: is filled"),
    ("RRT", "_variant", "everything", "_variant: is one of head_only, members_included"),
    ("INCM", "lines.txbs_amt", -1, "lines.TXBS_AMT: is 0 to 999999999999999999"),
    ("INCM", "lines.txbs_amt", 10**18, "lines.TXBS_AMT: is 0 to 999999999999999999"),
    ("INCM", "lines.earn_amt", 42_000_001, "lines.INCM_AMT: is at least EARN_AMT"),
    ("INCM", "lines.attr_yr", "1899", "lines.EARN_BLN_YR: matches ^(?:19|20)[0-9]{2}$"),
    ("DISB", "reexaminationOn", "20150303", "REXM_YMD: is not before DSBLTY_REG_YMD"),
    ("HINQ", "history.lose_ymd", "20190228", "history.HLTH_INSRNC_LOSE_YMD: is not before HLTH_INSRNC_ACQS_YMD"),
    ("CORR", "fndn_ymd", "20260602", "ISSU_YMD: is not before FNDN_YMD"),
    ("RRT", "road_addr", f"비고 {HIDDEN}", "ROAD_NM_ADDR: hides no resident number"),
    ("RRT", "members.ntnlty_nm", f"비고 {HIDDEN}", "members.NTNLTY_NM: hides no resident number"),
    ("INCM", "lines.bplc_nm", f"비고 {HIDDEN}", "lines.BPLC_NM: hides no resident number"),
    ("CORR", "purposes.purpose", f"비고 {HIDDEN}", "purposes.BIZ_PRPS_CN: hides no resident number"),
    ("CORR", "purposes.purpose", None, "purposes.BIZ_PRPS_CN: is filled wherever consent covers it"),
]


@pytest.mark.parametrize("document_type", sorted({f[0] for f in FLAWS}))
def test_each_flaw_fails_its_row_alone_and_is_told_as_a_rule(document_type: str) -> None:
    contract = source(document_type)
    flaws = [f for f in FLAWS if f[0] == document_type]

    def spoil(rows: list[Row]) -> None:
        for number, (_, path, value, _) in enumerate(flaws):
            setting(path, value, row=number)(rows)

    found = check(batch(contract, 20 * len(flaws), spoil), contract)
    told = dict(zip(found.failing["_evidence_id"].to_pylist(), found.failing["_reasons"].to_pylist(), strict=True))
    assert told == {f"evidence-{number}": [reason] for number, (*_, reason) in enumerate(flaws)}
    assert found.good.num_rows == 19 * len(flaws)
    assert not found.is_refused


def test_bounds_themselves_pass() -> None:
    def spoil(rows: list[Row]) -> None:
        rows[0]["lines"][0] |= {
            "incm_amt": 999999999999999,
            "earn_amt": 999999999999999,
            "txbs_amt": 999999999999999999,
        }
        rows[1]["lines"][0] |= {"incm_amt": 0, "earn_amt": -999999999999999, "txbs_amt": 0}

    assert reasons(check(batch(source("INCM"), 2, spoil), source("INCM"))) == []


def test_a_move_on_the_day_of_its_record_in_seoul_passes() -> None:
    def spoil(rows: list[Row]) -> None:
        # 15:30 UTC is half past midnight of the next day in Seoul.
        rows[0] |= {"_observed_at": dt.datetime(2026, 6, 1, 15, 30, tzinfo=dt.UTC), "mvin_ymd": "20260602"}

    assert reasons(check(batch(RRT, 1, spoil), RRT)) == []


def test_every_row_of_a_doubled_key_fails() -> None:
    def spoil(rows: list[Row]) -> None:
        rows[1] |= {name: rows[0][name] for name in ("_subject_key", "_variant", "_source_record_id")}

    found = check(batch(RRT, 60, spoil), RRT)
    assert reasons(found) == ["_source_record_id: stands once for each subject and variant"] * 2
    assert found.failing.column("_evidence_id").to_pylist() == ["evidence-0", "evidence-1"]


def test_relatives_have_distinct_line_numbers_within_a_document_only() -> None:
    def spoil(rows: list[Row]) -> None:
        rows[3]["relatives"].append(dict(rows[3]["relatives"][0], rel_cd="006"))

    found = check(batch(source("FAMR"), 40, spoil), source("FAMR"))
    assert reasons(found) == ["relatives._line_no: is distinct within its document"]


def test_a_certificate_names_at_most_one_spouse() -> None:
    def spoil(rows: list[Row]) -> None:
        rows[3]["relatives"].append(dict(rows[3]["relatives"][0], _line_no=2, rel_cd="003"))

    found = check(batch(source("FAMR"), 40, spoil), source("FAMR"))
    assert reasons(found) == ["relatives.FAM_REL_CD: names at most one spouse"]


@pytest.mark.parametrize(("failing", "is_refused"), [(4, False), (5, False), (6, True)])
def test_p7_a_batch_is_refused_one_row_past_the_contract_s_share(failing: int, is_refused: bool) -> None:
    assert RRT.maximum_failing_share == 0.05

    def spoil(rows: list[Row]) -> None:
        for row in rows[:failing]:
            row["head_nm"] = None

    found = check(batch(RRT, 100, spoil), RRT)
    assert found.is_refused is is_refused
    assert found.failing.num_rows == failing
    assert found.good.num_rows == (0 if is_refused else 100 - failing)


def test_p7_a_published_table_bears_no_failing_row() -> None:
    contract = gold("household_extract")
    found = check(batch(contract, 1000, setting("HSHLDR_NM", None)), contract)
    assert found.is_refused
    assert "HSHLDR_NM: is filled wherever consent covers it (1 of 1000)" in found.message


def test_p1_a_required_column_is_required_only_where_consent_covers_it() -> None:
    def spoil(rows: list[Row]) -> None:
        for row in rows:
            row["head_nm"] = None
            row["members"][0]["mbr_nm"] = None

    everything = frozenset(RRT.column_paths)
    covered = [everything - {"HSHLDR_NM", "members.FMBR_NM"}] * 3 + [everything]
    found = check(batch(RRT, 4, spoil), RRT, covered)
    assert found.failing.column("_evidence_id").to_pylist() == ["evidence-3"]
    assert reasons(found) == [
        "HSHLDR_NM: is filled wherever consent covers it",
        "members.FMBR_NM: is filled wherever consent covers it",
    ]


def test_a_householder_is_counted_only_where_consent_covers_the_relation() -> None:
    def spoil(rows: list[Row]) -> None:
        for row in rows:
            row["members"] = None

    everything = frozenset(RRT.column_paths)
    without = frozenset(p for p in everything if not p.startswith("members."))
    found = check(batch(RRT, 2, spoil), RRT, [without, everything])
    assert reasons(found) == ["members.HSHLDR_REL_NM: names exactly one householder"]


def test_the_head_only_variant_may_show_a_line_that_is_not_the_householder() -> None:
    def spoil(rows: list[Row]) -> None:
        rows[0] |= {"_variant": "head_only"}
        rows[0]["members"][0]["rel_nm"] = "자녀"

    assert reasons(check(batch(RRT, 1, spoil), RRT)) == []


def test_a_tombstone_need_not_hold_content() -> None:
    def spoil(rows: list[Row]) -> None:
        rows[0] |= {c.name: None for c in RRT.content} | {"members": None, "_is_deleted": True}

    assert reasons(check(batch(RRT, 1, spoil), RRT)) == []


@pytest.mark.parametrize(
    ("drift", "message"),
    [
        (lambda t: t.drop_columns(["zip"]), "column zip: found no such column, expected string"),
        (
            lambda t: t.append_column("memo", pa.array(["x"] * t.num_rows)),
            "column memo: found string, expected no such",
        ),
        (
            lambda t: t.set_column(t.schema.get_field_index("zip"), "zip", pa.array([3048] * t.num_rows)),
            "column zip: found int64, expected string",
        ),
    ],
)
def test_f22_other_columns_or_types_stop_the_dataset_and_name_the_contract(
    drift: Callable[[pa.Table], pa.Table], message: str
) -> None:
    with pytest.raises(SchemaDrift, match=message) as caught:
        check(drift(batch(RRT, 2)), RRT)
    assert RRT.id in str(caught.value)


def test_columns_in_another_order_are_no_drift() -> None:
    given = batch(RRT, 2)
    assert not check(given.select(given.schema.names[::-1]), RRT).is_refused


def test_p7_an_expectation_that_cannot_be_evaluated_refuses_the_batch() -> None:
    given = batch(RRT, 3)
    frame = frames(given, RRT, None)[0]
    kwargs = {"column": "NO_SUCH"}
    blind = Suite("blind", None, (Expectation("expect_column_values_to_not_be_null", kwargs, "is filled", "NO_SUCH"),))
    (outcome,) = run(blind, frame)
    assert not outcome.is_evaluated
    found = verdict(RRT, given, (outcome.result(RRT, blind),), {})
    assert found.is_refused
    assert found.good.num_rows == 0
    assert "NO_SUCH: is filled (could not be evaluated)" in found.message


def test_a_suite_that_raises_evaluates_nothing() -> None:
    unknown = Suite("unknown", None, (Expectation("expect_no_such_thing", {}, "is what nobody knows", "HSHLDR_NM"),))
    frame = frames(batch(RRT, 1), RRT, None)[0]
    assert [o.is_evaluated for o in run(unknown, Frame(None, frame.data))] == [False]


def test_a_long_code_list_narrowed_to_the_batch_never_opens() -> None:
    def spoil(rows: list[Row]) -> None:
        for row in rows:
            row["stdg_cd"] = "0000000000"

    found = check(batch(RRT, 2, spoil), RRT)
    assert found.is_refused
    assert reasons(found) == ["STDG_CD: is a code of list stdg"] * 2


@pytest.mark.parametrize("contract", CONTRACTS)
def test_suites_are_objects_of_great_expectations(contract: Contract) -> None:
    import great_expectations as gx

    for suite in all_suites(contract):
        made = gx_suite(suite)
        assert isinstance(made, gx.ExpectationSuite)
        assert [e.description for e in made.expectations] == [e.text for e in suite.expectations]


def test_verdict_rows_say_which_contract_and_hold_no_value() -> None:
    at = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
    found = check(batch(RRT, 40, setting("road_addr", f"비밀로 {HIDDEN}")), RRT)
    rows = found.rows("run-1", "bronze/mois/resident_register", at)
    assert rows.schema == VERDICTS_SCHEMA
    assert rows.num_rows == len(found.results) + len(found.notes)
    broken = [r for r in rows.to_pylist() if not r["success"]]
    assert broken == [
        {
            "run_id": "run-1",
            "table": "bronze/mois/resident_register",
            "contract_id": RRT.id,
            "contract_version": RRT.version,
            "contract_digest": RRT.digest,
            "suite": RRT.id,
            "expectation": "hides no resident number",
            "group": None,
            "column": "ROAD_NM_ADDR",
            "element_count": 40,
            "unexpected_count": 1,
            "success": False,
            "verdict": "passed",
            "checked_at": at,
        }
    ]
    assert "비밀로" not in str(rows.to_pylist()) + found.message


def test_p8_f65_a_failing_check_says_no_value_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    caplog.set_level(logging.DEBUG)
    for value in (f"PLANTED {HIDDEN}", "PLANTED" * 99):
        assert check(batch(RRT, 3, setting("road_addr", value)), RRT).is_refused
    printed = capfd.readouterr()
    assert caplog.text + printed.out + printed.err == ""
    assert list(tmp_path.rglob("*")) == []
