"""What the full check says of a lake whose Parquet files were made by hand: one citizen, one consent, one row.

The forger has every key and keeps log and files in step: only what the rows say contradicts the log or the ledger.
"""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.verify import making as by_hand
from tests.verify.making import canonical, leaf, sha
from verify import lake as full

AT = datetime(2026, 6, 1, 0, 30, tzinfo=UTC)
SCOPE = {
    "subject_key": "7", "document_type": "FAMR", "variant": "general", "holder": "scourt",
    "columns": ["ISSU_NO", "relatives.FAM_NM"],
}  # fmt: skip
GRANT = {
    "authorisation_id": "auth-1", "kind": "consent", "grantor_key": "7", "grantor_capacity": None, "recipient": "mogef",
    "service": "S", "purpose": "welfare", "valid_from": "2026-05-01T00:00:00.000000Z",
    "valid_until": "2026-07-01T00:00:00.000000Z", "retain_until": "2026-07-01T00:00:00.000000Z",
    "evidence_digest": "ab", "scopes": [SCOPE],
}  # fmt: skip
APPROVAL = {
    "approval_id": "appr-1", "holder": "scourt", "recipient": "mogef", "document_type": "FAMR", "purpose": "welfare",
    "valid_from": "2026-05-01T00:00:00.000000Z", "valid_until": "2027-05-01T00:00:00.000000Z",
}  # fmt: skip
GOLD, BRONZE, SHARE = "gold/family", "bronze/scourt/family", "shares/mogef/family"
ROW = {"_authorisation_id": "auth-1", "_subject_key": 7, "_variant": "general", "ISSU_NO": "1"}
Row = dict[str, Any]


def event(position: int, kind: str, payload: Row, subject: str, authorisation: str | None = None) -> Row:
    return {
        "position": position, "instant": AT, "authorisation_id": authorisation, "kind": kind, "subject": subject,
        "salt": bytes([position]) * 32, "payload": canonical(payload).decode(),
    }  # fmt: skip


def digest(row: Row) -> bytes:
    """As docs/proof.md says: the scopes are hidden one by one, under salts that derive from the event's."""
    payload = json.loads(row["payload"])
    members = {n: row[n] for n in ("authorisation_id", "kind", "position", "subject")}
    members |= {"instant": by_hand.INSTANT, "payload": payload}
    if "scopes" in payload:
        salts = [sha(row["salt"], b"\x01", n.to_bytes(4, "big")) for n in range(len(payload["scopes"]))]
        hidden = [by_hand.scope_hash(s.hex(), scope) for s, scope in zip(salts, payload["scopes"], strict=True)]
        members["payload"] = payload | {"scopes": hidden}
    return sha(sha(row["salt"], b"\x00"), canonical(members))


def access(number: int) -> Row:
    record = {"access_id": str(number), "recorded_at": AT, "reader": "kim", "_subject_key": 7, "salt": b"\x09" * 32}
    told = record | {"recorded_at": by_hand.INSTANT, "_subject_key": "7"}
    return record | {"leaf_hash": sha(b"\x09" * 32, canonical({n: v for n, v in told.items() if n != "salt"}))}


@dataclass
class Made:
    """Rows by table, and the position at which each was committed. What the log commits to is worked out from them."""

    events: list[Row]
    accesses: list[Row]
    tables: dict[str, list[Row]]
    position: int = 2
    gate_at: str | None = AT.isoformat()
    changes: list[Callable[["Made"], Any]] = field(default_factory=list)  # of the files alone, not of the log


def made() -> Made:
    events = [
        event(1, "approval_granted", APPROVAL, "appr-1"),
        event(2, "granted", GRANT, "auth-1", "auth-1"),
    ]
    share = {n: v for n, v in ROW.items() if n not in ("_subject_key", "_variant")}
    bronze = {n: v for n, v in ROW.items() if n != "ISSU_NO"} | {
        "issu_no": "1",
        "relatives": [{"_line_no": 1, "nm": "x"}],
    }
    return Made(events, [access(1)], {GOLD: [dict(ROW)], BRONZE: [bronze], SHARE: [share]})


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def table(root: Path, name: str, number: int, rows: list[Row], given: Made) -> Row:
    """A table of one commit; its body in the log."""
    folder, sink = root.joinpath(*name.split("/")), io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    put(folder / "part.parquet", sink.getvalue())
    info = {} if given.gate_at is None else {"commitInfo": {"gate_at": given.gate_at}}
    commit = b"\n".join(canonical(line) for line in ({"protocol": {}}, info, {"add": {"path": "part.parquet"}}))
    put(folder / "_delta_log" / f"{0:020d}.json", commit)
    files = [{"path": "part.parquet", "sha256": sha(sink.getvalue()).hex()}]
    body = {"table": name, "version": 0, "sequence": number, "run_id": "r", "delivery": None, "files": files}
    return body | {"commit_sha256": sha(commit).hex(), "ledger_position": given.position}


