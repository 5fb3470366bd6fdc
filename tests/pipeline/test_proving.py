"""A row is proved by its commit's leaf, and absence by its neighbours: checked here as docs/proof.md says, by hand."""

import hashlib
import json
from typing import Any

import pyarrow.parquet as pq
import pytest

from consent import journal, ledger, owners, vault
from consent.owners import owner_of_key
from hanbeon.errors import UsageError
from lake import layout, tables
from pipeline.leaf import leaf_of
from pipeline.proving import Absence, RowProof, absences, row_proofs
from tests.small_lake import SmallLake, publish_again

GOLD = "gold/family_relation_certificate"
SHARE = "shares/mogef/family_relation_certificate"


def body_of(lake: SmallLake, table: str, sequence: int) -> dict[str, Any]:
    (leaf,) = [leaf for leaf in journal.leaves(lake.run.conn, table) if leaf.sequence == sequence]
    found: dict[str, Any] = json.loads(leaf.body)
    return found


def root_over(leaf: bytes, index: int, size: int, path: tuple[bytes, ...]) -> bytes:
    """RFC 9162, 2.1.3.2, once more and apart from the product's."""
    found, last = leaf, size - 1
    for other in path:
        if index & 1 or index == last:
            found = hashlib.sha256(b"\x01" + other + found).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + other).digest()
        index, last = index >> 1, last >> 1
    assert last == 0
    return found


def netstring(text: str | None) -> bytes:
    return b"-," if text is None else str(len(text.encode())).encode() + b":" + text.encode() + b","


def root_of(proof: RowProof, **changes: str) -> str:
    commitments = []
    for part in (proof.pipeline, proof.content):
        columns = {**part.columns, **{n: v for n, v in changes.items() if n in part.columns}}
        text = b"".join(netstring(n) + netstring(columns[n]) for n in sorted(columns))
        commitments.append(hashlib.sha256(part.salt + text).digest())
    leaf = hashlib.sha256(b"\x00" + b"".join(commitments)).digest()
    return root_over(leaf, proof.row, proof.file_rows, proof.row_path).hex()


@pytest.mark.parametrize("table", [GOLD, SHARE, "bronze/scourt/family_register"])
def test_p3_every_row_leads_to_the_root_in_its_commit_s_leaf(still_lake: SmallLake, table: str) -> None:
    handle = tables.open_table(still_lake.run.settings.lake_root, table)
    assert handle is not None
    base, seen = layout.table_path(still_lake.run.settings.lake_root, table), 0
    for action in tables.active_files(handle):
        for evidence_id in pq.read_table(base / tables.decoded(action["path"])).column("_evidence_id").to_pylist():
            for proof in row_proofs(still_lake.run, table, evidence_id):
                body = body_of(still_lake, table, proof.sequence)
                (file,) = [f for f in body["files"] if f["path"] == proof.file]
                assert root_of(proof) == file["row_root"]
                assert root_of(proof, SELF_FLNM="누구", self_nm="누구") != file["row_root"]
                assert root_of(proof, _authorisation_id="other") != file["row_root"]
                seen += 1
    assert seen


def absent_in(lake: SmallLake, absence: Absence, owner: bytes) -> bool:
    """The check of docs/proof.md, section 5: two adjacent leaves around the place of the absent one."""
    body = body_of(lake, absence.table, absence.sequence)
    told = body["subject_roots"].get(str(absence.bucket), {"count": 0, "root": ""})
    key = owners.blinding_key(lake.run.secrets, absence.table, absence.bucket)
    blinded = hashlib.sha256(key + owner).digest()
    for one in absence.neighbours:
        leaf = hashlib.sha256(b"\x00" + one.blinded).digest()
        if root_over(leaf, one.at, told["count"], one.path).hex() != told["root"]:
            return False
    below = [n for n in absence.neighbours if n.blinded < blinded]
    above = [n for n in absence.neighbours if n.blinded > blinded]
    if told["count"] == 0:
        return not absence.neighbours
    is_low = bool(below) or bool(above and above[0].at == 0)
    is_high = bool(above) or bool(below and below[0].at == told["count"] - 1)
    is_adjacent = not (below and above) or above[0].at == below[0].at + 1
    return is_low and is_high and is_adjacent and len(below) + len(above) == len(absence.neighbours)


def test_p3_that_a_person_was_never_in_a_table_is_proved_for_every_version(still_lake: SmallLake) -> None:
    owner = owner_of_key(still_lake.three.key)
    found = absences(still_lake.run, GOLD, owner, 0)
    assert [a.version for a in found] == [leaf.version for leaf in journal.leaves(still_lake.run.conn, GOLD)]
    assert all(absent_in(still_lake, absence, owner) for absence in found)


def test_p3_absence_of_who_is_there_cannot_be_proved(still_lake: SmallLake) -> None:
    with pytest.raises(UsageError, match="holds a row"):
        absences(still_lake.run, GOLD, owner_of_key(still_lake.one.key), 0)


def test_p4_a_row_that_went_is_absent_from_the_versions_after(own_lake: SmallLake) -> None:
    run, two = own_lake.run, own_lake.two
    assert two.consent is not None
    pairwise = pseudonym(own_lake, two.key)
    before = journal.newest_leaf(run.conn, SHARE)
    assert before is not None
    ledger.withdraw(run.conn, two.consent, run.at())
    publish_again(run)
    (after,) = absences(run, SHARE, pairwise, 0, first=before.sequence + 1)
    assert after.version == before.version + 1
    assert absent_in(own_lake, after, pairwise)
    with pytest.raises(UsageError, match=f"version {before.version} holds"):
        absences(run, SHARE, pairwise, 0)


def pseudonym(lake: SmallLake, key: int) -> bytes:
    hashed = vault.keyed_hashes(lake.run.secrets, "pairwise:mogef", [key.to_bytes(8, "little", signed=True)])
    return hashed[0][:16]


def test_f1_whoever_pins_a_commit_says_the_same_but_for_its_number(own_lake: SmallLake) -> None:
    """What recovery pins is what the writer would have pinned."""
    run = own_lake.run
    leaf = journal.newest_leaf(run.conn, GOLD)
    assert leaf is not None
    again = leaf_of(run, journal.intent(run.conn, leaf.intent_id), leaf.version, leaf.commit_sha256, leaf.files)
    first, second = json.loads(leaf.body), json.loads(again.body)
    assert second.pop("sequence") > first.pop("sequence")
    assert first == second
