"""`hanbeon notices`: what citizens must be told, by when, and when it was done."""

from typing import Annotated

import typer

from hanbeon.commands.common import Json, opened, print_json, print_rows
from hanbeon.errors import UsageError

app = typer.Typer(help="What citizens must be told: list, show, done.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(help="The notice's number, as `hanbeon notices list` shows it.")]
HEADINGS = {
    "number": "번호 number",
    "kind": "종류 kind",
    "reference": "대상 about",
    "made_at": "발생 since",
    "due_at": "기한 due",
    "state": "상태 state",
    "done_at": "통지일시 done",
    "done_how": "방법 how",
}


@app.command("list")
def list_(
    is_open: Annotated[bool, typer.Option("--open", help="Only what is still to be delivered.")] = False,
    as_json: Json = False,
) -> None:
    """Every notice in the order in which it falls due. No name and no number stands in this list."""
    from consent import subject_notices

    with opened() as run:
        at, found = run.at(), subject_notices.notices(run.conn, is_open=is_open)
    rows = [{**vars(n), "state": "done" if n.done_at else "overdue" if n.is_overdue(at) else "open"} for n in found]
    print_rows(rows, HEADINGS, as_json=as_json, title="통지 Notices", empty="Nobody has to be told anything.")


@app.command("show")
def show(number: Number, as_json: Json = False) -> None:
    """The words to deliver, Korean first."""
    from consent import subject_notices

    with opened() as run:
        found = subject_notices.notices(run.conn, number=number)
    if not found:
        raise UsageError("There is no notice with this number. `hanbeon notices list` shows them.")
    korean, english = found[0].texts
    if as_json:
        print_json({"number": number, "ko": korean, "en": english})
    else:
        print(f"{korean}\n\n{english}")


@app.command("done")
def done(
    number: Number, how: Annotated[str, typer.Option("--how", help="Such as letter.")], as_json: Json = False
) -> None:
    """It was delivered. Said again, the first time stays."""
    from consent import subject_notices

    with opened() as run:
        subject_notices.done(run.conn, number, how, run.at())
    if as_json:
        print_json({"number": number, "state": "done"})
    else:
        print(f"Notice {number} is done.")
