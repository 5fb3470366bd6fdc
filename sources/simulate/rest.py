"""The REST/JSON agencies: batched keys with field lists, pages of records, a path a register.

보건복지부's disability register is written here in its own names, so that connector and contract are held against
something that neither made; the other registers speak as their contracts say.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from schemas.column import Column
from schemas.contract import Contract, sources
from schemas.decimals import plain
from sources.simulate import faults, store
from sources.simulate.pages import MARK, Asked, BadRequest, Page, Switches, answer, has_unknown_code, is_poisoned
from sources.simulate.shelf import Register, Row


@dataclass(frozen=True)
class Lines:
    """A repeating group: where it stands in a record, what numbers its lines, and their fields."""

    group: str
    at: str
    number: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Document:
    """One register behind a path. `fields` are the agency's names of official columns."""

    holder: str
    register: str
    identifier: str
    record_id: str
    changed_at: str
    deleted: str
    fields: Mapping[str, str]
    named: str  # the field that a poison hits
    coded: str | None = None  # the field that an unknown code hits
    lines: Sequence[Lines] = field(default=())


DISABILITY = Document(
    holder="mohw",
    register="disability_certificate",
    identifier="rrn",
    record_id="registrationId",
    changed_at="updatedAt",
    deleted="deleted",
    fields={
        "issueNo": "ISSU_NO",
        "issueDate": "ISSU_YMD",
        "issueInstitution": "ISSU_INST_CD",
        "name": "FLNM",
        "mainType": "MDSBLTY_TYPE_CD",
        "subType": "SDSBLTY_TYPE_CD",
        "degree": "DSBLTY_DGREE_CD",
        "registeredOn": "DSBLTY_REG_YMD",
        "reexaminationOn": "REXM_YMD",
        "guardianName": "PRTCR_NM",
    },
    named="name",
    coded="mainType",
)


def _of_contract(contract: Contract) -> Document:
    """A register as its contract says that it is delivered."""
    d = contract.delivery
    fields = _fields(contract.content)
    return Document(
        holder=contract.holder,
        register=contract.table.document,
        identifier=d["identifierField"],
        record_id=d["recordIdField"],
        changed_at=d["changedAtField"],
        deleted=d["deletedField"],
        fields=fields,
        named=next(c.name for c in contract.content if c.logical_type == "string" and not c.code_list),
        lines=tuple(
            Lines(g.name, str(g.delivery["field"]), str(g.delivery["lineNoField"]), _fields(g.columns))
            for g in contract.groups
        ),
    )


def _fields(columns: Sequence[Column]) -> dict[str, str]:
    return {c.name: c.publishes or "person_identifier" for c in columns}


DOCUMENTS: Mapping[str, Document] = {
    "/v1/disability/query": DISABILITY,
    **{
        str(c.delivery["path"]): _of_contract(c)
        for c in sources()
        if c.delivery["form"] == "rest"
        and c.table.document in store.REGISTERS
        and c.table.document != DISABILITY.register
    },
}
_FLAWS = {
    "nul": b"\\u0000",
    "surrogate": b"\\ud800",
    "undecodable": b"\xff\xfe",
    "huge": b"x" * faults.HUGE,
    "duplicate_keys": b'", "name": "',
}


def respond(document: Document, register: Register, body: bytes, switches: Switches) -> bytes:
    """The answer to a question. Raises BadRequest."""
    if switches.get("error_body_200"):
        return b'{"error": {"code": "E9999", "message": "temporary failure"}}'
    asked, number, size = _question(body)
    page = answer(register, asked, number, size, switches)
    text = json.dumps(_content(document, page, switches), default=plain)
    return text.encode("ascii").replace(MARK.encode(), _FLAWS.get(str(switches.get("poison")), b""))


def records(answer: bytes) -> int:
    """How many records an answer holds."""
    return answer.count(b'"registrationId": ')


def _question(body: bytes) -> tuple[list[Asked], int, int]:
    try:
        given = json.loads(body)
        asked = [
            Asked(
                str(s["id"]),
                frozenset(map(str, s["fields"])),
                "standard",
                datetime.fromisoformat(s["changedSince"]) if s.get("changedSince") else None,
            )
            for s in given["subjects"]
        ]
        return asked, int(given["page"]), int(given["pageSize"])
    except (ValueError, KeyError, TypeError):
        raise BadRequest from None


def _content(document: Document, page: Page, switches: Switches) -> dict[str, Any]:
    records = [_record(document, record, asked, switches) for record, asked in page.records]
    return {"page": page.number, "totalPages": page.pages, "total": page.total, "records": records}


def _record(document: Document, record: Row, asked: Asked, switches: Switches) -> dict[str, Any]:
    """One record with the fields asked for and no others; a deleted one says that it is, and nothing else."""
    made: dict[str, Any] = {
        document.identifier: record["identifier"],
        document.record_id: record["record_id"],
        document.changed_at: record["changed_at"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        document.deleted: record["is_deleted"],
    }
    if record["is_deleted"]:
        return made
    made |= {f: record[official] for f, official in document.fields.items() if f in asked.items}
    for lines in document.lines:
        wanted = {f: official for f, official in lines.fields.items() if f"{lines.at}.{f}" in asked.items}
        if wanted:
            made[lines.at] = [
                {lines.number: line["line_no"]} | {f: line[official] for f, official in wanted.items()}
                for line in record[lines.group]
            ]
    if document.coded in made and has_unknown_code(record, switches):
        made[document.coded] = "99"
    if is_poisoned(record, switches):
        made[document.named] = str(made.get(document.named) or "") + MARK
    if switches.get("extra_columns"):
        made |= {"bloodType": "A", "remarks": "not asked for"}
    return made
