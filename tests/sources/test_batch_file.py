"""The fixed-width connector over real files: F20 to F24, P2."""

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanbeon.errors import SchemaDrift, SourceError
from sources.connect import connect
from sources.endpoints import Endpoints
from tests.sources.asking import DUL, HANA, KEYS, SES, SETTINGS, STRANGER, ask, everything, pull
from tests.sources.files import HINQ, deliver, header, line

ISSUED = {"issu_no": "HINQ-1", "issu_ymd": "20260601", "issu_inst_cd": "B551182"}


def _hana() -> bytes:
    return (
        header(HANA, "R1", sbsr_nm="김하나", hic_no="90000000001", **ISSUED)
        + line("L", HANA, 1, se_cd="1", bplc_nm="한결상사", acqs_ymd="20190301")
        + line("L", HANA, 2, se_cd="2", acqs_ymd="20230301", lose_ymd="20240101")
        + line("D", HANA, 1, dpnd_rrn=DUL, dpnd_nm="김둘")
    )


def test_a_document_comes_with_its_lines_and_nobody_elses(tmp_path: Path) -> None:
    body = header(STRANGER, "R9", sbsr_nm="남", **ISSUED) + line("D", STRANGER, 1, dpnd_nm="남의 딸") + _hana()
    rows, report = pull(HINQ, everything(HINQ, HANA, SES), deliver(tmp_path, body))
    (row,) = rows
    assert row["_subject_key"] == KEYS[HANA]
    assert (row["_record_id"], row["_is_deleted"], row["sbsr_nm"]) == ("R1", False, "김하나")
    assert row["_observed_at"].isoformat() == "2026-05-01T00:00:00+00:00"
    assert [(h["_line_no"], h["se_cd"], h["bplc_nm"], h["lose_ymd"]) for h in row["history"]] == [
        (1, "1", "한결상사", None),
        (2, "2", None, "20240101"),
    ]
    assert row["dependants"] == [{"_line_no": 1, "dpnd_rrn": DUL, "dpnd_nm": "김둘"}]
    assert report.is_complete
    assert (report.asked, report.received, report.kept, report.signed_count) == (2, 2, 1, 6)
    assert report.dropped == {"not_requested": 1}
    assert report.watermark == "2026-05-01T00:00:00+00:00"


def test_an_uncovered_column_is_null_and_an_uncovered_group_brings_no_identifier(tmp_path: Path) -> None:
    (row,), _ = pull(HINQ, ask(HINQ, (HANA, ["SBSR_NM", "history.SBSR_SE_CD"])), deliver(tmp_path, _hana()))
    assert (row["sbsr_nm"], row["hic_no"], row["issu_no"], row["dependants"]) == ("김하나", None, None, None)
    assert [{k for k, v in h.items() if v is not None} for h in row["history"]] == [{"_line_no", "se_cd"}] * 2


def test_the_newest_complete_pair_is_the_delivery(tmp_path: Path) -> None:
    deliver(tmp_path, header(HANA, sbsr_nm="옛이름"), day="20260531")
    endpoints = deliver(tmp_path, header(HANA, sbsr_nm="새이름"), day="20260601")
    (tmp_path / "ELIG_20260602.dat").write_bytes(b"half of tomorrow")
    (row,), _ = pull(HINQ, everything(HINQ, HANA), endpoints)
    assert row["sbsr_nm"] == "새이름"


def test_f24_of_two_versions_the_newer_by_the_holders_time_wins(tmp_path: Path) -> None:
    body = (
        header(HANA, "R1", "2026-05-02T00:00:00Z", sbsr_nm="새이름")
        + header(DUL, "R2", sbsr_nm="김둘")
        + header(HANA, "R1", "2026-05-01T00:00:00Z", sbsr_nm="옛이름")
    )
    rows, report = pull(HINQ, everything(HINQ, HANA, DUL), deliver(tmp_path, body))
    assert [r["sbsr_nm"] for r in rows] == ["새이름", "김둘"]
    assert report.dropped == {"superseded": 1}


