"""`hanbeon world`: the simulated agencies. They are real systems with made-up content; production has its own."""

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from hanbeon.commands.common import Json, instant, print_json, safe, settings
from hanbeon.errors import UsageError

app = typer.Typer(help="The simulated agencies: build, serve, advance, truth, sign, reset.", no_args_is_help=True)

FORMATS = ("parquet", "csv", "json")


@app.command("build")
def build(
    people: Annotated[
        int | None, typer.Option(min=1, max=10_000_000, help="How many people. [default: the setting]")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Which world. [default: the setting]")] = None,
    as_json: Json = False,
) -> None:
    """Build the agencies' content: the same people and seed give the same world."""
    from sources.simulate import world

    chosen = settings()
    report = world.build(
        chosen.home_path, people or chosen.world.people, chosen.world.seed if seed is None else seed, chosen.world.dsn
    )
    _print_report(report, as_json)


@app.command("serve")
def serve() -> None:
    """Start the agencies' systems and keep them up until Ctrl-C."""
    import signal
    import threading

    from sources.simulate.serve import serve as served

    chosen = settings()
    _need_world(chosen.agencies_path)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with served(chosen.home_path, dsn=chosen.world.dsn) as endpoints:
        for holder in sorted({*endpoints.postgres, *endpoints.rest, *endpoints.court_xml, *endpoints.file}):
            print(f"{holder} is up")
        print("Press Ctrl-C to stop.", flush=True)
        stop.wait()


@app.command("advance")
def advance(
    days: Annotated[
        int, typer.Option(min=1, max=3650, help="How many days pass: moves, births, marriages, corrections.")
    ],
    as_json: Json = False,
) -> None:
    """Let days pass in the world."""
    from sources.simulate import world

    chosen = settings()
    _need_world(chosen.agencies_path)
    _print_report(world.advance(chosen.home_path, days, chosen.world.dsn), as_json)


@app.command("truth")
def truth(
    document: Annotated[str, typer.Argument(help="A document type, such as FAMR.")],
    out: Annotated[Path, typer.Option("--out", help="The folder to write to.")],
    format_: Annotated[str, typer.Option("--format", help="parquet, csv or json.")] = "parquet",
    at: Annotated[str | None, typer.Option("--at", help="As of an instant. [default: now]", show_default=False)] = None,
) -> None:
    """Write what the holders truly hold, for checking. The files hold made-up people's data in clear."""
    from schemas.contract import sources
    from sources.simulate.truth import truth as truly

    if format_ not in FORMATS:
        raise UsageError(f"--format is one of {', '.join(FORMATS)}.")
    known = [c.document_type for c in sources()]
    if document not in known:
        raise UsageError(f"The world holds no document of that type. Known: {', '.join(known)}.")
    chosen = settings()
    _need_world(chosen.agencies_path)
    tables = truly(chosen.home_path, document, instant(at, "--at"))
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError("--out must be a folder that can be written.") from error
    for name, table in tables.items():
        _write(table, out / f"{name}.{format_}", format_)
        print(f"{name}.{format_}: {table.num_rows:,} rows")


@app.command("sign")
def sign(
    file: Annotated[Path, typer.Argument(help="A CSV or Parquet file, as `consent import` takes it.")],
) -> None:
    """Sign a file of authorisations as the simulated agency that hands them over; writes FILE.jws beside it."""
    from consent.manifests import TYP, manifest
    from hanbeon.clock import now
    from sources.simulate import identity

    chosen = settings()
    _need_world(chosen.agencies_path)
    if not file.is_file():
        raise UsageError("There is no such file.")
    signed = identity.signed(identity.agency_key(chosen.home_path), manifest(file, identity.AGENCY, now()), TYP)
    file.with_name(f"{file.name}.jws").write_text(signed + "\n", encoding="ascii")
    print(f"{file.name}.jws: signed by {identity.AGENCY}")


@app.command("reset")
def reset(
    is_sure: Annotated[
        bool, typer.Option("--yes", help="Yes, remove the simulated agencies and all that they hold.")
    ] = False,
) -> None:
    """Remove the simulated agencies. The lake and the ledger stay."""
    path = settings().agencies_path
    if not is_sure:
        raise UsageError("This removes the simulated agencies and all that they hold. Say --yes to do it.")
    if (path / "postgres" / "data" / "postmaster.pid").exists() or (path / "postgres" / "postmaster.pid").exists():
        raise UsageError("The agencies are up. Stop them first, then reset.")
    shutil.rmtree(path, ignore_errors=True)
    print("The simulated agencies are gone. `hanbeon world build` makes new ones.")


def _need_world(path: Path) -> None:
    if not path.is_dir() or not any(
        p.name not in ("identity", "keys", "inbox", "endpoints.json") for p in path.iterdir()
    ):
        raise UsageError("There is no world yet. Build it with `hanbeon world build`.")


def _print_report(report: Any, as_json: bool) -> None:
    from dataclasses import asdict, is_dataclass

    given = asdict(report) if is_dataclass(report) and not isinstance(report, type) else {"report": report}
    if as_json:
        print_json(given)
        return
    for name, value in given.items():
        shown = f"{value:,}" if isinstance(value, int) else safe(value)
        if value is not None:
            print(f"{name.replace('_', ' ')}: {shown}")


def _write(table: Any, path: Path, format_: str) -> None:
    import duckdb

    with duckdb.connect() as duck:
        duck.register("given", table)
        duck.execute(f"copy given to '{str(path).replace(chr(39), chr(39) * 2)}' (format {format_})")
