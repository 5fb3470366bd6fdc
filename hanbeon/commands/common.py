"""What the command groups share: opening what a command needs, and printing what it found.

Tables are for people, `--json` is for programs; both hide control characters, and an answer never holds a subject key
unless the command says so.
"""

import getpass
import json
import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hanbeon.clock import SEOUL, now, parse_instant, seoul_text
from hanbeon.errors import UsageError
from schemas.identifiers import KINDS

if TYPE_CHECKING:
    from rich.console import Console

    from hanbeon.settings import Settings
    from pipeline.run import Run

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]
Reader = Annotated[
    str,
    typer.Option(
        "--reader", help="Who reads; it is recorded before the answer. [default: the account]", show_default=False
    ),
]
IdentifierFile = Annotated[
    Path | None,
    typer.Option(
        "--identifier-file", help="A file with one identifier a line, or - for standard input.", show_default=False
    ),
]

ApplicantKind = Annotated[
    str | None,
    typer.Option(
        "--kind", help="Kind of identifier of who applies: RRN, FRN, CRN, PNO. [default: the usual]", show_default=False
    ),
]

_IDENTIFIER = re.compile(r"\d{6}[\s-]?\d{7}(?!\d)")
WIDTH_OF_A_PIPE = 160
_LONGEST_IDENTIFIER_FILE = 64 * 1024 * 1024


def settings() -> "Settings":
    from hanbeon.settings import load

    return load()


@contextmanager
def opened(run_id: str | None = None) -> Iterator["Run"]:
    """Ledger, vault and lake of the settings, for one command. What it did is in the log when it ends well."""
    from pipeline.attest import attest
    from pipeline.run import open_run

    with open_run(settings(), run_id or new_run_id()) as run:
        yield run
        attest(run)


def new_run_id() -> str:
    return f"cli-{now():%Y%m%dT%H%M%S%fZ}"


def reader_or_account(reader: str) -> str:
    """Who reads, when nobody said so: the account that typed the command."""
    return reader.strip() or f"account:{getpass.getuser()}"


def redacted(text: str) -> str:
    """Text without anything that looks like a resident or corporate number."""
    return _IDENTIFIER.sub("[number]", text)


def instant(text: str | None, name: str) -> datetime | None:
    """An option's instant. Raises UsageError naming the option."""
    if text is None:
        return None
    try:
        return parse_instant(text)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{name} must be a date or an instant such as 2026-12-31 or 2026-12-31T18:00+09:00."
        ) from error


def identifiers(path: Path | None, kind: str = "RRN") -> list[str]:
    """Identifiers of one kind from a file or standard input, hyphens removed.

    Raises UsageError naming the line, not the value.
    """
    found = []
    for number, value in _lines(path):
        if not KINDS[kind].is_form_of(value):
            raise UsageError(f"Line {number} of the identifiers does not have the form of {kind}. Correct that line.")
        found.append(value)
    return found


def named_identifiers(path: Path | None) -> list[tuple[str, str]]:
    """(kind, identifier) from lines such as `VIN:...`. Raises UsageError naming the line, not the value."""
    found = []
    for number, line in _lines(path):
        kind, _, value = line.partition(":")
        if kind not in KINDS or not KINDS[kind].is_form_of(value.strip()):
            raise UsageError(
                f"Line {number} of the identifiers is not KIND:NUMBER in the form of its kind. Known kinds:"
                f" {', '.join(KINDS)}."
            )
        found.append((kind, value.strip()))
    return found


def _lines(path: Path | None) -> list[tuple[int, str]]:
    """The numbered lines of a file or standard input that are not empty, hyphens removed."""
    if path is None:
        raise UsageError("Name a file of identifiers with --identifier-file, or - for standard input.")
    try:
        if str(path) == "-":
            text = sys.stdin.read(_LONGEST_IDENTIFIER_FILE)
        else:
            with path.open(encoding="utf-8-sig") as file:
                text = file.read(_LONGEST_IDENTIFIER_FILE)
    except OSError as error:
        raise UsageError("The file of identifiers cannot be read. Check its name and rights.") from error
    except UnicodeError as error:
        raise UsageError("The file of identifiers must be UTF-8 text with one identifier a line.") from error
    found = [(n, value) for n, line in enumerate(text.splitlines(), 1) if (value := line.strip().replace("-", ""))]
    if not found:
        raise UsageError("There is no identifier in the file. Write one a line.")
    return found


def safe(value: Any) -> str:
    """A value as a person reads it: instants in Seoul, nothing that a terminal would obey (F26)."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return seoul_text(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {safe(v)}" for k, v in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(safe(v) for v in value)
    text = str(value.value if isinstance(value, Enum) else value)
    return "".join("�" if unicodedata.category(c) in ("Cc", "Cf", "Cs") else c for c in text)


def validity(valid_from: datetime | None, valid_to: datetime | None) -> str:
    """Since when a record says something, and until when it did, in the holder's time."""
    begun = "" if valid_from is None else seoul_text(valid_from)
    return f"{begun} ~ {'현재 now' if valid_to is None else seoul_text(valid_to)}"


def plain(value: Any) -> Any:
    """A value as JSON has it: instants ISO 8601, bytes as hex."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    return value if isinstance(value, int | float | bool | None) else str(value)


def print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(plain(value), ensure_ascii=False, indent=1) + "\n")


def console() -> "Console":
    from rich.console import Console

    is_terminal = sys.stdout.isatty()
    return Console(markup=False, highlight=False, emoji=False, width=None if is_terminal else WIDTH_OF_A_PIPE)


def print_rows(
    rows: Sequence[Mapping[str, Any]], headings: Mapping[str, str], *, as_json: bool, title: str, empty: str
) -> None:
    """A listing. `headings` picks and names the columns of the table; JSON has the same keys."""
    if as_json:
        print_json([{key: row.get(key) for key in headings} for row in rows])
        return
    if not rows:
        print(empty)
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title, "bold"), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for key, heading in headings.items():
        is_number = all(isinstance(r.get(key), int | None) and not isinstance(r.get(key), bool) for r in rows)
        is_id = key == next(iter(headings)) or key.endswith("_id")
        table.add_column(
            Text(re.sub(r" (?=[a-z ]+$)", "\n", heading, count=1)),
            justify="right" if is_number else "left",
            overflow="fold",
            no_wrap=is_id,
        )
    for row in rows:
        table.add_row(*(Text(_cell(row.get(k))) for k in headings))
    console().print(table)


def _cell(value: Any) -> str:
    """A value in a listing: instants to the minute in Seoul, numbers with separators."""
    if isinstance(value, datetime):
        return f"{value.astimezone(SEOUL):%Y-%m-%d %H:%M}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else safe(value)