@pytest.mark.parametrize(
    ("flaw", "records", "digest"),
    [("wrong count", 5, None), ("wrong hash", None, "0" * 64)],
)
def test_f20_a_file_that_differs_from_its_control_file_yields_nothing(
    tmp_path: Path, flaw: str, records: int | None, digest: str | None
) -> None:
    delivery = connect(
        HINQ, everything(HINQ, HANA), deliver(tmp_path, _hana(), records=records, digest=digest), SETTINGS
    )
    with pytest.raises(SourceError, match="nhis"):
        next(delivery.batches())
    assert not delivery.report.is_complete
    assert delivery.report.watermark is None


def test_f20_a_truncated_file_yields_nothing(tmp_path: Path) -> None:
    endpoints = deliver(tmp_path, _hana())
    data = tmp_path / "ELIG_20260601.dat"
    os.truncate(data, data.stat().st_size - 401)
    with pytest.raises(SourceError, match="sha256"):
        pull(HINQ, everything(HINQ, HANA), endpoints)


def test_f20_an_empty_full_file_deletes_nobody(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="delete everybody"):
        pull(HINQ, everything(HINQ, HANA), deliver(tmp_path, b""))


@pytest.mark.parametrize("control", ["", "[]", '{"file": "ELIG_20260601.dat", "records": "4"}', '{"records": NaN}'])
def test_f20_a_control_file_that_is_none_is_refused(tmp_path: Path, control: str) -> None:
    endpoints = deliver(tmp_path, _hana())
    (tmp_path / "ELIG_20260601.ctl").write_text(control)
    with pytest.raises(SourceError, match="control file"):
        pull(HINQ, everything(HINQ, HANA), endpoints)


