"""Authorisations and applications that ended so long ago that the ledger's own payloads have no term left.

In: a connection and the instant by which they must have ended. Out: their events without payload and salt, their rows
of the present state deleted. Position, instant, kind and leaf hash of each event stay, so that the log still accounts
for it. What a hold names, or data life still keeps, waits.
"""

from datetime import datetime

import psycopg

from consent.history import erase_payloads

IN_FORCE = "h.lifted_at is null and h.valid_until > %(at)s"
# One that rests on data life is not over, although it expired: `retain_until` may lie years ahead.
OVER = f"""
select authorisation_id from authorisations group by authorisation_id
having bool_and(state_at <= %(until)s and (
    state = 'withdrawn' or (state in ('expired', 'consumed') and retain_until <= %(until)s)
))
except select h.authorisation_id from holds as h where h.authorisation_id is not null and {IN_FORCE}
except select a.authorisation_id from authorisations as a
join hold_scopes as s using (subject_key, document_type) join holds as h using (hold_id) where {IN_FORCE}
"""
CLOSED = """
select application_id from applications where state = 'decided' and decided_at <= %(until)s
except select application_id from authorisations where application_id is not null
"""


def end_terms(conn: psycopg.Connection, until: datetime, at: datetime) -> int:
    """How many events lost their payload now; running it again finds nothing more."""
    with conn.transaction():
        conn.execute("select position from ledger_head for update")
        over = [row[0] for row in conn.execute(OVER, {"until": until, "at": at})]
        conn.execute("delete from uses where authorisation_id = any(%s)", [over])
        conn.execute("delete from authorisations where authorisation_id = any(%s)", [over])
        closed = [row[0] for row in conn.execute(CLOSED, {"until": until})]
        conn.execute("delete from papers where application_id = any(%s)", [closed])
        positions = conn.execute(
            "select position from events where payload is not null"
            " and (authorisation_id = any(%s) or (subject = any(%s) and authorisation_id is null))",
            [over, closed],
        ).fetchall()
        conn.execute("delete from applications where application_id = any(%s)", [closed])
        return erase_payloads(conn, [row[0] for row in positions])


def emptied(conn: psycopg.Connection) -> list[int]:
    """The positions of every event whose payload was erased."""
    with conn.transaction():
        return [int(row[0]) for row in conn.execute("select position from events where payload is null order by 1")]
