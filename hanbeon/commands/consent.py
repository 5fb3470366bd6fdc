"""`hanbeon consent`: what a citizen grants, sees, pauses and takes back. Numbers come in files, never as arguments."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hanbeon.clock import seoul_text
from hanbeon.commands.common import (
    IdentifierFile,
    Json,
    console,
    identifiers,
    instant,
    opened,
    print_json,
    print_rows,
)
from hanbeon.commands.consent_grant import TokenFile, grant, notice
from hanbeon.commands.who import known_person
from hanbeon.errors import UsageError

if TYPE_CHECKING:
    from pipeline.run import Run

app = typer.Typer(
    help="Consents: notice, grant, renew, show, pause, resume, withdraw, list, import.", no_args_is_help=True
)

Id = Annotated[str, typer.Argument(help="The authorisation's id, as `hanbeon consent list` shows it.")]
HEADINGS = {
    "authorisation_id": "동의번호 authorisation",
    "kind": "종류 kind",
    "service": "서비스 service",
    "recipient": "이용기관 recipient",
    "application_id": "신청번호 application",
    "documents": "서류 documents",
    "state": "상태 state",
    "valid_until": "까지 until",
}


app.command("grant")(grant)
app.command("notice")(notice)


@app.command("show")
def show(authorisation_id: Id, as_json: Json = False) -> None:
    """One consent as its citizen reads it: to whom, what for, which items, until when, and who has read."""
    from hanbeon.commands.consent_view import consent_of, render

    with opened() as run:
        shown = consent_of(run, authorisation_id)
    if as_json:
        print_json(shown)
    else:
        console().print(render(shown))


@app.command("pause")
def pause(authorisation_id: Id, token_file: TokenFile = None, as_json: Json = False) -> None:
    """Pause a consent: nothing flows until it is resumed. Without a token the ledger says that the operator did it."""
    _change("pause", authorisation_id, "paused", token_file, as_json)


@app.command("resume")
def resume(authorisation_id: Id, token_file: TokenFile = None, as_json: Json = False) -> None:
    """Resume a paused consent. The citizen authenticates, as for a grant."""
    _change("resume", authorisation_id, "granted", token_file, as_json)


@app.command("renew")
def renew(
    authorisation_id: Id,
    until: Annotated[
        str | None, typer.Option("--until", help="The new END date. [default: as before]", show_default=False)
    ] = None,
    identifier_file: Annotated[
        Path | None,
        typer.Option(
            "--identifier-file", help="A file with the number of who renews. [default: who granted]", show_default=False
        ),
    ] = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Renew a consent under the notice of now; a subject come of age takes it over from her guardian."""
    from consent import ledger
    from consent.model import Event
    from hanbeon import authenticating
    from schemas import notices

    given = instant(until, "--until")
    with opened() as run:
        at = run.at()
        found = ledger.authorisations(run.conn, authorisation_id=authorisation_id).to_pylist()
        if not found:
            raise UsageError("There is no consent with this id. `hanbeon consent list` shows them.")
        if found[0]["kind"] == "statute":
            raise UsageError("Nobody consented to a statutory ground, so nobody renews it.")
        key = None if identifier_file is None else known_person(run, identifier_file, at)
        valid_until = given or found[0]["valid_until"]
        ends = {"valid_until": valid_until, "retain_until": max(found[0]["retain_until"], valid_until)}
        shown = notices.act_notice(Event.RENEWED, authorisation_id, ends)
        with run.conn.transaction():
            proof = authenticating.change(run, authorisation_id, Event.RENEWED, token_file, True, key, **ends)
            ledger.renew(run.conn, authorisation_id, valid_until, at, ends["retain_until"], proof, grantor_key=key,
                         notice_version=shown.version, notice_hash=shown.digest)  # fmt: skip
    if as_json:
        print_json({"authorisation_id": authorisation_id, "state": "renewed", "valid_until": valid_until})
    else:
        print(f"The consent is renewed until {seoul_text(valid_until)}.")


@app.command("withdraw")
def withdraw(authorisation_id: Id, token_file: TokenFile = None, as_json: Json = False) -> None:
    """Withdraw a consent: from now on nobody reads what nothing else covers, and erasing removes it.

    Without a token the ledger says that the operator did it, as for somebody who calls.
    """
    _change("withdraw", authorisation_id, "withdrawn", token_file, as_json)


