"""Withdrawn is provably gone: one person leaves, `erase --now`, and nothing in the home says who it was (P4, P5).

The scan here shares no code with the product: every file's bytes, and every Parquet column decoded.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from consent import applications, bodies, ledger, signing, vault
from consent.bodies import BodyKind
from consent.log import check
from consent.signing import read_jws
from hanbeon.errors import IntegrityError
from pipeline import certificate, reading
from pipeline.attest import operator
from pipeline.erase import erase
from pipeline.recover import recover
from schemas.contract import gold
from tests.main_job.conftest import FEW_SERVICES, Country, country, documents_of, few_candidates

EXTRACT = "gold/household_extract"


def texts_of(path: Path) -> Iterator[str]:
    """Every value of a Parquet file, as one JSON text for each column."""
    table = pq.read_table(path, partitioning=None)
    for name in table.column_names:
        yield json.dumps(table.column(name).to_pylist(), ensure_ascii=False, default=repr)


def found_in(home: Path, values: set[str]) -> set[tuple[str, str]]:
    """(file, value) wherever a value stands in the home, the agencies apart."""
    sought = [(value, [value.encode(code) for code in ("utf-8", "cp949", "utf-16-le")]) for value in values]
    found = set()
    for path in sorted(p for p in home.rglob("*") if p.is_file()):
        relative = path.relative_to(home)
        if relative.parts[0] == "agencies":
            continue
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            continue  # PostgreSQL's own, gone meanwhile
        found |= {(relative.as_posix(), value) for value, forms in sought if any(form in raw for form in forms)}
        if path.suffix == ".parquet":
            for text in texts_of(path):
                found |= {(relative.as_posix(), value) for value in values if value in text}
    return found


@dataclass(frozen=True)
class Leaver:
    """Somebody with rows, and what says who it is and nobody else."""

    key: int
    number: str
    values: set[str]
    evidence_ids: set[str]


def rows(korea: Country, name: str) -> list[dict[str, Any]]:
    return list(reading.read(korea.run, name, gold(name.partition("/")[2]).gold_schema).to_pylist())


def leaver(korea: Country) -> Leaver:
    """The first person of a household extract whom no other person's row names."""
    extracts = rows(korea, EXTRACT)
    everything = json.dumps([rows(korea, name) for name in golds(korea)], ensure_ascii=False, default=repr)
    for row in sorted(extracts, key=lambda r: r["_evidence_id"]):
        key = row["_subject_key"]
        own = [r for name in golds(korea) for r in rows(korea, name) if r["_subject_key"] == key]
        others = everything.count(str(key)) - json.dumps(own, default=repr).count(str(key))
        values = {row["ROAD_NM_ADDR"], row["HSHLDR_NM"], row["ISSU_NO"]} - {None}
        mine = json.dumps(own, ensure_ascii=False, default=repr)
        alone = {v for v in values if everything.count(v) == mine.count(v)}
        if not others and len(alone) >= 2 and row["ROAD_NM_ADDR"] in alone:
            number = vault.reveal(korea.run.conn, korea.run.secrets, "RRN", [key]).column("identifier")[0].as_py()
            return Leaver(key, number, alone, {r["_evidence_id"] for r in own})
    raise AssertionError("No household of this world stands alone.")


def golds(korea: Country) -> list[str]:
    from pipeline.publish import documents

    return [f"gold/{contract.name}" for contract in documents()]


def leave(korea: Country, key: int) -> None:
    """Whatever this person granted, or was granted about them, ends; so do their applications."""
    conn, at = korea.run.conn, korea.run.at()
    for row in applications.applications(conn, applicant_key=key, state="open").to_pylist():
        applications.decide(conn, row["application_id"], "withdrawn", at)
    taken = conn.execute(
        "select distinct authorisation_id from authorisations where subject_key = %s or grantor_key = %s", [key, key]
    ).fetchall()
    states = {r["authorisation_id"]: r["state"] for r in ledger.snapshot(conn).authorisations.to_pylist()}
    for (authorisation_id,) in taken:
        if states[authorisation_id] != "withdrawn":
            ledger.withdraw(conn, authorisation_id, korea.run.at())


@pytest.fixture
def own_korea(tmp_path: Path) -> Iterator[Country]:
    with country(tmp_path / "home", few_candidates, documents_of(FEW_SERVICES)) as found:
        yield found


def sealed_rows(korea: Country, key: int) -> list[bytes]:
    """What PostgreSQL holds of somebody's identifiers and secret: index values and ciphertexts."""
    found = korea.run.conn.execute(
        "select lookup, ciphertext from vault_identifiers where subject_key = %s", [key]
    ).fetchall()
    found += korea.run.conn.execute(
        "select ciphertext, ciphertext from owner_secrets where owner = %s", [key.to_bytes(8, "big", signed=True)]
    ).fetchall()
    return sorted({bytes(value) for row in found for value in row})


def in_the_database(korea: Country, values: list[bytes]) -> set[str]:
    """The files of PostgreSQL that hold one of the values, write-ahead log and dead rows included."""
    found = set()
    for path in (p for p in korea.settings.postgres_path.rglob("*") if p.is_file()):
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            continue
        if any(value in raw for value in values):
            found.add(path.relative_to(korea.settings.postgres_path / "data").parts[0])
    return found


def test_p4_nothing_in_the_home_says_who_it_was(own_korea: Country) -> None:
    korea = own_korea
    run = korea.run
    who = leaver(korea)
    forms = {who.number, f"{who.number[:6]}-{who.number[6:]}"}
    before = found_in(korea.home, who.values | who.evidence_ids | forms)
    assert {value for _, value in before} == who.values | who.evidence_ids  # the scan can fail; P10 holds all along
    sealed = sealed_rows(korea, who.key)
    run.conn.execute("checkpoint")
    assert len(sealed) >= 5  # resident number, pseudonym, secret
    assert in_the_database(korea, sealed) >= {"base"}
    copy = korea.home.parent / "copy"
    shutil.copytree(korea.settings.lake_root / EXTRACT, copy)
    leave(korea, who.key)

    erase(korea.run_as("leaving"), is_now=True)

    assert found_in(korea.home, who.values | who.evidence_ids | forms) == set()
    assert in_the_database(korea, sealed) == set()
    assert vault.find(run.conn, run.secrets, "RRN", [who.number]).to_pylist() == [None]
    body = bodies.bodies(run.conn, BodyKind.CERTIFICATE)[-1]
    token = certificate.path_of(run, body["number"]).read_text().strip()
    assert read_jws(token, [signing.jwk(operator(run.settings).documents)]) == body
    assert body["scan"]["needles"] >= len(who.values | who.evidence_ids) + 1
    assert body["scan"]["residue"] == 0
    assert [e["state"] for e in body["inventory"] if e["kind"] == "database"] == ["erased"]
    assert not any("ledger.dsn" in e["why"] for e in body["excluded"])
    assert check.contradictions(run.conn, run.settings.log_path) == []

    put_back_f9(korea, who, copy)


def put_back_f9(korea: Country, who: Leaver, copy: Path) -> None:
    """A copy of a table's folder from before the erasure is put in the place of the table (F9, P5)."""
    folder = korea.settings.lake_root / EXTRACT
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    assert found_in(korea.home, who.values)
    with pytest.raises(IntegrityError, match="closed to readers"):
        rows(korea, EXTRACT)
    with pytest.raises(IntegrityError, match=EXTRACT):
        recover(korea.run_as("after-restore"))
