"""`hanbeon consent receipt`: what a citizen keeps of her consent."""

from pathlib import Path
from typing import Annotated

import typer

from hanbeon.commands.common import opened, print_json
from hanbeon.errors import UsageError

FORMATS = ("jws", "json", "pdf")


def receipt(
    authorisation_id: Annotated[str, typer.Argument(help="The authorisation's id.")],
    event: Annotated[
        int | None, typer.Option("--event", help="A ledger position. [default: the newest event]", show_default=False)
    ] = None,
    form: Annotated[str, typer.Option("--format", help="jws, json (what it says) or pdf (to keep).")] = "jws",
    out: Annotated[Path | None, typer.Option("--out", help="Write it to this file.", show_default=False)] = None,
) -> None:
    """The signed receipt of what happened to a consent, with its place in the log."""
    if form not in FORMATS:
        raise UsageError(f"A receipt comes as {', '.join(FORMATS)}.")
    if form == "pdf" and out is None:
        raise UsageError("A PDF is written to a file. Name it with --out.")
    from pipeline.receipt import receipt as made

    with opened() as run:
        found = made(run, authorisation_id, event)
    if form == "json" and out is None:
        print_json(found.claims)
        return
    if out is None:
        print(found.token)
        return
    out.write_bytes(_content(found.token, found.claims, form))
    print(f"{out.name}: 영수증 · receipt")


def _content(token: str, claims: dict[str, object], form: str) -> bytes:
    if form == "jws":
        return token.encode() + b"\n"
    if form == "json":
        from consent.append import canonical

        return canonical(claims) + b"\n"
    from exchange.receipt_pdf import render

    return render(claims, token)
