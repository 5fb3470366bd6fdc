"""A court's XML document: bytes to an element, and values out of their places.

No DTD reaches the parser, no entity is resolved, no network touched. A declared EUC-KR is decoded as CP949, which
contains it and is what holders send. Bytes that fit no encoding, characters that XML forbids, texts without end and
entities of a DTD become marks in the text, so that they poison their own record and no other (F23); a page whose DTD
no record uses is refused whole.

A *place* is where a contract's `xpath` points inside a record: `발급/번호`, `상태/@코드`; for a column of a line it
follows the group's `record` (`가족사항/가족/성명`), and `.` is the record element itself.
"""

import re
from collections.abc import Sequence

from lxml import etree

from schemas.column import Column, Group
from schemas.contract import Contract
from sources.conform import ENTITY_MARK, LENGTH_MARK, LONGEST_TEXT, Poison
from sources.coverage import Asked, Covered
from sources.paging import Unreadable

_ENCODINGS = {
    **dict.fromkeys(("utf-8", "utf8", "us-ascii"), "utf-8"),
    **dict.fromkeys(("euc-kr", "euc_kr", "cp949", "ms949", "windows-949", "uhc", "ks_c_5601-1987"), "cp949"),
}
_DECLARATION = re.compile(rb"\A\s*<\?xml\b[^>]*?\bencoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"'][^>]*?\?>")
_FORBIDDEN = dict.fromkeys([*(c for c in range(32) if c not in (9, 10, 13)), 0xFFFE, 0xFFFF], "\ufffd")
_REFERENCE = re.compile(r"&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,8}));")
_DOCUMENT_TYPE = re.compile(r"\A\s*<!DOCTYPE[^\[\]>]*(?:\[[^\]]*\]\s*)?>")
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);|#)[^;&<\s]{1,200};")
_RUN = re.compile(r"[^<>]+")
YES, NO = "예", "아니오"


def parse(body: bytes) -> etree._Element:
    """The root of a page. Raises Unreadable."""
    declared = _DECLARATION.match(body)
    encoding = _ENCODINGS.get(declared.group(1).decode("ascii").lower() if declared else "utf-8")
    if encoding is None:
        raise Unreadable("unknown_encoding")
    text = body[declared.end() if declared else 0 :].decode(encoding, "replace").removeprefix("\ufeff")
    text, types = _DOCUMENT_TYPE.subn("", text)
    text, entities = _ENTITY.subn(ENTITY_MARK, text)
    if "<!DOCTYPE" in text or "<!ENTITY" in text or (types and not entities):
        raise Unreadable("document_type_refused")
    if len(text) > LONGEST_TEXT:
        text = _RUN.sub(lambda run: run[0] if len(run[0]) <= LONGEST_TEXT else LENGTH_MARK, text)
    text = _REFERENCE.sub(_reference, text.translate(_FORBIDDEN))
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(text.encode("utf-8"), parser)
    except etree.XMLSyntaxError:
        raise Unreadable("malformed_xml") from None


def _reference(match: re.Match[str]) -> str:
    """A character reference to what XML forbids becomes the mark of undecodable text."""
    code = int(match[1], 16) if match[1] else int(match[2])
    is_allowed = code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000
    return match[0] if is_allowed else "\ufffd"


def value_at(element: etree._Element, place: str) -> str | None:
    """Text of an element or attribute. None when absent or empty. Raises Poison for doubled or nested content."""
    path, is_attribute, attribute = place.rpartition("@")
    path = path.rstrip("/") if is_attribute else place
    found = element.findall(path) if path not in ("", ".") else [element]
    if not found:
        return None
    if len(found) > 1:
        raise Poison("duplicate_key")
    if is_attribute:
        return str(found[0].get(attribute) or "") or None
    if len(found[0]):
        raise Poison("nested_content")
    return found[0].text or None


def items(contract: Contract, covered: Covered) -> list[str]:
    """The places that a column set opens, in contract order."""
    own = [str(c.delivery["xpath"]) for c in contract.content if c.name in covered.own]
    for g in contract.groups:
        own += [item(g, c) for c in asked_columns(g, covered)]
    return own


def asked_columns(group: Group, covered: Covered) -> list[Column]:
    names = covered.groups.get(group.name)
    return [c for c in group.columns if c.is_identifier or c.name in names] if names else []


def item(group: Group, column: Column) -> str:
    place = str(column.delivery["xpath"])
    return str(group.delivery["record"]) if place == "." else f"{group.delivery['record']}/{place}"


def typed(text: str | None, column: Column) -> object:
    """XML has no types: an integer is its digits, a boolean is 예 or 아니오."""
    if text is None or column.logical_type in ("string", "number"):
        return text
    if column.logical_type == "boolean" and text in (YES, NO):
        return text == YES
    if column.logical_type == "integer" and re.fullmatch(r"-?[0-9]{1,19}", text):
        return int(text)
    return text


def places(record: etree._Element) -> set[str]:
    """Every place of the record that holds a value, as contracts spell places; lines count once."""
    found = {f"@{name!s}" for name in record.attrib}
    stack = [(child, str(child.tag)) for child in record]
    while stack:
        element, path = stack.pop()
        found |= {f"{path}/@{name!s}" for name in element.attrib}
        if len(element):
            stack += [(child, f"{path}/{child.tag}") for child in element]
        elif element.text and element.text.strip():
            found.add(path)
    return found


def control_places(contract: Contract, groups: Sequence[Group]) -> set[str]:
    made = {str(contract.delivery[key]) for key in ("identifier", "recordId", "changedAt", "deleted")}
    for g in groups:
        keys = [g.delivery["lineNo"], *([g.delivery["subjectLine"]] if "subjectLine" in g.delivery else [])]
        made |= {f"{g.delivery['record']}/{key}" for key in keys}
    return made


def known_places(contract: Contract) -> set[str]:
    own = {str(c.delivery["xpath"]) for c in contract.content}
    lines = {item(g, c) for g in contract.groups for c in g.columns}
    return _with_labels(own | lines) | control_places(contract, contract.groups)


def _with_labels(opened: set[str]) -> set[str]:
    """The text of an element whose code attribute is opened is that code's label."""
    return opened | {place.rpartition("/@")[0] for place in opened if "/@" in place}


def not_covered(contract: Contract, record: etree._Element, asked: Asked) -> int:
    groups = [g for g in contract.groups if g.name in asked.covered.groups]
    wanted = _with_labels(set(items(contract, asked.covered))) | control_places(contract, groups)
    return len(places(record) - wanted)
