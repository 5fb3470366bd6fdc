"""`hanbeon dispute`: a citizen demands that a holder corrects a record. Claims come in files, never as arguments."""

from pathlib import Path
from typing import Annotated

import typer

from hanbeon.commands.common import Json, opened, print_json, print_rows
from hanbeon.errors import UsageError

app = typer.Typer(help="Disputed records (PIPA 36): open, answer, list.", no_args_is_help=True)

HEADINGS = {
    "dispute_id": "정정번호 dispute",
    "document_type": "서류 document",
    "holder": "보유기관 holder",
    "columns": "항목 columns",
    "state": "상태 state",
    "opened_at": "요구 opened",
    "due_at": "답변 기한 due",
    "answered_at": "답변 answered",
    "corrected_at": "정정 corrected",
}


@app.command("open")
def open_(
    authorisation_id: Annotated[str, typer.Argument(help="Under which the record came.")],
    document_type: Annotated[str, typer.Argument(help="Of which document.")],
    columns: Annotated[list[str], typer.Option("--column", help="An official name; again for another.")],
    claim_file: Annotated[Path, typer.Option("--claim-file", help="What is claimed. Only the holder can read it.")],
    as_json: Json = False,
) -> None:
    """Record the demand and pass it to the holder, who answers within ten days."""
    from pipeline.disputing import open_dispute
    from pipeline.telling import carry

    try:
        claim = claim_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("The file of the claim cannot be read. Name a text file in UTF-8.") from error
    with opened() as run:
        dispute_id = open_dispute(run, authorisation_id, document_type, columns, claim)
        carry(run)
    _say(dispute_id, "open", as_json)


@app.command("answer")
def answer(
    dispute_id: Annotated[str, typer.Argument(help="As `hanbeon dispute list` shows it.")],
    verdict: Annotated[str, typer.Argument(help="upheld or refused.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it is refused; without any personal value.")] = "",
    appeal: Annotated[str, typer.Option("--appeal", help="Where and until when the citizen can appeal.")] = "",
    as_json: Json = False,
) -> None:
    """The holder's answer. The citizen is to be told; an upheld one waits for the corrected record."""
    from consent import disputes

    with opened() as run:
        if verdict == "upheld":
            disputes.uphold(run.conn, dispute_id, run.at())
        elif verdict == "refused":
            disputes.refuse(run.conn, dispute_id, reason, appeal, run.at())
        else:
            raise UsageError("An answer is upheld or refused.")
    _say(dispute_id, verdict, as_json)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Every dispute; it names nobody, and the claims are sealed."""
    from consent import disputes

    with opened() as run:
        at, found = run.at(), disputes.disputes(run.conn)
    rows = [
        {**vars(d), "columns": ", ".join(d.columns), "state": "overdue" if d.is_overdue(at) else d.state} for d in found
    ]
    print_rows(rows, HEADINGS, as_json=as_json, title="정정 요구 Disputes", empty="Nothing is disputed.")


def _say(dispute_id: str, state: str, as_json: bool) -> None:
    if as_json:
        print_json({"dispute_id": dispute_id, "state": state})
    else:
        print(f"Dispute {dispute_id} is {state}.")
