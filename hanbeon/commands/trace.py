"""`hanbeon trace`: auditors follow a row back to the consent, and a consent forward to rows, readers and erasures."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hanbeon.commands.common import (
    IdentifierFile,
    Json,
    Reader,
    console,
    identifiers,
    opened,
    print_json,
    print_rows,
    reader_or_account,
)
from hanbeon.errors import UsageError

app = typer.Typer(
    help="Follow a row back to its consent, or a consent to its rows. Recorded first.", no_args_is_help=True
)


@app.command("row")
def row(
    table: Annotated[str, typer.Argument(help="A table of bronze, gold, shares or quarantine.")],
    evidence_id: Annotated[str, typer.Argument(help="The row's _evidence_id in that table.")],
    reader: Reader = "",
    pack: Annotated[
        Path | None, typer.Option("--pack", help="Write a disclosure pack to this folder.", show_default=False)
    ] = None,
    is_redacted: Annotated[bool, typer.Option("--redact", help="The pack shows no content of the row.")] = False,
    as_json: Json = False,
) -> None:
    """From one row back to authorisation, source record, pull, contract, verdict and table version."""
    from pipeline.trace import trace_row

    with opened() as run:
        found = trace_row(run, table, evidence_id, reader_or_account(reader))
        if pack is not None:
            from pipeline.pack import write_pack

            write_pack(run, pack, table, evidence_id, reader_or_account(reader), is_redacted=is_redacted)
    if as_json:
        print_json(asdict(found))
        return
    from hanbeon.commands.trace_view import row_tree

    console().print(row_tree(found))


@app.command("authorisation")
def authorisation(
    authorisation_id: Annotated[str, typer.Argument(help="The authorisation's id.")],
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", help="A ledger position or an instant: what stood then.", show_default=False),
    ] = None,
    reader: Reader = "",
    as_json: Json = False,
) -> None:
    """From one authorisation to every row, reader and erasure; or its state at an earlier moment."""
    if as_of is not None:
        _then(authorisation_id, as_of, reader, as_json)
        return
    from pipeline.trace import trace_authorisation

    with opened() as run:
        found = trace_authorisation(run, authorisation_id, reader_or_account(reader))
    if as_json:
        print_json(asdict(found))
        return
    from hanbeon.commands.trace_view import authorisation_tree

    console().print(authorisation_tree(found))


@app.command("application")
def application(
    application_id: Annotated[str, typer.Argument(help="The application's id.")],
    reader: Reader = "",
    as_json: Json = False,
) -> None:
    """From one application to its authorisations, rows, readers and erasures."""
    from pipeline.trace import trace_application

    with opened() as run:
        found = trace_application(run, application_id, reader_or_account(reader))
    if as_json:
        print_json(asdict(found))
        return
    from hanbeon.commands.trace_view import application_tree

    console().print(application_tree(found))


@app.command("absence")
def absence(
    table: Annotated[str, typer.Argument(help="A table of bronze, gold, shares or quarantine.")],
    pack: Annotated[Path, typer.Option("--pack", help="The folder for the proof.")],
    identifier_file: IdentifierFile = None,
    start: Annotated[int, typer.Option("--from", min=0, help="A size of the log to begin with.")] = 0,
    stop: Annotated[
        int | None, typer.Option("--to", help="A size of the log to end with. [default: now]", show_default=False)
    ] = None,
    reader: Reader = "",
) -> None:
    """That a table never held a row of a person, between two sizes of the log: a disclosure pack that proves it."""
    from pipeline.absence import prove_absence

    given = identifiers(identifier_file)
    if len(given) != 1:
        raise UsageError("A proof of absence is about one person. Give a file with one number.")
    with opened() as run:
        versions = prove_absence(run, pack, table, given[0], reader_or_account(reader), start, stop)
    print(f"{versions} 개 판에 없음 · absent from {versions} versions of {table}; proof in {pack.name}")


def _then(authorisation_id: str, moment: str, reader: str, as_json: bool) -> None:
    from hanbeon.clock import seoul_text
    from pipeline.as_of import as_of as at_moment

    with opened() as run:
        found = at_moment(run, authorisation_id, moment, reader_or_account(reader))
    if as_json:
        print_json(asdict(found))
        return
    state = "not there yet" if found.state is None else str(found.state)
    dates = "within its dates" if found.is_in_dates else "outside of its dates"
    print(f"#{found.position} {seoul_text(found.instant)}: {state}, {dates}")
    rows = [asdict(one) for one in found.versions]
    headings = {
        "table": "표 table",
        "version": "판 version",
        "log_index": "로그 log",
        "ledger_position": "위치 position",
    }
    print_rows(rows, headings, as_json=False, title="그때의 판 Versions then", empty="No table had a version then.")
