"""`hanbeon verify`: check a lake or a disclosure pack from files alone, with the offline verifier."""

from pathlib import Path
from typing import Annotated

import typer

from hanbeon.commands.common import settings
from hanbeon.errors import UsageError


def verify(
    folder: Annotated[
        Path | None,
        typer.Argument(help="A lake's folder or a disclosure pack. [default: the lake]", show_default=False),
    ] = None,
    trust: Annotated[
        Path | None, typer.Option("--trust", help="Your own copy of the public keys (trust.json).", show_default=False)
    ] = None,
    since: Annotated[
        Path | None, typer.Option("--since", help="A checkpoint of this log that you kept.", show_default=False)
    ] = None,
    tsa: Annotated[
        Path | None,
        typer.Option(
            "--tsa", help="Your own copy (PEM) of the time-stamping authority's certificates.", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of lines.")] = False,
) -> None:
    """Is it true: checkpoints, proofs, commits and files, row by row. Exit 0, or 1 with each finding on a line."""
    from verify import lake

    chosen = settings().lake_root if folder is None else folder
    if not chosen.is_dir():
        raise UsageError("There is no such folder. Name a lake's or a disclosure pack's.")
    raise typer.Exit(lake.main(chosen, trust, since, as_json, tsa))
