"""`hanbeon outbox`: what other agencies were told, and whether they have acknowledged it."""

from typing import Annotated

import typer

from hanbeon.clock import now
from hanbeon.commands.common import Json, opened, print_rows

HEADINGS = {
    "number": "번호 number",
    "to_agency": "기관 agency",
    "kind": "종류 kind",
    "about": "내용 about",
    "made_at": "발송 made",
    "due_at": "기한 due",
    "state": "상태 state",
}


def outbox(
    is_sent: Annotated[
        bool,
        typer.Option(
            "--send", help="First bring what waits to the agencies' inboxes, and ask for a time stamp that is due."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """What other agencies were told, and who has not acknowledged it. Exit 1 when something is overdue."""
    from consent import outbox as kept
    from pipeline import timestamping
    from pipeline.attest import attest
    from pipeline.telling import carry

    with opened() as run:
        if is_sent:
            carry(run)
            attest(run)
            timestamping.stamp(run, is_asked=True)
        messages, at = kept.messages(run.conn), now()
    rows = [
        {
            "number": m.number,
            "to_agency": m.to_agency,
            "kind": m.kind,
            "about": m.body.get("number"),
            "made_at": m.made_at,
            "due_at": m.due_at,
            "state": "acknowledged" if m.acknowledged_at else "OVERDUE" if m.is_overdue(at) else "waiting",
        }
        for m in messages
    ]
    print_rows(rows, HEADINGS, as_json=as_json, title="발신함 Outbox", empty="Nothing was sent yet.")
    if any(row["state"] == "OVERDUE" for row in rows):
        raise typer.Exit(1)
