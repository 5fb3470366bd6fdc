"""보건복지부's disability register as REST/JSON: batched keys with field lists, pages of records."""

import json
from datetime import datetime
from typing import Any

from sources.simulate import faults
from sources.simulate.pages import MARK, Asked, BadRequest, Page, Switches, answer, has_unknown_code, is_poisoned
from sources.simulate.shelf import Register

PATH = "/v1/disability/query"
REGISTER = "disability_certificate"
FIELDS = {
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
}
_FLAWS = {
    "nul": b"\\u0000",
    "surrogate": b"\\ud800",
    "undecodable": b"\xff\xfe",
    "huge": b"x" * faults.HUGE,
    "duplicate_keys": b'", "name": "',
}


def respond(register: Register, body: bytes, switches: Switches) -> bytes:
    """The answer to a question. Raises BadRequest."""
    if switches.get("error_body_200"):
        return b'{"error": {"code": "E9999", "message": "temporary failure"}}'
    asked, number, size = _question(body)
    page = answer(register, asked, number, size, switches)
    text = json.dumps(_content(page, switches))
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


def _content(page: Page, switches: Switches) -> dict[str, Any]:
    records = []
    for record, asked in page.records:
        made: dict[str, Any] = {
            "rrn": record["identifier"],
            "registrationId": record["record_id"],
            "updatedAt": record["changed_at"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "deleted": record["is_deleted"],
        }
        if not record["is_deleted"]:
            made |= {f: record[official] for f, official in FIELDS.items() if f in asked.items}
            if has_unknown_code(record, switches) and "mainType" in made:
                made["mainType"] = "99"
            if is_poisoned(record, switches):
                made["name"] = str(made.get("name") or "") + MARK
            if switches.get("extra_columns"):
                made |= {"bloodType": "A", "remarks": "not asked for"}
        records.append(made)
    return {"page": page.number, "totalPages": page.pages, "total": page.total, "records": records}
