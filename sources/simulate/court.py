"""대법원's registers as document-shaped XML: family register in UTF-8, corporate register declared EUC-KR but CP949.

Those two are written here, so that connector and contract are held against something that neither made; the other
registers have the elements that their contracts name.

Each certificate is rendered on request, with the items asked for and no others; the subject's number is always in it.
Which lines a family certificate shows is the variant's business, and is decided here, at the holder.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from schemas.contract import Contract, sources
from schemas.decimals import plain
from sources.simulate import faults, store
from sources.simulate.pages import MARK, Asked, BadRequest, Page, Switches, answer, has_unknown_code, is_poisoned
from sources.simulate.shelf import Register, Row

YES, NO = "예", "아니오"
YES_IN_REGISTER = "Y"


@dataclass(frozen=True)
class Lines:
    """A repeating group: its element's place, and where each official column stands inside a line."""

    group: str
    parent: str
    element: str
    places: Mapping[str, str]


@dataclass(frozen=True)
class Document:
    register: str
    element: str
    number: str  # attribute of the record's id
    identifier: str  # place of the subject's number
    named: str  # place that a poison hits
    places: Mapping[str, str]
    lines: Sequence[Lines]
    encoding: str
    declared: str


_ISSUE = {"발급/번호": "ISSU_NO", "발급/일자": "ISSU_YMD", "발급/기관": "ISSU_INST_CD"}
FAMILY = Document(
    register="family_relation_certificate",
    element="가족관계증명서",
    number="등록부번호",
    identifier="본인/주민등록번호",
    named="본인/성명",
    places=_ISSUE
    | {
        "등록기준지": "REGSTD_PLC",
        "본인/주민등록번호": "identifier",
        "본인/성명": "SELF_FLNM",
        "본인/본관": "CLANSEAT",
        "본인/성별": "GNDR_CD",
    },
    lines=(
        Lines(
            "relatives",
            "가족사항",
            "가족",
            {
                "관계/@코드": "FAM_REL_CD",
                "성명": "FAM_NM",
                "생년월일": "FAM_BRDT",
                "주민등록번호": "person_identifier",
                "성별": "FAM_GNDR_CD",
                "사망여부": "DTH_YN",
            },
        ),
    ),
    encoding="utf-8",
    declared="UTF-8",
)
CORPORATE = Document(
    register="corporate_registration",
    element="법인등기사항증명서",
    number="등기기록번호",
    identifier="법인등록번호",
    named="상호",
    places=_ISSUE
    | {
        "법인등록번호": "CRNO",
        "등기번호": "RG_NO",
        "상호": "CONM",
        "본점": "MNBR_ADDR",
        "공고방법": "PBANC_MTHD_CN",
        "주식/일주금액": "SHR_PAR_AMT",
        "주식/발행주식총수": "PBLCN_STCK_CNT",
        "주식/자본금": "CPTL",
        "설립일자": "FNDN_YMD",
        "상태/@코드": "CORP_STTS_CD",
    },
    lines=(
        Lines("purposes", "목적사항", "목적", {".": "BIZ_PRPS_CN"}),
        Lines(
            "officers",
            "임원사항",
            "임원",
            {"성명": "EXC_NM", "주민등록번호": "person_identifier", "직위": "EXC_JBPS_NM", "취임일자": "INGR_YMD"},
        ),
    ),
    encoding="cp949",
    declared="EUC-KR",
)
BY_HAND = {"/registers/family": FAMILY, "/registers/corporate": CORPORATE}


def _of_contract(contract: Contract) -> Document:
    """A register as its contract says that it is delivered; in UTF-8."""
    d = contract.delivery
    identifier = str(d["identifier"])
    lines = []
    for g in contract.groups:
        parent, _, element = str(g.delivery["record"]).partition("/")
        places = {str(c.delivery["xpath"]): c.publishes or "person_identifier" for c in g.columns}
        lines.append(Lines(g.name, parent, element, places))
    return Document(
        register=contract.table.document,
        element=str(d["record"]),
        number=str(d["recordId"]).removeprefix("@"),
        identifier=identifier,
        named=str(contract.content[-1].delivery["xpath"]),
        places={str(c.delivery["xpath"]): c.publishes or "" for c in contract.content} | {identifier: "identifier"},
        lines=tuple(lines),
        encoding="utf-8",
        declared="UTF-8",
    )


DOCUMENTS: Mapping[str, Document] = {
    **BY_HAND,
    **{
        str(c.delivery["path"]): _of_contract(c)
        for c in sources()
        if c.delivery["form"] == "court_xml"
        and c.table.document in store.REGISTERS
        and c.table.document not in {d.register for d in BY_HAND.values()}
    },
}
_BOMB = '<!DOCTYPE 조회결과 [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'


def respond(document: Document, register: Register, body: bytes, switches: Switches) -> bytes:
    """The answer to a question. Raises BadRequest."""
    if switches.get("error_body_200"):
        return f'<?xml version="1.0" encoding="{document.declared}"?><오류 코드="E9999"/>'.encode(document.encoding)
    asked, number, size = _question(body)
    page = answer(register, asked, number, size, switches)
    records = "".join(certificate(document, record, a, switches) for record, a in page.records)
    return _page(document, page, records, switches)


