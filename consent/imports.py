"""Many authorisations at once, from a CSV or Parquet file that an originating agency sends and signs.

In: a file, one authorisation a row, and the agency's signed manifest (`consent.manifests`). Out: ledger events, and an
`ImportReport`: what was granted, what was there already, and which rows were refused, by number and reason, never by
value (P8). The authorisation's id is derived from the origin's own id, so that a file read twice, or again after a
crash, adds nothing. Documents, variants and columns are those that the service needs (P2).

Columns; all are texts, and an optional one that is missing or empty means what stands in brackets:

    external_id          the origin's id of the authorisation
    salt                 64 hexadecimal digits, random for each row; blinds identifiers in the signed tree
    origin               who issued external ids; refused when it is not who signed [the agency that signed]
    service              as in services.yaml; kind, recipient, purpose, mode and legal basis follow from it
    identifier_kind      RRN, CRN, ... as the service names its applicants
    subject_identifier   the subject; becomes a key before anything is stored
    grantor_identifier   who consents, of the same kind [the subject; nobody for a statutory ground]
    grantor_capacity     as `consent.model.Capacity` has them; required where the grantor is not the subject [self]
    recipient            a row is refused when this is not the service's [the service's]
    documents            document types joined by | [all that the service takes as data]
    application_id       required where the service's mode is one-time [none]
    valid_from           an instant in ISO 8601, read as Seoul time without an offset; `valid_until` too
    valid_until          the END: valid before it, not at it
    retain_until         [valid_until]
    grounds              the separate consents given, joined by | [collection|provision: no sensitive columns]
    cycle                daily, weekly or monthly: how often the holder may be asked [at each run]
    notice_version, notice_hash, identifier_statute, frequency_cap [none]
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path

import psycopg

from consent import ledger, manifests, owners, sealing, vault
from consent.age import is_under_age
from consent.import_rows import Row, Texts, blocks, parse
from consent.manifests import Signed, canonical_row
from consent.model import Grant, Kind, Mode, Scope, need_instant
from consent.secrets import Secrets, keyed_hashes
from consent.trust import Trust
from schemas.contract import source
from schemas.identifiers import PERSON
from schemas.services import STATUTE, Requirement

AT_ONCE = 5_000  # authorisations in one transaction: a withdrawal that waits for the ledger's head must not wait long


@dataclass(frozen=True)
class RefusedRow:
    """A row that was not imported. `row` counts data rows from 1."""

    row: int
    reason: str


@dataclass(frozen=True)
class ImportReport:
    """What became of each row: granted, already there, or refused."""

    rows: int
    granted: int
    already: int
    refused: tuple[RefusedRow, ...]

    @property
    def reasons(self) -> dict[str, int]:
        """How many rows were refused for each reason."""
        found: dict[str, int] = {}
        for refused in self.refused:
            found[refused.reason] = found.get(refused.reason, 0) + 1
        return found


def import_file(
    conn: psycopg.Connection, secrets: Secrets, path: Path, at: datetime, trust: Trust, manifest: str | None
) -> ImportReport:
    """Import a file in transactions of `AT_ONCE` rows. Good rows are granted whatever becomes of the others.

    Every row is refused when there is no manifest, or when it was not signed over just these rows by an agency that we
    trust. Raises UsageError when the file as a whole cannot be read.
    """
    need_instant(at, "The instant of an import")
    signed = manifests.read(trust, manifest, Path(path), at)
    rows = granted = already = 0
    refused: list[RefusedRow] = []
    seen: set[bytes] = set()
    for block in blocks(Path(path)):
        rows += len(block)
        judged = [(number, _aged(_judged(signed, texts), at)) for number, texts in block]
        refused += [RefusedRow(number, row) for number, row in judged if isinstance(row, str)]
        named, repeated = _name(secrets, judged, seen)
        refused += repeated
        named, late = _open_ones(conn, named)
        refused += late
        there = ledger.known(conn, named)
        already += len(there)
        waiting = ((key, row) for key, row in named.items() if key not in there)
        while part := dict(islice(waiting, AT_ONCE)):
            assert isinstance(signed, Signed)  # without a manifest no row comes as far as this
            new = ledger.grant_missing(conn, _grants(conn, secrets, part, signed, at), at)
            granted += len(new)
            already += len(part) - len(new)
    return ImportReport(rows, granted, already, tuple(sorted(refused, key=lambda r: r.row)))


def authorisation_ids(secrets: Secrets, origin_ids: Sequence[tuple[str, str]]) -> list[str]:
    """The id of each (origin, external id). Keyed, since an origin's id may itself name a person."""
    hashes = keyed_hashes(secrets, "imported-authorisation", [f"{o}\x1f{e}" for o, e in origin_ids])
    return [f"auth-{h.hex()[:32]}" for h in hashes]


