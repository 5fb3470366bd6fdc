"""Gold and shares after a publication: no output means removal, and a share is one recipient's own view."""

import hashlib
import hmac
from collections.abc import Sequence

import pyarrow as pa

from pipeline.gold import changed_subjects, moved_subjects, replaced, share, share_columns, share_schema
from schemas.contract import gold
from tests.consent.making import approval_row, authorisation_row, snapshot_of
from tests.pipeline.test_coverage import allowed

LINES = gold("income_certificate__lines")
PARENT = gold("income_certificate")
ALL = ["ISSU_NO", "INERN_NM", "lines.EARN_BLN_YR", "lines.TXBS_AMT", "lines.TSL_AMT"]


def hashes(purpose: str, values: Sequence[str | bytes]) -> list[bytes]:
    raw = [v if isinstance(v, bytes) else v.encode() for v in values]
    return [hmac.new(purpose.encode(), v, hashlib.sha256).digest() for v in raw]


def parents(*rows: tuple[int, str]) -> pa.Table:
    """(subject, run id) as gold rows."""
    return pa.Table.from_pylist(
        [
            {
                "_subject_key": subject,
                "_key_bucket": 0,
                "_variant": "standard",
                "_evidence_id": f"e{subject}",
                "_run_id": run,
                "_source_record_hash": b"h",
                "ISSU_NO": f"N{subject}",
                "INERN_NM": "가나다",
            }
            for subject, run in rows
        ],
        schema=PARENT.gold_schema,
    )


def lines(subject: int) -> pa.Table:
    row = {"_subject_key": subject, "_variant": "standard", "_evidence_id": f"e{subject}", "_line_no": 1}
    return pa.Table.from_pylist([row | {"TXBS_AMT": 1, "TSL_AMT": 2, "EARN_BLN_YR": "2025"}], schema=LINES.gold_schema)


def keys(*subjects: int) -> pa.Table:
    return pa.table({"_subject_key": pa.array(subjects, pa.int64())})


def test_equal_evidence_is_not_recomputed() -> None:
    assert changed_subjects(parents((1, "r1")), parents((1, "r1"))).num_rows == 0


def test_new_superseded_and_no_longer_backed_evidence_is_recomputed() -> None:
    bronze = parents((1, "r1"), (2, "r2"))
    held = parents((2, "r1"), (3, "r1"))
    assert changed_subjects(bronze, held).column("_subject_key").to_pylist() == [1, 2, 3]


def test_p5_no_output_of_a_recomputed_subject_means_removal() -> None:
    gate = allowed((1, "a", ALL), (2, "a", ALL))
    after = replaced(PARENT, parents((1, "r1"), (2, "r1")), parents((2, "r2")), keys(1, 2), gate)
    assert [(r["_subject_key"], r["_run_id"]) for r in after.to_pylist()] == [(2, "r2")]


def test_p1_what_was_withdrawn_after_standardising_is_not_published() -> None:
    after = replaced(PARENT, parents(), parents((1, "r1"), (2, "r1")), keys(1, 2), allowed((2, "a", ALL)))
    assert after.column("_subject_key").to_pylist() == [2]


def gate_of(recipient: str, subject: int, columns: list[str]) -> pa.Table:
    return allowed((subject, "a", columns)).append_column("recipient", pa.array([recipient]))


def test_a_share_holds_only_the_rows_of_its_recipient() -> None:
    gate = pa.concat_tables([gate_of("mogef", 1, ALL), gate_of("reb", 2, ALL)])
    rows = share(PARENT, parents((1, "r1"), (2, "r1")), gate, "mogef", hashes)
    assert rows.column("ISSU_NO").to_pylist() == ["N1"]


def test_a_share_holds_no_lake_key_and_only_columns_that_a_service_needs() -> None:
    names = set(share_schema(LINES, "mogef").names)
    assert not names & {"_subject_key", "_person_key", "_key_bucket", "_source_record_id", "_run_id"}
    assert "TXBS_AMT" not in names
    assert "TXBS_AMT" in share_columns(LINES, "reb")


def test_p1_a_cell_of_a_share_needs_the_recipients_own_authorisation() -> None:
    gate = pa.concat_tables([gate_of("mogef", 1, ["lines.EARN_BLN_YR"]), gate_of("reb", 1, ALL)])
    row = share(LINES, lines(1), gate, "mogef", hashes).to_pylist()[0]
    assert (row["EARN_BLN_YR"], row["TSL_AMT"]) == ("2025", None)


def test_two_recipients_cannot_join_what_they_got() -> None:
    gate = pa.concat_tables([gate_of("mogef", 1, ALL), gate_of("reb", 1, ALL)])
    ours, theirs = (share(PARENT, parents((1, "r1")), gate, r, hashes).to_pylist()[0] for r in ("mogef", "reb"))
    assert ours["_pairwise_id"] != theirs["_pairwise_id"]
    assert ours["_evidence_id"] != theirs["_evidence_id"]
    assert len(ours["_pairwise_id"]) == 16


def moved(position: int, *, approval: int = 1) -> list[int]:
    """Subjects 1 to 3 have authorisations of ledger positions 1 to 3; 3 has no row."""
    authorisations = [authorisation_row(_subject_key=k, document_type="INCM", ledger_position=k) for k in (1, 2, 3)]
    snapshot = snapshot_of(authorisations, [approval_row(document_type="INCM", ledger_position=approval)])
    rows = moved_subjects(parents((1, "r1")), parents((1, "r1"), (2, "r1")), snapshot, "INCM", position)
    return list(rows.column("_subject_key").to_pylist())


def test_whoever_s_authorisations_moved_since_is_recomputed_though_the_rows_look_the_same() -> None:
    """Paused, published narrower, resumed: gold lacks a column, and its pipeline columns do not tell."""
    assert (moved(0), moved(1), moved(2), moved(3)) == ([1, 2], [2], [], [])


def test_an_approval_that_moved_makes_everybody_with_a_row_due() -> None:
    assert moved(3, approval=4) == [1, 2]
