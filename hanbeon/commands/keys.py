"""`hanbeon keys`: which versions of each key there are, and rotating those that rotate (F47)."""

from typing import Annotated

import typer

from hanbeon.commands.common import Json, opened, print_json, print_rows

HEADINGS = {
    "name": "키 key",
    "version": "버전 version",
    "state": "상태 state",
    "rows": "행 rows",
    "made_at": "생성 made",
    "destroyed_at": "파기 destroyed",
}

app = typer.Typer(help="The keys of the vault: list and rotate.", no_args_is_help=True)


@app.command("list")
def list_keys(as_json: Json = False) -> None:
    """Every version of every key and the rows on it, counted now. Exit 1 when a destroyed key is there again."""
    from consent import key_versions, rotation, vault

    with opened() as run:
        vault.find(run.conn, run.secrets, "RRN", [])  # the first use of a database writes down its keys
        found = key_versions.versions(run.conn)
        back = key_versions.put_back(run.conn, run.secrets.service)
        counted = {name: rotation.rows_on(run.conn, name) for name in rotation.PLACES}
    rows = [
        {
            "name": name,
            "version": version,
            "state": "PUT BACK" if (name, version) in back else state,
            "rows": counted[name].get(version, 0) if name in counted else None,
            "made_at": made_at,
            "destroyed_at": destroyed_at,
        }
        for name, version, state, made_at, destroyed_at in found
    ]
    print_rows(rows, HEADINGS, as_json=as_json, title="키 Keys", empty="")
    if back:
        raise typer.Exit(1)


@app.command("rotate")
def rotate(
    name: Annotated[str, typer.Argument(help="vault (encryption) or index (look-ups).", show_default=False)],
    size: Annotated[int, typer.Option("--batch", help="Rows in one transaction.")] = 1_000,
    as_json: Json = False,
) -> None:
    """Bring every row onto a new version, then destroy the old one. Interrupted, run it again: it goes on."""
    from consent import rotation

    with opened() as run:
        done = rotation.rotate(run.conn, run.secrets, name, run.at(), size)
    if as_json:
        print_json({"name": done.name, "version": done.version, "moved": done.moved, "is_resumed": done.is_resumed})
        return
    begun = "An interrupted rotation was finished" if done.is_resumed else "Rotated"
    print(f"{begun}: {done.moved:,} rows moved, every row is on version {done.version} of {name}, older ones are gone.")
