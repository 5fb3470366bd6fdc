"""Nightly full files: fixed width in CP949 bytes, with a control file. 국민건강보험공단 and 병무청 deliver so.

    ELIG_20260601.dat   records of so many bytes and a newline: a subject's header line, then the lines of its groups
    ELIG_20260601.ctl   {"file": name, "records": lines, "sha256": hex}, written after the data
    ELIG_20260601.sig   what the holder signs of it (`sources.signed`), written before the control file

Positions count bytes, text is left-aligned and padded with spaces, what is absent is spaces. Subjects who left are
absent. The layout of the eligibility file is written here, so that connector and contract are held against something
that neither made; the others lie as their contracts say.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from hanbeon.clock import now
from schemas.column import Column
from schemas.contract import Contract, sources
from sources.signed import SIDECAR
from sources.simulate import agency_keys, forms, identity, store

Bytes = npt.NDArray[np.uint8]
Places = Mapping[str, tuple[int, int]]  # official column, or control field, to first byte and width

SUBJECTS_PER_CHUNK = 25_000
FILES_KEPT = 2
KIND, IDENTIFIER = (0, 1), (1, 13)
LINE = "line"


@dataclass(frozen=True)
class Lines:
    """The lines of one repeating group: the byte that marks them, and where their fields lie."""

    group: str
    kind: bytes
    places: Places


@dataclass(frozen=True)
class File:
    """One holder's file of one register."""

    holder: str
    register: str
    prefix: str
    record_bytes: int
    header: Places
    groups: Sequence[Lines]


ELIGIBILITY = File(
    holder="nhis",
    register="health_insurance_history",
    prefix="ELIG_",
    record_bytes=400,
    header={
        "identifier": IDENTIFIER,
        "record_id": (14, 13),
        "ISSU_NO": (27, 20),
        "ISSU_YMD": (47, 8),
        "ISSU_INST_CD": (55, 7),
        "SBSR_NM": (62, 100),
        "HIC_NO": (162, 20),
        "changed": (362, 20),
        "deleted": (382, 1),
    },
    groups=(
        Lines(
            "history",
            b"L",
            {
                "identifier": IDENTIFIER,
                LINE: (14, 4),
                "SBSR_SE_CD": (18, 1),
                "BPLC_NM": (19, 200),
                "BPLC_MNG_NO": (219, 50),
                "HLTH_INSRNC_ACQS_YMD": (269, 8),
                "HLTH_INSRNC_LOSE_YMD": (277, 8),
            },
        ),
        Lines(
            "dependants",
            b"D",
            {"identifier": IDENTIFIER, LINE: (14, 4), "DPND_NM": (18, 100), "person_identifier": (118, 13)},
        ),
    ),
)


def _of_contract(contract: Contract) -> File:
    """A file as its contract says that it is delivered."""
    d = contract.delivery
    control = {"identifier": d["identifierBytes"], "record_id": d["recordIdBytes"], "changed": d["changedAtBytes"]}
    control["deleted"] = d["deletedBytes"]
    groups = [
        Lines(
            g.name,
            str(g.delivery["kind"]).encode("ascii"),
            _places({"identifier": d["identifierBytes"], LINE: g.delivery["lineNoBytes"]}, g.columns),
        )
        for g in contract.groups
    ]
    prefix = str(d["filePattern"]).partition("*")[0]
    header = _places(control, contract.content)
    return File(contract.holder, contract.table.document, prefix, int(d["recordBytes"]), header, groups)


def _places(control: Mapping[str, Sequence[int]], columns: Sequence[Column]) -> Places:
    own = {c.publishes or "person_identifier": c.delivery["bytes"] for c in columns}
    return {name: (int(start), int(width)) for name, (start, width) in {**control, **own}.items()}


FILES = (
    ELIGIBILITY,
    *(
        _of_contract(c)
        for c in sources()
        if c.delivery["form"] == "file"
        and c.table.document in store.REGISTERS
        and c.table.document != ELIGIBILITY.register
    ),
)


def outbox(home: Path, holder: str = ELIGIBILITY.holder) -> Path:
    return home / "agencies" / holder / "outbox"


