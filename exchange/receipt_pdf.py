"""A receipt as a page that a citizen can keep: Korean first, English second.

In: a receipt's claims and its token. Out: the bytes of a PDF, the same for the same receipt. No name and no number of
a person stands in it.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from typing import Any

from fpdf import FPDF

from exchange.words import CAPACITIES, EVENTS, MODES, both
from hanbeon.clock import parse_instant, seoul_text

FONT = "Noto Sans KR"
MARGIN, LABEL = 18, 44


def render(claims: Mapping[str, Any], token: str) -> bytes:
    status = claims["dpv:hasConsentStatus"]
    page = FPDF(format="A4")
    page.set_creation_date(_instant(status["dpv:isIndicatedAtTime"]))
    page.set_title("동의 영수증 Consent receipt")
    page.set_margin(MARGIN)
    page.add_font(FONT, fname=str(files("pylopdf_fonts_ko").joinpath("NotoSansKR-Regular.otf")))
    page.add_page()
    page.set_font(FONT, size=20)
    page.cell(text="동의 영수증", new_x="LMARGIN", new_y="NEXT")
    page.set_font(FONT, size=11)
    page.cell(text="Consent receipt", new_x="LMARGIN", new_y="NEXT")
    page.ln(4)
    for korean, english, value in _facts(claims):
        _line(page, f"{korean} {english}", value)
    page.ln(2)
    for document in claims["dpv:hasPersonalData"]:
        holder = document["dpv:hasDataSource"]["ko"]
        _line(page, f"서류 {document['dct:identifier']}", f"{document['ko']} ({holder}): {_columns(document)}")
    page.ln(2)
    right = claims["dpv:hasRight"]
    _line(page, "철회 Withdrawal", f"{right['ko']}\n{right['en']}")
    _line(page, "로그 Log", _place(claims["log"]))
    _line(
        page,
        "확인 Verify",
        "영수증 파일(JWS)과 공개키로 누구나 확인할 수 있습니다.\nCheck the JWS with the public keys.",
    )
    _line(page, "서명 Signature", f"SHA-256 {hashlib.sha256(token.encode()).hexdigest()}")
    return bytes(page.output())


def _facts(claims: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    status, valid = claims["dpv:hasConsentStatus"], claims["dct:valid"]
    recipient, chosen = claims["dpv:hasRecipient"], claims["dpv:hasService"]
    notice = claims["dpv:hasNotice"]
    return [
        ("동의번호", "Authorisation", claims["dct:identifier"]),
        ("일어난 일", "Event", both(EVENTS, status["event"]) or status["event"]),
        ("일시", "Time", seoul_text(_instant(status["dpv:isIndicatedAtTime"]))),
        ("이용기관", "Recipient", f"{recipient['ko']} {recipient['en']}"),
        ("서비스", "Service", f"{chosen['ko']} {chosen['en']}"),
        ("이용목적", "Purpose", claims["dpv:hasPurpose"]),
        ("근거", "Legal basis", claims["dpv:hasLegalBasis"]),
        ("방식", "Mode", both(MODES, claims["hanbeon:mode"]) or ""),
        ("자격", "Capacity", both(CAPACITIES, claims["hanbeon:capacity"]) or ""),
        ("기간", "Period", f"{seoul_text(_instant(valid['from']))} ~ {seoul_text(_instant(valid['until']))}"),
        ("보유", "Kept until", seoul_text(_instant(claims["dpv:hasStorageCondition"]["until"]))),
        ("고지문", "Notice", f"{notice['dct:hasVersion']}: {notice['hanbeon:sha256']}"),
    ]


def _columns(document: Mapping[str, Any]) -> str:
    """Names of the columns; those of repeating lines, such as household members, apart."""
    own = [name for path, name in document["columns"].items() if "." not in path]
    lines = [name for path, name in document["columns"].items() if "." in path]
    return ", ".join(own) + (f"; 줄마다 each line: {', '.join(lines)}" if lines else "")


def _place(log: Mapping[str, Any]) -> str:
    root = log["checkpoint"].split("\n")[2]
    return f"{log['origin']}, {log['index']} / {log['size']}, {root}"


def _line(page: FPDF, label: str, value: str) -> None:
    page.set_font(FONT, size=9)
    top = page.get_y()
    page.multi_cell(LABEL, 5.5, label, new_x="RIGHT", new_y="TOP")
    page.multi_cell(0, 5.5, value, new_x="LMARGIN", new_y="NEXT", align="L")
    page.set_y(max(page.get_y(), top + 5.5))


def _instant(text: str) -> datetime:
    return parse_instant(text)
