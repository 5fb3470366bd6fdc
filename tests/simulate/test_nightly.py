"""The health insurer's file is laid out in CP949 bytes, as its contract says."""

import hashlib
import json
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from schemas.contract import source
from sources.simulate import nightly, store
from sources.simulate.truth import truth
from tests.simulate.conftest import Served


def test_the_layout_is_the_contracts() -> None:
    contract = source("HINQ")
    d = contract.delivery
    file = nightly.ELIGIBILITY
    history, dependants = file.groups
    assert d["recordBytes"] == file.record_bytes
    assert tuple(d["kindBytes"]) == nightly.KIND
    assert tuple(d["identifierBytes"]) == nightly.IDENTIFIER
    control = {"record_id": "recordIdBytes", "changed": "changedAtBytes", "deleted": "deletedBytes"}
    assert {tuple(d[theirs]) == file.header[ours] for ours, theirs in control.items()} == {True}
    for columns, layout in (
        (contract.content, file.header),
        (contract.groups[0].columns, history.places),
        (contract.groups[1].columns, dependants.places),
    ):
        for column in columns:
            assert layout[column.publishes or "person_identifier"] == tuple(column.delivery["bytes"]), column.name
    assert tuple(contract.groups[0].delivery["lineNoBytes"]) == history.places[nightly.LINE]


def test_a_field_is_counted_in_bytes_not_in_characters() -> None:
    fields = nightly.encoded(pl.Series(["똠방", "a", None, "쀍"]), 6)
    assert [bytes(f) for f in fields] == ["똠방  ".encode("cp949"), b"a     ", b"      ", "쀍    ".encode("cp949")]
    assert nightly.encoded(pl.Series(["가나다"]), 6).tobytes() == "가나다".encode("cp949")
    with pytest.raises(ValueError, match="6 bytes"):
        nightly.encoded(pl.Series(["가나다라"]), 6)


def test_no_subject_gives_no_field() -> None:
    assert nightly.encoded(pl.Series([], dtype=pl.String), 4).shape == (0, 4)


def test_the_control_file_counts_and_hashes_what_lies_there(served: Served) -> None:
    (data,) = nightly.outbox(served.home).glob("ELIG_*.dat")
    body = data.read_bytes()
    control = json.loads(data.with_suffix(".ctl").read_text())
    assert data.name == "ELIG_20260601.dat"
    assert control["file"] == data.name
    assert control["sha256"] == hashlib.sha256(body).hexdigest()
    assert control["records"] * (nightly.ELIGIBILITY.record_bytes + 1) == len(body)
    assert all(
        body[i] == ord("\n")
        for i in range(nightly.ELIGIBILITY.record_bytes, len(body), nightly.ELIGIBILITY.record_bytes + 1)
    )


def test_the_file_says_what_the_holder_truly_holds(served: Served) -> None:
    contract = source("HINQ")
    (data,) = nightly.outbox(served.home).glob("ELIG_*.dat")
    tables = truth(served.home, "HINQ")
    held = {r["identifier"]: r for r in tables["health_insurance_history"].to_pylist()}
    lines = {
        (kind, r["identifier"], r["_line_no"]): r
        for kind, group in (("L", "history"), ("D", "dependants"))
        for r in tables[f"health_insurance_history__{group}"].to_pylist()
    }
    seen = 0
    for record in data.read_bytes().split(b"\n")[:-1]:
        kind = record[:1].decode()

        def field(place: tuple[int, int], record: bytes = record) -> str | None:
            return record[place[0] : place[0] + place[1]].decode("cp949").strip() or None

        identifier = field((1, 13)) or ""
        if kind == "H":
            row, columns = held[identifier], contract.content
            changed = datetime.strptime(field((362, 20)) or "", "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
            assert changed == row["_observed_at"]
        else:
            row = lines.pop((kind, identifier, int(field((14, 4)) or 0)))
            columns = contract.groups["LD".index(kind)].content
        assert {c.publishes: field(tuple(c.delivery["bytes"])) for c in columns} == {
            c.publishes: row[c.publishes or ""] for c in columns
        }
        seen += 1
    assert seen > 1_200
    assert not lines


def test_some_nights_pairs_are_kept_and_the_others_go(tmp_path: Path, registers: store.Frames) -> None:
    for day in (1, 2, 3):
        nightly.publish(tmp_path, nightly.ELIGIBILITY, date(2026, 6, day), registers)
    left = sorted(p.name for p in nightly.outbox(tmp_path).iterdir())
    assert left == [f"ELIG_2026060{day}.{kind}" for day in (2, 3) for kind in ("ctl", "dat", "sig")]


def test_many_subjects_are_written_in_parts_that_make_one_file(
    tmp_path: Path, registers: store.Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = nightly.publish(tmp_path / "whole", nightly.ELIGIBILITY, date(2026, 6, 1), registers).read_bytes()
    monkeypatch.setattr(nightly, "SUBJECTS_PER_CHUNK", 777)
    assert nightly.publish(tmp_path / "parts", nightly.ELIGIBILITY, date(2026, 6, 1), registers).read_bytes() == whole
