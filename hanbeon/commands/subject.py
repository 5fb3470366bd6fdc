"""`hanbeon subject`: which numbers are one subject's. Numbers come in files, never as arguments."""

import typer

from hanbeon.commands.common import IdentifierFile, Json, named_identifiers, opened, print_json

app = typer.Typer(help="Subjects: which numbers are one person's or one firm's.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Without it a group with one command would have no name for it."""


@app.command("link")
def link(identifier_file: IdentifierFile = None, as_json: Json = False) -> None:
    """All numbers of the file are one subject's, one KIND:NUMBER a line: each is found under one key from now on."""
    from consent.subjects import meet

    given = named_identifiers(identifier_file)
    with opened() as run:
        meet(run.conn, run.secrets, [given], run.at())
    if as_json:
        print_json({"kinds": [kind for kind, _ in given]})
    else:
        print(f"{len(given)} numbers are one subject's: {', '.join(kind for kind, _ in given)}.")
