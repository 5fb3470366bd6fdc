"""What `make run` shows: the main job on a simulated world, through the real DAGs, then one family's walk.

In: settings. Out: the screen, and exit code 0 only if every step went well. Airflow loads in a process of its own
while the world is built. Running it again adds nothing but what the world and the citizens did meanwhile.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from hanbeon import show_view
from hanbeon.clock import now
from hanbeon.settings import Settings

if TYPE_CHECKING:
    from hanbeon.dag_process import DagProcess
    from pipeline.run import Run

READER = "demo:case-worker"
AUDITOR = "demo:auditor"


def main(settings: Settings, console: Console | None = None) -> int:
    """Run everything and show it. Raises HanbeonError; returns 1 when a DAG failed."""
    console = console or Console(highlight=False)
    began = time.monotonic()
    console.print(show_view.title(settings.world.people))
    with ExitStack() as stack:
        from hanbeon.dag_process import dag_process

        dags = stack.enter_context(dag_process(settings))
        with _step(console, "기관 세계 · a world of agencies") as say:
            say(_world(settings))
        with _step(console, "기관 시스템 · their systems: PostgreSQL, REST, court XML, nightly files") as say:
            say(_serve(settings, stack))
        run = _open(settings, stack)
        with _step(console, "동의와 근거 · consents, demands and statutory grounds") as say:
            say(_consents(run))
        console.print("\n[bold]에어플로 DAG · the Airflow DAGs, in the order of their assets[/bold]")
        is_good = _dags(console, dags)
        with _step(console, "담당자 결정 · case workers decide complete bundles") as say:
            say(_decide(run))
        with _step(console, "종이와 대조 · papers that are still asked for, compared with the data") as say:
            say(_papers(run))
        console.print(
            "\n[bold]한 번 더 · once more: what changed flows, what is decided leaves, nothing doubles[/bold]"
        )
        is_good = _dags(console, dags) and is_good
        console.print(show_view.outcome(run))
        is_good = _family(console, run) and is_good
        _household(console, run)
    console.print(show_view.next_steps())
    console.print(Text(f"{time.monotonic() - began:.0f} s", "dim"))
    return 0 if is_good else 1


@contextmanager
def _step(console: Console, name: str) -> Iterator[Callable[[str], None]]:
    """A line that says what is going on, then what came of it and how long it took."""
    began = time.monotonic()
    said: list[str] = []
    with console.status(name):
        yield said.append
    console.print(show_view.step(name, said[0] if said else "", time.monotonic() - began))


def _world(settings: Settings) -> str:
    from hanbeon.errors import DependencyDown
    from sources.simulate import world

    try:
        state = world.state(settings.home_path)
        return f"{state.people:,} people, seed {state.seed}, day {state.day}: as it was left"
    except DependencyDown:
        report = world.build(settings.home_path, settings.world.people, settings.world.seed, settings.world.dsn)
        return f"{report.people:,} people in {report.households:,} households, seed {report.seed}"


def _serve(settings: Settings, stack: ExitStack) -> str:
    from sources.simulate.serve import serve

    endpoints = stack.enter_context(serve(settings.home_path, dsn=settings.world.dsn))
    holders = {*endpoints.postgres, *endpoints.rest, *endpoints.court_xml, *endpoints.file}
    return f"{len(holders)} holders answer"


def _open(settings: Settings, stack: ExitStack) -> "Run":
    from pipeline.run import open_run

    return stack.enter_context(open_run(settings, f"show-{now():%Y%m%dT%H%M%S%fZ}"))


def _consents(run: "Run") -> str:
    from consent import ledger
    from hanbeon import demo
    from sources.simulate.candidates import candidates

    staged = demo.consents(run, candidates(run.settings.home_path), run.at())
    if staged.authorisations:
        return f"{staged.authorisations:,} authorisations for {staged.applications:,} applications"
    return f"the ledger stands at position {ledger.position(run.conn):,}"


def _dags(console: Console, dags: "DagProcess") -> bool:
    """One pass over every DAG; whether all succeeded."""
    with console.status("Airflow") as status:

        def progress(dag_id: str, state: str, seconds: float) -> None:
            if state == "running":
                status.update(dag_id)
            else:
                console.print(show_view.dag(dag_id, state, seconds))

        results = dags.run(progress)
    for result in results:
        if result.message:
            console.print(Text(f"  {result.message}", "red"))
    return all(result.state == "success" for result in results)


def _decide(run: "Run") -> str:
    from hanbeon import demo

    return f"{demo.decide(run):,} applications decided; their one-time authorisations are consumed"


def _papers(run: "Run") -> str:
    from hanbeon import demo_papers

    return f"{demo_papers.shadow(run):,} papers compared, nothing of them kept: hanbeon shadow report"


def _family(console: Console, run: "Run") -> bool:
    """One family's bundle, one court document back to the consent, and one of two consents withdrawn."""
    from consent import ledger
    from exchange.bundle import open_bundle
    from hanbeon import demo
    from hanbeon.commands import bundle_view, trace_view
    from pipeline.erase import erase
    from pipeline.trace import trace_row

    found = demo.family(run)
    if found is None:
        console.print("\nNo family is left that has two overlapping consents; `make clean` starts afresh.")
        return True
    application_id, other_id = found
    console.print(show_view.chapter("1", "한 가족의 꾸러미", "one family's bundle, as the case worker reads it"))
    bundle = open_bundle(run, application_id, READER)
    console.print(bundle_view.render(bundle))
    console.print(show_view.chapter("2", "법원 문서에서 동의까지", "from a court document back to the consent"))
    certificate = next(d for d in bundle.documents if d.document_type == "FAMR")
    table = f"shares/{bundle.service.recipient}/family_relation_certificate"
    console.print(trace_view.row_tree(trace_row(run, table, certificate.copies[0].evidence_id, AUDITOR)))
    console.print(show_view.chapter("3", "두 동의 중 하나를 철회", "one of two overlapping consents is withdrawn"))
    before = show_view.holdings(run, application_id)
    ledger.withdraw(run.conn, other_id, run.at())
    summary = erase(run)
    after = show_view.holdings(run, application_id)
    console.print(show_view.withdrawal(other_id, before, after, summary))
    still = open_bundle(run, application_id, READER)
    console.print(show_view.still_complete(still))
    is_proved = _proof(console, run, table, certificate.copies[0].evidence_id)
    return summary.counts["residue"] == 0 and still.is_complete and is_proved


def _household(console: Console, run: "Run") -> None:
    """A household that waits for one member's own consent."""
    from exchange.bundle import open_bundle
    from hanbeon import demo
    from hanbeon.commands import bundle_view

    application_id = demo.waiting_household(run)
    if application_id is not None:
        console.print(show_view.chapter("5", "세대원마다 동의", "every member of a household consents for herself"))
        console.print(bundle_view.overview(open_bundle(run, application_id, READER)))


def _proof(console: Console, run: "Run", table: str, evidence_id: str) -> bool:
    """The court document's row as a disclosure pack, checked by the stand-alone verifier as an auditor would."""
    from hanbeon.settings import PROJECT
    from pipeline.pack import write_pack

    console.print(show_view.chapter("4", "서버 없이 증명", "proved with files and a public key alone"))
    folder = run.settings.home_path / "proof"
    write_pack(run, folder, table, evidence_id, AUDITOR)
    verifier = PROJECT / "verify" / "verify.py"
    checked = subprocess.run([sys.executable, "-I", str(verifier), str(folder)], capture_output=True, text=True)
    console.print(show_view.proof(folder, checked.stdout))
    return checked.returncode == 0
