"""Region codes keep their history: since when, until when, and which code followed."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from schemas import region_edition
from schemas.codes import REGION_HEADER, REGION_LISTS, Region, codes, regions
from schemas.errors import MalformedContract
from schemas.region_succession import succeeded
from schemas.succession import FAR, ended, is_left_open, meaning, since, successions

# A district of each renamed province, and the county that changed province.
RENAMED = [
    ("4211010100", "5111010100", "20230611"),  # 강원도 춘천시 봉의동
    ("4514010100", "5214010100", "20240118"),  # 전라북도 익산시 창인동1가
    ("4772025000", "2772025000", "20230701"),  # 경상북도 군위군 군위읍, since then of 대구
]


def test_the_lists_hold_every_code_of_their_editions_live_or_abolished() -> None:
    live = {name: sum(r.is_live for r in regions(name)) for name in REGION_LISTS}
    assert live == {"stdg": 20_567, "hdong": 3_923}
    assert {name: len(codes(name)) for name in REGION_LISTS} == {"stdg": 50_126, "hdong": 9_101}


@pytest.mark.parametrize(("old", "new", "day"), RENAMED)
def test_a_renamed_code_means_itself_until_the_day_and_its_successor_from_then_on(old: str, new: str, day: str) -> None:
    before = str(int(day) - 1)
    assert meaning("stdg", old, before) == old
    assert meaning("stdg", old, day) == meaning("stdg", old, "20260601") == new
    assert since("stdg")[new] == ended("stdg")[old] == day
    assert not is_left_open("stdg", old, before)
    assert not is_left_open("stdg", old, day)


def test_a_code_that_was_followed_twice_means_what_was_in_force_on_the_day() -> None:
    """인천직할시 남구 학익동, since 1995 인천광역시 남구, since 2018 미추홀구."""
    first, second, third = "2317010300", "2817010300", "2817710300"
    assert [meaning("stdg", first, d) for d in ("19941231", "19950101", "20180630", "20180701")] == [
        first, second, second, third,
    ]  # fmt: skip


def test_where_no_one_code_follows_for_certain_nothing_is_guessed() -> None:
    """경기도 화성시 태안읍 became several 동 in 2006."""
    assert meaning("stdg", "4159025000", "20260601") == "4159025000"
    assert is_left_open("stdg", "4159025000", "20060102")
    assert not is_left_open("stdg", "4159025000", "20060101")


def test_a_code_abolished_on_a_day_that_nobody_states_is_always_left_open() -> None:
    [code] = {c for c, day in ended("stdg").items() if not day} & {"4784035000"}
    assert is_left_open("stdg", code, "19900101")


@pytest.mark.parametrize("name", REGION_LISTS)
def test_every_succession_is_gapless_and_ends_in_a_code_in_force(name: str) -> None:
    known = {r.code: r for r in regions(name)}
    for code, several in successions(name).items():
        assert several[0].from_day == known[code].abolished_on
        for one, following in pairwise(several):
            assert one.until_day == following.from_day
        last = known[several[-1].successor]
        assert last.is_live == (several[-1].until_day == FAR) or not last.abolished_on
        assert all(since(name).get(s.successor, "") == s.from_day for s in several)


def region(code: str, name: str, created: str, abolished: str = "", source: str = "KIK 2020-01-01") -> Region:
    return Region(code, name, created, abolished, not abolished, "", source)


def followed(*given: Region) -> dict[str, str]:
    return {code: r.successor for code, r in succeeded({r.code: r for r in given}).items() if r.successor}


def test_the_same_name_made_on_the_day_is_the_successor_and_made_on_another_day_is_not() -> None:
    province = region("1100000000", "가도", "")
    old = region("1111010100", "가도 나시 다동", "", "20100101")
    assert followed(province, old, region("1112010100", "가도 나시 다동", "20100101")) == {old.code: "1112010100"}
    assert followed(province, old, region("1112010100", "가도 나시 다동", "20100102")) == {}
    assert followed(province, old, region("1112010100", "가도 나시 라동", "20100101")) == {}


def test_two_codes_of_the_name_are_a_split_and_no_successor() -> None:
    old = region("1111010100", "가도 나시 다동", "", "20100101")
    halves = [
        region(c, f"가도 나시 {gu} 다동", "20100101") for c, gu in (("1112010100", "동구"), ("1113010100", "서구"))
    ]
    assert followed(old, *halves) == {}
    assert followed(old, halves[0]) == {old.code: "1112010100"}


def test_villages_follow_their_town_and_a_town_that_became_greater() -> None:
    town, village = (
        region("1111031000", "가도 나군 다면", "", "20100101"),
        region("1111031021", "가도 나군 다면 라리", "", "20100101"),
    )
    new = [region("1111025000", "가도 나군 다읍", "20100101"), region("1111025021", "가도 나군 다읍 라리", "20100101")]
    assert followed(town, village, *new) == {town.code: new[0].code, village.code: new[1].code}


@pytest.mark.parametrize(
    ("row", "flaw"),
    [
        ("1,가,,,live,2,s", "needs a day and a code of the list"),
        ("1,가,,20200101,abolished,9,s", "needs a day and a code of the list"),
        ("1,가,,20200101,live,,s", "has no day of abolition"),
        ("1,가,,,dead,,s", "state or source is missing"),
        ("1,가,,", "has not 7 values"),
    ],
)
def test_a_region_list_that_contradicts_itself_is_refused(tmp_path: Path, row: str, flaw: str) -> None:
    (tmp_path / "stdg.csv").write_text(",".join(REGION_HEADER) + f"\n{row}\n", encoding="utf-8")
    with pytest.raises(MalformedContract, match=flaw):
        regions("stdg", tmp_path)


def workbook(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """A workbook as the ministry's are: one sheet, every text shared."""
    texts = sorted({v for r in rows for v in r.values()})
    cells = [
        "".join(f'<c r="{c}{n}" t="s"><v>{texts.index(v)}</v></c>' for c, v in row.items())
        for n, row in enumerate(rows)
    ]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/sharedStrings.xml", "".join(f"<si><t>{escape(t)}</t></si>" for t in texts))
        archive.writestr("xl/worksheets/sheet1.xml", "".join(f"<row >{c}</row>" for c in cells))


