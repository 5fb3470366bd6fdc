"""A health insurer's fixed-width files, written from the contract's own positions."""

import hashlib
import json
from pathlib import Path
from typing import Any

from schemas.contract import Contract, source
from sources.endpoints import Endpoints

HINQ: Contract = source("HINQ")
LENGTH = int(HINQ.delivery["recordBytes"])


def record(values: dict[tuple[int, int], str | bytes]) -> bytes:
    """One record: each value in its span of bytes, blanks elsewhere."""
    made = bytearray(b" " * LENGTH + b"\n")
    for (start, length), value in values.items():
        raw = value if isinstance(value, bytes) else value.encode("cp949")
        assert len(raw) <= length, "a test wrote more bytes than the field has"
        made[start : start + length] = raw.ljust(length)
    return bytes(made)


def _spans(columns: Any) -> dict[str, tuple[int, int]]:
    return {c.name: tuple(c.delivery["bytes"]) for c in columns}


def header(
    identifier: str, record_id: str = "R1", changed_at: str = "2026-05-01T00:00:00Z", **own: str | bytes
) -> bytes:
    at, spans = HINQ.delivery, _spans(HINQ.columns)
    control: dict[tuple[int, int], str | bytes] = {
        tuple(at["kindBytes"]): "H",
        tuple(at["identifierBytes"]): identifier,
        tuple(at["recordIdBytes"]): record_id,
        tuple(at["changedAtBytes"]): changed_at,
        tuple(at["deletedBytes"]): "N",
    }
    return record(control | {spans[name]: value for name, value in own.items()})


def line(kind: str, identifier: str, number: int, **values: str | bytes) -> bytes:
    group = next(g for g in HINQ.groups if g.delivery["kind"] == kind)
    control: dict[tuple[int, int], str | bytes] = {
        (0, 1): kind,
        tuple(HINQ.delivery["identifierBytes"]): identifier,
        tuple(group.delivery["lineNoBytes"]): f"{number:04d}",
    }
    return record(control | {_spans(group.columns)[name]: value for name, value in values.items()})


def deliver(
    folder: Path, body: bytes, day: str = "20260601", records: int | None = None, digest: str | None = None
) -> Endpoints:
    """Write the pair of one day; the control file tells the truth unless told otherwise."""
    data = folder / f"ELIG_{day}.dat"
    data.write_bytes(body)
    control = {
        "file": data.name,
        "records": body.count(b"\n") if records is None else records,
        "sha256": digest or hashlib.sha256(body).hexdigest(),
    }
    data.with_suffix(".ctl").write_text(json.dumps(control))
    return Endpoints(file={"nhis": str(folder)})
