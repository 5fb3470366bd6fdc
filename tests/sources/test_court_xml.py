"""The court connector over a real HTTP server and real XML: F20 to F24, P2."""

from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

import pyarrow as pa
import pytest

from hanbeon.errors import SchemaDrift, SourceError
from schemas.contract import source
from schemas.request import RequestSet
from sources.endpoints import Endpoints
from tests.sources.asking import DUL, HANA, KEYS, STRANGER, ask, everything, pull
from tests.sources.servers import Heard, Said, Server

FAMR, CORR = source("FAMR"), source("CORR")
XML = {"Content-Type": "application/xml"}
CORPORATION = "9920111000001"


def family(
    identifier: str,
    name: str = "김하나",
    at: str = "2026-05-01T09:00:00+09:00",
    record_id: str = "F1",
    closed: str = "아니오",
    relatives: str = "",
    more: str = "",
    issue: str = "<번호>F-1</번호><일자>20260601</일자><기관>COURT00</기관>",
) -> str:
    return (
        f'<가족관계증명서 등록부번호="{record_id}" 변경일시="{at}" 폐쇄="{closed}"><발급>{issue}</발급>'
        f"<등록기준지>서울특별시</등록기준지><본인><성명>{name}</성명><주민등록번호>{identifier}</주민등록번호>"
        f"<성별>F</성별></본인><가족사항>{relatives}</가족사항>{more}</가족관계증명서>"
    )


def relative(number: int, name: str, rrn: str = DUL, code: str = "002") -> str:
    return (
        f'<가족 순번="{number}"><관계 코드="{code}">자녀</관계><성명>{name}</성명><주민등록번호>{rrn}</주민등록번호>'
        "<생년월일>20150101</생년월일><성별>M</성별><사망여부>N</사망여부></가족>"
    )


def page(*records: str, number: int = 1, pages: int = 1, total: int | None = None, before: str = "") -> str:
    total = len(records) if total is None else total
    return f'{before}<조회결과 쪽="{number}" 전체쪽="{pages}" 건수="{total}">{"".join(records)}</조회결과>'


def utf8(text: str) -> Said:
    return Said(b'<?xml version="1.0" encoding="UTF-8"?>' + text.encode(), headers=XML)


def euc_kr(text: str) -> Said:
    return Said(b'<?xml version="1.0" encoding="EUC-KR"?>' + text.encode("cp949"), headers=XML)


def honest(**records: str) -> Callable[[Heard], Said]:
    return lambda heard: utf8(page(*(r for i, r in records.items() if i[1:] in heard.body.decode())))


@pytest.fixture
def court(server: Server, tmp_path: Path) -> Endpoints:
    return Endpoints(court_xml={"scourt": server.endpoint(tmp_path)})


def test_p2_the_request_names_subjects_variant_and_places_and_the_answer_becomes_a_document(
    server: Server, court: Endpoints
) -> None:
    server.answer = lambda _: utf8(
        page(family(HANA, relatives=relative(2, "김셋", STRANGER, "003") + relative(1, "김둘")))
    )
    paths = ["SELF_FLNM", "CLANSEAT", "relatives.FAM_REL_CD", "relatives.FAM_NM"]
    (row,), report = pull(FAMR, ask(FAMR, (HANA, paths), variant="general", watermark="2026-01-01T00:00:00Z"), court)
    asked = server.asked[0].xml
    assert (asked.tag, dict(asked.attrib)) == ("조회요청", {"쪽": "1", "쪽크기": "500"})
    assert dict(asked[0].attrib) == {
        "번호": HANA,
        "종류": "general",
        "항목": "본인/성명|본인/본관|가족사항/가족/주민등록번호|가족사항/가족/관계/@코드|가족사항/가족/성명",
        "이후": "2025-12-31T23:59:00+00:00",
    }
    assert (row["_subject_key"], row["_variant"], row["_record_id"]) == (KEYS[HANA], "general", "F1")
    assert (row["self_nm"], row["clanseat"], row["gndr_cd"], row["issu_no"]) == ("김하나", None, None, None)
    assert [{k: v for k, v in line.items() if v is not None} for line in row["relatives"]] == [
        {"_line_no": 1, "fam_rrn": DUL, "rel_cd": "002", "fam_nm": "김둘"},
        {"_line_no": 2, "fam_rrn": STRANGER, "rel_cd": "003", "fam_nm": "김셋"},
    ]
    # issue number, day, institution, base place, sex; of lines: birth, sex, death (places count once)
    assert report.dropped == {"column_not_requested": 8}
    assert report.watermark == "2026-05-01T00:00:00+00:00"


def test_a_group_without_a_covered_column_is_null_and_its_persons_are_not_asked_for(
    server: Server, court: Endpoints
) -> None:
    server.answer = lambda _: utf8(page(family(HANA, relatives=relative(1, "김둘"))))
    (row,), _ = pull(FAMR, ask(FAMR, (HANA, ["SELF_FLNM"])), court)
    assert row["relatives"] is None
    assert server.asked[0].xml[0].get("항목") == "본인/성명"


