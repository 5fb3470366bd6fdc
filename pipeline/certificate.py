"""The certificate of an erasure: what went, from where, what was looked for, and what stays for which reason (P4).

In: an erasure that is done but for its certificate, and what the scan found. Out: the certificate's number. The body
is a statement in the log (docs/proof.md, section 4), and stands signed beside it, for whoever was concerned. It names
nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from consent import holds
from consent.append import canonical, instant_text
from consent.bodies import BodyKind, body_of, record_body
from consent.erasures import Erasure, certificate_of
from consent.signing import sign_jws
from hanbeon.clock import seoul_date
from lake.files import write_durably
from pipeline.attest import operator
from pipeline.home_scan import Looked
from pipeline.run import Run

TYP = "erasure-certificate+jwt"
FOLDER = "certificates"
EXCLUDED = (
    ("recipient's case file", "evidence that was handed over before belongs to the recipient's own records"),
    ("the holders' own records", "the holder keeps them by its own law; nothing is erased there"),
    (
        "subject keys in ledger and access records",
        "pseudonyms, kept for the legal term, that name nobody without the vault",
    ),
    ("storage hardware", "what a disk keeps of overwritten blocks is not seen by any program"),
    ("backups made outside of Hanbeon", "whoever makes them destroys them, or their key, and says when"),
)


SLOW = (
    ("dead rows and write-ahead log of the ledger's database", "PostgreSQL overwrites them; `erase --now` clears them"),
    ("files of the home outside of the lake", "hold no row; looked through by `erase --now`"),
)
FOREIGN = (
    "write-ahead log, statistics and backups of the ledger's server",
    "setting ledger.dsn names a server of its own: whoever administers it lets them run out",
)


@dataclass(frozen=True)
class Went:
    """What went beside rows: data files, owners' secrets, persons out of the vault (None: not yet)."""

    files: int
    secrets: int
    persons: int | None
    database_tables: int = 0  # rewritten without dead rows


def certify(run: Run, erasure: Erasure, looked: Looked, went: Went, holds_ended: int = 0) -> int:
    """Record and sign the certificate; its number. For an erasure that has one already, that one is signed again."""
    number = certificate_of(run.conn, erasure.number)
    if number is None:
        body = _body(run, erasure, looked, went, holds_ended)
        number = record_body(run.conn, BodyKind.CERTIFICATE, body)
    recorded = body_of(run.conn, number)
    assert recorded is not None
    write_durably(path_of(run, number), signed(run, recorded).encode() + b"\n")
    return number


def signed(run: Run, body: Mapping[str, Any]) -> str:
    """A certificate as a compact JWS. Ed25519 is deterministic: signed again, it is the same."""
    return sign_jws(operator(run.settings).documents, canonical(body), TYP)


def path_of(run: Run, number: int) -> Path:
    return run.settings.log_path / FOLDER / f"{number}.jws"


def _body(run: Run, erasure: Erasure, looked: Looked, went: Went, holds_ended: int) -> dict[str, Any]:
    return {
        "erasure": erasure.number,
        "erased_at": instant_text(run.at()),
        "ledger_position": erasure.ledger_position,
        "inventory": [
            _entry("tables", "bronze, quarantine, gold, shares", "erased", "newest versions"),
            _entry("versions", "data files of old versions", "erased", went.files),
            _entry("staging", "staging", "erased", "discarded"),
            _entry("secrets", "owners' secrets", "erased", went.secrets),
            _forgotten(went.persons),
            *([_entry("holds", "what was kept for holds that ended", "erased", holds_ended)] if holds_ended else []),
            *_at_once(erasure, looked, went),
            _backups(run),
        ],
        "tables": [
            {"table": one.table, "version": one.version, "rows_removed": one.removed, "rows_narrowed": one.narrowed}
            for one in sorted(erasure.losses, key=lambda one: one.table)
        ],
        "scan": {
            "needles": looked.needles,
            "files": looked.files,
            "bytes": looked.bytes,
            "residue": len(looked.findings),
        },
        "excluded": [{"what": what, "why": why} for what, why in _excluded(run, erasure)],
        "owners_destroyed": went.secrets,
        "payloads_erased": 0,
    }


def _at_once(erasure: Erasure, looked: Looked, went: Went) -> list[dict[str, str]]:
    if erasure.values is None:
        return [_entry("scan", "every file below the lake's root", "scanned", looked.files)]
    return [
        _entry("database", "dead rows of the ledger's database", "erased", f"{went.database_tables} tables"),
        _entry("scan", "every file of home, lake and witness but the agencies'", "scanned", looked.files),
    ]


def _excluded(run: Run, erasure: Erasure) -> list[tuple[str, str]]:
    found = list(EXCLUDED) + holds.held(run.conn, run.at())
    if erasure.values is None:
        return found + list(SLOW)
    if run.settings.ledger.dsn:
        found.append(FOREIGN)
    if erasure.values.shared:
        found.append((f"{erasure.values.shared} values", "rows that stay say them too, so they were not looked for"))
    if erasure.values.short:
        found.append((f"{erasure.values.short} values", "so short that files hold them by chance: not looked for"))
    return found


def _backups(run: Run) -> dict[str, str]:
    """Backups are erased by destroying their key, on a day that settings name; nobody here can see it done."""
    days = run.settings.retention.backup_key_destroyed_after_days
    if not days:
        return _entry("backups", "backups of database and lake", "none", "settings say that none are made")
    day = seoul_date(run.at()) + timedelta(days=days)
    return _entry("backups", "backups of database and lake", "operator must", f"destroy their key by {day}")


def _forgotten(persons: int | None) -> dict[str, str]:
    name = "identifiers in the vault, and that they were asked for"
    if persons is None:
        return _entry("persons", name, "pending", "another process was at work: the next erasure forgets them")
    return _entry("persons", name, "erased", persons)


def _entry(kind: str, name: str, state: str, detail: str | int) -> dict[str, str]:
    return {"kind": kind, "name": name, "state": state, "detail": str(detail)}
