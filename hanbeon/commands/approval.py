"""`hanbeon approval`: the holders' agreements without which no consent lets anything flow (e-Gov Act 39, 41)."""

from typing import Annotated

import typer

from hanbeon.commands.common import Json, instant, opened, print_json, print_rows

app = typer.Typer(help="Holders' agreements: grant, suspend, resume, end, list.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The approval's id, as `hanbeon approval list` shows it.")]
HEADINGS = {
    "approval_id": "승인번호 approval",
    "holder": "보유기관 holder",
    "recipient": "이용기관 recipient",
    "document_type": "서류 document",
    "purpose": "목적 purpose",
    "state": "상태 state",
    "valid_from": "부터 from",
    "valid_until": "까지 until",
}


@app.command("grant")
def grant(
    service_id: Annotated[str, typer.Option("--service", help="The service that the agreements are for.")],
    documents: Annotated[
        list[str] | None,
        typer.Option("--document", help="Only this document type; may be repeated.", show_default=False),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="END date. [default: 3 years]", show_default=False)
    ] = None,
    reference: Annotated[
        str | None, typer.Option("--reference", help="The agreement's document number.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Record the agreements by which holders give a service its documents; one that stands already is kept."""
    from consent import ledger
    from hanbeon import granting
    from schemas.services import service

    chosen = service(service_id)
    with opened() as run:
        at = run.at()
        given = granting.approvals(chosen, at, instant(until, "--until"), documents or (), reference)
        same = ("holder", "recipient", "document_type", "purpose")
        standing = {
            tuple(a[n] for n in same): a["approval_id"]
            for a in ledger.approvals(run.conn).to_pylist()
            if a["state"] != "ended" and a["valid_until"] > at
        }
        rows = [
            {
                "document_type": a.document_type,
                "holder": a.holder,
                "recipient": a.recipient,
                "purpose": a.purpose,
                "is_new": (a.holder, a.recipient, a.document_type, a.purpose) not in standing,
                "approval_id": standing.get((a.holder, a.recipient, a.document_type, a.purpose))
                or ledger.approve(run.conn, a, at),
            }
            for a in given
        ]
    headings = {n: HEADINGS[n] for n in ("approval_id", "holder", "recipient", "document_type", "purpose")}
    print_rows(
        rows, headings | {"is_new": "새로움 new"}, as_json=as_json, title="승인 Approvals", empty="Nothing to approve."
    )


@app.command("suspend")
def suspend(approval_id: Id, as_json: Json = False) -> None:
    """Suspend an agreement: what rests on it stops flowing at once."""
    _change("suspend_approval", approval_id, "suspended", as_json)


@app.command("resume")
def resume(approval_id: Id, as_json: Json = False) -> None:
    """Resume a suspended agreement."""
    _change("resume_approval", approval_id, "active", as_json)


@app.command("end")
def end(approval_id: Id, as_json: Json = False) -> None:
    """End an agreement for good."""
    _change("end_approval", approval_id, "ended", as_json)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Every agreement and its state."""
    from consent import ledger

    with opened() as run:
        rows = ledger.approvals(run.conn).to_pylist()
    empty = "There is no approval yet. `hanbeon approval grant --service …` records one."
    print_rows(rows, HEADINGS, as_json=as_json, title="승인 Approvals", empty=empty)


def _change(verb: str, approval_id: str, state: str, as_json: bool) -> None:
    from consent import ledger

    with opened() as run:
        getattr(ledger, verb)(run.conn, approval_id, run.at())
    if as_json:
        print_json({"approval_id": approval_id, "state": state})
    else:
        print(f"The approval is {state}. `hanbeon erase` removes what nothing covers any more.")
