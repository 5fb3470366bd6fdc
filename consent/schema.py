"""The tables of ledger and vault in PostgreSQL, made and kept by `migrate`.

In: a connection to the ledger's database. Out: tables, triggers and one function; running it again changes nothing.
Events are append-only by trigger. The single exception: `ledger_erase_payloads` empties payload and salt of named
events, for the erase path, and the leaf hash stays, so that erased entries still verify (P4).
"""

import psycopg

from consent import (
    accesses,
    blocks,
    bodies,
    deaths,
    disputes,
    erasures,
    evidence,
    handovers,
    holds,
    journal,
    key_versions,
    outbox,
    owners,
    readers,
    representations,
    shadow,
    subject_notices,
    uses,
)
from consent.log import entries
from hanbeon.errors import DependencyDown, IntegrityError

LOCK = 0x68616E62  # one migration at a time

FORMAT = 3  # of what rows hold and hashes commit to; CHANGELOG.md says when it moved
FORMATS = "create table if not exists ledger_format (version integer primary key)"
LEDGER = """
create table if not exists ledger_head (
    is_only boolean primary key default true check (is_only),
    position bigint not null check (position >= 0)
);
insert into ledger_head (position) values (0) on conflict do nothing;

create table if not exists events (
    position bigint primary key,
    instant timestamptz not null check (isfinite(instant)),
    authorisation_id text,
    kind text not null,
    subject text not null,
    salt bytea,
    leaf_hash bytea not null check (length(leaf_hash) = 32),
    payload json,  -- as text: the very bytes that the leaf hash was taken over
    check ((salt is null) = (payload is null))
);
create index if not exists events_of_authorisation on events (authorisation_id, position);
create index if not exists events_of_subject on events (subject, position);

create or replace function events_are_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and current_setting('hanbeon.erasing', true) = 'on' then
        if new.payload is null and new.salt is null
            and (new.position, new.instant, new.authorisation_id, new.kind, new.subject, new.leaf_hash)
                is not distinct from
                (old.position, old.instant, old.authorisation_id, old.kind, old.subject, old.leaf_hash)
        then
            return new;
        end if;
    end if;
    raise exception 'ledger events are append-only';
end $$;
create or replace trigger events_no_edit before update or delete on events
    for each row execute function events_are_append_only();
create or replace trigger events_no_truncate before truncate on events
    for each statement execute function events_are_append_only();

create or replace function ledger_erase_payloads(positions bigint[]) returns bigint language plpgsql as $$
declare erased bigint;
begin
    perform set_config('hanbeon.erasing', 'on', true);
    update events set payload = null, salt = null where position = any(positions) and payload is not null;
    get diagnostics erased = row_count;
    perform set_config('hanbeon.erasing', 'off', true);
    return erased;
end $$;

create table if not exists approvals (
    approval_id text primary key,
    holder text not null,
    recipient text not null,
    document_type text not null,
    purpose text not null,
    legal_basis text not null,
    storage text not null,
    valid_from timestamptz not null check (isfinite(valid_from)),
    valid_until timestamptz not null check (isfinite(valid_until)),
    state text not null,
    state_at timestamptz not null,
    ledger_position bigint not null,
    check (valid_from < valid_until)
);

create table if not exists applications (
    application_id text primary key,
    service text not null,
    recipient text not null,
    applicant_key bigint not null,
    applicant_kind text not null,
    member_keys bigint[],  -- NULL for none, as in the next
    not_concerned text[],
    opened_at timestamptz not null check (isfinite(opened_at)),
    state text not null,
    decision text,
    decided_at timestamptz,
    decision_id text unique,  -- names the identity-free row that statistics count; never leaves beside an application
    satisfied_by jsonb,
    ledger_position bigint not null,
    check ((state = 'decided') = (decision is not null)),
    check ((decision is null) = (decided_at is null)),
    check (cardinality(member_keys) > 0 and cardinality(not_concerned) > 0)
);
create index if not exists applications_of_applicant on applications (applicant_key);

create table if not exists papers (
    application_id text not null references applications,
    document_type text not null,
    brought_at timestamptz not null,
    ledger_position bigint not null,
    primary key (application_id, document_type)
);

create table if not exists authorisations (
    authorisation_id text not null,
    kind text not null,
    grantor_key bigint,
    subject_key bigint not null,
    application_id text,
    document_type text not null,
    variant text not null,
    columns text[] not null check (cardinality(columns) > 0 and array_position(columns, null) is null),
    holder text not null,
    recipient text not null,
    service text not null,
    purpose text not null,
    legal_basis text not null,
    approval_id text,
    mode text not null,
    valid_from timestamptz not null check (isfinite(valid_from)),
    valid_until timestamptz not null check (isfinite(valid_until)),
    retain_until timestamptz not null check (isfinite(retain_until)),
    cycle text,
    frequency_cap bigint check (frequency_cap > 0),
    used_count bigint not null default 0,
    notice_version text,
    notice_hash text,
    proof_digest text,
    grantor_capacity text,
    identifier_statute text,
    state text not null,
    state_at timestamptz not null,
    ledger_position bigint not null,
    primary key (authorisation_id, document_type, subject_key),
    check (valid_from < valid_until)
);
create index if not exists authorisations_of_subject on authorisations (subject_key);
create index if not exists authorisations_of_application on authorisations (application_id)
    where application_id is not null;
create index if not exists authorisations_to_expire on authorisations (valid_until)
    where state in ('granted', 'paused');
"""

