"""Steps 6 and 7: the signed checkpoint, then what readers see.

In: the newest versions of some tables. Out: one generation that maps every table to a version, in the ledger's database
and mirrored to a file under the lake's root; all tables of a commit become visible in it together, and no table's
version ever moves back.
"""

import json
from collections.abc import Mapping

from consent import journal
from lake import files, layout
from pipeline import trusting
from pipeline.attest import attest
from pipeline.lease import lease
from pipeline.run import Run


def move_pointer(run: Run, versions: Mapping[str, int]) -> None:
    """Show these versions. Mirrors are written in the order of generations, one at a time."""
    attest(run)  # no reader is shown a version whose leaf is not under a witnessed checkpoint
    trusting.keep(run)
    with lease(run, "log/pointer"):
        journal.move_pointer(run.conn, versions)
        mirror_pointer(run)


def mirror_pointer(run: Run) -> None:
    """Write the mirror file anew, unless it says the same already. Only under the lease of the pointer."""
    path = layout.pointer_path(run.settings.lake_root)
    content = json.dumps(journal.mirrored(run.conn), indent=1, sort_keys=True).encode()
    if not path.exists() or path.read_bytes() != content:
        files.write_durably(path, content)
