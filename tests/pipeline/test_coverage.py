"""P1 in one place: which rows and columns the gate lets stand."""

import pyarrow as pa

from pipeline.coverage import covered, unite
from schemas.contract import gold, source

INCOME = source("INCM")
LINES = gold("income_certificate__lines")
PARENT = gold("income_certificate")


def allowed(*rows: tuple[int, str, list[str]]) -> pa.Table:
    """(subject key, authorisation id, columns) as the gate returns them."""
    return pa.table(
        {
            "_subject_key": pa.array([r[0] for r in rows], pa.int64()),
            "variant": pa.array(["standard"] * len(rows), pa.string()),
            "columns": pa.array([r[2] for r in rows], pa.list_(pa.string())),
            "authorisation_id": pa.array([r[1] for r in rows], pa.string()),
            "blocked": pa.array([None] * len(rows), pa.list_(pa.int64())),
        }
    )


def bronze_row(subject: int) -> dict[str, object]:
    line = {"_line_no": 1, "attr_yr": "2025", "txbs_amt": 100, "tsl_amt": 200}
    return {
        "_subject_key": subject,
        "_variant": "standard",
        "_evidence_id": f"e{subject}",
        "issu_no": "1",
        "inern_nm": "가나다",
        "lines": [line],
    }


def bronze(*subjects: int) -> pa.Table:
    return pa.Table.from_pylist([bronze_row(s) for s in subjects], schema=INCOME.bronze_schema)


def test_p1_an_empty_gate_lets_nothing_stand() -> None:
    assert covered(INCOME, bronze(1, 2), unite(allowed(), INCOME)).num_rows == 0


def test_p1_a_row_without_authorisation_goes_and_its_neighbour_stays() -> None:
    gate = allowed((2, "a", ["ISSU_NO"]))
    assert covered(INCOME, bronze(1, 2), unite(gate, INCOME)).column("_subject_key").to_pylist() == [2]


def test_p1_only_named_columns_keep_their_values() -> None:
    gate = allowed((1, "a", ["ISSU_NO", "lines.TXBS_AMT"]))
    row = covered(INCOME, bronze(1), unite(gate, INCOME)).to_pylist()[0]
    assert (row["issu_no"], row["inern_nm"]) == ("1", None)
    assert row["lines"][0]["txbs_amt"] == 100
    assert row["lines"][0]["tsl_amt"] is None


def test_p1_a_group_without_a_covered_column_is_null_not_empty_lines() -> None:
    gate = allowed((1, "a", ["ISSU_NO"]))
    assert covered(INCOME, bronze(1), unite(gate, INCOME)).to_pylist()[0]["lines"] is None


def test_columns_held_are_the_union_of_overlapping_authorisations() -> None:
    gate = allowed((1, "b", ["lines.TXBS_AMT"]), (1, "a", ["lines.TSL_AMT"]))
    line = covered(INCOME, bronze(1), unite(gate, INCOME)).to_pylist()[0]["lines"][0]
    assert (line["txbs_amt"], line["tsl_amt"]) == (100, 200)


def test_withdrawing_one_of_two_authorisations_takes_just_its_own_column() -> None:
    both = allowed((1, "a", ["ISSU_NO", "lines.TSL_AMT"]), (1, "b", ["ISSU_NO", "lines.TXBS_AMT"]))
    held = covered(INCOME, bronze(1), unite(both, INCOME))
    after = covered(INCOME, held, unite(both.slice(1), INCOME)).to_pylist()[0]
    assert after["issu_no"] == "1"
    assert (after["lines"][0]["txbs_amt"], after["lines"][0]["tsl_amt"]) == (100, None)


def test_the_witness_of_a_row_covers_that_row() -> None:
    """`a` comes first but names no column of the group: it is no witness of a line."""
    gate = allowed((1, "a", ["ISSU_NO"]), (1, "b", ["lines.TXBS_AMT"]))
    line = {"_subject_key": 1, "_variant": "standard", "_evidence_id": "e1", "_line_no": 1, "TXBS_AMT": 100}
    rows = pa.Table.from_pylist([line], schema=LINES.gold_schema)
    assert covered(LINES, rows, unite(gate, LINES)).column("_authorisation_id").to_pylist() == ["b"]


def test_p1_a_wider_variant_than_the_authorised_one_does_not_stand() -> None:
    rows = bronze(1).to_pylist()
    rows[0]["_variant"] = "detailed"
    wider = pa.Table.from_pylist(rows, schema=INCOME.bronze_schema)
    assert covered(INCOME, wider, unite(allowed((1, "a", ["ISSU_NO"])), INCOME)).num_rows == 0


def test_a_document_whose_lines_alone_are_covered_keeps_an_empty_row_that_they_point_to() -> None:
    gate = allowed((1, "a", ["lines.TXBS_AMT"]))
    parent = {"_subject_key": 1, "_variant": "standard", "_evidence_id": "e1", "ISSU_NO": "1", "INERN_NM": "가나다"}
    rows = pa.Table.from_pylist([parent], schema=PARENT.gold_schema)
    (kept,) = covered(PARENT, rows, unite(gate, PARENT)).to_pylist()
    assert (kept["_evidence_id"], kept["_authorisation_id"], kept["ISSU_NO"], kept["INERN_NM"]) == (
        "e1",
        "a",
        None,
        None,
    )


def test_the_witness_of_a_document_covers_a_value_of_it_where_one_is_covered() -> None:
    gate = allowed((1, "a", ["lines.TXBS_AMT"]), (1, "b", ["ISSU_NO"]))
    assert unite(gate, PARENT).column("authorisation_id").to_pylist() == ["b"]


def test_lines_go_and_their_document_stays_when_just_the_group_is_withdrawn() -> None:
    gate = allowed((1, "a", ["ISSU_NO"]))
    line = {"_subject_key": 1, "_variant": "standard", "_evidence_id": "e1", "_line_no": 1, "TXBS_AMT": 100}
    assert covered(LINES, pa.Table.from_pylist([line], schema=LINES.gold_schema), unite(gate, LINES)).num_rows == 0
