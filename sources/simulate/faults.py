"""How a holder misbehaves, on demand: for tests of F20 to F29 against the real servers, files and databases.

    inject(home, "mohw", strangers=3)              HTTP holders read the switches on each request
    inject(home, "nhis", truncate=True)            the newest file is written anew with the flaw
    inject(home, "mois", renamed_column=True)      the view is altered
    heal(home)                                     everybody is well again

Switches of HTTP holders: strangers=n, extra_columns, truncate, wrong_count, unknown_code, duplicate_page, looping_page,
error_body_200, slow=seconds, drip, bomb, status_500_once, status_401_once, status_429_once, poison=kind, redirect=url,
unsigned, forged_signature, miscount (of what the holder signs).
Of the agencies' inboxes: silent (no acknowledgement), slow, truncate, status_*_once. Of the file: truncate,
wrong_count, unknown_code, bad_sha, poison. Of PostgreSQL: renamed_column, unknown_code, extra_columns, poison="huge".
`every=n` (default 10) says which share of records a code or poison hits.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import psycopg

from hanbeon import postgres as servers
from hanbeon.errors import UsageError
from sources.simulate import nightly, postgres, store

FILE = "faults.json"
_TEXT_POISONS = ("nul", "surrogate", "duplicate_keys", "undecodable", "huge")
POISONS = {
    "mohw": _TEXT_POISONS,
    "scourt": (*_TEXT_POISONS, "entity", "encoding"),
    "nhis": ("nul", "undecodable"),
    "mois": ("huge",),
    "nts": ("huge",),
}
_HTTP = frozenset(
    {
        "strangers",
        "extra_columns",
        "truncate",
        "wrong_count",
        "unknown_code",
        "duplicate_page",
        "looping_page",
        "error_body_200",
        "slow",
        "drip",
        "bomb",
        "status_500_once",
        "status_401_once",
        "status_429_once",
        "poison",
        "redirect",
        "unsigned",
        "forged_signature",
        "miscount",
        "every",
    }
)
_POSTGRES = frozenset({"renamed_column", "unknown_code", "extra_columns", "poison", "every"})
_FILE = frozenset({"truncate", "wrong_count", "unknown_code", "bad_sha", "poison", "every"})
_INBOX = frozenset({"silent", "slow", "truncate", "status_500_once", "status_401_once", "status_429_once"})
KNOWN = {"mohw": _HTTP, "scourt": _HTTP, "nhis": _FILE, "mois": _POSTGRES, "nts": _POSTGRES, "inbox": _INBOX}
EVERY = 10
HUGE = 10 * 1024 * 1024


def is_chosen(place: int, switches: dict[str, Any]) -> bool:
    """Whether a code or poison hits the record at this place: one of every n."""
    every = int(switches.get("every", EVERY))
    return place % every == every // 3


def read(home: Path) -> tuple[dict[str, dict[str, Any]], int]:
    """The switches of each holder, and a mark that changes with every injection."""
    path = home / "agencies" / FILE
    try:
        return json.loads(path.read_text(encoding="utf-8")), path.stat().st_mtime_ns
    except FileNotFoundError:
        return {}, 0


def inject(home: Path, holder: str, dsn: str = "", **switches: Any) -> None:
    """Make a holder misbehave; what was switched on for it before is forgotten."""
    unknown = set(switches) - KNOWN.get(holder, frozenset())
    if holder not in KNOWN or unknown:
        raise UsageError(f"No such fault: {holder} {', '.join(sorted(unknown))}. See sources/simulate/faults.py.")
    if switches.get("poison") and switches["poison"] not in POISONS[holder]:
        raise UsageError(f"Poison of {holder} is one of {', '.join(POISONS[holder])}.")
    given = read(home)[0] | {holder: switches}
    _write(home, {h: s for h, s in given.items() if s})
    if holder == "nhis":
        _spoil_file(home, switches)
    for agency in postgres.BY_HAND:
        if agency.database == holder:
            _spoil_views(home, agency, switches, dsn)


def heal(home: Path, dsn: str = "") -> None:
    """Every holder behaves again."""
    for holder in read(home)[0]:
        inject(home, holder, dsn)


def _write(home: Path, given: dict[str, dict[str, Any]]) -> None:
    path = home / "agencies" / FILE
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(given), encoding="utf-8")
    os.replace(draft, path)


def _spoil_file(home: Path, switches: dict[str, Any]) -> None:
    """Write the newest pair anew, then spoil it. The control file follows what was meant, not what was cut."""
    path = nightly.publish(home, nightly.ELIGIBILITY, store.today(home))
    body = bytearray(path.read_bytes())
    size = nightly.ELIGIBILITY.record_bytes + 1
    for start in range(0, len(body), size):
        if switches.get("unknown_code") and body[start] == ord("L") and is_chosen(start // size, switches):
            body[start + 18] = ord("9")
        if switches.get("poison") and body[start] == ord("H") and is_chosen(start // size, switches):
            body[start + 62 : start + 66] = b"\x00\x00ab" if switches["poison"] == "nul" else b"\xff\xfe\x80\xff"
    count, digest = len(body) // size, hashlib.sha256(body).hexdigest()
    if switches.get("truncate"):
        del body[len(body) // 2 + 7 :]
    path.write_bytes(body)
    if switches.get("wrong_count"):
        count += 1
    if switches.get("bad_sha"):
        digest = hashlib.sha256(digest.encode()).hexdigest()
    nightly.write_control(home, nightly.ELIGIBILITY.holder, path, count, digest)


def _spoil_views(home: Path, agency: postgres.Agency, switches: dict[str, Any], dsn: str) -> None:
    every = int(switches.get("every", EVERY))
    record = agency.relations[agency.register].key[0]
    chosen = f"substr({record}, 3)::bigint % {every} = {every // 3}"
    shown = {}
    header, lines = (r.view for r in agency.relations.values())
    name = {"mois": "head_nm", "nts": "inern_nm"}[agency.database]
    if switches.get("renamed_column"):
        shown[f"{header}.{name}"] = f"{name} as {name}_renamed"
    if switches.get("poison"):
        shown[f"{header}.{name}"] = f"(case when {chosen} then repeat('x', {HUGE}) else {name} end)::varchar as {name}"
    if switches.get("unknown_code"):
        column, code = {"mois": ("rel_nm", "모르는 관계"), "nts": ("se_cd", "77")}[agency.database]
        shown[f"{lines}.{column}"] = f"(case when {chosen} then '{code}' else {column} end)::varchar as {column}"
    if switches.get("extra_columns"):
        shown[f"{header}.+"] = "'A'::varchar as blood_type"
    with postgres.server(home, dsn) as running, psycopg.connect(servers.database(running, agency.database)) as conn:
        postgres.create_views(conn, agency, shown)
        postgres.grant_reader(conn, agency)
