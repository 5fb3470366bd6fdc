"""REST/JSON holders: batched keys with field lists, so that nothing else leaves the holder.

    POST {path}  {"subjects": [{"id": …, "fields": […], "changedSince": iso|null}], "page": 1, "pageSize": 1000}
              -> {"page": 1, "totalPages": 1, "total": n, "records": [{identifier, record id, changed-at, deleted, …}]}

The contract's `delivery` names path, token path and the control fields; a repeating group names the `field` that holds
its lines and their `lineNoField`, and its columns are asked for as `field.column`. JSON is read strictly, yet a
value that is no value (NaN, 1e400, a doubled key, undecodable bytes) poisons its own record only (F23).
"""

import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from hanbeon.errors import SourceError
from hanbeon.settings import SourceSettings
from schemas.column import Group
from schemas.contract import Contract
from schemas.request import RequestSet
from sources.bounds import deadline
from sources.conform import Poison, Poisoned, Row, batches, content, drift, type_name
from sources.coverage import Asked, Covered, subject_only
from sources.delivery import BATCH_ROWS, Batches, Tally, ask_since
from sources.endpoints import HttpEndpoint
from sources.http import Client
from sources.paging import Form, Page, Reading, Unreadable

Record = Mapping[str, Any]
TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path
_MOST_DIGITS = 20


def read(
    contract: Contract,
    request: RequestSet,
    sets: tuple[Covered, ...],
    endpoint: HttpEndpoint,
    settings: SourceSettings,
    tally: Tally,
) -> Batches:
    """Batches of one delivery. Raises SourceError, SchemaDrift, DependencyDown."""
    token_path = str(contract.delivery.get("tokenPath", TOKEN_PATH))
    with Client(contract.holder, endpoint, token_path, settings, deadline(contract.holder, settings)) as client:
        client.statements = tally.statements
        form = _form(contract, client, settings.page_size)
        reading = Reading(contract, form, tally, settings.page_size)
        rows = reading.rows(request, sets, ask_since(request, settings))
        yield from batches(contract, rows, BATCH_ROWS)


def parse(body: bytes) -> Any:
    """Strict JSON; what is no value becomes Poisoned in place. Raises Unreadable."""
    try:
        return json.loads(
            body.decode("utf-8", "surrogateescape"),
            strict=False,
            object_pairs_hook=_object,
            parse_constant=lambda _: Poisoned("not_a_number"),
            parse_float=_fraction,
            parse_int=lambda digits: int(digits) if len(digits) <= _MOST_DIGITS else Poisoned("number_out_of_range"),
        )
    except (ValueError, RecursionError):
        raise Unreadable("malformed_json") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        made[key] = Poisoned("duplicate_key") if key in made else value
    return made


def _fraction(digits: str) -> Decimal | Poisoned:
    """As it is written: a binary fraction would lose digits."""
    return Decimal(digits) if math.isfinite(float(digits)) else Poisoned("number_out_of_range")


def _form(contract: Contract, client: Client, page_size: int) -> Form[Record]:
    d = contract.delivery

    def control(record: Record, key: str) -> object:
        if key not in record:
            raise drift(contract, key, "a field of every record", "no such field")
        return record[key]

    def is_deleted(record: Record) -> bool:
        value = control(record, d["deletedField"])
        if value is None or isinstance(value, Poisoned):
            raise Poison("control_value_missing")
        if not isinstance(value, bool):
            raise drift(contract, d["deletedField"], "boolean", type_name(value))
        return value

    return Form(
        fetch=lambda part, number: _fetch(contract, client, part, number, page_size),
        identifier=lambda record: control(record, d["identifierField"]),
        record_id=lambda record: control(record, d["recordIdField"]),
        changed_at=lambda record: control(record, d["changedAtField"]),
        is_deleted=is_deleted,
        content=lambda record, asked: _content(contract, record, asked),
        not_covered=lambda record, asked: _not_covered(contract, record, asked),
    )


def _fetch(contract: Contract, client: Client, part: Sequence[Asked], number: int, page_size: int) -> Page[Record]:
    subjects = [
        {
            "id": a.identifier,
            "fields": _fields(contract, a),
            "changedSince": a.since.isoformat() if a.since is not None else None,
        }
        for a in part
    ]
    body = json.dumps({"subjects": subjects, "page": number, "pageSize": page_size}).encode()
    what = f"page {number} of {contract.dataset}"
    answer = client.post(contract.delivery["path"], body, "application/json", what)
    if answer.media_type not in ("application/json", ""):
        raise SourceError(f"{contract.holder} answered the request for {what} with something that is not JSON.")
    page = parse(answer.body)
    records = page.get(contract.delivery["recordsAt"]) if isinstance(page, dict) else None
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        raise SourceError(f"{contract.holder} answered the request for {what} with no list of records.")
    at, pages, total = (page.get(key) for key in ("page", "totalPages", "total"))
    if type(at) is not int or type(pages) is not int or type(total) is not int:
        raise SourceError(f"{contract.holder} answered the request for {what} without page numbers and totals.")
    return Page(at, pages, total, records)


def _fields(contract: Contract, asked: Asked) -> list[str]:
    own = [c.name for c in contract.content if c.name in asked.covered.own]
    for g in contract.groups:
        names = asked.covered.groups.get(g.name)
        if names:
            own += [f"{_at(g)}.{c.name}" for c in g.columns if c.is_identifier or c.name in names]
    return own


def _at(group: Group) -> str:
    return str(group.delivery.get("field", group.name))


def _content(contract: Contract, record: Record, asked: Asked) -> Row:
    for name in asked.covered.own:
        if name not in record:
            raise drift(contract, name, "a field of every record", "no such field")
    groups = {g.name: _lines(contract, g, record, asked) for g in contract.groups if g.name in asked.covered.groups}
    return content(contract, asked, record, groups)


def _lines(contract: Contract, group: Group, record: Record, asked: Asked) -> list[Record]:
    given = record.get(_at(group))
    if isinstance(given, Poisoned):
        raise Poison(given.reason)
    if not isinstance(given, list) or not all(isinstance(line, dict) for line in given):
        raise drift(contract, group.name, "a list of lines", type_name(given))
    number = _number(group)
    for line in given:
        for name in asked.covered.groups[group.name] | {number}:
            if name not in line:
                raise drift(contract, f"{group.name}.{name}", "a field of every line", "no such field")
    if subject_only(group, asked.variant):
        given = [line for line in given if line.get(group.delivery.get("subjectLineField")) is True]
    return [dict(line) | {"_line_no": line[number]} for line in given]


def _not_covered(contract: Contract, record: Record, asked: Asked) -> int:
    d = contract.delivery
    control = {d[k] for k in ("identifierField", "recordIdField", "changedAtField", "deletedField")}
    wanted, extra = control | asked.covered.own, 0
    for g in contract.groups:
        if g.name in asked.covered.groups:
            wanted = wanted | {_at(g)}
            known = _line_fields(g) | asked.covered.groups[g.name]
            given = record.get(_at(g))
            for line in given if isinstance(given, list) else ():
                extra += sum(key not in known for key in line) if isinstance(line, dict) else 0
    return extra + sum(key not in wanted for key in record)


def _line_fields(group: Group) -> set[str]:
    """What comes with every covered line: its number, its person, and whether it is the subject's own."""
    fields = {_number(group), str(group.delivery.get("subjectLineField", ""))}
    return fields | ({group.person.name} if group.person else set())


def _number(group: Group) -> str:
    return str(group.delivery.get("lineNoField", "lineNo"))
