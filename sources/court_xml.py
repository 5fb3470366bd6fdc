"""Court holders: document-shaped XML over HTTP, asked by batched keys with a list of items.

    POST {path}
    <조회요청 쪽="1" 쪽크기="500">
      <대상 번호="…" 종류="variant" 항목="발급/번호|가족사항/가족/성명" 이후="iso, or absent"/>…</조회요청>

    <조회결과 쪽="1" 전체쪽="1" 건수="n">
      <가족관계증명서 등록부번호="…" 변경일시="…" 폐쇄="아니오">…</가족관계증명서>…</조회결과>

An item is the place of a column in the document (`court_document`). A line's number comes with any of its items; the
identifier of its person is asked for as an item, and only together with another.
"""

import re
from collections.abc import Mapping, Sequence

from lxml import etree

from hanbeon.errors import SourceError
from hanbeon.settings import SourceSettings
from schemas.column import Column, Group
from schemas.contract import Contract
from schemas.request import RequestSet
from sources.bounds import deadline
from sources.conform import Poison, Row, batches, content, drift
from sources.court_document import (
    NO,
    YES,
    asked_columns,
    items,
    known_places,
    not_covered,
    parse,
    places,
    typed,
    value_at,
)
from sources.coverage import Asked, Covered, subject_only
from sources.delivery import BATCH_ROWS, Batches, Tally, ask_since
from sources.endpoints import HttpEndpoint
from sources.http import Client
from sources.paging import Form, Page, Reading

TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path
SUBJECTS_PER_PAGE = 500
_MANY = 20


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
    page_size = min(SUBJECTS_PER_PAGE, settings.page_size)
    with Client(contract.holder, endpoint, token_path, settings, deadline(contract.holder, settings)) as client:
        client.statements = tally.statements
        reading = Reading(contract, _form(contract, client, page_size), tally, page_size)
        rows = reading.rows(request, sets, ask_since(request, settings))
        yield from batches(contract, rows, BATCH_ROWS)


def _form(contract: Contract, client: Client, page_size: int) -> Form[etree._Element]:
    d = contract.delivery

    def is_deleted(record: etree._Element) -> bool:
        answer = value_at(record, d["deleted"])
        if answer not in (YES, NO):
            raise Poison("control_value_missing")
        return answer == YES

    return Form(
        fetch=lambda part, number: _fetch(contract, client, part, number, page_size),
        identifier=lambda record: value_at(record, d["identifier"]),
        record_id=lambda record: value_at(record, d["recordId"]),
        changed_at=lambda record: value_at(record, d["changedAt"]),
        is_deleted=is_deleted,
        content=lambda record, asked: _content(contract, record, asked),
        not_covered=lambda record, asked: not_covered(contract, record, asked),
    )


def _fetch(
    contract: Contract, client: Client, part: Sequence[Asked], number: int, page_size: int
) -> Page[etree._Element]:
    query = etree.Element("조회요청", {"쪽": str(number), "쪽크기": str(page_size)})
    for a in part:
        said = {"번호": a.identifier, "종류": a.variant, "항목": "|".join(items(contract, a.covered))}
        etree.SubElement(query, "대상", said | ({"이후": a.since.isoformat()} if a.since is not None else {}))
    what = f"page {number} of {contract.dataset}"
    body = etree.tostring(query, encoding="utf-8", xml_declaration=True)
    answer = client.post(contract.delivery["path"], body, "application/xml", what)
    if answer.media_type not in ("application/xml", "text/xml", ""):
        raise SourceError(f"{contract.holder} answered the request for {what} with something that is not XML.")
    page = parse(answer.body)
    numbers = [page.get(key, "") for key in ("쪽", "전체쪽", "건수")]
    if page.tag != "조회결과" or not all(n.isascii() and n.isdigit() and len(n) < 10 for n in numbers):
        raise SourceError(f"{contract.holder} answered the request for {what} without page numbers and totals.")
    if any(record.tag != contract.delivery["record"] for record in page):
        raise drift(contract, "record", f"a {contract.delivery['record']} element", "another element")
    _all_places(contract, part, list(page))
    return Page(int(numbers[0]), int(numbers[1]), int(numbers[2]), list(page))


def _all_places(contract: Contract, part: Sequence[Asked], records: Sequence[etree._Element]) -> None:
    """Raises SchemaDrift when what all asked for is in none of many records, yet each has an unknown place."""
    if len(records) < _MANY:
        return
    found, known = [places(r) for r in records], known_places(contract)
    if all(f - known for f in found):
        asked = set.intersection(*(set(items(contract, covered)) for covered in {a.covered for a in part}))
        for place in sorted(asked):
            if not any(place in f for f in found):
                raise drift(contract, place, "a value in some records", "none, but an unknown place in each")


def _content(contract: Contract, record: etree._Element, asked: Asked) -> Row:
    is_strange = bool(places(record) - known_places(contract))
    own: dict[str, object] = {}
    for c in contract.content:
        if c.name in asked.covered.own:
            own[c.name] = typed(value_at(record, str(c.delivery["xpath"])), c)
            _not_renamed(contract, c, own[c.name], is_strange)
    groups = {
        g.name: _lines(contract, g, record, asked, is_strange)
        for g in contract.groups
        if g.name in asked.covered.groups
    }
    return content(contract, asked, own, groups)


def _not_renamed(contract: Contract, column: Column, value: object, is_strange: bool) -> None:
    """A required value is missing in a record that has a place unknown to the contract: that is no poor record."""
    if value is None and column.is_required and is_strange:
        raise drift(contract, column.name, f"a value at {column.delivery['xpath']}", "none, but an unknown place")


def _lines(
    contract: Contract, group: Group, record: etree._Element, asked: Asked, is_strange: bool
) -> Sequence[Mapping[str, object]]:
    made = []
    for line in record.findall(str(group.delivery["record"])):
        if subject_only(group, asked.variant) and value_at(line, str(group.delivery["subjectLine"])) != YES:
            continue
        number = value_at(line, str(group.delivery["lineNo"])) or ""
        values: dict[str, object] = {"_line_no": int(number) if re.fullmatch(r"[0-9]{1,9}", number) else None}
        for c in asked_columns(group, asked.covered):
            values[c.name] = typed(value_at(line, str(c.delivery["xpath"])), c)
            if c.name in asked.covered.groups[group.name]:
                _not_renamed(contract, c, values[c.name], is_strange)
        made.append(values)
    return made
