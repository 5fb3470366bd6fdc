"""The verbs of the main job: `run`, `pull`, `publish`, `erase`, `recover`, and `up` for Airflow's own screen."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from hanbeon.commands.common import Json, new_run_id, plain, print_json, print_rows
from hanbeon.errors import UsageError

if TYPE_CHECKING:
    from pipeline.summary import Summary

RunId = Annotated[
    str, typer.Option("--run-id", help="The same id again is the same run. [default: a new one]", show_default=False)
]
GOOD = frozenset({"passed", "unchanged"})
_RUN_ID = r"[A-Za-z0-9_.:+-]{1,120}"


def run(
    run_id: RunId = "",
    is_shown: Annotated[bool, typer.Option("--show", help="Run through Airflow, and show a family's walk.")] = False,
    as_json: Json = False,
) -> None:
    """The whole main job: pull every dataset, check, standardise, publish, erase."""
    if is_shown:
        if as_json or run_id:
            raise UsageError("--show is for people; it takes neither --json nor --run-id.")
        from hanbeon.commands.common import settings
        from hanbeon.show import main

        raise typer.Exit(main(settings()))
    from pipeline.verbs import run_all

    summaries = run_all(_checked(run_id), None if as_json else _progress)
    _print_summaries(summaries, as_json)


def pull(
    dataset: Annotated[str, typer.Argument(help="<holder>/<dataset>, as `hanbeon sources` lists them.")],
    run_id: RunId = "",
    as_json: Json = False,
) -> None:
    """Pull what consent allows of one dataset into bronze."""
    from pipeline import verbs

    _print_summaries([_one(verbs.pull, dataset, _checked(run_id))], as_json)


def publish(run_id: RunId = "", as_json: Json = False) -> None:
    """Standardise what changed and publish it to gold and the recipients' shares."""
    from pipeline import verbs

    chosen = _checked(run_id)
    _print_summaries([verbs.standardise(chosen), verbs.publish(chosen)], as_json)


def erase(
    run_id: RunId = "",
    is_now: Annotated[
        bool, typer.Option("--now", help="Clear the database's dead rows too, and look through the whole home.")
    ] = False,
    number: Annotated[
        int | None, typer.Option("--certificate", help="Erase nothing; print this certificate.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Remove everything that nothing covers any more, from every table, version and file; certify it."""
    from pipeline import verbs

    if number is not None:
        if is_now or run_id:
            raise UsageError("--certificate only prints; it takes neither --now nor --run-id.")
        return _print_certificate(number)
    return _print_summaries([verbs.erase(_checked(run_id), is_now)], as_json)


def _print_certificate(number: int) -> None:
    """The statement as the log has it, and its signed form."""
    from consent.bodies import BodyKind, bodies
    from hanbeon.commands.common import opened
    from pipeline.certificate import path_of

    with opened() as run:
        found = [body for body in bodies(run.conn, BodyKind.CERTIFICATE) if body["number"] == number]
        path = path_of(run, number)
    if not found:
        raise UsageError("There is no erasure certificate with this number. `hanbeon outbox` shows those sent.")
    print_json({**found[0], "signed": path.read_text(encoding="ascii").strip() if path.exists() else None})


def recover(run_id: RunId = "", as_json: Json = False) -> None:
    """Finish or sweep what a killed run left behind."""
    from pipeline import verbs

    _print_summaries([verbs.recover(_checked(run_id))], as_json)


def up() -> None:
    """Airflow's own screen with scheduler and agencies, until Ctrl-C."""
    from hanbeon.commands.common import settings
    from hanbeon.up import main

    raise typer.Exit(main(settings()))


def _one(verb: "Callable[[str, str], Summary]", dataset: str, run_id: str) -> "Summary":
    from schemas.contract import sources

    known = [c.dataset for c in sources()]
    if dataset not in known:
        raise UsageError(f"There is no such dataset. Known: {', '.join(known)}.")
    return verb(dataset, run_id)


def _checked(run_id: str) -> str:
    import re

    if run_id and not re.fullmatch(_RUN_ID, run_id):
        raise UsageError("A run id is at most 120 letters, digits and _ . : + - characters.")
    return run_id or new_run_id()


def _progress(name: str, verdict: str, seconds: float) -> None:
    print(f"  {name:<34} {verdict:<10} {seconds:6.1f} s", flush=True)


def _print_summaries(summaries: "Sequence[Summary]", as_json: bool) -> None:
    """The numbers, then one sentence for each that is not good; exit 1 if there is any."""
    bad = [s for s in summaries if s.verdict not in GOOD]
    if as_json:
        print_json([{**s.as_row(), "counts": plain(s.counts), "withheld": plain(s.withheld),
                     "versions": plain(s.versions), "message": s.message} for s in summaries])  # fmt: skip
    else:
        rows = [
            {
                "step": f"{s.verb} {s.dataset or ''}".strip(),
                "verdict": s.verdict,
                "counts": s.counts,
                "withheld": s.withheld,
                "versions": len(s.versions),
                "seconds": f"{s.seconds:.1f}",
            }
            for s in summaries
        ]
        headings = {
            "step": "단계 step",
            "verdict": "판정 verdict",
            "counts": "건수 counts",
            "withheld": "제공제외 withheld",
            "versions": "새 버전 versions",
            "seconds": "초 s",
        }
        print_rows(rows, headings, as_json=False, title=f"실행 Run {summaries[0].run_id}", empty="Nothing was done.")
        for s in bad:
            print(f"{s.verb} {s.dataset or ''}: {s.message or s.verdict}")
    if bad:
        raise typer.Exit(1)