def write(root: Path, given: Made) -> Path:
    for row in given.events:
        row.setdefault("leaf_hash", digest(row))
    logged = [by_hand.entry(1, e["position"], e["leaf_hash"]) for e in given.events]
    logged += [by_hand.entry(3, int(a["access_id"]), a["leaf_hash"]) for a in given.accesses]
    for change in given.changes:
        change(given)
    tables = given.tables | {"ledger/events": given.events, "ops/accesses": given.accesses}
    bodies = [table(root, name, n, rows, given) for n, (name, rows) in enumerate(tables.items())]
    first = len(logged)
    logged += [by_hand.entry_of(2, body) for body in bodies]
    leaves = [leaf(one) for one in logged]
    put(root / "log/trust.json", canonical(by_hand.trust()))
    put(root / "log/checkpoint", by_hand.checkpoint(len(logged), by_hand.root_of(leaves)).encode())
    put(root / f"log/tile/entries/000.p/{len(logged)}", b"".join(b"\x00\x32" + one for one in logged))
    put(root / f"log/tile/0/000.p/{len(logged)}", b"".join(leaves))
    lines = [canonical({"index": first + n, "body": body}) + b"\n" for n, body in enumerate(bodies)]
    put(root / "log/bodies/000", b"".join(lines))
    return root


