"""`hanbeon contracts diff`: which changes between two sides of contracts break whom.

A side is a file, a folder or a git revision of this checkout; a revision is unpacked into a folder that then goes.
"""

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from hanbeon.commands.common import Json, print_json, print_rows
from hanbeon.errors import UsageError
from hanbeon.settings import PROJECT

if TYPE_CHECKING:
    from schemas.diff import Side

ROOM = "schemas"
KEPT = (f"{ROOM}/contracts", f"{ROOM}/codes")
HEADINGS = {
    "severity": "severity",
    "contract": "계약 contract",
    "kind": "변경 change",
    "place": "place",
    "detail": "detail",
    "services": "서비스 services",
    "recipients": "수신 recipients",
}


def diff(
    before: Annotated[str, typer.Argument(help="A contract file, a folder of contracts or a git revision.")],
    after: Annotated[str, typer.Argument(help="The same, afterwards.")],
    as_json: Json = False,
) -> None:
    """What changed between two sides of contracts, and whom it breaks; exit 1 without new major version and overlap."""
    from schemas.changes import Severity
    from schemas.diff import diff as difference

    with _side(before) as old, _side(after) as new:
        found = difference(old, new)
    rows = [
        {
            "severity": str(c.severity),
            "contract": c.contract.removeprefix("urn:hanbeon:"),
            "kind": str(c.kind),
            "place": c.place,
            "detail": c.detail,
            "meaning": c.meaning,
            "services": list(c.services),
            "recipients": list(c.recipients),
        }
        for c in sorted(found.changes, key=lambda c: list(Severity).index(c.severity))
    ]
    if as_json:
        judged = {"without_new_major_version": list(found.unversioned), "without_overlap": list(found.unkept)}
        print_json({"changes": rows} | judged)
    else:
        print_rows(rows, HEADINGS, as_json=False, title="계약 변경 Changes of contracts", empty="Nothing changed.")
        for name in found.unversioned:
            typer.echo(f"{name} breaks. Raise its major version, or undo the change.")
        for name in found.unkept:
            typer.echo(
                f"{name} breaks who reads the version before. Keep that one beside it, deprecated, with its last day."
            )
    raise typer.Exit(1 if found.unversioned or found.unkept else 0)


@contextmanager
def _side(named: str) -> Iterator["Side"]:
    from schemas.diff import side

    if Path(named).exists():
        yield side(Path(named))
        return
    with TemporaryDirectory(prefix="hanbeon-contracts-") as folder:
        _unpack(named, Path(folder))
        yield side(Path(folder) / ROOM / "contracts")


def _unpack(revision: str, folder: Path) -> None:
    """What a revision of this checkout holds of contracts and code lists. Raises UsageError for no such revision."""
    # a revision that starts with a dash would be an option
    command = ["git", "-C", str(PROJECT), "archive", "--format=tar", "--end-of-options", revision, *KEPT]
    try:
        packed = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        raise UsageError("A revision is read with git, which is not here. Name a file or a folder.") from None
    if packed.returncode:
        raise UsageError(
            f"{revision} is neither a file, nor a folder, nor a revision of this checkout that has contracts."
        )
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
