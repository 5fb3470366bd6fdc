"""`hanbeon trace`: auditors follow a row back to the consent, and a consent forward to rows, readers and erasures."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hanbeon.commands.common import Json, Reader, console, opened, print_json, reader_or_account

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
    reader: Reader = "",
    as_json: Json = False,
) -> None:
    """From one authorisation to every row, reader and erasure."""
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
