"""`hanbeon contracts`: what may flow, and whether everything that is made from it still agrees."""

from typing import Annotated

import typer

from hanbeon.commands import contracts_diff, statutes
from hanbeon.commands.common import Json, print_json, print_rows

app = typer.Typer(
    help="Data contracts and the law behind them: list, check, diff, render, statutes, coverage.", no_args_is_help=True
)
app.command("statutes")(statutes.statutes)
app.command("coverage")(statutes.coverage)
app.command("diff")(contracts_diff.diff)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Every contract: what it is about, its version and its size, and of a former version its last day."""
    from schemas.contract import load_all

    rows = [
        {
            "contract": c.id,
            "kind": c.kind,
            "document_type": c.properties.get("documentType"),
            "version": c.version,
            "status": c.status,
            "published_until": str(c.published_until) if c.is_former and c.published_until else None,
            "columns": len(c.content) + sum(len(g.content) for g in c.groups),
            "digest": c.digest[:12],
            "description": c.description,
        }
        for c in load_all()
    ]
    headings = {
        "contract": "계약 contract",
        "kind": "kind",
        "document_type": "서류 document",
        "version": "version",
        "published_until": "종료 until",
        "columns": "columns",
        "digest": "digest",
        "description": "설명 description",
    }
    print_rows(rows, headings, as_json=as_json, title="데이터 계약 Data contracts", empty="There is no contract.")


@app.command("check")
def check(as_json: Json = False) -> None:
    """Check every contract, code list and generated file; exit 1 and one finding a line where something is wrong.

    Also said, and no finding: which former versions end within 30 days, and which are over and may be removed.
    """
    from hanbeon.clock import now
    from schemas import check as checks
    from schemas.contract import load_all
    from schemas.render import drift
    from schemas.versions import ends

    found = [*checks.check(), *drift()]
    if as_json:
        print_json(found)
    else:
        print("\n".join(found) or "Every contract, code list and generated file agrees.")
        print("".join(f"{sentence}\n" for sentence in ends(load_all(), now())), end="")
    raise typer.Exit(1 if found else 0)


@app.command("render")
def render(
    is_dry: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would change; exit 1 if anything would.")
    ] = False,
) -> None:
    """Write dbt's YAML from the contracts."""
    from schemas.render import drift, write

    if is_dry:
        found = drift()
        print("\n".join(found) or "Nothing would change.")
        raise typer.Exit(1 if found else 0)
    for path in write():
        print(path.name)