def records(answer: bytes) -> int:
    """How many certificates an answer holds, in the encoding of either register."""
    return sum(answer.count(f"<{d.element} ".encode(d.encoding)) for d in DOCUMENTS.values())


def _question(body: bytes) -> tuple[list[Asked], int, int]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(body, parser)
        asked = [
            Asked(
                str(a.attrib["번호"]),
                frozenset(str(a.attrib["항목"]).split("|")),
                str(a.attrib["종류"]),
                datetime.fromisoformat(str(a.attrib["이후"])) if a.get("이후") else None,
            )
            for a in root.iterfind("대상")
        ]
        return asked, int(root.attrib["쪽"]), int(root.attrib["쪽크기"])
    except (etree.XMLSyntaxError, KeyError, ValueError):
        raise BadRequest from None


def _page(document: Document, page: Page, records: str, switches: Switches) -> bytes:
    poison = str(switches.get("poison")) if MARK in records else ""
    declared = "UTF-16" if poison == "encoding" else document.declared
    head = f'<?xml version="1.0" encoding="{declared}"?>{_BOMB if poison == "entity" else ""}'
    root = f'<조회결과 쪽="{page.number}" 전체쪽="{page.pages}" 건수="{page.total}">{records}</조회결과>'
    body = (head + root).encode(document.encoding)
    name = document.named.rpartition("/")[2]
    flaws = {
        "nul": b"\x00",
        "surrogate": b"&#xD800;",
        "undecodable": b"\xff\xfe",
        "huge": b"x" * faults.HUGE if poison == "huge" else b"",
        "duplicate_keys": f"</{name}><{name}>".encode(document.encoding),
        "entity": b"&c;",
    }
    return body.replace(MARK.encode(), flaws.get(poison, b""))


def certificate(document: Document, record: Row, asked: Asked, switches: Switches) -> str:
    """One certificate. A closed register shows its subject's number and nothing else."""
    is_closed = record["is_deleted"]
    number, at = quoteattr(record["record_id"]), record["changed_at"].strftime("%Y-%m-%dT%H:%M:%SZ")
    wanted = {document.identifier} if is_closed else asked.items | {document.identifier}
    mark = MARK if is_poisoned(record, switches) and not is_closed else ""
    code = "9" if has_unknown_code(record, switches) else None
    said = {
        place: code if code and place == "상태/@코드" else record[column]
        for place, column in document.places.items()
        if place in wanted or (mark and place == document.named)
    }
    if mark:
        said[document.named] = str(said[document.named] or "") + mark
    content = nested(said) + ("<비고>not asked for</비고>" if switches.get("extra_columns") else "")
    if not is_closed:
        content += "".join(_lines(lines, record, asked, "999" if code else None) for lines in document.lines)
    return (
        f'<{document.element} {document.number}={number} 변경일시="{at}" 폐쇄="{YES if is_closed else NO}">'
        f"{content}</{document.element}>"
    )


def nested(said: Mapping[str, object]) -> str:
    """Elements of places such as `발급/번호`, `상호`, `상태/@코드`; what is absent is left out."""
    top: dict[str, str] = {}
    attributes: dict[str, str] = {}
    for place, value in said.items():
        if value is None:
            continue
        first, _, rest = place.partition("/")
        top.setdefault(first, "")
        if rest.startswith("@"):
            attributes[first] = f" {rest[1:]}={quoteattr(_written(value))}"
        elif rest:
            top[first] += f"<{rest}>{escape(_written(value))}</{rest}>"
        else:
            top[first] += escape(_written(value))
    return "".join(f"<{n}{attributes.get(n, '')}>{inside}</{n}>" for n, inside in top.items())


def _written(value: object) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)


def _lines(lines: Lines, record: Row, asked: Asked, code: str | None) -> str:
    """A group's lines with the items asked for; no item, no line."""
    prefix = f"{lines.parent}/{lines.element}"
    wanted = {p: c for p, c in lines.places.items() if (prefix if p == "." else f"{prefix}/{p}") in asked.items}
    if not wanted:
        return ""
    made = []
    for number, line in _shown(record[lines.group], asked.variant):
        said = {p: code if code and p == "관계/@코드" else line[c] for p, c in wanted.items()}
        inside = escape(str(said["."])) if "." in said else nested(said)
        made.append(f'<{lines.element} 순번="{number}">{inside}</{lines.element}>')
    return f"<{lines.parent}>{''.join(made)}</{lines.parent}>"


def _shown(lines: Sequence[Row], variant: str) -> list[tuple[int, Row]]:
    """Which lines a variant shows, and how it numbers them."""
    if variant == "specific":
        return [(line["line_no"], line) for line in lines if line["line_no"] == 1]
    if variant == "general" and lines and "general_no" in lines[0]:
        return [(line["general_no"], line) for line in lines if line["general_no"] is not None]
    if variant == "current":
        lines = [line for line in lines if line.get("ERSR_YN") != YES_IN_REGISTER]
    return [(line["line_no"], line) for line in lines]