# The vault holds no identifier in clear: a keyed look-up index and ciphertext (P10).
VAULT = """
create table if not exists vault_subjects (
    subject_key bigint primary key,
    kind text not null,
    attempt integer not null,
    assigned_at timestamptz not null
);

create table if not exists vault_identifiers (
    sequence bigint generated always as identity,
    kind text not null,
    lookup bytea not null check (length(lookup) = 32),
    index_version integer not null,
    subject_key bigint not null references vault_subjects,
    ciphertext bytea not null,
    key_version integer not null,
    valid_from timestamptz not null,
    valid_until timestamptz,
    primary key (kind, lookup)
);
create index if not exists vault_identifiers_of_subject on vault_identifiers (subject_key, kind);
"""


def connect(dsn: str) -> psycopg.Connection:
    """A connection to the ledger's database, tables in place. Each public write is then a transaction of its own.

    Raises DependencyDown when the database does not answer.
    """
    try:
        conn = psycopg.connect(dsn, autocommit=True)
    except psycopg.OperationalError as error:
        raise DependencyDown(
            "The ledger's database does not answer. See that it is up and that ledger.dsn names it, then run again."
        ) from error
    try:
        migrate(conn)
    except BaseException:
        conn.close()
        raise
    return conn


def migrate(conn: psycopg.Connection) -> None:
    """Make every table of the ledger's database that is missing. One transaction; several may call it at once."""
    with conn.transaction():
        conn.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        _need_format(conn)
        conn.execute(LEDGER)
        conn.execute(VAULT)
        conn.execute(key_versions.TABLES)
        accesses.migrate(conn)
        journal.migrate(conn)
        conn.execute(owners.TABLES)
        conn.execute(blocks.TABLES)
        conn.execute(representations.TABLES)
        conn.execute(deaths.TABLES)
        conn.execute(uses.TABLES)
        conn.execute(readers.TABLES)
        conn.execute(bodies.TABLES)
        conn.execute(erasures.TABLES)
        conn.execute(outbox.TABLES)
        conn.execute(handovers.TABLES)
        conn.execute(subject_notices.TABLES)
        conn.execute(holds.TABLES)
        conn.execute(disputes.TABLES)
        conn.execute(shadow.TABLES)
        entries.migrate(conn)
        conn.execute(evidence.TABLES)


def _need_format(conn: psycopg.Connection) -> None:
    """Raise IntegrityError for a database that another state of the project made: its rows have other hashes."""
    row = conn.execute("select to_regclass('events') is not null").fetchone()
    is_new = row is not None and not row[0]
    conn.execute(FORMATS)
    if is_new:
        conn.execute("insert into ledger_format values (%s) on conflict do nothing", [FORMAT])
    held = conn.execute("select version from ledger_format").fetchall()
    if held != [(FORMAT,)]:
        raise IntegrityError(
            "The ledger's database was made by another state of Hanbeon, whose formats differ, and nothing moves it to"
            " this one yet. Run that state's own checkout with it, or, where it is a demonstration, `make clean`."
        )
