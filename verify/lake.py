"""The full check of a lake: all that `verify.py` does, and what stands in the Parquet files.

In: a lake's folder and the public keys. Out: findings and exit code, as `verify.py` gives them. Ledger events and
access records are held against the log's entries one by one, and events against what went before them; every row of
bronze, gold, quarantine and shares against the authorisations and approvals that the events add up to at the position
of the table's newest commit. Needs pyarrow; shares no code with the writers.
"""

import json
import sys
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from verify import rows, timestamps
from verify import verify as plain
from verify.events import Lives, folded, unfinished
from verify.standing import Standing, standing, turns

EVENTS, ACCESSES = "ledger/events", "ops/accesses"
# Counts, which documents are there, and what the law asks for.
WITHOUT_EVIDENCE = (
    "gold/documents_replaced",
    "gold/service_bundles",
    "gold/shadow_agreement",
    "gold/statute_articles",
)
WHOSE = ["_authorisation_id", "_subject_key", "_variant"]
Row = Mapping[str, Any]


@dataclass
class Lake:
    """A lake whose log was checked: its entries by kind and number, its commits' bodies by table."""

    root: Path
    report: Any
    log: Any
    bodies: dict[str, dict[int, Row]] = field(default_factory=dict)
    events: list[Row] = field(default_factory=list)
    _lives: dict[int, tuple[Lives, list[datetime]]] = field(default_factory=dict)
    _standing: dict[tuple[int, int], Standing] = field(default_factory=dict)

    def standing(self, name: str) -> Standing:
        """What stood when a table's newest version was committed."""
        newest = max(self.bodies[name])
        position = int(self.bodies[name][newest]["ledger_position"])
        last = int(self.events[-1]["position"]) if self.events else 0
        plain.need(position <= last, f"{EVENTS} ends at {last}, before the position {position} of the newest commit")
        if position not in self._lives:
            lives = folded(self.events, position)[0]
            self._lives[position] = lives, turns(lives)
        at = datetime.fromisoformat(_said(self, name)["gate_at"])
        lives, changes = self._lives[position]
        place = position, bisect_right(changes, at)  # between two turns nothing begins and nothing ends
        if place not in self._standing:
            self._standing[place] = standing(lives, at)
        return self._standing[place]

    def digests(self, kind: int) -> dict[int, bytes]:
        return {entry.number: entry.digest for _, entry in self.log.kept if entry.kind == kind}


def main(folder: Path, trust: Path | None, since: Path | None, as_json: bool, tsa: Path | None = None) -> int:
    """Check a lake, or a pack as `verify.py` does. Returns the exit code.

    `tsa`: certificates (PEM) of the time-stamping authorities that count, instead of those in the trust file.
    """
    if (folder / "pack.json").exists() or not (folder / "log").is_dir():
        arguments = [str(folder), *_option("--trust", trust), *_option("--since", since)]
        return int(plain.main([*arguments, "--json"] if as_json else arguments))
    report = plain.Report()
    own = folder / "log" / "trust.json" if trust is None else trust
    keys = report.check(str(own), lambda: plain.Trust(own.read_bytes()))
    kept = None
    if keys is not None and since is not None:
        kept = report.check(str(since), lambda: plain.read_checkpoint(since.read_bytes(), keys))
    if keys is not None and not report.findings:
        log = plain.check_lake(folder, keys, report, kept)
        if log is not None:
            stamps, lake = timestamps.check(log, report, own, tsa), Lake(folder, report, log)
            check_contents(lake)
            report.check(EVENTS, _check_instants, lake, stamps)
    if trust is None:
        report.remarks.append("The keys are the lake's own. Compare them with a copy that you trust (--trust).")
    return _say(report, as_json)


def check_contents(lake: Lake) -> None:
    for index, entry in lake.log.kept:
        if entry.kind == plain.COMMIT and index in lake.log.bodies:
            body = lake.log.bodies[index]
            lake.bodies.setdefault(body["table"], {})[body["version"]] = body
    lake.report.check(EVENTS, _check_events, lake)
    lake.report.check(ACCESSES, _check_accesses, lake)
    rooms = ("bronze", "gold", "quarantine", "shares")
    names = [n for n in sorted(lake.bodies) if n.partition("/")[0] in rooms and n not in WITHOUT_EVIDENCE]
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for name in names:
        found = lake.report.check(name, lambda n=name: rows.named(_rows(lake.root, n, WHOSE), lake.standing(n)))
        counted[rows.document_of(name)].update(found or {})
    for name in names:
        lake.report.check(name, _check_rows, lake, name, rows.most_named(counted[rows.document_of(name)]))


def _check_events(lake: Lake) -> None:
    """Each event of the lake's copy is what the log's entry commits to, and none is missing before the newest."""
    digests = lake.digests(plain.EVENT)
    seen = set()
    for row in _rows(lake.root, EVENTS):
        position, where = row["position"], f"{EVENTS}: event {row['position']}"
        lake.report.check(where, _check_event, row, digests.get(position))
        plain.need(position not in seen, f"event {position} stands there twice")
        seen.add(position)
        lake.events.append(row)
    lake.events.sort(key=lambda row: int(row["position"]))
    for missing in sorted(set(range(1, max(seen, default=0) + 1)) - seen):
        lake.report.found(EVENTS, f"event {missing} is missing")
    lives, wrong = folded(lake.events)
    for position, finding in wrong:
        lake.report.found(f"{EVENTS}: event {position}", finding)
    for finding in unfinished(lives):
        lake.report.found(EVENTS, finding)
    lake.report.did("ledger events", len(seen))


