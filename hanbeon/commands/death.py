"""`hanbeon death`: deaths, after which nothing flows that the dead consented to. Numbers come in files."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from hanbeon.commands.common import Json, opened, print_json, print_rows
from hanbeon.commands.who import PERSON, one
from hanbeon.errors import UsageError

app = typer.Typer(help="Deaths: record, correct, list.", no_args_is_help=True)

Number = Annotated[Path, typer.Option("--identifier-file", help="A file with one line: the number of the deceased.")]
HEADINGS = {
    "death_id": "사망기록번호 death",
    "died_on": "사망일 day",
    "evidence": "증빙 evidence",
}


@app.command("record")
def record(
    number: Number,
    day: Annotated[str, typer.Option("--died-on", help="The day, such as 2026-06-01.")],
    evidence: Annotated[str, typer.Option("--evidence", help="Where it is written: register and issue number.")],
    as_json: Json = False,
) -> None:
    """Record a death: what the person consented to stops, and heirs may be recorded as representatives."""
    from consent import deaths, vault

    try:
        died_on = date.fromisoformat(day)
    except ValueError:
        raise UsageError("--died-on must be a day such as 2026-06-01.") from None
    with opened() as run:
        at = run.at()
        (key,) = vault.keys(run.conn, run.secrets, PERSON, [one(number, "the deceased")], at).to_pylist()
        death_id = deaths.record(run.conn, key, died_on, evidence, at)
    _say(death_id, "recorded", as_json)


@app.command("correct")
def correct(death_id: Annotated[str, typer.Argument(help="The record's id.")], as_json: Json = False) -> None:
    """The record was wrong: what the person consented to stands again, as far as it has not ended."""
    from consent import deaths

    with opened() as run:
        deaths.correct(run.conn, death_id, run.at())
    _say(death_id, "corrected", as_json)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Every recorded death; it names nobody."""
    from consent import deaths

    with opened() as run:
        rows = deaths.deaths(run.conn).select(list(HEADINGS)).to_pylist()
    print_rows(rows, HEADINGS, as_json=as_json, title="사망 Deaths", empty="No death is recorded.")


def _say(death_id: str, state: str, as_json: bool) -> None:
    if as_json:
        print_json({"death_id": death_id, "state": state})
    else:
        print(f"The record {death_id} is {state}. `hanbeon erase` removes what nothing covers any more.")
