"""`hanbeon application`: a citizen's request for a service, and its bundle as the case worker reads it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hanbeon.commands.common import (
    ApplicantKind,
    IdentifierFile,
    Json,
    Reader,
    console,
    identifiers,
    instant,
    opened,
    print_json,
    print_rows,
    reader_or_account,
)
from hanbeon.commands.who import household

app = typer.Typer(help="Applications: open, paper, show the bundle, decide, list.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The application's id, as `hanbeon application list` shows it.")]
Members = Annotated[
    Path | None,
    typer.Option(
        "--member",
        help="A file with the numbers of the other members of the household, one a line.",
        show_default=False,
    ),
]
NotConcerned = Annotated[
    list[str] | None,
    typer.Option(
        "--not-concerned",
        help="A document type of which who applies says that it does not concern her; may be repeated.",
        show_default=False,
    ),
]
HEADINGS = {
    "application_id": "신청번호 application",
    "service": "서비스 service",
    "recipient": "이용기관 recipient",
    "state": "상태 state",
    "decision": "결정 decision",
    "opened_at": "접수 opened",
    "decided_at": "결정일시 decided",
}
HANDED = {
    "number": "번호 number",
    "application_id": "신청번호 application",
    "document_type": "서류 document",
    "recipient": "이용기관 recipient",
    "state": "상태 state",
    "made_at": "결정 decided",
    "due_at": "기한 due",
    "ended_at": "종료 ended",
}


@app.command("open")
def open_(
    service_id: Annotated[str, typer.Option("--service", help="What the citizen applies for.")],
    identifier_file: IdentifierFile = None,
    kind: ApplicantKind = None,
    members: Members = None,
    not_concerned: NotConcerned = None,
    as_json: Json = False,
) -> None:
    """Open an application for each identifier of a file. Numbers are never taken as arguments.

    A service for a household looks at each member: name them with --member; each then consents for herself.
    """
    from consent import applications, vault
    from consent.model import Application
    from hanbeon.granting import applicant_kind
    from schemas.services import service

    chosen = service(service_id)
    of_kind = applicant_kind(chosen, kind)
    given = identifiers(identifier_file, of_kind)
    with opened() as run:
        at = run.at()
        keys = vault.keys(run.conn, run.secrets, of_kind, given, at).to_pylist()
        named = () if members is None else household(run, members, given, at)
        new = [
            Application(None, chosen.id, chosen.recipient, key, at, of_kind, named, tuple(not_concerned or ()))
            for key in keys
        ]
        ids = applications.open_many(run.conn, new, at)
    rows = [{"application_id": i, "service": chosen.id, "recipient": chosen.recipient} for i in ids]
    headings = {n: HEADINGS[n] for n in ("application_id", "service", "recipient")}
    print_rows(rows, headings, as_json=as_json, title="접수된 신청 Opened", empty="Nothing was opened.")


@app.command("paper")
def paper(
    application_id: Id,
    document_type: Annotated[str, typer.Argument(help="The document type that the citizen brought on paper.")],
    as_json: Json = False,
) -> None:
    """Mark a required document as brought on paper: refusing consent never blocks an application."""
    from consent import applications

    with opened() as run:
        applications.paper(run.conn, application_id, document_type, run.at())
    if as_json:
        print_json({"application_id": application_id, "document_type": document_type, "is_paper": True})
    else:
        print(f"{document_type} is marked as brought on paper.")


@app.command("show")
def show(
    application_id: Id,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", help="An instant, in the holders' time: what they said then.", show_default=False),
    ] = None,
    reader: Reader = "",
    as_json: Json = False,
) -> None:
    """The bundle (꾸러미): every document of the application. The read is recorded first."""
    from dataclasses import asdict

    from exchange.bundle import open_bundle

    then = instant(as_of, "--as-of")
    with opened() as run:
        bundle = open_bundle(run, application_id, reader_or_account(reader), then)
    if as_json:
        print_json({**asdict(bundle), "is_complete": bundle.is_complete})
        return
    from hanbeon.commands.bundle_view import render

    page = console()
    page.print(render(bundle), width=min(page.width, 110))


@app.command("decide")
def decide(
    application_id: Id,
    decision: Annotated[str, typer.Argument(help="approved, refused or withdrawn.")],
    reader: Reader = "",
    as_json: Json = False,
) -> None:
    """Decide, and hand the evidence over. One-time consents are consumed, and their rows fall due for erasure."""
    from consent import handovers
    from consent.model import Decision, member
    from exchange.deciding import decide as decided
    from pipeline.telling import carry

    outcome = member(Decision, decision)
    with opened() as run:
        made = decided(run, application_id, outcome, reader_or_account(reader))
        carry(run)
        own = handovers.handovers(run.conn, application_id)
    if as_json:
        print_json({"application_id": application_id, "decision": outcome, "decision_id": made.decision_id,
                    "satisfied_by": made.satisfied_by,
                    "handed_over": {h.document_type: h.outcome or "waiting" for h in own}})  # fmt: skip
        return
    print(f"The application is decided: {outcome}. `hanbeon publish` counts it, `hanbeon erase` removes its data.")
    done = sum(h.outcome == "acknowledged" for h in own)
    if own:
        print(f"증거 인계 Handed over: {done} of {len(own)} documents are acknowledged by the case file.")


@app.command("handovers")
def handovers_(
    application_id: Annotated[str | None, typer.Argument(help="Only of this one.", show_default=False)] = None,
    is_overdue: Annotated[bool, typer.Option("--overdue", help="Only what should be acknowledged by now.")] = False,
    as_json: Json = False,
) -> None:
    """What decisions handed over to the recipients' case files, and whether it was acknowledged."""
    from dataclasses import asdict

    from consent import handovers

    with opened() as run:
        at = run.at()
        found = handovers.handovers(run.conn, application_id)
    rows: list[dict[str, Any]] = [
        {**asdict(h), "state": h.outcome or ("overdue" if h.is_overdue(at) else "waiting")}
        for h in found
        if h.is_overdue(at) or not is_overdue
    ]
    print_rows(rows, HANDED, as_json=as_json, title="증거 인계 Hand-overs", empty="Nothing was handed over.")


@app.command("list")
def list_(
    service_id: Annotated[str | None, typer.Option("--service", help="Only this service.", show_default=False)] = None,
    state: Annotated[str | None, typer.Option("--state", help="open or decided.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """Applications, newest first. No name and no number stands in this list."""
    from consent import applications
    from consent.model import ApplicationState, member
    from schemas.services import service

    wanted = None if state is None else member(ApplicationState, state)
    chosen = None if service_id is None else service(service_id).id
    with opened() as run:
        rows: list[dict[str, Any]] = applications.applications(run.conn, service=chosen, state=wanted).to_pylist()
    rows.sort(key=lambda r: (r["opened_at"], r["application_id"]), reverse=True)
    print_rows(rows[:limit], HEADINGS, as_json=as_json, title="신청 Applications", empty="There is no application.")
    if not as_json and len(rows) > limit:
        print(f"{len(rows) - limit:,} more; see --limit, --service and --state.")
