"""`hanbeon sources`: every dataset, who holds it, how it comes, and how far the pulls came."""

from typing import Any

from hanbeon.commands.common import Json, opened, print_rows

HEADINGS = {
    "dataset": "자료 dataset",
    "holder": "보유기관 holder",
    "document_type": "서류 document",
    "form": "방식 form",
    "deletes": "삭제 deletes",
    "watermark": "받은 데까지 watermark",
    "ledger_position": "원장 position",
    "last_run": "마지막 실행 last run",
    "verdict": "판정 verdict",
}


def sources(as_json: Json = False) -> None:
    """Every dataset: holder, delivery form, watermark and last run."""
    from consent import journal
    from pipeline import reading
    from schemas import contract

    with opened() as run:
        states = {c.dataset: journal.pull_state(run.conn, c.dataset) for c in contract.sources()}
        pulls = [r for r in reading.runs(run).to_pylist() if r["verb"] == "pull"]
    last: dict[str, dict[str, Any]] = {}
    for row in sorted(pulls, key=lambda r: r["finished_at"]):
        last[row["dataset"]] = row
    rows = []
    for c in contract.sources():
        state, pull = states[c.dataset], last.get(c.dataset)
        rows.append(
            {
                "dataset": c.dataset,
                "holder": c.holder,
                "document_type": c.document_type,
                "form": c.delivery["form"],
                "deletes": c.deletes,
                "watermark": state.watermark if state else None,
                "ledger_position": state.ledger_position if state else None,
                "last_run": pull["finished_at"] if pull else None,
                "verdict": pull["verdict"] if pull else None,
            }
        )
    print_rows(rows, HEADINGS, as_json=as_json, title="자료 Sources", empty="There is no source contract.")
