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
from hanbeon.commands.who import grantor, known_person, need_able
from hanbeon.errors import UsageError

if TYPE_CHECKING:
    from consent.model import Application, Capacity
    from pipeline.run import Run
    from schemas.services import Service

app = typer.Typer(
    help="Consents: notice, grant, renew, show, pause, resume, withdraw, list, import.", no_args_is_help=True
)

TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        help="Signed authentications, one a line. [default: the simulated world's identity provider]",
        show_default=False,
    ),
]
Grounds = Annotated[
    list[str] | None,
    typer.Option("--ground", help="Only this separate consent is given; may be repeated.", show_default=False),
]
Documents = Annotated[
    list[str] | None,
    typer.Option("--document", help="Only this document type; may be repeated.", show_default=False),
]
Until = Annotated[str | None, typer.Option("--until", help="END date. [default: the service's]", show_default=False)]
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


@app.command("grant")
def grant(
    service_id: Annotated[
        str | None, typer.Option("--service", help="The service. An application already names it.", show_default=False)
    ] = None,
    application_id: Annotated[
        str | None, typer.Option("--application", help="The application that it is for.", show_default=False)
    ] = None,
    identifier_file: IdentifierFile = None,
    documents: Documents = None,
    until: Until = None,
    grounds: Grounds = None,
    token_file: TokenFile = None,
    by: Annotated[
        Path | None,
        typer.Option("--by", help="A file with the number of who consents for the subject.", show_default=False),
    ] = None,
    capacity: Annotated[
        str | None,
        typer.Option(
            "--capacity", help="As what: guardian_of_child, guardian_of_ward, heir, representative.", show_default=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Record a consent: for one application, or for each identifier of a file (opening applications if need be)."""
    from consent import applications, ledger

    if (application_id is None) == (identifier_file is None):
        raise UsageError("Name either --application, or --service with --identifier-file.")
    if application_id is None and service_id is None:
        raise UsageError("Name the --service that the identifiers consent to.")
    given = [] if identifier_file is None else identifiers(identifier_file)
    valid_until = instant(until, "--until")
    with opened() as run:
        from hanbeon import authenticating
        from hanbeon.granting import grant as granted

        at = run.at()
        acting, as_what = grantor(run, by, capacity, at)
        chosen, applicants, new = _applicants(run, service_id, application_id, given, acting, as_what)
        grants = [
            granted(chosen, key, a, at, valid_until, documents or (), grounds, grantor_key=acting, capacity=as_what)
            for key, a in applicants
        ]
        with run.conn.transaction():
            grants = authenticating.proven(run, grants, token_file)
            applications.open_many(run.conn, new, at)
            ids = ledger.grant(run.conn, grants, at)
    rows = [
        {
            "authorisation_id": i,
            "service": g.service,
            "recipient": g.recipient,
            "application_id": a,
            "documents": [s.document_type for s in g.scopes],
            "valid_until": g.valid_until,
        }
        for i, g, (_, a) in zip(ids, grants, applicants, strict=True)
    ]
    if token_file is None and not as_json and chosen.authorisation != "statute":
        print("모의 본인확인기관에서 본인확인함 · authenticated by the simulated world's identity provider")
    headings = {n: h for n, h in HEADINGS.items() if n not in ("kind", "state")}
    print_rows(rows, headings, as_json=as_json, title="동의 기록 Granted", empty="Nothing was granted.")


@app.command("notice")
def notice(
    service_id: Annotated[str, typer.Option("--service", help="The service.")],
    documents: Documents = None,
    until: Until = None,
    grounds: Grounds = None,
    as_json: Json = False,
) -> None:
    """What is shown before anybody consents, in Korean and English, and the hash that a token must name."""
    from consent.evidence import notice_of
    from consent.model import Kind
    from hanbeon.clock import now
    from hanbeon.granting import grant as granted
    from schemas.services import service

    chosen = service(service_id)
    if chosen.authorisation == Kind.STATUTE:
        raise UsageError(f"{chosen.id} rests on {chosen.legal_basis}: nobody is asked to consent, so nothing is shown.")
    terms = granted(chosen, 0, "any", now(), instant(until, "--until"), documents or (), grounds)
    shown = notice_of(terms)
    if as_json:
        items = [{"id": i.id, "articles": i.articles, "ko": i.ko, "en": i.en} for i in shown.items]
        print_json({"version": shown.version, "hash": shown.digest, "grounds": shown.grounds, "items": items})
    else:
        print(shown.text("ko"), shown.text("en"), sep="\n")
        print(f"version {shown.version}, hash {shown.digest}")


def _applicants(
    run: "Run",
    service_id: str | None,
    application_id: str | None,
    given: list[str],
    acting: int | None,
    as_what: "Capacity",
) -> "tuple[Service, list[tuple[int, str | None]], list[Application]]":
    """The service, (subject key, application id) of each about whom `acting`, or she herself, may consent.

    The last are the applications to be opened for them.
    """
    from consent import applications, vault
    from consent.ids import new_id
    from consent.model import Application, Mode
    from hanbeon.granting import subject_kind
    from schemas.services import service

    if application_id is not None:
        found = applications.get(run.conn, application_id)
        if service_id not in (None, found["service"]):
            raise UsageError(f"The application is for {found['service']}, not for the service that was named.")
        chosen, key = service(found["service"]), found["applicant_key"]
        need_able(run, chosen, [key], acting, as_what, run.at())
        return chosen, [(key, application_id)], []
    chosen = service(service_id or "")
    at = run.at()
    keys = vault.keys(run.conn, run.secrets, subject_kind(chosen), given, at).to_pylist()
    need_able(run, chosen, keys, acting, as_what, at)
    if chosen.mode != Mode.ONE_TIME:
        return chosen, [(key, None) for key in keys], []
    new = [Application(new_id("appl"), chosen.id, chosen.recipient, key, at) for key in keys]
    return chosen, [(a.applicant_key, a.application_id) for a in new], new


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