def _aged(row: Row | str, at: datetime) -> Row | str:
    """The row, or why not: a child under 14 consents through her guardian (F42)."""
    if isinstance(row, Row) and row.grantor and row.grantor_kind == PERSON and is_under_age(row.grantor, at):
        return "the grantor is under 14, and a guardian consents for her (F42)"
    return row


Judged = tuple[int, Row | str]
Named = dict[str, tuple[int, Row]]  # authorisation id -> (row number, row)


def _judged(signed: Signed | str, texts: Texts | str) -> Row | str:
    """One row with its origin, or why it is refused."""
    row = texts if isinstance(texts, str) else parse(texts)
    if isinstance(row, str) or isinstance(signed, str):
        return row if isinstance(row, str) else str(signed)
    if row.origin not in ("", signed.agency):
        return "origin is not the agency that signed the manifest"
    return replace(row, origin=signed.agency, signed_row=canonical_row(texts) or {})


def _name(secrets: Secrets, block: Iterable[Judged], seen: set[bytes]) -> tuple[Named, list[RefusedRow]]:
    good = [(number, row) for number, row in block if isinstance(row, Row)]
    ids = authorisation_ids(secrets, [(row.origin, row.external_id) for _, row in good])
    named: Named = {}
    repeated = []
    for key, (number, row) in zip(ids, good, strict=True):
        short = bytes.fromhex(key.removeprefix("auth-"))
        if short in seen:
            repeated.append(RefusedRow(number, "external_id stands in an earlier row of this file"))
        else:
            seen.add(short)
            named[key] = (number, row)
    return named, repeated


def _open_ones(conn: psycopg.Connection, named: Named) -> tuple[Named, list[RefusedRow]]:
    """Without those that are new and whose application is decided; nothing more is authorised for a decided one."""
    wanted = list({row.texts["application_id"] for _, row in named.values() if row.texts["application_id"]})
    with conn.transaction():
        found = conn.execute(
            "select application_id from applications where application_id = any(%s) and state <> 'open'", [wanted]
        ).fetchall()
    decided = {row[0] for row in found}
    late = {key for key, (_, row) in named.items() if row.texts["application_id"] in decided}
    late -= ledger.known(conn, late)
    refused = [RefusedRow(named[key][0], "the application is decided") for key in late]
    return {key: value for key, value in named.items() if key not in late}, refused


def _grants(conn: psycopg.Connection, secrets: Secrets, named: Named, signed: Signed, at: datetime) -> dict[str, Grant]:
    """Identifiers become keys, in bulk; then each row is a `Grant`, its evidence sealed under who consents."""
    keys: dict[tuple[str, str], int] = {}
    rows = [row for _, row in named.values()]
    everybody = {(row.identifier_kind, row.subject) for row in rows}
    everybody |= {(row.grantor_kind, row.grantor) for row in rows if row.grantor}
    for kind in sorted({kind for kind, _ in everybody}):
        people = sorted(person for of_kind, person in everybody if of_kind == kind)
        found = vault.keys(conn, secrets, kind, people, at).to_pylist()
        keys.update({(kind, person): key for person, key in zip(people, found, strict=True)})
    owner = {
        key: keys[(row.grantor_kind, row.grantor) if row.grantor else (row.identifier_kind, row.subject)]
        for key, (_, row) in named.items()
    }
    secret = owners.secrets_of(conn, secrets, set(map(owners.owner_of_key, owner.values())))
    return {
        key: replace(
            _grant(row, keys),
            evidence=sealing.seal(
                secret[owners.owner_of_key(owner[key])], key, signed.evidence(number, row.signed_row)
            ),
        )
        for key, (number, row) in named.items()
    }


@lru_cache
def _terms(needed: Requirement) -> tuple[str, str, tuple[str, ...], str]:
    """Document type, variant, columns and holder, as a scope names them."""
    contract = source(needed.document_type)
    return needed.document_type, needed.variant or contract.variants[0], needed.columns, contract.holder


def _grant(row: Row, keys: dict[tuple[str, str], int]) -> Grant:
    subject, ground = keys[(row.identifier_kind, row.subject)], row.requirements[0]
    return Grant(
        kind=Kind(ground.authorisation),
        grantor_key=keys[(row.grantor_kind, row.grantor)] if row.grantor else None,
        recipient=row.service.recipient,
        service=row.service.id,
        purpose=row.service.purpose,
        legal_basis=ground.legal_basis,
        mode=Mode.ONE_TIME if ground.authorisation == STATUTE else Mode(row.service.mode),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        retain_until=row.retain_until,
        scopes=tuple(Scope(subject, *_terms(r)) for r in row.requirements),
        frequency_cap=row.frequency_cap,
        application_id=row.texts["application_id"],
        notice_version=row.texts["notice_version"],
        notice_hash=row.texts["notice_hash"],
        grounds=row.grounds,
        grantor_capacity=row.texts["grantor_capacity"],
        identifier_statute=row.texts["identifier_statute"],
        cycle=row.texts["cycle"],
    )