def test_a_register_that_declares_euc_kr_is_read_as_cp949(server: Server, court: Endpoints) -> None:
    record = (
        '<법인등기사항증명서 등기기록번호="C1" 변경일시="2026-05-01T00:00:00Z" 폐쇄="아니오">'
        f"<법인등록번호>{CORPORATION}</법인등록번호><상호>주식회사 뷁똠</상호>"
        '<상태 코드="1">존속</상태><목적사항><목적 순번="1">펲시 판매업 &amp; 도매</목적></목적사항>'
        "</법인등기사항증명서>"
    )
    server.answer = lambda _: euc_kr(page(record))
    paths = ["CONM", "CORP_STTS_CD", "purposes.BIZ_PRPS_CN"]
    (row,), report = pull(CORR, ask(CORR, (CORPORATION, paths)), court)
    assert (row["conm"], row["stts_cd"], row["crno_shown"]) == ("주식회사 뷁똠", "1", None)
    assert row["purposes"] == [{"_line_no": 1, "purpose": "펲시 판매업 & 도매"}]
    assert server.asked[0].xml[0].get("항목") == "상호|상태/@코드|목적사항/목적"
    assert report.dropped == {}


def test_a_closed_register_comes_as_deleted_without_content(server: Server, court: Endpoints) -> None:
    server.answer = lambda _: utf8(page(family(HANA, closed="예")))
    (row,), _ = pull(FAMR, everything(FAMR, HANA), court)
    assert (row["_is_deleted"], row["self_nm"], row["relatives"]) == (True, None, None)


def test_f24_the_newest_version_wins(server: Server, court: Endpoints) -> None:
    old, new = family(HANA, "옛이름"), family(HANA, "새이름", at="2026-05-02T00:00:00+09:00")
    server.answer = lambda _: utf8(page(new, old))
    (row,), _ = pull(FAMR, everything(FAMR, HANA), court)
    assert row["self_nm"] == "새이름"


def test_f21_strangers_and_unknown_elements_are_dropped_and_counted(server: Server, court: Endpoints) -> None:
    server.answer = lambda _: utf8(page(family(STRANGER), family(HANA, more="<종교>불교</종교>")))
    rows, report = pull(FAMR, everything(FAMR, HANA), court)
    assert [r["_subject_key"] for r in rows] == [KEYS[HANA]]
    assert report.dropped == {"not_requested": 1, "column_not_requested": 1}


@pytest.mark.parametrize(
    "text",
    [
        "<오류>점검중</오류>",
        '<조회결과 쪽="1" 건수="0"/>',
        '<조회결과 쪽="1" 전체쪽="one" 건수="0"/>',
    ],
)
def test_f20_an_error_that_says_200_is_an_error(server: Server, court: Endpoints, text: str) -> None:
    server.answer = lambda _: utf8(text)
    with pytest.raises(SourceError, match="scourt answered the request for page 1 of scourt/family_register"):
        pull(FAMR, everything(FAMR, HANA), court)


def test_f20_looping_pages_yield_nothing(server: Server, court: Endpoints) -> None:
    server.answer = lambda h: utf8(page(family(HANA), number=int(h.xml.get("쪽")), pages=2, total=2))
    with pytest.raises(SourceError, match="page 2 repeats"):
        pull(FAMR, everything(FAMR, HANA), court)


def test_f22_a_renamed_required_element_is_drift(server: Server, court: Endpoints) -> None:
    server.answer = lambda _: utf8(page(family(HANA).replace("성별>", "남녀>")))
    with pytest.raises(SchemaDrift, match="column gndr_cd is expected as a value at 본인/성별"):
        pull(FAMR, everything(FAMR, HANA), court)


def test_f22_an_optional_element_missing_in_many_records_that_have_an_unknown_one_is_drift(
    server: Server, court: Endpoints
) -> None:
    people = [f"{n:013d}" for n in range(20)]
    records = [family(p, record_id=f"F{p}", relatives=relative(1, "김둘"), more="<본>김해</본>") for p in people]
    server.answer = lambda _: utf8(page(*records))
    with pytest.raises(SchemaDrift, match="column 본인/본관"):
        pull(FAMR, everything(FAMR, *people), court)


def test_f22_another_record_element_is_drift(server: Server, court: Endpoints) -> None:
    server.answer = lambda _: utf8(page("<기본증명서/>"))
    with pytest.raises(SchemaDrift, match="a 가족관계증명서 element"):
        pull(FAMR, everything(FAMR, HANA), court)


