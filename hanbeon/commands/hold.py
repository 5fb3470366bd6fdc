"""`hanbeon hold`: duties by law to keep named records apart. Numbers come in files, never as arguments."""

from typing import Annotated

import typer

from hanbeon.commands.common import (
    IdentifierFile,
    Json,
    Reader,
    identifiers,
    instant,
    opened,
    print_json,
    print_rows,
    reader_or_account,
)
from hanbeon.errors import UsageError

app = typer.Typer(help="Holds (appeal, court order): place, lift, list, open.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The hold's id, as `hanbeon hold list` shows it.")]
HEADINGS = {
    "hold_id": "보존번호 hold",
    "ground": "사유 ground",
    "legal_basis": "근거 law",
    "documents": "서류 documents",
    "rows": "보관 행 rows kept",
    "state": "상태 state",
    "valid_from": "부터 from",
    "valid_until": "까지 until",
    "review_at": "검토 review",
}


@app.command("place")
def place(
    ground: Annotated[str, typer.Option("--ground", help="appeal, court_order, investigation or statute.")],
    law: Annotated[str, typer.Option("--law", help="The article that it rests on.")],
    until: Annotated[str, typer.Option("--until", help="END: a day or an instant.")],
    review: Annotated[str | None, typer.Option(help="When to look again. [default: the END]")] = None,
    authorisation_id: Annotated[str | None, typer.Option("--authorisation", help="Its records.")] = None,
    identifier_file: IdentifierFile = None,
    document_type: Annotated[
        str | None, typer.Option("--document", help="With a file of one number: of which.")
    ] = None,
    as_json: Json = False,
) -> None:
    """From now on an erasure keeps these records apart instead of destroying them. The citizen is to be told."""
    from consent import holds, vault
    from consent.holds import Ground, Terms
    from consent.model import member
    from schemas.contract import source

    end = instant(until, "--until")
    assert end is not None
    terms = Terms(member(Ground, ground), law, end, instant(review, "--review") or end)
    if authorisation_id is None and document_type is None:
        raise UsageError("Name --authorisation, or a person's number in --identifier-file and its --document.")
    with opened() as run:
        subject = None
        if document_type is not None:
            kind = source(document_type).subject_identifier_kind
            given = identifiers(identifier_file, kind)
            if len(given) != 1:
                raise UsageError("A hold names one person. Give a file with one number.")
            key = vault.keys(run.conn, run.secrets, kind, given, run.at()).to_pylist()[0]
            subject = (key, document_type)
        hold_id = holds.place(run.conn, terms, run.at(), authorisation_id=authorisation_id, subject=subject)
    _say(hold_id, "in force. `hanbeon notices list` has what the citizen is to be told", as_json)


@app.command("lift")
def lift(hold_id: Id, as_json: Json = False) -> None:
    """The ground is gone: what was kept is destroyed with the next `hanbeon erase`."""
    from consent import holds

    with opened() as run:
        holds.lift(run.conn, hold_id, run.at())
    _say(hold_id, "lifted. `hanbeon erase` destroys what was kept for it", as_json)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Every hold with its ground, dates and how many rows are kept; it names nobody."""
    from consent import holds

    with opened() as run:
        at, found = run.at(), holds.holds(run.conn)
    rows = [{**vars(h), "state": h.state(at), "documents": ", ".join(sorted({d for _, d in h.scopes}))} for h in found]
    print_rows(rows, HEADINGS, as_json=as_json, title="보존 Holds", empty="There is no hold.")


@app.command("open")
def open_(
    hold_id: Id,
    why: Annotated[str, typer.Option("--why", help="The reason, recorded with the access.")],
    reader: Reader = "",
) -> None:
    """What is kept for a hold, as JSON. Auditors only: who opened it and why is recorded first."""
    from pipeline.holding import open_hold

    with opened() as run:
        found = open_hold(run, hold_id, reader_or_account(reader), why)
    hidden = ("_subject_key", "_person_key", "_key_bucket")
    print_json([{"table": k.table, "rows": [{n: v for n, v in r.items() if n not in hidden} for r in k.rows]}
                for k in found])  # fmt: skip


def _say(hold_id: str, state: str, as_json: bool) -> None:
    if as_json:
        print_json({"hold_id": hold_id, "state": state.partition(".")[0]})
    else:
        print(f"Hold {hold_id} is {state}.")
