"""What the verifier says of a pack that was made by hand: all of it when it is good, and each flaw in its own words.

The forger has every key: each flaw is signed and hashed as if it were right, so that one check alone can find it.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.verify import making as by_hand
from tests.verify.making import canonical, hexes, jws, leaf, sha
from verify import verify as plain

Files = dict[str, Any]
SCOPE = {"subject_key": "7", "document_type": "FAMR", "columns": ["ISSU_NO", "relatives.FAM_NM"]}
OTHER = {"subject_key": "8", "document_type": "FAMR", "columns": ["GNDR_CD"]}
LATER = {"subject_key": "7", "document_type": "FAMR", "columns": ["SELF_FLNM"]}
TABLE = "shares/mogef/family"
PIPELINE = {"columns": {"_authorisation_id": "auth-1", "_observed_at": None}, "salt": "aa" * 32}
CONTENT = {"columns": {"ISSU_NO": "12", "FAM_NM": "이두리", "GNDR_CD": None}, "salt": "bb" * 32}
ROWS = [sha(b"another row"), sha(b"\x00", by_hand.part_hash(PIPELINE), by_hand.part_hash(CONTENT)), sha(b"a third")]
OWNERS = sorted(sha(bytes([n])) for n in range(4))
IMPORTED = [{"external_id": str(n)} for n in range(3)]
COMMIT, CERTIFICATE = 4, 5


def evidence() -> dict[str, dict[str, Any]]:
    notice = {"hash": "cc" * 32, "text": "동의"}
    claims = {"iss": by_hand.PROVIDER_NAME, "aud": by_hand.ORIGIN, "nonce": notice["hash"], "iat": 5, "exp": 5}
    leaves = [leaf(canonical(row)) for row in IMPORTED]
    manifest = {"iss": by_hand.AGENCY_NAME, "rows": 3, "root": by_hand.root_of(leaves).hex()}
    return {
        "auth-1": {"kind": "authentication", "token": jws(by_hand.PROVIDER, claims, "JWT"), "notice": notice},
        "auth-2": {"kind": "statute", "article": "Act 42"},
        "auth-3": {
            "kind": "import",
            "manifest": jws(by_hand.AGENCY, manifest, "manifest+jwt"),
            "row": IMPORTED[2],
            "index": 2,
            "path": hexes(by_hand.path_of(leaves, 2)),
        },
    }


def grant(key: str, position: int, kind: str, scopes: list[dict[str, Any]], proof: dict[str, Any]) -> dict[str, Any]:
    payload = {"kind": kind, "recipient": "mogef", "scopes": scopes, "evidence_digest": sha(canonical(proof)).hex()}
    payload |= {"notice_hash": "cc" * 32} if kind == "consent" else {}
    return by_hand.event(position, "granted", payload, key)


def bodies(proofs: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    """One of every kind of entry that a pack may hold."""
    salts = ["11" * 32, "12" * 32]
    hidden = {"commitment": by_hand.scope_hash(salts[1], OTHER)}
    commit = {
        "table": TABLE, "version": 3, "sequence": 9, "ledger_position": 4,
        "files": [{"path": "other.parquet", "rows": 1, "row_root": None},
                  {"path": "part.parquet", "rows": 3, "row_root": by_hand.root_of(ROWS).hex()}],
        "subject_roots": {"0": {"count": 4, "root": by_hand.root_of([leaf(o) for o in OWNERS]).hex()}},
    }  # fmt: skip
    access = {"access_id": "5", "reader": "kim", "salt": "dd" * 32, "leaf_hash": "ee" * 32}
    return [
        (1, grant("auth-1", 1, "consent", [{"scope": SCOPE, "salt": salts[0]}, hidden], proofs["auth-1"])),
        (1, grant("auth-2", 2, "statute", [{"scope": OTHER, "salt": salts[1]}], proofs["auth-2"])),
        (1, grant("auth-3", 3, "consent", [{"scope": LATER, "salt": salts[0]}], proofs["auth-3"])),
        (1, by_hand.event(4, "withdrawn", {}, "auth-3")),
        (2, commit),
        (4, {"number": 2, "rows": 5}),
        (3, access),
        (6, {"number": 1, "dataset": "mohw/disability"}),
        (7, {"number": 3, "kind": "x"}),
        (1, by_hand.event(6, "paused", {}, "auth-1")),
    ]


def files_of(given: list[tuple[int, dict[str, Any]]], proofs: dict[str, Any]) -> Files:
    """Everything but the listing. Texts and bytes are written as they are, the rest as JSON."""
    entries = [by_hand.entry_of(kind, body) for kind, body in given]
    leaves = [leaf(one) for one in entries]
    size, root = len(entries), by_hand.root_of(leaves)
    note = by_hand.checkpoint(size, root)
    files: Files = {"trust.json": by_hand.trust(), "checkpoint": note}
    for index, (one, (_, body)) in enumerate(zip(entries, given, strict=True)):
        path = hexes(by_hand.path_of(leaves, index))
        files[f"entries/{index}.json"] = {"index": index, "entry": one.hex(), "size": size, "path": path, "body": body}
    files["rows/0.json"] = {
        "commit": COMMIT, "table": TABLE, "version": 3, "file": "part.parquet", "file_rows": 3, "row": 1,
        "row_path": hexes(by_hand.path_of(ROWS, 1)), "pipeline": deepcopy(PIPELINE), "content": deepcopy(CONTENT),
    }  # fmt: skip
    files |= {f"evidence/{key}.json": canonical(proof) for key, proof in proofs.items()}
    log = {"origin": by_hand.ORIGIN, "checkpoint": note, "entry": entries[0].hex(), "size": size, "index": 0}
    claims = {"log": log | {"path": hexes(by_hand.path_of(leaves, 0))}, "event": given[0][1]}
    files["receipts/auth-1.jws"] = claims
    files["certificates/2.jws"] = jws(by_hand.DOCUMENTS, given[CERTIFICATE][1], "erasure-certificate+jwt") + "\n"
    files["absences/0.json"] = absence(entries, leaves, given[COMMIT][1])
    return files


def absence(entries: list[bytes], leaves: list[bytes], commit: dict[str, Any]) -> dict[str, Any]:
    """Between the second and the third owner; the range of entries lies inside of the log."""
    owner = next(bytes([n]) for n in range(9, 250) if OWNERS[1] < sha(bytes(32), bytes([n])) < OWNERS[2])
    left, right = by_hand.beside(leaves, 3, 6)
    owners = [leaf(o) for o in OWNERS]
    near = [{"blinded": OWNERS[n].hex(), "at": n, "path": hexes(by_hand.path_of(owners, n))} for n in (1, 2)]
    return {
        "from": 3, "to": 6, "entries": hexes(entries[3:6]), "left": hexes(left), "right": hexes(right),
        "blinding_key": "00" * 32, "owner": owner.hex(), "table": TABLE, "bucket": 0,
        "bodies": {str(COMMIT): commit}, "neighbours": {str(COMMIT): near},
    }  # fmt: skip


def write(folder: Path, files: Files, about: dict[str, Any] | None = None) -> Path:
    hashes = {}
    for name, given in files.items():
        data = given if isinstance(given, bytes) else given.encode() if isinstance(given, str) else None
        if data is None and name.startswith("receipts/"):
            data = jws(by_hand.DOCUMENTS, given, "consent-receipt+jwt").encode() + b"\n"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(canonical(given) if data is None else data)
        hashes[name] = sha(path.read_bytes()).hex()
    remarks = ["Whether the record was true."]
    listing = canonical({"format": "hanbeon-pack/1", "files": hashes, "does_not_prove": remarks, **(about or {})})
    (folder / "pack.json").write_bytes(listing)
    (folder / "pack.jws").write_text(jws(by_hand.DOCUMENTS, listing, "disclosure-pack+jwt") + "\n")
    return folder


def good() -> Files:
    proofs = evidence()
    return files_of(bodies(proofs), proofs)


def findings(folder: Path, files: Files) -> list[str]:
    return list(plain.verify(write(folder / "pack", files)).findings)


def test_a_good_pack_is_good_and_says_what_was_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path / "pack", good())
    report = plain.verify(folder)
    assert report.findings == []
    assert report.counts == {
        "log entries": 10,
        "rows": 1,
        "evidences of consent": 3,
        "receipts": 1,
        "erasure certificates": 1,
        "proofs of absence": 1,
    }
    own_keys = "The keys are the folder's own. Compare them with a copy that you trust (--trust)."
    assert report.remarks == [own_keys, "Whether the record was true."]
    assert plain.main([str(folder)]) == 0
    checked = "10 log entries, 1 rows, 3 evidences of consent, 1 receipts, 1 erasure certificates, 1 proofs of absence"
    assert capsys.readouterr().out == f"OK: checked {checked}.\n  {own_keys}\n  Whether the record was true.\n"
    assert plain.main([str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "findings": [], "checked": report.counts}
    assert plain.main([str(folder), "--trust", str(folder / "trust.json")]) == 0
    assert own_keys not in capsys.readouterr().out


def test_a_bad_pack_is_named_line_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = good()
    files["rows/0.json"]["row"] = 3
    folder = write(tmp_path / "pack", files)
    assert plain.main([str(folder)]) == 1
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == "FAILED rows/0.json: index 3 is not in a tree of 3"
    assert second.startswith("FAILED: checked 10 log entries, 3 evidences")
    assert plain.main([str(folder), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["ok"], said["findings"]) == (False, ["rows/0.json: index 3 is not in a tree of 3"])


def test_what_is_neither_pack_nor_lake_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert plain.main([str(tmp_path)]) == 2
    said = "The folder is neither a disclosure pack (pack.json) nor a lake (log/checkpoint).\n"
    assert capsys.readouterr().err == said


def test_without_a_listing_or_its_signature_a_pack_is_still_taken_for_one(tmp_path: Path) -> None:
    for gone, said in (("pack.json", "pack.json: the file is missing"), ("pack.jws", "pack.json: the file is missing")):
        folder = write(tmp_path / gone, good())
        (folder / gone).unlink()
        assert plain.verify(folder).findings == [said]


def test_keys_that_are_not_yours_are_a_finding_and_yours_count(tmp_path: Path) -> None:
    folder, mine = write(tmp_path / "pack", good()), tmp_path / "mine.json"
    other = by_hand.trust()
    other["agencies"] = {}
    mine.write_bytes(canonical(other))
    assert plain.verify(folder, mine).findings == [
        "trust.json: the pack's keys are not the keys that you trust",
        "evidence/auth-3.json: the manifest is of an agency that is not trusted",
    ]
    mine.write_bytes(b"{}")
    assert plain.verify(folder, mine).findings == [f"{mine}: the file is malformed (KeyError)"]


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"format": "hanbeon-pack/2"}, "pack.json: the pack is of no known format"),
        ({"files": {"/etc/passwd": ""}}, "pack.json: pack.json names a file outside of the pack"),
        ({"files": {"a/../../b": ""}}, "pack.json: pack.json names a file outside of the pack"),
    ],
)
def test_a_listing_that_no_pack_has_is_refused(tmp_path: Path, about: dict[str, Any], said: str) -> None:
    assert said in plain.verify(write(tmp_path, {}, about)).findings


def test_every_file_is_the_one_that_the_listing_names(tmp_path: Path) -> None:
    folder = write(tmp_path / "pack", good())
    (folder / "rows/0.json").unlink()
    (folder / "certificates/2.jws").write_text("changed")
    (folder / "strange.txt").write_text("")
    assert plain.verify(folder).findings == [
        "strange.txt: the file is not listed in pack.json",
        "certificates/2.jws: the file is not the one that pack.json lists",
        "rows/0.json: the file is missing",
    ]


def test_the_listing_is_the_one_that_the_operator_signed(tmp_path: Path) -> None:
    folder = write(tmp_path / "pack", good())
    token = (folder / "pack.jws").read_text()
    (folder / "pack.jws").write_text(token[:-1])
    assert plain.verify(folder).findings == ["pack.json: pack.jws is cut off"]
    (folder / "pack.jws").write_text(jws(by_hand.DOCUMENTS, b"{}", "disclosure-pack+jwt") + "\n")
    assert plain.verify(folder).findings == ["pack.json: it is not what the operator signed in pack.jws"]
    (folder / "pack.jws").write_text(jws(by_hand.DOCUMENTS, b"{}", "consent-receipt+jwt") + "\n")
    assert plain.verify(folder).findings == ["pack.json: a token is not a disclosure-pack+jwt"]


ROW, FIRST, ABSENCE, RECEIPT = "rows/0.json", "entries/0.json", "absences/0.json", "receipts/auth-1.jws"
Change = Callable[[Files], Any]
# the file, what is changed in it, what is said
FLAWS: dict[str, tuple[str, Change, str]] = {
    "another file name": (FIRST, lambda e: e.update(index=1), "the entry is of another index than its file"),
    "another size": (FIRST, lambda e: e.update(size=11), "the entry is proved for another size than the checkpoint's"),
    "no size": (FIRST, lambda e: e.update(size=True), "a number is not a size"),
    "another path": (
        FIRST, lambda e: e["path"].__setitem__(0, "00" * 32), "the entry does not lead to the checkpoint's root",
    ),
    "a path cut off": (FIRST, lambda e: e["path"].pop(), "the path is too short"),
    "a path too long": (FIRST, lambda e: e["path"].append("00" * 32), "the path has hashes left over"),
    "another body": (
        FIRST, lambda e: e["body"].update(instant="2026"), "the body is not what the log's entry commits to",
    ),
    "another position": (
        FIRST, lambda e: e["body"].update(position=2), "an event is of another position than its entry",
    ),
    "a scope half open": (
        FIRST, lambda e: e["body"]["payload"]["scopes"][0].pop("salt"), "a scope is neither opened nor hidden",
    ),
    "a short salt": (FIRST, lambda e: e["body"].update(salt="00"), "a hash is not 32 bytes"),
    "a short entry": (FIRST, lambda e: e.update(entry="00"), "a hash is not 50 bytes"),
    "another access": (
        "entries/6.json", lambda e: e["body"].update(access_id="6"), "an access record has another id than its entry",
    ),
    "an access changed": (
        "entries/6.json", lambda e: e["body"].update(reader="lee"), "the body is not what the log's entry commits to",
    ),
    "another number": (
        "entries/5.json", lambda e: e["body"].update(number=3), "a body has another number than its entry",
    ),
    "another sequence": (
        "entries/4.json", lambda e: e["body"].update(sequence=3), "a body has another number than its entry",
    ),
    "another table": (
        "entries/4.json", lambda e: e["body"].update(table="gold/x"),
        "a body is of another table or dataset than its entry",
    ),
    "another dataset": (
        "entries/7.json", lambda e: e["body"].update(dataset="x/y"),
        "a body is of another table or dataset than its entry",
    ),
    "no commit": (ROW, lambda r: r.update(commit=99), "the commit of the row is not in the pack"),
    "not a commit": (ROW, lambda r: r.update(commit=0), "the row names an entry that is no commit"),
    "the row's table": (ROW, lambda r: r.update(table="gold/x"), "the row is of another commit"),
    "the row's version": (ROW, lambda r: r.update(version=4), "the row is of another commit"),
    "the row's file": (ROW, lambda r: r.update(file="x"), "the commit does not name the row's file"),
    "a file without rows": (ROW, lambda r: r.update(file="other.parquet"), "the commit does not name the row's file"),
    "the row's count": (ROW, lambda r: r.update(file_rows=4), "the row's file has another number of rows"),
    "a value": (
        ROW, lambda r: r["content"]["columns"].update(ISSU_NO="13"),
        "the row does not lead to the root that its commit names",
    ),
    "a missing value made empty": (
        ROW, lambda r: r["content"]["columns"].update(GNDR_CD=""),
        "the row does not lead to the root that its commit names",
    ),
    "no evidence": (
        "evidence/auth-2.json", lambda e: e.update(article="x"), "the evidence is not the one that the grant names",
    ),
    "a receipt's size": (
        RECEIPT, lambda c: c["log"].update(size=9), "the receipt's proof is for another size than its checkpoint's",
    ),
    "a receipt's origin": (
        RECEIPT, lambda c: c["log"].update(origin="x"), "the receipt is about no event of this log",
    ),
    "a receipt's path": (
        RECEIPT, lambda c: c["log"]["path"].__setitem__(0, "00" * 32),
        "the receipt's event does not lead to its checkpoint's root",
    ),
    "a receipt's event": (
        RECEIPT, lambda c: c["event"].update(instant="x"), "the body is not what the log's entry commits to",
    ),
    "an absence's table": (
        ABSENCE, lambda a: a["entries"].__setitem__(0, a["entries"][1]),
        "the entries do not lead to the checkpoint's root",
    ),
    "an absence's range": (ABSENCE, lambda a: a.update(to=7), "the range and its entries do not fit"),
    "nothing left": (ABSENCE, lambda a: a["left"].pop(), "a hash left of the range is missing"),
    "nothing right": (ABSENCE, lambda a: a["right"].pop(), "a hash right of the range is missing"),
    "too much left": (ABSENCE, lambda a: a["left"].append("00" * 32), "hashes beside the range are left over"),
    "too much right": (ABSENCE, lambda a: a["right"].append("00" * 32), "hashes beside the range are left over"),
    "a neighbour moved": (
        ABSENCE, lambda a: a["neighbours"][str(COMMIT)][0].update(at=0), "a neighbour is not in the bucket",
    ),
    "one neighbour": (
        ABSENCE, lambda a: a["neighbours"][str(COMMIT)].pop(), "the neighbour below is not the last",
    ),
    "the other neighbour": (
        ABSENCE, lambda a: a["neighbours"][str(COMMIT)].pop(0), "the neighbour above is not the first",
    ),
    "no neighbours": (ABSENCE, lambda a: a["neighbours"][str(COMMIT)].clear(), "the neighbours are not two"),
}  # fmt: skip


@pytest.mark.parametrize("flaw", FLAWS)
def test_f44_each_flaw_is_found_in_its_file_and_in_its_own_words(tmp_path: Path, flaw: str) -> None:
    name, change, said = FLAWS[flaw]
    files = good()
    given = json.loads(files[name]) if isinstance(files[name], bytes) else files[name]
    files[name] = deepcopy(given)
    change(files[name])
    assert f"{name}: {said}" in findings(tmp_path, files)


SHORT: dict[str, tuple[str, Change]] = {
    "an entry's path": (FIRST, lambda e: e["path"].__setitem__(0, "00")),
    "a row's path": (ROW, lambda r: r["row_path"].__setitem__(0, "00")),
    "a row's salt": (ROW, lambda r: r["pipeline"].update(salt="00")),
    "a hidden row": (ROW, lambda r: r.update(content={"commitment": "00"})),
    "a hidden scope": (FIRST, lambda e: e["body"]["payload"]["scopes"].__setitem__(1, {"commitment": "00"})),
    "a scope's salt": (FIRST, lambda e: e["body"]["payload"]["scopes"][0].update(salt="00")),
    "an access record's salt": ("entries/6.json", lambda e: e["body"].update(salt="00")),
    "a receipt's path": (RECEIPT, lambda c: c["log"]["path"].__setitem__(0, "00")),
    "what is left of a range": (ABSENCE, lambda a: a["left"].__setitem__(0, "00")),
    "what is right of a range": (ABSENCE, lambda a: a["right"].__setitem__(0, "00")),
    "a blinding key": (ABSENCE, lambda a: a.update(blinding_key="00")),
    "a neighbour": (ABSENCE, lambda a: a["neighbours"][str(COMMIT)][0].update(blinded="00")),
    "a neighbour's path": (ABSENCE, lambda a: a["neighbours"][str(COMMIT)][0]["path"].__setitem__(0, "00")),
}


@pytest.mark.parametrize("what", SHORT)
def test_no_hash_or_salt_is_shorter_than_it_must_be(tmp_path: Path, what: str) -> None:
    """Or two of them could be cut otherwise and mean something else under the same root."""
    name, change = SHORT[what]
    files = good()
    change(files[name])
    assert f"{name}: a hash is not 32 bytes" in findings(tmp_path, files)


def lawful(tmp_path: Path, change: Callable[[list[tuple[int, dict[str, Any]]], Files], Any]) -> list[str]:
    """What is said of the row when ledger or row were other ones from the beginning."""
    proofs = evidence()
    given = bodies(proofs)
    row: Files = {"pipeline": deepcopy(PIPELINE), "content": deepcopy(CONTENT)}
    change(given, row)
    leaves = [ROWS[0], sha(b"\x00", by_hand.part_hash(row["pipeline"]), by_hand.part_hash(row["content"])), ROWS[2]]
    given[COMMIT][1]["files"][1]["row_root"] = by_hand.root_of(leaves).hex()
    files = files_of(given, proofs)
    files[ROW] |= row | {"table": given[COMMIT][1]["table"], "row_path": hexes(by_hand.path_of(leaves, 1))}
    files = {name: f for name, f in files.items() if not name.startswith(("evidence/", "receipts/", "absences/"))}
    return findings(tmp_path, files)


def other_event(given: list[tuple[int, dict[str, Any]]], *events: tuple[int, str]) -> None:
    """The last events of auth-1: (ledger position, kind)."""
    given[9:] = [(1, by_hand.event(position, kind, {}, "auth-1")) for position, kind in events]


Laws = tuple[Callable[[list[tuple[int, dict[str, Any]]], Files], Any], str]
UNLAWFUL: dict[str, Laws] = {
    "committed before": (
        lambda g, r: g[COMMIT][1].update(ledger_position=0),
        "the row was committed before its authorisation was granted",
    ),
    "committed when paused": (
        lambda g, r: g[COMMIT][1].update(ledger_position=6), "the authorisation was paused when the row was committed",
    ),
    "for another recipient": (
        lambda g, r: g[COMMIT][1].update(table="shares/nts/family"), "the authorisation names another recipient",
    ),
    "about somebody else": (
        lambda g, r: r["pipeline"]["columns"].update(_subject_key="9"),
        "the authorisation is about somebody else than the row",
    ),
    "of an unknown grant": (
        lambda g, r: r["pipeline"]["columns"].update(_authorisation_id="auth-9"),
        "the pack does not hold the grant of the authorisation",
    ),
    "a column of nobody": (
        lambda g, r: r["content"]["columns"].update(DTH_YN="N"),
        "the row shows a column that no authorisation in the pack names",
    ),
    "a column of what was withdrawn": (
        lambda g, r: r["content"]["columns"].update(SELF_FLNM="x"),
        "the row shows a column that no authorisation in the pack names",
    ),
    "a column of another subject": (
        lambda g, r: (r["content"]["columns"].update(GNDR_CD="1"), r["pipeline"]["columns"].update(_subject_key="7")),
        "the row shows a column that no authorisation in the pack names",
    ),
    "a column of another recipient": (
        lambda g, r: (r["content"]["columns"].update(GNDR_CD="1"), g[1][1]["payload"].update(recipient="nts")),
        "the row shows a column that no authorisation in the pack names",
    ),
    "granted twice": (
        lambda g, r: g.append((1, by_hand.event(7, "granted", g[0][1]["payload"], "auth-1"))),
        "the pack does not hold the grant of the authorisation",
    ),
}  # fmt: skip
LAWFUL: dict[str, Callable[[list[tuple[int, dict[str, Any]]], Files], Any]] = {
    "as it is": lambda g, r: None,
    "a column of another consent": lambda g, r: r["content"]["columns"].update(GNDR_CD="1"),
    "in the holder's own names": lambda g, r: r["content"]["columns"].update(self_nm="x"),
    "content hidden": lambda g, r: r.update(content={"commitment": "ab" * 32}),
    "in gold, for all recipients": lambda g, r: g[COMMIT][1].update(table="gold/family"),
    "about its subject": lambda g, r: r["pipeline"]["columns"].update(_subject_key="7"),
    "resumed before": lambda g, r: (
        other_event(g, (6, "paused"), (7, "resumed"), (8, "renewed")), g[COMMIT][1].update(ledger_position=8),
    ),
    "closed a moment later": lambda g, r: g[COMMIT][1].update(ledger_position=5),
    "committed with the grant": lambda g, r: g[COMMIT][1].update(ledger_position=1),
}  # fmt: skip


@pytest.mark.parametrize("what", UNLAWFUL)
def test_p1_a_row_that_no_open_authorisation_covers_is_found(tmp_path: Path, what: str) -> None:
    change, said = UNLAWFUL[what]
    assert lawful(tmp_path, change) == [f"{ROW}: {said}"]


@pytest.mark.parametrize("what", LAWFUL)
def test_a_row_that_an_open_authorisation_covers_is_good(tmp_path: Path, what: str) -> None:
    assert lawful(tmp_path, LAWFUL[what]) == []


@pytest.mark.parametrize("kind", ["withdrawn", "expired", "consumed", "paused"])
def test_each_closing_event_closes(tmp_path: Path, kind: str) -> None:
    def close(given: list[tuple[int, dict[str, Any]]], row: Files) -> None:
        other_event(given, (5, kind))
        given[COMMIT][1]["ledger_position"] = 5

    assert lawful(tmp_path, close) == [f"{ROW}: the authorisation was {kind} when the row was committed"]


def proved(tmp_path: Path, key: str, proof: dict[str, Any]) -> list[str]:
    """What is said of an evidence that its grant names."""
    proofs = evidence() | {key: proof}
    files = files_of(bodies(proofs), proofs)
    return findings(tmp_path, {n: f for n, f in files.items() if n.startswith(("trust", "check", "entries", "evid"))})


def token(**claims: Any) -> str:
    own = {"iss": by_hand.PROVIDER_NAME, "aud": by_hand.ORIGIN, "nonce": "cc" * 32, "iat": 5, "exp": 5} | claims
    return jws(by_hand.PROVIDER, own, "JWT")


def manifest(**claims: Any) -> str:
    root = by_hand.root_of([leaf(canonical(row)) for row in IMPORTED]).hex()
    return jws(by_hand.AGENCY, {"iss": by_hand.AGENCY_NAME, "rows": 3, "root": root} | claims, "manifest+jwt")


@pytest.mark.parametrize(
    ("key", "changes", "said"),
    [
        ("auth-1", {"token": token(iss="x")}, "the evidence is of an identity provider that is not trusted"),
        ("auth-1", {"token": token(aud="x")}, "the authentication was made for another system"),
        ("auth-1", {"token": token(nonce="x")}, "the authentication was made over another notice"),
        ("auth-1", {"token": token(iat=6)}, "the authentication ended before it began"),
        ("auth-1", {"token": token(nonce="ee" * 32), "notice": {"hash": "ee" * 32}},
         "the grant names another notice than the citizen signed"),
        ("auth-1", {"token": token()[:-4] + "AAAA"}, "a token is signed by none of the trusted keys"),
        ("auth-3", {"manifest": manifest(iss="x")}, "the manifest is of an agency that is not trusted"),
        ("auth-3", {"manifest": manifest(root="00" * 32)}, "the imported row is not in the agency's signed manifest"),
        ("auth-3", {"row": IMPORTED[1]}, "the imported row is not in the agency's signed manifest"),
        ("auth-3", {"index": 3}, "index 3 is not in a tree of 3"),
        ("auth-3", {"path": ["00"]}, "a hash is not 32 bytes"),
        ("auth-3", {"manifest": manifest(root="00")}, "a hash is not 32 bytes"),
        ("auth-3", {"kind": "statute"}, "the evidence is of no known kind"),
        ("auth-2", {"kind": "oath"}, "the evidence is of no known kind"),
    ],
)  # fmt: skip
def test_evidence_that_proves_something_else_is_found(
    tmp_path: Path, key: str, changes: dict[str, Any], said: str
) -> None:
    assert proved(tmp_path, key, evidence()[key] | changes) == [f"evidence/{key}.json: {said}"]


def test_a_certificate_is_whole_signed_as_one_and_in_the_log(tmp_path: Path) -> None:
    name, files = "certificates/2.jws", good()
    body = dict(bodies(evidence())[CERTIFICATE][1])
    for number, (made, said) in enumerate(
        (
            (jws(by_hand.DOCUMENTS, body, "erasure-certificate+jwt"), "the certificate is cut off"),
            (jws(by_hand.DOCUMENTS, body, "x") + "\n", "a token is not a erasure-certificate+jwt"),
            (jws(by_hand.AGENCY, body, "erasure-certificate+jwt") + "\n",
             "a token is signed by none of the trusted keys"),
            (jws(by_hand.DOCUMENTS, {"number": 9}, "erasure-certificate+jwt") + "\n",
             "the certificate is not the one in the log"),
        )
    ):  # fmt: skip
        assert findings(tmp_path / str(number), files | {name: made}) == [f"{name}: {said}"]


def test_a_receipt_is_whole_and_about_an_event(tmp_path: Path) -> None:
    files = good()
    claims = files[RECEIPT]
    cut = jws(by_hand.DOCUMENTS, claims, "consent-receipt+jwt")
    assert findings(tmp_path / "cut", files | {RECEIPT: cut}) == [f"{RECEIPT}: the receipt is cut off"]
    other = deepcopy(claims)
    commit = files[f"entries/{COMMIT}.json"]
    other["log"] |= {"entry": commit["entry"], "index": COMMIT, "path": commit["path"]}
    other["event"] = commit["body"]
    said = findings(tmp_path / "commit", files | {RECEIPT: other})
    assert said == [f"{RECEIPT}: the receipt is about no event of this log"]