def publish(home: Path, file: File, night: date, tables: store.Frames | None = None) -> Path:
    """Write the newest pair from the register, and drop all but the last ones. The path of the data file."""
    tables = forms.delivered(file.register, tables or store.register(home, file.register))
    target = outbox(home, file.holder) / f"{file.prefix}{night:%Y%m%d}.dat"
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, count = hashlib.sha256(), 0
    draft = target.with_suffix(".part")
    with draft.open("wb") as written:
        for chunk in _chunks(file, tables):
            lines = render(file, chunk)
            digest.update(lines.data)
            written.write(lines.data)
            count += len(lines)
    os.replace(draft, target)
    write_control(home, file.holder, target, count, digest.hexdigest())
    for old in sorted(target.parent.glob(f"{file.prefix}*.dat"))[:-FILES_KEPT]:
        for suffix in (".ctl", SIDECAR):
            old.with_suffix(suffix).unlink(missing_ok=True)
        old.unlink()
    return target


def write_control(home: Path, holder: str, data: Path, records: int, sha256: str) -> None:
    """What the holder says of its file, signed beside it; the control file comes last."""
    claims = {"iss": holder, "iat": int(now().timestamp()), "file": data.name, "records": records, "content": sha256}
    token = identity.signed(agency_keys.key_of(home, holder), claims, "delivery+jwt")
    sidecar = data.with_suffix(".sig.part")
    sidecar.write_text(token, encoding="ascii")
    os.replace(sidecar, data.with_suffix(SIDECAR))
    draft = data.with_suffix(".ctl.part")
    draft.write_text(json.dumps({"file": data.name, "records": records, "sha256": sha256}), encoding="ascii")
    os.replace(draft, data.with_suffix(".ctl"))


def _chunks(file: File, tables: store.Frames) -> Iterator[store.Frames]:
    """Living records by subject number, some thousands at a time."""
    header = tables[file.register].filter(~pl.col("is_deleted")).sort("record_id")
    groups = {g.group: tables[f"{file.register}__{g.group}"].sort("record_id", "line_no") for g in file.groups}
    for start in range(0, len(header), SUBJECTS_PER_CHUNK):
        part = header[start : start + SUBJECTS_PER_CHUNK]
        first, last = part["record_id"][0], part["record_id"][-1]
        is_of_part = pl.col("record_id").is_between(pl.lit(first), pl.lit(last))
        yield {"header": part} | {name: lines.filter(is_of_part) for name, lines in groups.items()}


def render(file: File, chunk: store.Frames) -> Bytes:
    """The lines of some subjects as rows of the file's length and a newline."""
    header = chunk["header"].with_columns(
        changed=pl.col("changed_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ"), deleted=pl.lit("N")
    )
    place = header.select("record_id", "identifier").with_row_index("at")
    groups = [
        chunk[g.group]
        .join(place, on="record_id", maintain_order="left")
        .with_columns(pl.col("line_no").cast(pl.String).str.zfill(4).alias(LINE))
        for g in file.groups
    ]
    counts = [np.bincount(lines["at"].to_numpy(), minlength=len(header)) for lines in groups]
    size = 1 + sum(counts, np.zeros(len(header), np.int64))
    first = np.cumsum(size) - size
    rows = np.full((int(size.sum()), file.record_bytes + 1), ord(" "), np.uint8)
    rows[:, -1] = ord("\n")
    _fill(rows, first, b"H", header, file.header)
    before = first
    for g, lines, count in zip(file.groups, groups, counts, strict=True):
        at, number = (lines[c].to_numpy().astype(np.int64) for c in ("at", "line_no"))
        _fill(rows, before[at] + number, g.kind, lines, g.places)
        before = before + count
    return rows


def _fill(rows: Bytes, at: npt.NDArray[np.int64], kind: bytes, frame: pl.DataFrame, places: Places) -> None:
    rows[at, KIND[0]] = kind[0]
    for column, (start, width) in places.items():
        rows[at, start : start + width] = encoded(frame[column].cast(pl.String), width)


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
