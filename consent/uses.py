"""Uses of standing authorisations: how often a holder may be asked, and how often it was (Decree 51-2 (3)).

In: the gate's rows and a snapshot; or, after a pull, what it brought. Out: the rows that may be asked for now, why the
others are not, and `used` events. Cycle and cap limit asking, not holding: what was lawfully received stands until the
authorisation ends or its data life is over. A use is counted once for each authorisation and period (the cycle's, or a
day where there is none), however many documents and retries fall into it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from consent import append as log
from consent.model import Cycle, Event, Unasked, need_instant
from consent.snapshot import Snapshot
from hanbeon.clock import seoul_date

TABLES = """
create table if not exists uses (
    authorisation_id text not null,
    document_type text not null,
    period text not null,  -- the newest in which this document was brought
    used_at timestamptz not null,
    ledger_position bigint not null,
    primary key (authorisation_id, document_type)
);
"""
USE_AT_ONCE = 5_000  # a withdrawal that waits for the head must not wait long

# A moved authorisation, approval or block may have erased what the last use brought, so it is asked for again.
SQL = f"""
with counted as (select distinct authorisation_id, period from uses),
terms as (
    select
        *,
        case cycle when 'weekly' then $weekly when 'monthly' then $monthly else $daily end as period,
    from authorisations
    where mode = 'standing'
),
used as (
    select
        t.authorisation_id, t.document_type, t._subject_key,
        t.used_count >= t.frequency_cap
            and (c.period is null or u.period is not distinct from t.period) as is_spent,
        t.cycle is not null and u.period = t.period and t.ledger_position < u.ledger_position
            and not exists (
                select 1 from approvals as p
                where p.document_type = t.document_type and p.recipient = t.recipient and p.holder = t.holder
                    and p.ledger_position > u.ledger_position
            )
            and not exists (
                select 1 from blocks as b
                where b.restricted_key in (t._subject_key, t._grantor_key) and b.ledger_position > u.ledger_position
            )
            and not exists (
                select 1 from representations as r
                where r.represented_key = t._subject_key and r.ledger_position > u.ledger_position
            ) as is_waiting,
    from terms as t
    left join uses as u on u.authorisation_id = t.authorisation_id and u.document_type = t.document_type
    left join counted as c on c.authorisation_id = t.authorisation_id and c.period = t.period
),
judged as (
    select
        g._row,
        coalesce(u.is_spent, false) as is_spent,
        -- a certificate that is asked for anyway brings what every authorisation in its time covers
        bool_and(coalesce(u.is_spent, false) or coalesce(u.is_waiting, false))
            over (partition by g._subject_key, g.document_type, g.variant) as is_waiting,
    from allowed as g
    left join used as u using (authorisation_id, document_type, _subject_key)
)
select
    _row,
    case
        when is_spent then '{Unasked.FREQUENCY_EXCEEDED}'
        when is_waiting then '{Unasked.NOT_DUE}'
    end as reason,
from judged
order by _row
"""


def period(cycle: Cycle, at: datetime) -> str:
    """The name of the cycle's period in which an instant lies, by the calendar of Seoul."""
    day = seoul_date(at)
    if cycle is Cycle.WEEKLY:
        return f"{day:%G-W%V}"
    return f"{day:%Y-%m}" if cycle is Cycle.MONTHLY else f"{day:%Y-%m-%d}"


def askable(allowed: pa.Table, snapshot: Snapshot, at: datetime) -> tuple[pa.Table, Mapping[str, int]]:
    """Those of the gate's rows that a holder may be asked for now, and how many are not, by reason (`Unasked`)."""
    need_instant(at, "The instant of asking")
    with duckdb.connect(config={"threads": 2}) as duck:
        duck.register("allowed", allowed.append_column("_row", pa.arange(0, allowed.num_rows)))
        for name in ("authorisations", "approvals", "blocks", "representations", "uses"):
            duck.register(name, getattr(snapshot, name))
        reasons = duck.execute(SQL, {str(c): period(c, at) for c in Cycle}).to_arrow_table().column("reason")
    counted = pc.value_counts(reasons.drop_null()).to_pylist()
    return allowed.filter(pc.is_null(reasons)), {str(c["values"]): int(c["counts"]) for c in counted}


def mark(conn: psycopg.Connection, brought: Iterable[tuple[str, str]], at: datetime) -> int:
    """Count a use for each (authorisation, document type) that a pull brought data for; returns how many were new.

    Only granted standing ones are used; a period that is counted already changes nothing, so a retry may say it again.
    """
    need_instant(at, "The instant of a use")
    total = 0
    given = sorted(set(brought))
    for start in range(0, len(given), USE_AT_ONCE):
        part = given[start : start + USE_AT_ONCE]
        with conn.transaction():
            newest = log.lock(conn)
            new, counted = _new(conn, part, at)
            entries = [
                log.entry(Event.USED, key, {"document_type": document, "period": name}, key)
                for key, document, name in new
            ]
            positions = log.append(conn, newest, entries, at)
            _keep(conn, new, positions, at)
            first = sorted({key for key, _, name in new if (key, name) not in counted})
            conn.execute(
                "update authorisations set used_count = used_count + 1 where authorisation_id = any(%s)", [first]
            )
        total += len(new)
    return total


Use = tuple[str, str, str]  # authorisation, document type, period


def _new(
    conn: psycopg.Connection, part: Iterable[tuple[str, str]], at: datetime
) -> tuple[list[Use], set[tuple[str, str]]]:
    """Uses that are not kept yet, and the (authorisation, period) that some document of it has counted already."""
    wanted = list(part)
    ids = [key for key, _ in wanted]
    found = conn.execute(
        "select distinct authorisation_id, cycle from authorisations"
        " where authorisation_id = any(%s) and mode = 'standing' and state = 'granted'",
        [ids],
    ).fetchall()
    periods = {key: period(Cycle(cycle) if cycle else Cycle.DAILY, at) for key, cycle in found}
    kept = conn.execute(
        "select authorisation_id, document_type, period from uses where authorisation_id = any(%s)", [ids]
    ).fetchall()
    there = {(row[0], row[1], row[2]) for row in kept}
    uses = [(key, document, periods[key]) for key, document in wanted if key in periods]
    return [use for use in uses if use not in there], {(row[0], row[2]) for row in kept}


def _keep(conn: psycopg.Connection, new: list[Use], positions: range, at: datetime) -> None:
    conn.execute(
        "insert into uses (authorisation_id, document_type, period, used_at, ledger_position)"
        " select key, document_type, period, %s, position"
        " from unnest(%s::text[], %s::text[], %s::text[], %s::bigint[]) as n (key, document_type, period, position)"
        " on conflict (authorisation_id, document_type) do update set"
        " period = excluded.period, used_at = excluded.used_at, ledger_position = excluded.ledger_position",
        [at, [u[0] for u in new], [u[1] for u in new], [u[2] for u in new], list(positions)],
    )
