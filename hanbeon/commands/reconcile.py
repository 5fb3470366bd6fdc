"""`hanbeon reconcile`: what holders signed against what pulls recorded."""

from hanbeon.commands.common import Json, opened, print_rows

HEADINGS = {
    "dataset": "자료 dataset",
    "run_id": "실행 run",
    "what": "차이 difference",
    "signed": "서명 signed",
    "recorded": "기록 recorded",
}


def reconcile(as_json: Json = False) -> int:
    """Compare holders' signed counts with what was recorded. Differences are findings in the log; exit 1 with any."""
    from pipeline.reconcile import reconcile as compared

    with opened() as run:
        found = compared(run)
    rows = [vars(one) for one in found]
    print_rows(rows, HEADINGS, as_json=as_json, title="대조 Reconciliation", empty="Everything agrees.")
    return 1 if found else 0
