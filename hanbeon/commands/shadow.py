"""`hanbeon shadow`: papers that are still asked for, compared with the data; nothing of a paper is kept."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hanbeon.commands.common import Json, Reader, opened, print_json, print_rows, reader_or_account
from hanbeon.errors import UsageError

app = typer.Typer(help="Papers against data: compare one, import many, report agreement.", no_args_is_help=True)

LONGEST = 64 * 1024 * 1024
LINE_KEYS = {"application", "document", "fields"}
REPORT = {
    "service": "서비스 service",
    "document_type": "서류 document",
    "recipient": "이용기관 recipient",
    "papers": "비교한 서류 papers",
    "agreeing": "모두 일치 agreeing",
    "share": "일치율 share",
    "at_least": "하한(95%) at least",
    "unreadable": "비교불가 unreadable",
    "differing": "가장 많이 다른 열 columns that differ most",
}


@app.command("compare")
def compare(
    application_id: Annotated[str, typer.Argument(help="The application that the paper was brought for.")],
    document_type: Annotated[str, typer.Argument(help="The document type of the paper.")],
    fields: Annotated[
        Path, typer.Option("--fields", help="A JSON file: official column names and what the paper says, or - .")
    ],
    reader: Reader = "",
    as_json: Json = False,
) -> int:
    """Compare one paper with the data, field by field. Verdicts are printed, values never; exit 1 if nothing was."""
    from exchange.shadow import compare as compared

    given = _object(_text(fields), "The file of fields")
    with opened() as run:
        found = compared(run, application_id, document_type, given, reader_or_account(reader))
    if as_json:
        print_json({**vars(found), "verdicts": dict(found.verdicts)})
    elif found.reason is None:
        rows = [{"column": path, "verdict": verdict.value} for path, verdict in found.verdicts.items()]
        headings = {"column": "열 column", "verdict": "결과 verdict"}
        print_rows(rows, headings, as_json=False, title=f"서류와 자료 Paper and data: {document_type}", empty="")
    else:
        print(_why(found.reason))
    return 1 if found.reason else 0


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="JSON Lines: application, document, fields; or - for standard input.")],
    reader: Reader = "",
    as_json: Json = False,
) -> int:
    """Compare a batch of papers that the recipient's system has digitised; sent again, each counts once.

    What cannot be compared yet is listed by line and reason, is not kept, and exits with 1: send those lines again.
    """
    from exchange.shadow import check
    from exchange.shadow import compare as compared

    papers = [_paper(number, line) for number, line in enumerate(_text(file).splitlines(), 1) if line.strip()]
    for number, paper in papers:
        try:
            check(paper["document"], paper["fields"])
        except UsageError as error:
            raise UsageError(f"Line {number}: {error}") from None
    left = []
    with opened() as run:
        who = reader_or_account(reader)
        for number, paper in papers:
            found = compared(run, paper["application"], paper["document"], paper["fields"], who)
            if found.reason:
                left.append({"line": number, "document_type": found.document_type, "reason": found.reason})
    waiting = [row for row in left if row["reason"] != "already_compared"]
    if as_json:
        print_json({"papers": len(papers), "compared": len(papers) - len(left), "not_compared": left})
    else:
        print(f"{len(papers) - len(left):,} of {len(papers):,} papers were compared. Nothing of them was kept.")
        headings = {"line": "줄 line", "document_type": "서류 document", "reason": "사유 reason"}
        print_rows(left, headings, as_json=False, title="비교하지 못한 서류 Not compared", empty="None is left.")
    return 1 if waiting else 0


@app.command("report")
def report(
    recipient: Annotated[
        str | None, typer.Option("--recipient", help="Only of this recipient.", show_default=False)
    ] = None,
    reader: Reader = "",
    as_json: Json = False,
) -> None:
    """How far papers and data agree, by document type, with a lower bound, as of the last publication."""
    from exchange.agreement import report as reported

    with opened() as run:
        found = reported(run, reader_or_account(reader), recipient)
    rows: list[dict[str, Any]] = [vars(a) | {"share": a.agreeing / a.papers if a.papers else None} for a in found]
    if not as_json:
        for row in rows:
            row["share"] = "" if row["share"] is None else f"{row['share']:.1%}"
            row["at_least"] = f"{row['at_least']:.1%}"
            row["differing"] = ", ".join(f"{name} {number:,}" for name, number in row["differing"])
    title = "서류와 자료의 일치 Agreement of papers and data"
    print_rows(rows, REPORT, as_json=as_json, title=title, empty="No paper was compared and published yet.")


def _why(reason: str) -> str:
    from exchange.words import SHADOW_REASONS, both

    told = both(SHADOW_REASONS, reason)
    return f"Nothing was compared, and nothing of the paper was kept: {told}. Send the paper again when this changed."


def _paper(number: int, line: str) -> tuple[int, dict[str, Any]]:
    paper = _object(line, f"Line {number}")
    if set(paper) != LINE_KEYS or not isinstance(paper["fields"], dict):
        raise UsageError(f"Line {number} must have just application, document and fields, the fields as an object.")
    if not all(isinstance(paper[name], str) for name in ("application", "document")):
        raise UsageError(f"Line {number}: application and document are texts.")
    return number, paper


def _object(text: str, what: str) -> dict[str, Any]:
    """Raises UsageError that repeats nothing of what stands there (P8)."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise UsageError(f"{what} must be one JSON object, in UTF-8.")
    return given


def _text(path: Path) -> str:
    try:
        if str(path) == "-":
            return sys.stdin.read(LONGEST)
        with path.open(encoding="utf-8-sig") as file:
            return file.read(LONGEST)
    except OSError as error:
        raise UsageError("The file of papers cannot be read. Check its name and rights.") from error
    except UnicodeError as error:
        raise UsageError("The file of papers must be UTF-8.") from error
