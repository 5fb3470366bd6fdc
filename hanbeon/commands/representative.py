"""`hanbeon representative`: who may consent for whom. Numbers come in files, never as arguments."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hanbeon.commands.common import Json, instant, named_identifiers, opened, print_json, print_rows
from hanbeon.commands.who import CORPORATION, PERSON, pair
from hanbeon.errors import UsageError
from schemas.identifiers import KINDS

if TYPE_CHECKING:
    from consent.model import Capacity

app = typer.Typer(help="Who may consent for whom: guardians, heirs, representatives.", no_args_is_help=True)

Pair = Annotated[
    Path,
    typer.Option(
        "--identifier-file",
        help="A file with two lines: the number of the represented (of a thing KIND:NUMBER), then of who acts.",
    ),
]
HEADINGS = {
    "representation_id": "대리번호 representation",
    "capacity": "자격 capacity",
    "valid_from": "부터 from",
    "valid_until": "까지 until",
    "evidence": "증빙 evidence",
}


@app.command("record")
def record(
    given: Pair,
    capacity: Annotated[
        str, typer.Option("--capacity", help="guardian_of_child, guardian_of_ward, heir, representative, owner.")
    ],
    evidence: Annotated[
        str, typer.Option("--evidence", help="Where it is written: register and issue number, such as GRDN 2026-00001.")
    ],
    since: Annotated[str | None, typer.Option("--from", help="Since when. [default: now]", show_default=False)] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", help="Until when. A child's guardian: its 14th birthday.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Record that one person may consent for the other; a child's guardian until the child turns 14."""
    from consent import vault
    from consent.age import birth_date, of_age_at
    from consent.capacity import need_number_of_age
    from consent.model import Capacity, member
    from consent.representations import record as recorded

    kind = member(Capacity, capacity)
    if kind is Capacity.SELF:
        raise UsageError("Record a guardian, an heir, a representative or an owner: everybody acts for herself.")
    starts, ends = instant(since, "--from"), instant(until, "--until")
    represented_kind, represented, acting = _pair(given, kind)
    is_child = kind is Capacity.GUARDIAN_OF_CHILD
    if is_child and birth_date(represented) is None:
        raise UsageError("The child's number tells no birth date, so nobody knows when the child turns 14.")
    with opened() as run:
        at = run.at()
        need_number_of_age(PERSON, [acting], at)
        (subject,) = vault.keys(run.conn, run.secrets, represented_kind, [represented], at).to_pylist()
        (actor,) = vault.keys(run.conn, run.secrets, PERSON, [acting], at).to_pylist()
        key = recorded(
            run.conn,
            subject,
            actor,
            kind,
            evidence,
            at,
            valid_from=starts,
            valid_until=ends,
            of_age_at=of_age_at(represented) if is_child else None,
        )
    _say(key, "recorded", as_json)


def _pair(path: Path, capacity: "Capacity") -> tuple[str, str, str]:
    """Kind and number of the represented, and the number of who acts."""
    from consent.model import Capacity

    if capacity is not Capacity.OWNER:
        represented, acting = pair(path, "the represented", "who acts")
        return CORPORATION if capacity is Capacity.REPRESENTATIVE else PERSON, represented, acting
    given = named_identifiers(path)
    if len(given) != 2 or not KINDS[given[0][0]].is_of_thing or given[1][0] != PERSON:
        raise UsageError("Give a file with two lines: the thing as KIND:NUMBER (a vehicle: VIN), then RRN: its owner.")
    return given[0][0], given[0][1], given[1][1]


@app.command("end")
def end(
    representation_id: Annotated[str, typer.Argument(help="The representation's id.")], as_json: Json = False
) -> None:
    """It ends now: what was consented under it is suspended until the person herself renews it."""
    from consent.representations import end as ended

    with opened() as run:
        ended(run.conn, representation_id, run.at())
    _say(representation_id, "ended", as_json)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Every representation, in force or over; it names nobody."""
    from consent.representations import representations

    with opened() as run:
        rows = representations(run.conn).select(list(HEADINGS)).to_pylist()
    print_rows(rows, HEADINGS, as_json=as_json, title="대리 Representations", empty="Nobody acts for anybody.")


def _say(key: str, state: str, as_json: bool) -> None:
    if as_json:
        print_json({"representation_id": key, "state": state})
    else:
        print(f"Representation {key} is {state}.")
