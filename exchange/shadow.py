"""Shadow mode: a service still asks for paper, and what is submitted is compared with the data, field by field.

In: an application, a document type, and the fields as they were read off the paper, by official path; lines of a group
as a list. Out: a `Compared` with a verdict for each field, never a value. The comparison is a read of the document:
asked of the gate, recorded and committed before (P9), narrowed to the columns that this application's authorisations
cover and its service needs. Fields outside of these are not looked at.

Nothing of a paper is kept: it is compared at once, in memory, and only counters stay (`consent.shadow`). Where there is
nothing to compare with yet, nothing happens, the reason is told, and the recipient, who has the paper, sends it again.
`gold/shadow_agreement` is made from the counters by the next publication.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consent import shadow
from consent.accesses import Action
from consent.shadow import Verdict
from exchange.bundle import open_bundle
from exchange.document import Copy
from exchange.paper import OF_THE_COPY, field, lines
from hanbeon.clock import seoul_date
from hanbeon.errors import UsageError
from pipeline.run import Run
from schemas.column import Column
from schemas.contract import gold, source
from schemas.documents import as_data

ALREADY, SEVERAL, NOTHING = "already_compared", "several_subjects", "no_common_field"
Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Compared:
    """`reason` says why nothing was compared. `outside` fields of the paper were not looked at."""

    application_id: str
    document_type: str
    verdicts: Mapping[str, Verdict]
    outside: int
    reason: str | None = None


def compare(run: Run, application_id: str, document_type: str, fields: Fields, reader: str) -> Compared:
    """Compare one paper. Raises UsageError for fields that are none of the document, Refused where no record can be."""
    check(document_type, fields)
    if shadow.is_compared(run.conn, application_id, document_type):
        return Compared(application_id, document_type, {}, 0, ALREADY)
    bundle = open_bundle(run, application_id, reader, only=document_type, action=Action.SHADOW)
    if not bundle.documents:
        raise UsageError(f"Service {bundle.service.id} does not ask {document_type} of who applied.")
    document = bundle.documents[0]
    if len(bundle.documents) > 1:
        return Compared(application_id, document_type, {}, 0, SEVERAL)
    today = seoul_date(bundle.read_at)
    if not document.copies or (document.fresh_until or f"{today:%Y%m%d}") < f"{today:%Y%m%d}":
        why = "stale" if document.copies else document.reason or "nothing_received"
        return Compared(application_id, document_type, {}, 0, why)
    verdicts = against(document_type, fields, document.copies[0])
    outside = len(_named(fields)) - len(verdicts)
    if not verdicts:
        return Compared(application_id, document_type, {}, outside, NOTHING)
    what = (bundle.service.id, bundle.service.recipient, document_type)
    if not shadow.count(run.conn, application_id, what, today, verdicts):
        return Compared(application_id, document_type, {}, outside, ALREADY)
    return Compared(application_id, document_type, verdicts, outside)


def against(document_type: str, fields: Fields, copy: Copy) -> dict[str, Verdict]:
    """The verdict of each field that the paper names and the copy may show; none of what is of the copy itself.

    A field that the paper's reader did not read is left out; one that was read as empty says that nothing stands there.
    """
    columns = columns_of(document_type)
    found = {
        v.name: field(columns[v.name], fields[v.name], v.value)
        for v in copy.values
        if v.name in fields and v.name not in OF_THE_COPY
    }
    for group in copy.groups:
        given = fields.get(group.group)
        for place, (name, _) in enumerate(group.columns):
            path = f"{group.group}.{name}"
            if given is None or (not any(name in line for line in given) and given):
                continue
            data = [row[place].value for row in group.rows]
            found[path] = lines(columns[path], [line.get(name) for line in given], data)
    return found


def columns_of(document_type: str) -> dict[str, Column]:
    """The published columns of a document by official path, lines included."""
    given = source(document_type)
    found = {c.name: c for c in gold(given.published).columns}
    for group in given.groups:
        found |= {f"{group.name}.{c.name}": c for c in gold(f"{given.published}__{group.name}").columns}
    return found


def check(document_type: str, fields: Fields) -> None:
    """Raises UsageError, without a value, for fields that are no fields of this document."""
    if document_type not in as_data():
        raise UsageError("The document does not come as data, so there is nothing to compare a paper with.")
    groups = {g.name for g in source(document_type).groups}
    for name, value in fields.items():
        is_lines = isinstance(value, list) and all(isinstance(line, Mapping) for line in value)
        if name in groups and not is_lines:
            raise UsageError(f"{name} of {document_type} are lines. Give a list of objects, one a line.")
        if name not in groups and isinstance(value, list | Mapping):
            raise UsageError(f"A field of a {document_type} paper that is no group has one value.")
    if strange := len(_named(fields) - columns_of(document_type).keys()):
        raise UsageError(
            f"{strange} fields of the paper are no columns of {document_type}. Use official names; `hanbeon contracts "
            f"list` names the contract that has them."
        )


def _named(fields: Fields) -> set[str]:
    own = {name for name, value in fields.items() if not isinstance(value, list)}
    return own | {f"{n}.{c}" for n, value in fields.items() if isinstance(value, list) for line in value for c in line}
