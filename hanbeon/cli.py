"""The command line `hanbeon`: its root, and what happens to an error.

Every error of the family is one sentence on stderr and its class's exit code: 0 good, 1 a check found something,
2 wrong usage or bad input, 3 a dependency is down. Anything unexpected is named by type and place, never by its
message, which may hold a personal value (P8); `HANBEON_DEBUG=1` shows the traceback to whoever develops.
"""

import contextlib
import os
import sys
import traceback
from collections.abc import Sequence

import typer
from typer._click.exceptions import ClickException  # typer carries its own click and exports no root class

from hanbeon.commands import (
    application,
    approval,
    block,
    consent,
    contracts,
    death,
    dispute,
    doctor,
    hold,
    keys,
    notices,
    outbox,
    receipt,
    reconcile,
    representative,
    review,
    shadow,
    sources,
    sql,
    subject,
    trace,
    verify,
    work,
    world,
)
from hanbeon.commands.common import redacted, safe
from hanbeon.errors import HanbeonError

ENGINEERS = "Data engineers"
SERVICE_DESK = "Case workers and citizens"
ANALYSTS = "Analysts"
AUDITORS = "Auditors"

app = typer.Typer(
    name="hanbeon",
    help="한번 · A lakehouse for consented data sharing between agencies: the citizen proves nothing twice.",
    epilog="Every listing takes --json. Exit codes: 0 good, 1 a check found something, 2 wrong usage, 3 part is down.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run", rich_help_panel=ENGINEERS)(work.run)
app.command("up", rich_help_panel=ENGINEERS)(work.up)
app.command("pull", rich_help_panel=ENGINEERS)(work.pull)
app.command("publish", rich_help_panel=ENGINEERS)(work.publish)
app.command("erase", rich_help_panel=ENGINEERS)(work.erase)
app.command("recover", rich_help_panel=ENGINEERS)(work.recover)
app.command("sources", rich_help_panel=ENGINEERS)(sources.sources)
app.add_typer(contracts.app, name="contracts", rich_help_panel=ENGINEERS)
app.add_typer(world.app, name="world", rich_help_panel=ENGINEERS)
app.add_typer(keys.app, name="keys", rich_help_panel=ENGINEERS)
app.command("doctor", rich_help_panel=ENGINEERS)(doctor.doctor)
app.add_typer(application.app, name="application", rich_help_panel=SERVICE_DESK)
consent.app.command("receipt")(receipt.receipt)
app.add_typer(consent.app, name="consent", rich_help_panel=SERVICE_DESK)
app.add_typer(approval.app, name="approval", rich_help_panel=SERVICE_DESK)
app.add_typer(block.app, name="block", rich_help_panel=SERVICE_DESK)
app.add_typer(representative.app, name="representative", rich_help_panel=SERVICE_DESK)
app.add_typer(subject.app, name="subject", rich_help_panel=SERVICE_DESK)
app.add_typer(death.app, name="death", rich_help_panel=SERVICE_DESK)
app.add_typer(hold.app, name="hold", rich_help_panel=SERVICE_DESK)
app.add_typer(dispute.app, name="dispute", rich_help_panel=SERVICE_DESK)
app.add_typer(shadow.app, name="shadow", rich_help_panel=SERVICE_DESK)
app.add_typer(notices.app, name="notices", rich_help_panel=SERVICE_DESK)
app.command("sql", rich_help_panel=ANALYSTS)(sql.sql)
app.add_typer(trace.app, name="trace", rich_help_panel=AUDITORS)
app.command("reconcile", rich_help_panel=AUDITORS)(reconcile.reconcile)
app.add_typer(review.app, name="review", rich_help_panel=AUDITORS)
app.command("outbox", rich_help_panel=AUDITORS)(outbox.outbox)
app.command("verify", rich_help_panel=AUDITORS)(verify.verify)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code. Prints, raises nothing."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    try:
        code = app(args=None if arguments is None else list(arguments), prog_name="hanbeon", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except HanbeonError as error:
        return _say(str(error), error.exit_code)
    except ClickException as error:
        return _say(_usage(error), 2) if error.format_message() else 2
    except (KeyboardInterrupt, typer.Abort):
        return _say("Stopped.", 130)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - whoever read us has left; nothing may flush into the pipe
        return 1
    except Exception as error:
        if any((c.__module__, c.__name__) == ("psycopg", "OperationalError") for c in type(error).__mro__):
            return _say("The ledger's database does not answer. Check ledger.dsn, and that its server is up.", 3)
        return _say(_unexpected(error), 1)


def _say(sentence: str, code: int) -> int:
    print(redacted(safe(" ".join(sentence.split()))), file=sys.stderr)
    return code


def _usage(error: ClickException) -> str:
    context = getattr(error, "ctx", None)
    hint = f" See `{context.command_path} --help`." if context is not None else ""
    return f"{error.format_message().rstrip('.')}.{hint}"


def _unexpected(error: Exception) -> str:
    if os.environ.get("HANBEON_DEBUG") == "1":
        traceback.print_exception(error)
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not f.filename.startswith((sys.prefix, sys.base_prefix))] or list(frames)
    place = f"{'/'.join(own[-1].filename.split(os.sep)[-2:])}, line {own[-1].lineno}" if own else "an unknown place"
    return (
        f"Something unexpected happened: {type(error).__name__} in {place}. "
        "Run again with HANBEON_DEBUG=1 to see the traceback, which may show personal values."
    )