def said(root: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    code = full.main(root, None, None, True)
    given = json.loads(capsys.readouterr().out)
    assert given["ok"] == (code == 0) == (not given["findings"])
    return list(given["findings"])


def test_a_sound_lake_is_ok_and_says_what_was_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write(tmp_path / "lake", made())
    assert full.main(root, None, None, False) == 0
    out = capsys.readouterr().out.splitlines()
    counts = "8 log entries, 5 bodies, 5 commits, 5 data files, 2 ledger events, 1 access records, 3 rows"
    assert out[0] == f"OK: checked {counts}."
    assert out[-1] == "  The keys are the lake's own. Compare them with a copy that you trust (--trust)."
    assert full.main(root, root / "log/trust.json", root / "log/checkpoint", False) == 0
    assert not any("lake's own" in line for line in capsys.readouterr().out.splitlines())
    assert said(root, capsys) == []


def test_a_pack_or_nothing_is_left_to_the_stand_alone_verifier(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert full.main(tmp_path, None, None, False) == 2
    (tmp_path / "pack.json").write_text("{}")
    (tmp_path / "trust.json").write_bytes(canonical(by_hand.trust()))
    assert full.main(tmp_path, tmp_path / "trust.json", tmp_path / "kept", True) == 1
    assert json.loads(capsys.readouterr().out)["findings"] == ["pack.json: the file is malformed (KeyError)"]
    assert full.main(tmp_path, tmp_path / "trust.json", None, False) == 1
    assert capsys.readouterr().out.splitlines()[0] == "FAILED pack.json: the file is malformed (KeyError)"


def test_keys_and_a_checkpoint_of_yours_are_read_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, mine = write(tmp_path / "lake", made()), tmp_path / "mine"
    mine.write_text("{}")
    assert full.main(root, mine, None, False) == 1
    assert capsys.readouterr().out.splitlines()[0] == f"FAILED {mine}: the file is malformed (KeyError)"
    assert full.main(root, None, mine, False) == 1
    cut = f"FAILED {mine}: the checkpoint is cut off or not a signed note"
    assert capsys.readouterr().out.splitlines()[:2] == [cut, "FAILED: checked nothing."]
    mine.write_text(by_hand.checkpoint(9, bytes(32)))
    assert full.main(root, None, mine, False) == 1
    assert "shorter than the checkpoint that you kept" in capsys.readouterr().out


def emptied(row: Row) -> None:
    row |= {"salt": None, "payload": None}


def hide_from_log(given: Made) -> None:
    """The copy has an event, and an access record, that the log has not."""
    given.events.append(event(3, "paused", {}, "auth-1", "auth-1") | {"leaf_hash": bytes(32)})
    given.accesses.append(access(2))


EVENT, ACCESS = "ledger/events: event ", "ops/accesses: record 1: "
# What the files say otherwise than the log.
FORGED: dict[str, tuple[Callable[[Made], Any], list[str]]] = {
    "an event's hash": (
        lambda m: m.events[0].update(leaf_hash=bytes(32)), [f"{EVENT}1: its hash is not the one in the log"],
    ),
    "an event's kind": (
        lambda m: m.events[0].update(kind="approval_ended"),
        [f"{EVENT}1: it is not what the log commits to", f"{EVENT}1: approval_ended cannot follow what went before"],
    ),
    "an event's instant": (
        lambda m: m.events[0].update(instant=AT.replace(second=1)), [f"{EVENT}1: it is not what the log commits to"],
    ),
    "an event's salt": (lambda m: m.events[0].update(salt=bytes(32)), [f"{EVENT}1: it is not what the log commits to"]),
    "half emptied": (lambda m: m.events[0].update(salt=None), [f"{EVENT}1: it was emptied in part"]),
    "emptied too early": (
        lambda m: emptied(m.events[0]),
        ["ledger/events: events of an approval were emptied that is not over, or not all of them"],
    ),
    "a payload spelled otherwise": (
        lambda m: m.events[0].update(payload=" " + m.events[0]["payload"]), [f"{EVENT}1: its payload is not canonical"],
    ),
    "an event twice": (
        lambda m: m.events.append(m.events[0]), ["ledger/events: event 1 stands there twice"],
    ),
    "an event left out": (lambda m: m.events.pop(0), ["ledger/events: event 1 is missing"]),
    "what the log has not": (
        hide_from_log, [f"{EVENT}3: the log has no entry of it", "ops/accesses: record 2: the log has no entry of it"],
    ),
    "an access record's hash": (
        lambda m: m.accesses[0].update(leaf_hash=bytes(32)), [f"{ACCESS}its hash is not the one in the log"],
    ),
    "an access record's reader": (
        lambda m: m.accesses[0].update(reader="lee"), [f"{ACCESS}it is not what the log commits to"],
    ),
    "an access record's subject": (
        lambda m: m.accesses[0].update(_subject_key=8), [f"{ACCESS}it is not what the log commits to"],
    ),
    "an access record's instant": (
        lambda m: m.accesses[0].update(recorded_at=AT.replace(second=1)),
        [f"{ACCESS}it is not what the log commits to"],
    ),
    "an access record erased": (lambda m: m.accesses[0].update(salt=None, reader=None), []),
}  # fmt: skip


@pytest.mark.parametrize("what", FORGED)
def test_f44_a_copy_that_says_otherwise_than_the_log_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    change, expected = FORGED[what]
    given = made()
    given.changes.append(change)
    found = said(write(tmp_path / "lake", given), capsys)
    follows = ("gold/", "bronze/", "shares/")  # an approval that was lost, of which the rows speak too
    assert [f for f in found if not f.startswith(follows)] == expected


def later(given: Made, *events: tuple[str, str]) -> None:
    """What happened after the grant: (kind, whose)."""
    for position, (kind, subject) in enumerate(events, 3):
        given.events.append(event(position, kind, {}, subject, subject if subject == "auth-1" else None))


NOT_IN_FORCE = "1 rows: their authorisation was not in force when the table was last committed"
NOTHING = "1 rows: an approval, a death, a block or a representation stood against what their authorisation names"
EVERYWHERE = (BRONZE, GOLD, SHARE)
# What the ledger says, and what is then said of each row.
LAWS: dict[str, tuple[Callable[[Made], Any], list[str]]] = {
    "paused": (lambda m: (later(m, ("paused", "auth-1")), setattr(m, "position", 3)), [NOT_IN_FORCE]),
    "paused later": (lambda m: later(m, ("paused", "auth-1")), []),
    "suspended": (
        lambda m: (later(m, ("approval_suspended", "appr-1")), setattr(m, "position", 3)), [NOTHING],
    ),
    "committed before the grant": (lambda m: setattr(m, "position", 1), [NOT_IN_FORCE]),
    "committed after its end": (lambda m: setattr(m, "gate_at", "2026-07-01T00:00:00+00:00"), [NOT_IN_FORCE]),
    "committed before its begin": (lambda m: setattr(m, "gate_at", "2026-04-30T23:59:59+00:00"), [NOT_IN_FORCE]),
    "committed at its begin": (lambda m: setattr(m, "gate_at", "2026-05-01T00:00:00+00:00"), []),
    "a commit that does not say when": (
        lambda m: setattr(m, "gate_at", None), ["the commit does not say when the gate was asked"],
    ),
    "a copy that ends before": (
        lambda m: setattr(m, "position", 3),
        ["ledger/events ends at 2, before the position 3 of the newest commit"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", LAWS)
def test_p1_every_row_stands_under_what_the_ledger_said_at_its_commit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    change, expected = LAWS[what]
    given = made()
    change(given)
    found = said(write(tmp_path / "lake", given), capsys)
    assert set(found) == {f"{name}: {one}" for name in EVERYWHERE for one in expected}


def test_tables_that_hold_counts_alone_need_no_authorisation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = made()
    given.tables |= {"gold/documents_replaced": [{"n": 1}], "gold/service_bundles": [{"n": 1}], "ops/runs": [{"n": 1}]}
    assert said(write(tmp_path / "lake", given), capsys) == []


def test_rows_of_all_files_are_looked_at_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = made()
    given.tables[GOLD] += [ROW | {"_subject_key": 8}, ROW | {"_subject_key": 8}, ROW | {"ISSU_NO": None}]
    found = said(write(tmp_path / "lake", given), capsys)
    assert found == [f"{GOLD}: 2 rows: their authorisation is about somebody else"]