def test_a_required_element_missing_in_a_known_document_is_left_to_the_quality_gate(
    server: Server, court: Endpoints
) -> None:
    server.answer = lambda _: utf8(page(family(HANA).replace("<성별>F</성별>", "<성별/>")))
    (row,), _ = pull(FAMR, everything(FAMR, HANA), court)
    assert row["gndr_cd"] is None


BILLION = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
EXTERNAL = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    ("name", "before", "reason"),
    [
        ("김하나", '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">', "document_type_refused"),
        ("김하나", '<!DOCTYPE x [<!ENTITY a "]>">]>', "document_type_refused"),
        ("<성", "", "malformed_xml"),
    ],
)
def test_f23_what_breaks_a_page_is_isolated_to_its_record(
    server: Server, court: Endpoints, name: str, before: str, reason: str
) -> None:
    def answer(heard: Heard) -> Said:
        has = [i in heard.body.decode() for i in (HANA, DUL)]
        records = [family(HANA, name)] * has[0] + [family(DUL, "김둘")] * has[1]
        return utf8(page(*records, before=before if has[0] else ""))

    server.answer = answer
    rows, report = pull(FAMR, everything(FAMR, HANA, DUL), court)
    assert [(r["_subject_key"], r["self_nm"]) for r in rows] == [(KEYS[DUL], "김둘")]
    assert (report.withheld, report.is_complete) == ({reason: 1}, True)


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        (family(HANA, "A\x00B"), "undecodable"),
        (family(HANA, "A&#0;B"), "undecodable"),
        (family(HANA, "A&#xD800;B"), "undecodable"),
        (family(HANA, "A&#x1;B"), "undecodable"),
        (family(HANA, "a" * 1_000_001), "too_long"),
        (family(HANA, "가" * 11_000_000), "too_long"),
        (family(HANA, at="어제"), "time_unreadable"),
        (family(HANA, record_id=""), "control_value_missing"),
        (family(HANA, closed="모름"), "control_value_missing"),
        (family(HANA, more="<본인><성명>또</성명></본인>"), "duplicate_key"),
        (family(HANA, "<성>김</성><이름>하나</이름>"), "nested_content"),
        (family(HANA, relatives=relative(1, "x").replace('"1"', '"one"')), "line_number_unreadable"),
    ],
)
def test_f23_a_poison_record_is_withheld_in_one_request(
    server: Server, court: Endpoints, flaw: str, reason: str
) -> None:
    server.answer = lambda _: utf8(page(flaw, family(DUL, "김둘")))
    rows, report = pull(FAMR, everything(FAMR, HANA, DUL), court)
    assert [r["_subject_key"] for r in rows] == [KEYS[DUL]]
    assert (report.withheld, len(server.asked)) == ({reason: 1}, 1)


@pytest.mark.parametrize(("before", "name"), [(BILLION, "&b;"), (EXTERNAL, "A&a;B"), ("", "&nbsp;")])
def test_f23_an_entity_is_not_resolved_and_poisons_its_own_record(
    server: Server, court: Endpoints, before: str, name: str
) -> None:
    server.answer = lambda _: utf8(page(family(HANA, name), family(DUL, "김둘 &lt;&amp;&#48;"), before=before))
    rows, report = pull(FAMR, everything(FAMR, HANA, DUL), court)
    assert [(r["_subject_key"], r["self_nm"]) for r in rows] == [(KEYS[DUL], "김둘 <&0")]
    assert (report.withheld, len(server.asked)) == ({"entity_refused": 1}, 1)


def test_f23_bytes_of_another_encoding_than_declared_poison_their_own_record(server: Server, court: Endpoints) -> None:
    body = page(family(HANA, "@@"), family(DUL, "김둘")).encode().replace(b"@@", "김하나".encode("cp949"))
    server.answer = lambda _: Said(body, headers=XML)
    rows, report = pull(FAMR, everything(FAMR, HANA, DUL), court)
    assert [r["_subject_key"] for r in rows] == [KEYS[DUL]]
    assert report.withheld == {"undecodable": 1}


def test_f26_names_that_look_like_markup_are_text(server: Server, court: Endpoints) -> None:
    name = "<b>'; drop table x; -- {{ 7*7 }} &amp;"
    server.answer = lambda _: utf8(page(family(HANA, escape(name))))
    (row,), _ = pull(FAMR, everything(FAMR, HANA), court)
    assert row["self_nm"] == name


def test_two_variants_of_one_subject_are_asked_in_two_requests(server: Server, court: Endpoints) -> None:
    server.answer = lambda h: utf8(page(family(HANA, record_id=h.xml[0].get("종류"))))
    one, two = (ask(FAMR, (HANA, ["SELF_FLNM"]), variant=v) for v in ("specific", "detailed"))
    both = RequestSet(FAMR.dataset, pa.concat_tables([one.table, two.table]), one.column_sets, None)
    rows, _ = pull(FAMR, both, court)
    assert [(r["_variant"], r["_record_id"]) for r in rows] == [("detailed", "detailed"), ("specific", "specific")]
