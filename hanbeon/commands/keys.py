"""`hanbeon keys`: the keys under which vault and index rest, and their rotation."""

from typing import TYPE_CHECKING, Annotated

import typer

from hanbeon.commands.common import Json, opened, print_json, print_rows

if TYPE_CHECKING:
    from consent.rotation import KeyState

app = typer.Typer(help="Keys of the vault: list, rotate.", no_args_is_help=True)
HEADINGS = {
    "key": "키 key",
    "version": "판 version",
    "rows": "행 rows",
    "state": "상태 state",
}


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Each key that rotates, its versions, and how many rows rest under each."""
    from consent.rotation import states

    with opened() as run:
        found = states(run.conn, run.secrets)
    rows = [
        {
            "key": one.name,
            "version": version,
            "rows": one.rows.get(version, 0),
            "state": _state(one, version),
        }
        for one in found
        for version in sorted({*one.held, *one.rows})
    ]
    print_rows(rows, HEADINGS, as_json=as_json, title="키 Keys", empty="No key was made yet.")


def _state(of: "KeyState", version: int) -> str:
    if version == of.in_use.current:
        return "current"
    return "rotating" if version in of.in_use.versions else "over"  # put back, or a rotation was killed at its end


@app.command("rotate")
def rotate(
    name: Annotated[str, typer.Argument(help="vault (the ciphertext) or index (the look-ups).")],
    as_json: Json = False,
) -> None:
    """Put every row under a new version of a key, then destroy the old ones; or end a rotation that was interrupted."""
    from consent.rotation import rotate as rotate_key

    with opened() as run:
        done = rotate_key(run.conn, run.secrets, name, run.at())
    if as_json:
        print_json(vars(done))
        return
    what = "중단된 교체를 끝냄 · ended an interrupted rotation" if done.is_resumed else "교체함 · rotated"
    print(f"{what}: {name}, version {done.version}, {done.rows} rows; destroyed {list(done.destroyed) or 'none'}")