def _check_event(row: Row, digest: bytes | None) -> None:
    plain.need(digest is not None, "the log has no entry of it")
    plain.need(row["leaf_hash"] == digest, "its hash is not the one in the log")
    if row["salt"] is None and row["payload"] is None:
        return
    plain.need(row["salt"] is not None and row["payload"] is not None, "it was emptied in part")
    members = {
        "authorisation_id": row["authorisation_id"],
        "instant": _instant_text(row["instant"]),
        "kind": row["kind"],
        "payload": plain.parse(row["payload"]),
        "position": row["position"],
        "subject": row["subject"],
    }
    plain.need(plain.canonical(members["payload"]).decode() == row["payload"], "its payload is not canonical")
    plain.need(plain.whole_event_digest(row["salt"], members) == digest, "it is not what the log commits to")


def _check_instants(lake: Lake, stamps: list[timestamps.Stamp]) -> None:
    """What events say of when they happened, beside what time stamps say of where they stand in the log."""
    places = {entry.number: index for index, entry in lake.log.kept if entry.kind == plain.EVENT}
    known = [(places[p], p, row["instant"]) for row in lake.events if (p := int(row["position"])) in places]
    timestamps.compare(stamps, known, lake.report)


def _check_accesses(lake: Lake) -> None:
    """Each access record of the lake's copy is what the log's entry commits to."""
    digests = lake.digests(plain.ACCESS)
    count = 0
    for row in _rows(lake.root, ACCESSES):
        lake.report.check(f"{ACCESSES}: record {row['access_id']}", _check_access, row, digests)
        count += 1
    lake.report.did("access records", count)


def _check_access(row: Row, digests: Mapping[int, bytes]) -> None:
    digest = digests.get(int(row["access_id"]))
    plain.need(digest is not None, "the log has no entry of it")
    plain.need(row["leaf_hash"] == digest, "its hash is not the one in the log")
    if row["salt"] is None:
        return
    record = {n: v for n, v in row.items() if n not in ("salt", "leaf_hash")}
    record["recorded_at"] = _instant_text(record["recorded_at"])
    record["_subject_key"] = None if record["_subject_key"] is None else str(record["_subject_key"])
    plain.need(plain.sha256(row["salt"], plain.canonical(record)) == digest, "it is not what the log commits to")


def _check_rows(lake: Lake, name: str, documents: set[str]) -> None:
    """Every row names an authorisation that stood at the table's newest commit, and holds what such let stand."""
    renamed = {str(k): list(map(str, v)) for k, v in json.loads(_said(lake, name).get("consented_as", "{}")).items()}
    for column, paths in sorted(renamed.items()):
        lake.report.remarks.append(f"{name}: {column} is held under consent to {' and '.join(paths)}, the commit says.")
    count, wrong = rows.wrong(name, _rows(lake.root, name), lake.standing(name), documents, renamed)
    for finding, many in wrong.items():
        lake.report.found(name, f"{many} rows: {finding}")
    lake.report.did("rows", count)


def _said(lake: Lake, name: str) -> Row:
    """What a table's newest commit says of itself, in the commit file that the log pins: when the gate was asked."""
    path = lake.root.joinpath(*name.split("/"), "_delta_log", f"{max(lake.bodies[name]):020d}.json")
    for line in path.read_bytes().splitlines():
        info: Row | None = json.loads(line).get("commitInfo")
        if info is not None and "gate_at" in info:
            return info
    raise plain.Bad("the commit does not say when the gate was asked")


def _rows(root: Path, name: str, columns: list[str] | None = None) -> Iterator[Row]:
    """The rows of a table's newest version, from its commit files and data files alone."""
    folder, live = root.joinpath(*name.split("/")), dict[str, bool]()
    for path in sorted((folder / "_delta_log").glob("*.json")):
        plain.apply_actions(path.read_bytes(), live)
    for below in sorted(live):
        with pq.ParquetFile(folder / below) as file:
            own = None if columns is None else [n for n in columns if n in file.schema_arrow.names]
            for batch in file.iter_batches(columns=own):
                yield from batch.to_pylist()


def _instant_text(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _option(name: str, value: Path | None) -> list[str]:
    return [] if value is None else [name, str(value)]


def _say(report: Any, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"ok": not report.findings, "findings": report.findings, "checked": report.counts}))
        return 1 if report.findings else 0
    for finding in report.findings:
        print(f"FAILED {finding}")
    counted = ", ".join(f"{count:,} {what}" for what, count in report.counts.items()) or "nothing"
    print(f"{'FAILED' if report.findings else 'OK'}: checked {counted}.")
    for remark in report.remarks:
        print(f"  {remark}")
    sys.stdout.flush()
    return 1 if report.findings else 0
