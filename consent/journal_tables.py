"""The tables of the journal in PostgreSQL. In: nothing. Out: DDL that changes nothing when run again."""

TABLES = """
create table if not exists intents (
    intent_id bigint generated always as identity primary key,
    call_id text not null,
    run_id text not null,
    step text,
    table_name text not null,
    code_hash text not null,
    ledger_position bigint not null,
    snapshot_version bigint not null,
    planned_version bigint,
    transaction_number bigint,
    authorisation_digest text,
    pull_state bytea,
    state text not null check (state in ('open', 'done', 'unchanged', 'swept')),
    opened_at timestamptz not null default clock_timestamp(),
    closed_at timestamptz
);
create index if not exists intents_open on intents (table_name) where state = 'open';
create index if not exists intents_of_call on intents (call_id);
create unique index if not exists intents_of_step on intents (run_id, step, table_name)
    where step is not null and state = 'done';

create table if not exists leaves (
    sequence bigint generated always as identity primary key,
    table_name text not null,
    version bigint not null check (version >= 0),
    intent_id bigint not null references intents,
    run_id text not null,
    commit_sha256 text not null,
    files jsonb not null,
    authorisation_digest text not null,
    ledger_position bigint not null,
    recorded_at timestamptz not null default clock_timestamp(),
    unique (table_name, version),
    unique (intent_id)
);

alter table intents add column if not exists ledger_root text;
alter table intents add column if not exists delivery bigint;
alter table leaves add column if not exists body text;  -- canonical JSON: what the log's entry commits to

create table if not exists pointers (
    generation bigint not null,
    table_name text not null,
    version bigint not null,
    moved_at timestamptz not null default clock_timestamp(),
    primary key (generation, table_name)
);

create table if not exists pull_states (
    dataset text primary key,
    ledger_position bigint not null,
    state bytea not null
);

create or replace function journal_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the journal is append-only';
end $$;
create or replace trigger leaves_no_edit before update or delete on leaves
    for each row execute function journal_is_append_only();
create or replace trigger pointers_no_edit before update or delete on pointers
    for each row execute function journal_is_append_only();
create or replace trigger leaves_no_truncate before truncate on leaves
    for each statement execute function journal_is_append_only();
create or replace trigger pointers_no_truncate before truncate on pointers
    for each statement execute function journal_is_append_only();
"""
