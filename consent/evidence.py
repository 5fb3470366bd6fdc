"""Evidence: proof that the citizen herself consented, over the very notice that she was shown.

In: grants with their tokens, whom we trust, and the instant. Out: the same grants with `evidence`, ready for
`consent.ledger`, which refuses a consent or demand without. A token counts when a trusted identity provider signed it
over the digest of the notice that belongs to these very terms, for the person who consents, once. It is sealed under
that person's own key (`consent.sealing`).

    with conn.transaction():  # a grant that fails gives the token back
        ledger.grant(conn, evidence.attach(conn, secrets, trust, [(grant, token)], at), at)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg

from consent import owners, sealing, vault
from consent.ids import new_id
from consent.model import Event, Grant, Kind, Reason, Sealed
from consent.secrets import Secrets
from consent.trust import SKEW, Claims, Trust, authenticated, pseudonym
from hanbeon.errors import GateRefused, IntegrityError, UsageError
from schemas import notices
from schemas.notices import Notice
from schemas.services import service

__all__ = ["Trust", "attach", "for_change", "notice_of", "open_evidence", "shown"]

TABLES = """
create table if not exists used_tokens (
    issuer text not null,
    token_id text not null,
    expires_at timestamptz not null,
    primary key (issuer, token_id)
);
create table if not exists notices (  -- texts that were shown; they name no person
    digest text primary key,
    version text not null,
    body text not null
);
"""
PERSON, PSEUDONYM = "RRN", "CI"  # identifier kinds of the vault


def notice_of(grant: Grant) -> Notice:
    """The notice of these very terms. Raises UsageError when the columns go beyond the consents that were given."""
    chosen = service(grant.service)
    documents = {s.document_type for s in grant.scopes}
    requirements = tuple(
        r for r in chosen.data_requirements if r.document_type in documents and r.authorisation == grant.kind
    )
    allowed = {r.document_type: set(notices.narrowed(r, grant.grounds)) for r in requirements}
    for scope in grant.scopes:
        if not set(scope.columns) <= allowed.get(scope.document_type, set()):
            raise UsageError(
                f"{scope.document_type} has columns that need a separate consent which was not given, or that are not"
                " the service's. Leave them out, or ask for that consent."
            )
    return notices.notice(
        chosen,
        requirements,
        grant.valid_until,
        grant.retain_until,
        frozenset(grant.grounds),
        grant.notice_version or notices.CURRENT,
    )


def attach(
    conn: psycopg.Connection,
    secrets: Secrets,
    trust: Trust,
    given: Sequence[tuple[Grant, str | None]],
    at: datetime,
) -> list[Grant]:
    """Grants with evidence, in order. A statutory ground needs no token. Tokens are spent in the same transaction.

    Raises IntegrityError for a token that proves nothing or was used, GateRefused where there is none.
    """
    named = [replace(g, authorisation_id=g.authorisation_id or new_id("auth")) for g, _ in given]
    texts = {g.authorisation_id: notice_of(g) for g in named if g.kind is not Kind.STATUTE}
    signed = [(g, str(_need(g.kind, t))) for g, (_, t) in zip(named, given, strict=True) if g.kind is not Kind.STATUTE]
    claims = [authenticated(trust, token, texts[g.authorisation_id].digest, at) for g, token in signed]
    with conn.transaction():
        _same_people(conn, secrets, trust, [(_key(g), c.subject) for (g, _), c in zip(signed, claims, strict=True)], at)
        _spend(conn, claims, at)
        _keep(conn, texts.values())
        keys = owners.secrets_of(conn, secrets, {owners.owner_of_key(_key(g)) for g, _ in signed})
    tokens = {g.authorisation_id: token for g, token in signed}
    return [_sealed(g, texts[g.authorisation_id], tokens, keys) if g.authorisation_id in tokens else g for g in named]


def for_change(
    conn: psycopg.Connection,
    secrets: Secrets,
    trust: Trust,
    authorisation_id: str,
    event: Event,
    token: str,
    at: datetime,
    by: int | None = None,
    **ends: datetime,
) -> Sealed:
    """Evidence that the grantor pauses, resumes, renews or withdraws: a token over `notices.act_notice`.

    A renewal names its ends, `valid_until` and `retain_until`, as the notice did; `by` is the key of who renews, where
    the subject takes over from a guardian.
    """
    row = conn.execute(
        "select grantor_key from authorisations where authorisation_id = %s limit 1", [authorisation_id]
    ).fetchone()
    if row is None or row[0] is None:
        raise UsageError("No citizen granted an authorisation with this id. `hanbeon consent list` shows them.")
    key, text = int(by or row[0]), notices.act_notice(event, authorisation_id, ends)
    claims = authenticated(trust, token, text.digest, at)
    with conn.transaction():
        _same_people(conn, secrets, trust, [(key, claims.subject)], at)
        _spend(conn, [claims], at)
        found = owners.secrets_of(conn, secrets, [owners.owner_of_key(key)])
    return sealing.seal(found[owners.owner_of_key(key)], authorisation_id, _body(token, text))


def open_evidence(conn: psycopg.Connection, secrets: Secrets, authorisation_id: str) -> dict[str, Any] | None:
    """The evidence of a grant in clear; None once its payload or its owner's key is destroyed.

    Raises IntegrityError when ciphertext and event do not belong together.
    """
    row = conn.execute(
        "select payload from events where authorisation_id = %s and kind = %s order by position limit 1",
        [authorisation_id, str(Event.GRANTED)],
    ).fetchone()
    if row is None:
        raise UsageError("There is no authorisation with this id in the ledger. `hanbeon consent list` shows them.")
    payload: Mapping[str, Any] | None = row[0]
    sealed = None if payload is None else sealing.of_payload(payload)
    if payload is None or sealed is None:
        return None
    if sealed.ciphertext is None:
        return sealing.statute(payload["legal_basis"])
    owner = owners.owner_of_key(int(payload["grantor_key"] or payload["scopes"][0]["subject_key"]))
    secret = owners.known(conn, secrets, [owner]).get(owner)
    return None if secret is None else sealing.opened(secret, authorisation_id, sealed)


def shown(conn: psycopg.Connection, digest: str) -> str | None:
    """The canonical JSON of a notice that was shown, by its digest."""
    row = conn.execute("select body from notices where digest = %s", [digest]).fetchone()
    return None if row is None else str(row[0])


def _need(kind: Kind, token: str | None) -> str:
    if not token:
        raise GateRefused(
            f"A {kind} without evidence is not recorded. Let the citizen authenticate over the notice.",
            Reason.NO_EVIDENCE,
        )
    return token


def _key(grant: Grant) -> int:
    assert grant.grantor_key is not None  # the model refuses a consent without a grantor
    return grant.grantor_key


def _sealed(grant: Grant, text: Notice, tokens: Mapping[str | None, str], keys: Mapping[bytes, bytes]) -> Grant:
    secret, key = keys[owners.owner_of_key(_key(grant))], str(grant.authorisation_id)
    evidence = sealing.seal(secret, key, _body(tokens[key], text))
    return replace(grant, notice_version=text.version, notice_hash=text.digest, evidence=evidence)


def _body(token: str, text: Notice) -> dict[str, Any]:
    return {"kind": "authentication", "token": token, "notice": {"version": text.version, "hash": text.digest}}


def _same_people(
    conn: psycopg.Connection, secrets: Secrets, trust: Trust, given: Sequence[tuple[int, str]], at: datetime
) -> None:
    """Every pseudonym is that of its person. At first sight it is derived anew, then the vault links it to the key."""
    linked = vault.find(conn, secrets, PSEUDONYM, [subject for _, subject in given]).to_pylist()
    pairs = list(zip(given, linked, strict=True))
    new = {key: subject for (key, subject), known in pairs if known is None}
    numbers = dict(zip(*vault.reveal(conn, secrets, PERSON, list(new)).to_pydict().values(), strict=True))
    derived = {key: pseudonym(trust, number) for key, number in numbers.items()}
    matches = [derived.get(key) == subject if known is None else known == key for (key, subject), known in pairs]
    if not all(matches):
        raise IntegrityError("The token is another person's than who consents. Let that person authenticate.")
    vault.link_many(conn, secrets, PSEUDONYM, new, at)


def _spend(conn: psycopg.Connection, claims: Sequence[Claims], at: datetime) -> None:
    """Each token once. Those that have expired need not be remembered: they are refused for that."""
    conn.execute("delete from used_tokens where expires_at < %s", [at - 2 * SKEW])
    spent = conn.execute(
        "insert into used_tokens select * from unnest(%s::text[], %s::text[], %s::timestamptz[])"
        " on conflict do nothing",
        [[c.issuer for c in claims], [c.token_id for c in claims], [c.expires_at for c in claims]],
    ).rowcount
    if spent < len(claims):
        raise IntegrityError("The token was used before. Authenticate again: one token is for one act.")


def _keep(conn: psycopg.Connection, texts: Iterable[Notice]) -> None:
    with conn.cursor() as cursor:
        cursor.executemany(
            "insert into notices values (%s, %s, %s) on conflict do nothing",
            sorted({(t.digest, t.version, t.body) for t in texts}),
        )