def test_next_years_edition_keeps_what_was_known_and_abolishes_what_it_lacks(tmp_path: Path) -> None:
    heading = {"A": "법정동코드"}
    rows = [
        {"A": "1100000000", "B": "가도", "F": "19880423"},
        {"A": "1112010100", "B": "가도", "C": "나시", "D": "다동", "F": "20270101"},
    ]
    workbook(tmp_path / "KIKcd_B.20270301.xlsx", [heading, *rows])
    (tmp_path / "법정동코드 전체자료.txt").write_text("코드\t이름\t폐지여부\n", encoding="cp949")
    known = {"1111010100": region("1111010100", "가도 나시 다동", "19950101", source="KIK 2026-03-01")}
    found = region_edition.legal(tmp_path, known)
    region_edition.write("stdg", found, tmp_path)
    old, new = (next(r for r in regions("stdg", tmp_path) if r.code == c) for c in ("1111010100", "1112010100"))
    assert (old.is_live, old.abolished_on, old.successor, old.source) == (False, "20270101", new.code, "KIK 2026-03-01")
    assert (new.is_live, new.created_on, new.source) == (True, "20270101", "KIK 2027-03-01")


def test_days_of_abolition_come_from_the_table_of_the_first_edition(tmp_path: Path) -> None:
    table = {
        "시도명": {"0": "가도", "1": "가도"},
        "법정동코드": {"0": "1100000000", "1": "1111000000"},
        "생성일자": {"0": "19880423", "1": "19950101"},
        "말소일자": {"0": float("nan"), "1": "20100101"},
    }
    (tmp_path / "t.json").write_text(json.dumps(table), encoding="utf-8")
    found = region_edition.first_known(tmp_path, "t.json", "법정동코드", ("시도명",))
    assert [(r.created_on, r.abolished_on, r.is_live) for r in found.values()] == [
        ("", "", True),
        ("19950101", "20100101", False),
    ]