def test_f20_without_a_complete_pair_there_is_no_delivery(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no complete pair"):
        pull(HINQ, everything(HINQ, HANA), Endpoints(file={"nhis": str(tmp_path)}))


def test_f22_records_of_another_length_are_drift(tmp_path: Path) -> None:
    body = (b"H" + HANA.encode() + b" " * 387 + b"\n") * 3
    with pytest.raises(SchemaDrift, match="recordBytes is expected as 400 bytes"):
        pull(HINQ, everything(HINQ, HANA), deliver(tmp_path, body))


def test_f22_a_file_without_header_records_is_drift(tmp_path: Path) -> None:
    with pytest.raises(SchemaDrift, match="header records of kind H"):
        pull(HINQ, everything(HINQ, HANA), deliver(tmp_path, _hana().replace(b"H", b"A")))


def test_f22_a_shifted_layout_is_drift(tmp_path: Path) -> None:
    shifted = b"H" + b"NEW" + header(HANA)[1:-4] + b"\n"  # a new field of three bytes before the identifier
    with pytest.raises(SchemaDrift, match="column rrn"):
        pull(HINQ, everything(HINQ, HANA), deliver(tmp_path, shifted * 3))


def test_f21_an_unknown_kind_and_a_line_of_somebody_else_are_dropped(tmp_path: Path) -> None:
    odd = bytearray(line("L", HANA, 3, se_cd="1"))
    odd[0:1] = b"X"
    body = _hana() + bytes(odd) + line("D", STRANGER, 9, dpnd_nm="남의 딸")
    (row,), report = pull(HINQ, everything(HINQ, HANA), deliver(tmp_path, body))
    assert (len(row["history"]), len(row["dependants"])) == (2, 1)
    assert report.dropped == {"unknown_kind": 1, "not_requested": 1}


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        (header(HANA, sbsr_nm=b"\xb1\xe8\xc7"), "undecodable"),
        (header(HANA, sbsr_nm=b"A\x00B"), "nul"),
        (header(HANA, record_id=""), "control_value_missing"),
        (header(HANA, changed_at="2026-13-45T00:00:00Z"), "time_unreadable"),
        (header(HANA, changed_at="9999-12-31T00:00:00Z"), "time_out_of_range"),
        (header(HANA) + line("D", HANA, 1, dpnd_nm=b"\xff\xff"), "undecodable"),
        (header(HANA) + line("D", HANA, 1)[:14] + b"  x1" + line("D", HANA, 1)[18:], "line_number_unreadable"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_f23_a_poison_record_is_withheld_and_the_rest_goes_on(tmp_path: Path, flaw: bytes, reason: str) -> None:
    rows, report = pull(HINQ, everything(HINQ, HANA, DUL), deliver(tmp_path, flaw + header(DUL, sbsr_nm="김둘")))
    assert [r["_subject_key"] for r in rows] == [KEYS[DUL]]
    assert report.withheld == {reason: 1}
    assert report.withheld_subjects == {KEYS[HANA]}  # its absence is no deletion
    assert "김" not in str(report)
    assert HANA not in str(report)


def test_f23_an_older_version_does_not_stand_in_for_a_newer_one_that_is_poison(tmp_path: Path) -> None:
    body = header(HANA, "R1", sbsr_nm="옛이름") + header(HANA, "R1", "2026-05-02T00:00:00Z", sbsr_nm=b"\xff\xff")
    rows, report = pull(HINQ, everything(HINQ, HANA), deliver(tmp_path, body))
    assert rows == []
    assert report.withheld == {"undecodable": 1}


def test_poison_in_a_column_that_nobody_asked_for_harms_nobody(tmp_path: Path) -> None:
    (row,), _ = pull(HINQ, ask(HINQ, (HANA, ["HIC_NO"])), deliver(tmp_path, header(HANA, sbsr_nm=b"\xff", hic_no="9")))
    assert (row["hic_no"], row["sbsr_nm"]) == ("9", None)


def test_a_file_of_many_chunks_is_read_across_their_borders(tmp_path: Path) -> None:
    people = [f"{i:013d}" for i in range(20_000)]
    body = b"".join(header(p, f"R{i}", sbsr_nm="가") + line("D", p, 1, dpnd_nm="나") for i, p in enumerate(people))
    asked = people[::7] + people[8190:8194]  # the border of the first chunk of 16,384 records
    rows, report = pull(HINQ, everything(HINQ, *dict.fromkeys(asked)), deliver(tmp_path, body))
    assert sorted(r["_record_id"] for r in rows) == sorted({f"R{int(p)}" for p in asked})
    assert all(len(r["dependants"]) == 1 for r in rows)
    assert report.dropped == {"not_requested": 20_000 - len(rows)}


_NAMES = st.text(st.characters(codec="cp949", exclude_categories=["Cc", "Zs"]), max_size=50).filter(
    lambda s: len(s.encode("cp949")) <= 100
)


@settings(deadline=None, database=None)
@given(name=_NAMES, dependants=st.lists(_NAMES, max_size=4))
def test_what_is_written_in_cp949_bytes_is_read_back(name: str, dependants: list[str]) -> None:
    body = header(HANA, sbsr_nm=name) + b"".join(line("D", HANA, i, dpnd_nm=d) for i, d in enumerate(dependants))
    with tempfile.TemporaryDirectory() as folder:
        (row,), report = pull(HINQ, everything(HINQ, HANA), deliver(Path(folder), body))
    assert row["sbsr_nm"] == (name or None)
    assert [d["dpnd_nm"] for d in row["dependants"]] == [d or None for d in dependants]
    assert report.withheld == {}


def test_the_control_file_must_name_its_own_data_file(tmp_path: Path) -> None:
    endpoints = deliver(tmp_path, _hana())
    control = tmp_path / "ELIG_20260601.ctl"
    control.write_text(json.dumps(json.loads(control.read_text()) | {"file": "ELIG_20250101.dat"}))
    with pytest.raises(SourceError, match="control file"):
        pull(HINQ, everything(HINQ, HANA), endpoints)
