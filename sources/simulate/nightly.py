"""The health insurer's nightly full file: fixed width in CP949 bytes, with a control file.

    ELIG_20260601.dat   400 bytes and a newline each: a subject's H line, its L (history) and D (dependant) lines
    ELIG_20260601.ctl   {"file": name, "records": lines, "sha256": hex}, written after the data
    ELIG_20260601.sig   what the holder signs of it (`sources.signed`), written before the control file

Positions count bytes, text is left-aligned and padded with spaces, what is absent is spaces. Subjects who left are
absent.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from hanbeon.clock import now
from sources.signed import SIDECAR
from sources.simulate import agency_keys, identity, store

Bytes = npt.NDArray[np.uint8]

RECORD_BYTES = 400
SUBJECTS_PER_CHUNK = 25_000
FILES_KEPT = 2
KIND, IDENTIFIER = (0, 1), (1, 13)
# Official column, or control field, to first byte and width.
HEADER = {
    "record_id": (14, 13),
    "ISSU_NO": (27, 20),
    "ISSU_YMD": (47, 8),
    "ISSU_INST_CD": (55, 7),
    "SBSR_NM": (62, 100),
    "HIC_NO": (162, 20),
    "changed": (362, 20),
    "deleted": (382, 1),
}
HISTORY = {
    "line": (14, 4),
    "SBSR_SE_CD": (18, 1),
    "BPLC_NM": (19, 200),
    "BPLC_MNG_NO": (219, 50),
    "HLTH_INSRNC_ACQS_YMD": (269, 8),
    "HLTH_INSRNC_LOSE_YMD": (277, 8),
}
DEPENDANTS = {"line": (14, 4), "DPND_NM": (18, 100), "person_identifier": (118, 13)}


def outbox(home: Path) -> Path:
    return home / "agencies" / "nhis" / "outbox"


def publish(home: Path, night: date, tables: store.Frames | None = None) -> Path:
    """Write the newest pair from the register, and drop all but the last ones. The path of the data file."""
    tables = tables or store.register(home, "health_insurance_history")
    target = outbox(home) / f"ELIG_{night:%Y%m%d}.dat"
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, count = hashlib.sha256(), 0
    draft = target.with_suffix(".part")
    with draft.open("wb") as file:
        for chunk in _chunks(tables):
            lines = render(chunk)
            digest.update(lines.data)
            file.write(lines.data)
            count += len(lines)
    os.replace(draft, target)
    write_control(home, target, count, digest.hexdigest())
    for old in sorted(target.parent.glob("ELIG_*.dat"))[:-FILES_KEPT]:
        for suffix in (".ctl", SIDECAR):
            old.with_suffix(suffix).unlink(missing_ok=True)
        old.unlink()
    return target


def write_control(home: Path, data: Path, records: int, sha256: str) -> None:
    """What the holder says of its file, signed beside it; the control file comes last."""
    claims = {"iss": "nhis", "iat": int(now().timestamp()), "file": data.name, "records": records, "content": sha256}
    token = identity.signed(agency_keys.key_of(home, "nhis"), claims, "delivery+jwt")
    sidecar = data.with_suffix(".sig.part")
    sidecar.write_text(token, encoding="ascii")
    os.replace(sidecar, data.with_suffix(SIDECAR))
    draft = data.with_suffix(".ctl.part")
    draft.write_text(json.dumps({"file": data.name, "records": records, "sha256": sha256}), encoding="ascii")
    os.replace(draft, data.with_suffix(".ctl"))


def _chunks(tables: store.Frames) -> Iterator[store.Frames]:
    """Living records by subject number, some thousands at a time."""
    header = tables["health_insurance_history"].filter(~pl.col("is_deleted")).sort("record_id")
    lines = [tables[f"health_insurance_history__{g}"].sort("record_id", "line_no") for g in ("history", "dependants")]
    for start in range(0, max(len(header), 1), SUBJECTS_PER_CHUNK):
        part = header[start : start + SUBJECTS_PER_CHUNK]
        if not len(part):
            continue
        first, last = part["record_id"][0], part["record_id"][-1]
        history, dependants = (t.filter(pl.col("record_id").is_between(pl.lit(first), pl.lit(last))) for t in lines)
        yield {"header": part, "history": history, "dependants": dependants}


def render(chunk: store.Frames) -> Bytes:
    """The lines of some subjects as rows of 401 bytes."""
    header = chunk["header"].with_columns(
        changed=pl.col("changed_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ"), deleted=pl.lit("N")
    )
    place = header.select("record_id", "identifier").with_row_index("at")
    groups = {
        name: chunk[name]
        .join(place, on="record_id", maintain_order="left")
        .with_columns(line=pl.col("line_no").cast(pl.String).str.zfill(4))
        for name in ("history", "dependants")
    }
    counts = {name: np.bincount(lines["at"].to_numpy(), minlength=len(header)) for name, lines in groups.items()}
    size = 1 + counts["history"] + counts["dependants"]
    first = np.cumsum(size) - size
    rows = np.full((int(size.sum()), RECORD_BYTES + 1), ord(" "), np.uint8)
    rows[:, -1] = ord("\n")
    _fill(rows, first, b"H", header, HEADER)
    at, number = (groups["history"][c].to_numpy().astype(np.int64) for c in ("at", "line_no"))
    _fill(rows, first[at] + number, b"L", groups["history"], HISTORY)
    at, number = (groups["dependants"][c].to_numpy().astype(np.int64) for c in ("at", "line_no"))
    _fill(rows, first[at] + counts["history"][at] + number, b"D", groups["dependants"], DEPENDANTS)
    return rows


def _fill(
    rows: Bytes, at: npt.NDArray[np.int64], kind: bytes, frame: pl.DataFrame, layout: dict[str, tuple[int, int]]
) -> None:
    rows[at, KIND[0]] = kind[0]
    for column, (start, width) in {"identifier": IDENTIFIER, **layout}.items():
        rows[at, start : start + width] = encoded(frame[column], width)


def encoded(texts: pl.Series, width: int) -> Bytes:
    """Texts as rows of `width` CP949 bytes. Each distinct text is encoded once."""
    column = texts.fill_null("").rename("text").to_frame()
    distinct = column.unique(maintain_order=True)
    fields = [t.encode("cp949").ljust(width) for t in distinct["text"]]
    if any(len(f) > width for f in fields):
        raise ValueError(f"a text is longer than the {width} bytes of its field")
    table = np.frombuffer(b"".join(fields), np.uint8).reshape(len(fields), width)
    at = column.join(distinct.with_row_index("at"), on="text", maintain_order="left")["at"]
    return np.asarray(table[at.to_numpy()])
