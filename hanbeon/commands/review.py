"""`hanbeon review`: look through the access records. Numbers come in files, never as arguments."""

from typing import Annotated

import typer

from hanbeon.commands.common import (
    IdentifierFile,
    Json,
    Reader,
    identifiers,
    opened,
    print_json,
    print_rows,
    reader_or_account,
)
from hanbeon.errors import UsageError

app = typer.Typer(help="Review of access records: reads that somebody has to explain.", no_args_is_help=True)

HEADINGS = {
    "access_id": "열람 access",
    "rule": "규칙 rule",
    "reader": "열람자 reader",
    "recorded_at": "시각 at",
    "action": "행위 action",
    "service": "서비스 service",
    "document_type": "서류 document",
    "application_id": "신청 application",
}
OF_REVIEWS = {
    "number": "번호 number",
    "reviewed_at": "시각 at",
    "start": "처음 from entry",
    "stop": "끝 until entry",
    "reads": "열람 reads",
    "flagged": "표시 flagged",
}


@app.command("run")
def run_(reader: Reader = "", as_json: Json = False) -> None:
    """Look at every read since the last review; exit 1 when somebody has to explain one. The log says it was done."""
    from pipeline.review import RULES, review

    with opened() as run:
        found = review(run, reader_or_account(reader))
    rows = [vars(flag) for flag in found.flags]
    if as_json:
        print_json({"start": found.start, "stop": found.stop, "reads": found.reads, "flags": rows})
    else:
        print_rows(
            rows, HEADINGS, as_json=False, title="설명이 필요한 열람 Reads to explain", empty="Nothing is flagged."
        )
        print(f"열람 {found.reads:,}건을 점검했습니다. {found.reads:,} reads were reviewed.")
        for rule, count in found.counts().items():
            if count:
                print(f"  {rule} {count:,}: {RULES[rule][0]}, {RULES[rule][1]}")
    if found.flags:
        raise typer.Exit(1)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Every review: which entries of the log it looked at, and how many reads it flagged."""
    from pipeline.review import reviews

    with opened() as run:
        rows = [{**body, "flagged": sum(body["flagged"].values())} for body in reviews(run.conn)]
    print_rows(rows, OF_REVIEWS, as_json=as_json, title="점검 Reviews", empty="Nobody has reviewed the access records.")


@app.command("reader")
def reader_(
    name: Annotated[str, typer.Argument(help="The reader's name, as access records have it.")],
    identifier_file: IdentifierFile = None,
) -> None:
    """Say which person a reader is, by a file with one number: reads about her own and her family are flagged."""
    from consent import readers, vault
    from pipeline.review import person_hashes

    given = identifiers(identifier_file)
    if len(given) != 1:
        raise UsageError("A reader is one person. Give a file with one number.")
    with opened() as run:
        keys = vault.keys(run.conn, run.secrets, "RRN", given, run.at()).to_pylist()
        readers.link(run.conn, name, person_hashes(run, keys)[0])
    print("The reader is known as a person from the next review on.")


@app.command("watch")
def watch(identifier_file: IdentifierFile = None) -> None:
    """Flag every read about the persons of this file, one number a line: whom many are curious about."""
    from consent import readers, vault
    from pipeline.review import person_hashes

    given = identifiers(identifier_file)
    with opened() as run:
        keys = vault.keys(run.conn, run.secrets, "RRN", given, run.at()).to_pylist()
        readers.watch(run.conn, person_hashes(run, keys))
    print(f"{len(given)} persons are watched from the next review on.")