@app.command("list")
def list_(
    service_id: Annotated[str | None, typer.Option("--service", help="Only this service.", show_default=False)] = None,
    application_id: Annotated[
        str | None, typer.Option("--application", help="Only this application.", show_default=False)
    ] = None,
    state: Annotated[
        str | None, typer.Option("--state", help="granted, paused, withdrawn, expired, consumed.", show_default=False)
    ] = None,
    identifier_file: IdentifierFile = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """Consents, newest first; with --identifier-file those of one citizen. No name or number stands in this list."""
    from consent import ledger
    from consent.model import State, member
    from schemas.services import service

    wanted = None if state is None else member(State, state)
    chosen = None if service_id is None else service(service_id).id
    given = None if identifier_file is None else identifiers(identifier_file)
    with opened() as run:
        found = ledger.authorisations(run.conn, service=chosen, application_id=application_id, state=wanted).to_pylist()
        keys = None if given is None else _known_keys(run, given)
    rows: dict[str, dict[str, Any]] = {}
    for row in found:
        if keys is None or row["_subject_key"] in keys:
            one = rows.setdefault(row["authorisation_id"], {**row, "documents": []})
            one["documents"].append(row["document_type"])
    newest = sorted(rows.values(), key=lambda r: (r["ledger_position"], r["authorisation_id"]), reverse=True)
    print_rows(newest[:limit], HEADINGS, as_json=as_json, title="동의 Consents", empty="There is no consent.")
    if not as_json and len(newest) > limit:
        print(f"{len(newest) - limit:,} more; see --limit, --service, --application and --state.")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A CSV or Parquet file of authorisations.")],
    manifest: Annotated[
        Path | None,
        typer.Option("--manifest", help="The origin's signature over the file. Without it every row is refused."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Import many authorisations; a file read twice adds nothing. Exit 1 where rows were refused."""
    from consent.imports import import_file

    if not _is_file(file):
        raise UsageError("There is no such file.")
    with opened() as run:
        report = import_file(run.conn, run.secrets, file, run.at(), run.trust, _text_of(manifest))
    if as_json:
        print_json({"rows": report.rows, "granted": report.granted, "already": report.already,
                    "refused": [{"row": r.row, "reason": r.reason} for r in report.refused]})  # fmt: skip
    else:
        print(f"{report.rows:,} rows: {report.granted:,} granted, {report.already:,} there already, "
              f"{len(report.refused):,} refused.")  # fmt: skip
        for refused in report.refused[:20]:
            print(f"  row {refused.row}: {refused.reason}")
        if len(report.refused) > 20:
            print(f"  and {len(report.refused) - 20:,} more; --json lists them all.")
    if report.refused:
        raise typer.Exit(1)


def _text_of(manifest: Path | None) -> str | None:
    try:
        return None if manifest is None else manifest.read_text(encoding="ascii")
    except (OSError, UnicodeError) as error:
        raise UsageError("The manifest cannot be read. It is a compact JWS.") from error


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that no file system takes
        return False


def _known_keys(run: "Run", given: list[str]) -> set[int]:
    """The keys behind the identifiers, of whatever kind they are; those that the vault does not know have none."""
    from consent import vault
    from schemas.contract import sources

    kinds = sorted({c.subject_identifier_kind for c in sources()})
    found = [vault.find(run.conn, run.secrets, kind, given).to_pylist() for kind in kinds]
    return {key for keys in found for key in keys if key is not None}


def _change(verb: str, authorisation_id: str, state: str, token_file: Path | None, as_json: bool) -> None:
    from consent import ledger
    from consent.model import Event
    from hanbeon import authenticating

    event = {"pause": Event.PAUSED, "resume": Event.RESUMED, "withdraw": Event.WITHDRAWN}[verb]
    with opened() as run, run.conn.transaction():
        signed = authenticating.change(run, authorisation_id, event, token_file, event is Event.RESUMED)
        getattr(ledger, verb)(run.conn, authorisation_id, run.at(), signed)
    if as_json:
        print_json({"authorisation_id": authorisation_id, "state": state})
    else:
        print(f"The consent is {state}.")
