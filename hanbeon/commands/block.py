"""`hanbeon block`: disclosure blocks that protect a victim. Numbers come in files, never as arguments."""

from pathlib import Path
from typing import Annotated

import typer

from hanbeon.commands.common import Json, identifiers, opened, print_json, print_rows
from hanbeon.errors import UsageError

app = typer.Typer(help="Disclosure blocks (domestic violence): set, lift, list.", no_args_is_help=True)

Pair = Annotated[
    Path, typer.Option("--identifier-file", help="A file with two lines: the victim's number, then the other's.")
]
HEADINGS = {
    "block_id": "제한번호 block",
    "legal_basis": "근거 law",
    "valid_from": "부터 from",
    "valid_until": "까지 until",
}


@app.command("set")
def set_(
    pair: Pair,
    law: Annotated[str, typer.Option("--law", help="The article that it rests on.")],
    as_json: Json = False,
) -> None:
    """From now on nothing about the victim reaches the other person, whatever is consented."""
    from consent import blocks, vault

    given = identifiers(pair)
    if len(given) != 2:
        raise UsageError(
            "A block names two persons. Give a file with two lines: the victim's number, then the other's."
        )
    with opened() as run:
        at = run.at()
        victim, restricted = vault.keys(run.conn, run.secrets, "RRN", given, at).to_pylist()
        block_id = blocks.block(run.conn, victim, restricted, law, at)
    _say(block_id, "in force", as_json)


@app.command("lift")
def lift(block_id: Annotated[str, typer.Argument(help="The block's id.")], as_json: Json = False) -> None:
    """End a block; what it kept out is asked for again at the next pull."""
    from consent import blocks

    with opened() as run:
        blocks.lift(run.conn, block_id, run.at())
    _say(block_id, "lifted", as_json)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Every block, in force or lifted; it names nobody."""
    from consent import blocks

    with opened() as run:
        rows = blocks.blocks(run.conn).select(list(HEADINGS)).to_pylist()
    print_rows(rows, HEADINGS, as_json=as_json, title="공개 제한 Blocks", empty="There is no disclosure block.")


def _say(block_id: str, state: str, as_json: bool) -> None:
    if as_json:
        print_json({"block_id": block_id, "state": state})
    else:
        print(f"Block {block_id} is {state}. `hanbeon erase` removes what nothing covers any more.")
