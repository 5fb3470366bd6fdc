"""What the verifier says of a lake whose log was made by hand: 300 entries, so that there is a full tile and a part."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.verify import making as by_hand
from tests.verify.making import canonical, jws, leaf, sha
from verify import verify as plain

SIZE, WIDTH = 300, 256
TABLE = "gold/family"
PART, GONE = b"rows of a part", b"rows that were replaced"
ADDS = {
    0: [{"add": {"path": "gone.parquet"}}, {"add": {"path": "a%20b.parquet"}}],
    1: [{"remove": {"path": "gone.parquet"}}],
}
Bodies = dict[int, tuple[int, dict[str, Any]]]


def commit_file(version: int) -> bytes:
    return b"\n".join([b'{"commitInfo":{}}', *(json.dumps(a).encode() for a in ADDS[version])])


def commit(version: int) -> dict[str, Any]:
    files = [{"path": "gone.parquet", "sha256": sha(GONE).hex()}, {"path": "a b.parquet", "sha256": sha(PART).hex()}]
    return {
        "table": TABLE, "version": version, "sequence": version + 1, "run_id": "run-1", "delivery": None,
        "commit_sha256": sha(commit_file(version)).hex(), "files": files if version == 0 else [],
    }  # fmt: skip


def answer(**claims: Any) -> dict[str, Any]:
    own = {"iss": by_hand.PARTNER_NAME, "aud": by_hand.ORIGIN, "kind": "notice", "digest": "aa"}
    token = jws(by_hand.PARTNER, own | claims, "answer")
    return {"number": 1, "by": by_hand.PARTNER_NAME, "kind": "notice", "digest": "aa", "token": token}


def delivery(counts: tuple[int, ...] = (2, 3), **changes: Any) -> dict[str, Any]:
    claims = [{"iss": by_hand.PARTNER_NAME, "records": n, "content": f"{at:02x}"} for at, n in enumerate(counts)]
    statements = [jws(by_hand.PARTNER, one, "delivery") for one in claims]
    own = {"number": 1, "dataset": "mohw/disability", "holder": by_hand.PARTNER_NAME, "run_id": "run-1", "records": 5}
    return {**own, "statements": statements, **changes}


def bodies() -> Bodies:
    """Public bodies by index; every other entry is an event or an access record, whose content is not in the log."""
    return {
        3: (2, commit(0)),
        100: (7, answer()),
        200: (6, delivery()),
        255: (4, {"number": 1, "rows": 2}),
        290: (2, commit(1)),
    }


def entries_of(given: Bodies, size: int = SIZE) -> list[bytes]:
    return [
        by_hand.entry_of(*given[n]) if n in given else by_hand.entry(1 + 2 * (n % 2), n, sha(b"%d" % n))
        for n in range(size)
    ]


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def name_of(n: int) -> str:
    """A tile that is full, or how many it holds."""
    return "000" if n == 0 else f"001.p/{SIZE - WIDTH}"


def write(root: Path, given: Bodies) -> Path:
    entries, log = entries_of(given), root / "log"
    leaves = [leaf(one) for one in entries]
    put(log / "trust.json", canonical(by_hand.trust()))
    put(log / "checkpoint", by_hand.checkpoint(SIZE, by_hand.root_of(leaves)).encode())
    for n in (0, 1):
        own = slice(n * WIDTH, (n + 1) * WIDTH)
        put(log / "tile/entries" / name_of(n), b"".join(b"\x00\x32" + one for one in entries[own]))
        put(log / "tile/0" / name_of(n), b"".join(leaves[own]))
        lines = [canonical({"index": at, "body": body}) for at, (_, body) in sorted(given.items()) if at // WIDTH == n]
        put(log / "bodies" / f"{n:03d}", b"\n".join(lines) + b"\n")
    put(log / "tile/1/000.p/1", by_hand.root_of(leaves[:WIDTH]))
    for number, kind in ((at, kind) for at, (kind, _) in given.items()):
        if kind == 4:
            token = jws(by_hand.DOCUMENTS, given[number][1], "erasure-certificate+jwt")
            put(log / "certificates" / f"{given[number][1]['number']}.jws", token.encode() + b"\n")
    for version in (0, 1):
        put(root / TABLE / "_delta_log" / f"{version:020d}.json", commit_file(version))
    put(root / TABLE / "gone.parquet", GONE)
    put(root / TABLE / "a b.parquet", PART)
    return root


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("by-hand") / "lake", bodies())


@pytest.fixture
def own(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "lake"))


def findings(root: Path) -> list[str]:
    return list(plain.verify(root).findings)


def test_a_sound_lake_is_ok_and_says_what_was_checked_and_what_not(sound: Path) -> None:
    report = plain.verify(sound)
    assert report.findings == []
    assert report.counts == {
        "log entries": 300,
        "tiles": 1,
        "bodies": 5,
        "commits": 2,
        "data files": 2,
        "erasure certificates": 1,
        "acknowledgements": 1,
        "signed deliveries": 1,
    }
    assert report.remarks == [
        "The keys are the folder's own. Compare them with a copy that you trust (--trust).",
        "What stands in Parquet files is compared with the ledger's events by `hanbeon verify` alone.",
        "Whether the holder's record was true, and who a pseudonym is, no log can prove.",
        "Operator and witness together could have signed another history: keep checkpoints of your own (--since).",
    ]
    assert plain.verify(sound, sound / "log/trust.json").remarks == report.remarks[1:]


def test_a_file_that_was_replaced_may_be_gone_and_one_in_use_may_not(own: Path) -> None:
    (own / TABLE / "gone.parquet").unlink()
    assert findings(own) == []
    (own / TABLE / "a b.parquet").unlink()
    assert findings(own) == [f"{TABLE}/a b.parquet: the data file is missing, and version 1 uses it"]


# A file of the lake, what it becomes (None: it goes; a function of what it was), and all that is said.
Became = Callable[[bytes], bytes] | None
DELTA = f"{TABLE}/_delta_log/{0:020d}.json"
CHANGED: dict[str, tuple[str, Became, list[str]]] = {
    "a data file": (
        f"{TABLE}/a b.parquet", lambda b: b + b"x",
        [f"{TABLE}/a b.parquet: the data file is not the one that the log names"],
    ),
    "a strange data file": (
        f"{TABLE}/b.parquet", lambda b: b"x", [f"{TABLE}/b.parquet: no entry of the log names this data file"],
    ),
    "a strange table": (
        "shares/x/y/_delta_log/00000000000000000007.json", lambda b: b"x",
        ["shares/x/y/_delta_log/00000000000000000007.json: no entry of the log names this commit"],
    ),
    "a strange commit": (
        f"{TABLE}/_delta_log/{9:020d}.json", lambda b: b"{}",
        [f"{TABLE}/_delta_log/{9:020d}.json: no entry of the log names this commit"],
    ),
    "a strange file in a table's log": (
        f"{TABLE}/_delta_log/_last", lambda b: b"{}",
        [f"{TABLE}/_delta_log/_last: the file does not belong into a table's log"],
    ),
    "a commit": (
        DELTA, lambda b: b + b"\n",
        [f"{DELTA}: the commit is not the one that the log names",
         f"{TABLE}/a b.parquet: no entry of the log names this data file",
         f"{TABLE}/gone.parquet: no entry of the log names this data file"],
    ),
    "no commit": (
        f"{TABLE}/_delta_log/{1:020d}.json", None, [f"{TABLE}/_delta_log/{1:020d}.json: the commit is missing"],
    ),
    "a certificate cut off": (
        "log/certificates/1.jws", lambda b: b[:-1], ["log/certificates/1.jws: the certificate is cut off"],
    ),
    "another certificate": (
        "log/certificates/1.jws",
        lambda b: jws(by_hand.DOCUMENTS, {"number": 1}, "erasure-certificate+jwt").encode() + b"\n",
        ["log/certificates/1.jws: it is not the one in the log"],
    ),
    "no certificate": ("log/certificates/1.jws", None, ["log/certificates/1.jws: the file is missing"]),
    "bodies cut off": (
        "log/bodies/001", lambda b: b[:-1],
        ["log/bodies/001: the file is cut off", "log/bodies/001: the body of entry 290 is missing",
         f"{TABLE}/_delta_log/{1:020d}.json: no entry of the log names this commit"],
    ),
    "bodies that are not canonical": (
        "log/bodies/001", lambda b: b" " + b,
        ["log/bodies/001: a line is not canonical", "log/bodies/001: the body of entry 290 is missing",
         f"{TABLE}/_delta_log/{1:020d}.json: no entry of the log names this commit"],
    ),
    "a body of no entry": (
        "log/bodies/001", lambda b: b + b'{"body":{},"index":299}\n',
        ["log/bodies/001: entry 299 has no body in this log"],
    ),
    "a body after the checkpoint": ("log/bodies/001", lambda b: b + b'{"body":{},"index":300}\n', []),
    "a tile": (
        "log/tile/0/000", lambda b: b[32:] + b[:32], ["log/tile: tile tile/0/000 is not what the entries say"],
    ),
    "a tile cut off": (
        "log/tile/0/000", lambda b: b[:-32], ["log/tile: tile tile/0/000 is cut off or has trailing bytes"],
    ),
    "a tile with half a hash": (
        "log/tile/0/000", lambda b: b + b"x", ["log/tile: tile tile/0/000 is cut off or has trailing bytes"],
    ),
    "a part with trailing nodes": (
        "log/tile/0/001.p/44", lambda b: b + bytes(32), ["log/tile: tile tile/0/001.p/44 has trailing nodes"],
    ),
    "a part": (
        "log/tile/0/001.p/44", lambda b: b[32:] + b[:32],
        ["log/tile: the partial tile of level 0 is not what the entries say"],
    ),
    "a higher part": (
        "log/tile/1/000.p/1", lambda b: bytes(32),
        ["log/tile: the partial tile of level 1 is not what the entries say"],
    ),
    "entries": (
        "log/tile/entries/001.p/44", lambda b: b[52:] + b[:52],
        ["log/tile: the entries do not have the root of the checkpoint"],
    ),
    "an entry's length": (
        "log/tile/entries/001.p/44", lambda b: b"\x01" + b[1:], ["log/tile: entry 256 has a wrong length"],
    ),
    "an entry's version": (
        "log/tile/entries/001.p/44", lambda b: b[:2] + b"\x02" + b[3:],
        ["log/tile: an entry is not 50 bytes of version 1"],
    ),
    "an entry's kind": (
        "log/tile/entries/001.p/44", lambda b: b[:3] + b"\x08" + b[4:], ["log/tile: an entry is of no known kind"],
    ),
    "an older part": (
        "log/tile/0/001.p/2", lambda b: b"", ["log/tile/0/001.p/2: the tile is cut off or has trailing nodes"],
    ),
    "an older part of another tree": (
        "log/tile/0/000.p/1", lambda b: bytes(32),
        ["log/tile/0/000.p/1: the tile is not the beginning of the one that took it over"],
    ),
    "a file that is no tile": ("log/tile/0/x", lambda b: b"", ["log/tile/0/x: the file is no tile"]),
    "no checkpoint": ("log/checkpoint", None, ["log/checkpoint: the file is missing"]),
    "a checkpoint cut off": (
        "log/checkpoint", lambda b: b[:-1], ["log/checkpoint: the checkpoint is cut off or not a signed note"],
    ),
    "no keys": ("log/trust.json", None, ["log/trust.json: the file is missing"]),
    "keys of another origin": (
        "log/trust.json", lambda b: canonical(json.loads(b) | {"origin": "x"}),
        ["log/trust.json: the operator's key is not of this origin"],
    ),
    "keys twice": (
        "log/trust.json", lambda b: b'{"origin":"x",' + b[1:], ["log/trust.json: a JSON object has one member twice"],
    ),
}  # fmt: skip
# What follows from a log that could not be read whole is said too; here only what comes first counts.
ENDS_EARLY = {
    w for w, (name, _, _) in CHANGED.items() if name.startswith(("log/tile/0", "log/tile/1", "log/tile/entr"))
}


@pytest.mark.parametrize("what", CHANGED)
def test_f44_each_flaw_is_found_in_its_file_and_in_its_own_words(own: Path, what: str) -> None:
    name, became, said = CHANGED[what]
    path = own / name
    if became is None:
        path.unlink()
    else:
        put(path, became(path.read_bytes() if path.exists() else b""))
    found = findings(own)
    assert (found[: len(said)] if what in ENDS_EARLY else found) == said


def test_an_older_part_that_a_wider_one_took_over_may_stay(own: Path) -> None:
    for name, width in (("0/001.p", 3), ("entries/001.p", 2), ("0/000.p", 7), ("entries/000.p", 1)):
        unit = 52 if name.startswith("entries") else 32
        folder = own / "log/tile" / name
        wider = folder / "44" if "001" in name else folder.with_suffix("")
        put(folder / str(width), wider.read_bytes()[: width * unit])
    assert findings(own) == []


def test_a_part_that_the_full_tile_took_over_is_read_from_it(own: Path) -> None:
    """As a reader sees it whose checkpoint is older than the newest tile."""
    for name, unit in (("entries/001", 52), ("0/001", 32)):
        part = own / "log/tile" / f"{name}.p/44"
        put(own / "log/tile" / name, part.read_bytes() + bytes(unit) * (WIDTH - 44))
        part.unlink()
    assert findings(own) == []


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 300])
def test_a_log_must_have_grown_from_the_checkpoint_that_you_kept(sound: Path, tmp_path: Path, size: int) -> None:
    root = by_hand.root_of([leaf(one) for one in entries_of(bodies())[:size]])
    kept = tmp_path / "kept"
    kept.write_text(by_hand.checkpoint(size, root))
    assert plain.verify(sound, since_file=kept).findings == []
    kept.write_text(by_hand.checkpoint(size, sha(root)))
    said = ["log/tile: the log has another history than the checkpoint that you kept"]
    assert plain.verify(sound, since_file=kept).findings == said


def test_a_log_that_is_shorter_than_the_checkpoint_that_you_kept_is_found(sound: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text(by_hand.checkpoint(SIZE + 1, bytes(32)))
    said = ["log/tile: the log is shorter than the checkpoint that you kept"]
    assert plain.verify(sound, since_file=kept).findings == said
    kept.write_text("x")
    said = [f"{kept}: the checkpoint is cut off or not a signed note"]
    assert plain.verify(sound, since_file=kept).findings == said


def test_an_empty_log_is_sound(tmp_path: Path) -> None:
    put(tmp_path / "log/trust.json", canonical(by_hand.trust()))
    put(tmp_path / "log/checkpoint", by_hand.checkpoint(0, sha()).encode())
    assert findings(tmp_path) == []


def test_a_version_stands_in_the_log_once(tmp_path: Path) -> None:
    twice = bodies() | {280: (2, commit(0) | {"sequence": 7})}
    assert findings(write(tmp_path, twice)) == [f"{TABLE}: version 0 is in the log twice"]


WHERE = "log/bodies/000: entry "
PARTNERS: dict[str, tuple[Bodies, list[str]]] = {
    "an answer to another": (
        {100: (7, answer(aud="x"))}, [f"{WHERE}100: the answer is about another message, or to somebody else"],
    ),
    "an answer of another kind": (
        {100: (7, answer(kind="x"))}, [f"{WHERE}100: the answer is about another message, or to somebody else"],
    ),
    "an answer to another message": (
        {100: (7, answer(digest="bb"))}, [f"{WHERE}100: the answer is about another message, or to somebody else"],
    ),
    "an answer in another's name": (
        {100: (7, answer(iss="x"))}, [f"{WHERE}100: a token is issued by somebody else than it says"],
    ),
    "an answer of a stranger": (
        {100: (7, answer() | {"by": "x"})}, [f"{WHERE}100: no key of the partner is known that it says it is by"],
    ),
    "an answer signed with a key for encryption": (
        {100: (7, answer() | {"token": jws(by_hand.STRANGER, {"iss": "mohw"}, "answer")})},
        [f"{WHERE}100: a token is signed by none of the trusted keys"],
    ),
    "a delivery of another holder's": (
        {200: (6, delivery(dataset="nts/x"))}, [f"{WHERE}200: the dataset is another holder's"],
    ),
    "a delivery miscounted": (
        {200: (6, delivery(records=6))}, [f"{WHERE}200: the holder counted otherwise"],
    ),
    "a delivery of nothing": (
        {200: (6, delivery((), records=0))}, [f"{WHERE}200: the holder counted otherwise"],
    ),
    "a negative number": ({200: (6, delivery((6, -1)))}, [f"{WHERE}200: a number is not a size"]),
    "an answer counted twice": (
        {200: (6, delivery(records=4, statements=delivery((2,))["statements"] * 2))},
        [f"{WHERE}200: one answer is counted twice"],
    ),
    "a commit upon a delivery of another dataset": (
        {290: (2, commit(1) | {"delivery": 1})}, [f"{TABLE}: version 1 names a delivery that is not its own"],
    ),
    "a commit upon a delivery that is not there": (
        {290: (2, commit(1) | {"delivery": 2})}, [f"{TABLE}: version 1 names a delivery that is not its own"],
    ),
    "a commit upon a delivery of another run": (
        {290: (2, commit(1) | {"delivery": 1}), 200: (6, delivery(dataset="mohw/family", run_id="run-2"))},
        [f"{TABLE}: version 1 names a delivery that is not its own"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", PARTNERS)
def test_what_partners_did_not_sign_so_is_found(tmp_path: Path, what: str) -> None:
    changes, said = PARTNERS[what]
    assert findings(write(tmp_path, bodies() | changes)) == said


def test_a_commit_upon_its_own_delivery_is_good() -> None:
    """A table is named after room and dataset; here the room is left out."""
    report = plain.Report()
    body = {"table": "bronze/mohw/disability", "version": 1, "run_id": "run-1", "delivery": 1}
    report.check("x", plain.check_delivered, body, {1: ("mohw/disability", "run-1")})
    assert report.findings == []
