"""What stands on a paper against what the data say, field by field, in memory.

In: a document's published contract, its values as data, and the fields as somebody read them off the paper. Out: a
`Verdict` for each field. Both sides are standardised alike: Unicode composed, blanks trimmed and runs of them made one,
words for nothing are nothing, a day without its punctuation, an amount without its separators, a code or its Korean
name. Nothing here keeps or says a value.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

import yaml

from consent.shadow import Verdict
from pipeline.standardise import FOLDER
from schemas.codes import entries
from schemas.column import Column

# Of the copy and not of the fact: another copy has another number, day and office by nature.
OF_THE_COPY = frozenset({"ISSU_NO", "ISSU_YMD", "ISSU_INST_CD", "VLD_PRD_EXPRY_YMD"})
YES_NO = {"예": "Y", "여": "Y", "아니오": "N", "아니요": "N", "부": "N"}
DAYS = {"연월일": ("%Y%m%d", 8), "연월": ("%Y%m", 6), "연도": ("%Y", 4)}


class Unreadable(Exception):
    """What stands there is no value of the column. Holds no value (P8)."""


def field(column: Column, on_paper: Any, as_data: Any) -> Verdict:
    """One value of the document itself."""
    try:
        paper = standard(column, on_paper)
    except Unreadable:
        return Verdict.NOT_COMPARABLE
    return _verdict(paper, standard_data(column, as_data))


def lines(column: Column, on_paper: Sequence[Any], as_data: Sequence[Any]) -> Verdict:
    """One column of a repeating group: the same values as often, in whatever order the lines stand."""
    try:
        paper = Counter(v for given in on_paper if (v := standard(column, given)) is not None)
    except Unreadable:
        return Verdict.NOT_COMPARABLE
    data = Counter(v for given in as_data if (v := standard_data(column, given)) is not None)
    return _verdict(paper or None, data or None)


def _verdict(paper: Any, data: Any) -> Verdict:
    if paper == data:
        return Verdict.AGREES
    if data is None:
        return Verdict.ONLY_ON_PAPER
    return Verdict.ONLY_IN_DATA if paper is None else Verdict.DIFFERS


def standard(column: Column, given: Any) -> Any:
    """A field of a paper as the column would hold it; None for nothing. Raises Unreadable."""
    text = cleaned(given)
    if text is None:
        return None
    domain = column.domain or ""
    if column.logical_type in ("integer", "number"):
        return _number(text, column.logical_type == "integer")
    flag = YES_NO.get(text, text) if domain.startswith("여부") else text
    if column.code_list:
        names = _names(column.code_list)
        return names.get(flag) or _known(text, set(names.values()))
    if domain.startswith("여부"):
        return _known(flag, {"Y", "N"})
    form = next((DAYS[d] for d in DAYS if domain.startswith(d) and (column.max_length or 0) <= DAYS[d][1]), None)
    return text if form is None else _day(text, *form)


def standard_data(column: Column, value: Any) -> Any:
    """A value of a published table in the same form: a code as the Korean name that stands on papers."""
    text = cleaned(value)
    if text is None or column.logical_type in ("integer", "number"):
        return None if value is None else Decimal(str(value))
    return _names(column.code_list).get(text, text) if column.code_list else text


def cleaned(given: Any) -> str | None:
    """Composed, trimmed, runs of blanks made one; None for nothing and for words that say so."""
    if given is None:
        return None
    text = " ".join(unicodedata.normalize("NFC", str(given)).split())
    return None if text in ("", *_null_words()) else text


def _number(text: str, is_whole: bool) -> Decimal:
    plain = re.sub(r"[\s,]", "", text).removesuffix("원")
    if not re.fullmatch(r"-?\d{1,18}" if is_whole else r"-?\d{1,18}(\.\d{1,12})?", plain):
        raise Unreadable
    try:
        return Decimal(plain)
    except InvalidOperation:
        raise Unreadable from None


def _day(text: str, form: str, size: int) -> str:
    """`2026-06-01`, `2026. 6. 1.`, `2026년 6월 1일` and `20260601` are one day."""
    parts = re.findall(r"\d+", text)
    digits = parts[0] + "".join(p.zfill(2) for p in parts[1:]) if parts else ""
    if re.search(r"[^\d\s.\-/년월일]", text) or len(digits) != size:
        raise Unreadable
    try:
        datetime.strptime(digits, form)
    except ValueError:
        raise Unreadable from None
    return digits


def _known(text: str, values: set[str]) -> str:
    if text not in values:
        raise Unreadable
    return text


@cache
def _names(code_list: str) -> Mapping[str, str]:
    """code -> Korean name, by which codes are compared: papers show names, and two codes of one name look alike."""
    return {e.code: cleaned(e.name_ko) or e.code for e in entries(code_list)}


@cache
def _null_words() -> tuple[str, ...]:
    """The words that holders write where they have no value: the very variable by which dbt standardises."""
    project = yaml.safe_load((FOLDER / "dbt_project.yml").read_text(encoding="utf-8"))
    return tuple(project["vars"]["null_words"])
