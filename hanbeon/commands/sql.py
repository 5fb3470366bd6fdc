"""`hanbeon sql`: analysts ask over aggregates; every query is recorded before it is answered."""

import sys
from typing import Annotated

import typer

from hanbeon.commands.common import Json, Reader, opened, print_json, print_rows, reader_or_account
from hanbeon.errors import UsageError


def sql(
    query: Annotated[
        str,
        typer.Argument(help="One SELECT, or - for standard input. Without it: what can be asked.", show_default=False),
    ] = "",
    reader: Reader = "",
    as_json: Json = False,
) -> None:
    """Ask over aggregates: bundles, documents_replaced, shadow_agreement, statutes, verdicts, runs."""
    from exchange import sql as exchange_sql
    from exchange import statement

    if query == "-":
        try:
            query = sys.stdin.read(statement.LONGEST_STATEMENT + 1)
        except UnicodeError as error:
            raise UsageError("The query must be UTF-8 text.") from error
    if query.strip():
        statement.check(query, exchange_sql.RELATIONS)  # a bad query needs no database to be refused
    with opened() as run:
        if not query.strip():
            headings = {
                "relation": "relation",
                "column": "column",
                "type": "type",
                "korean": "한글명",
                "about": "about",
            }
            rows = exchange_sql.relations(run)
            seen = [r["relation"] for r in rows]
            if not as_json:
                rows = [r | ({"about": ""} if r["relation"] in seen[:i] else {}) for i, r in enumerate(rows)]
            print_rows(rows, headings, as_json=as_json, title="물을 수 있는 것 What can be asked", empty="Nothing.")
            return
        answer = exchange_sql.query(run, query, reader_or_account(reader))
    if as_json:
        print_json(answer.as_dicts())
        return
    print_rows(answer.as_dicts(), {c: c for c in answer.columns}, as_json=False, title="", empty="No row answers.")
    if answer.is_cut:
        print(f"Only the first {len(answer.rows):,} rows are shown. Ask for less.")
