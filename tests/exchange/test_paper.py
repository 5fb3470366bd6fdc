"""What stands on a paper against what the data say: the same fact in another dress agrees, another fact does not."""

from decimal import Decimal
from typing import Any

import pytest

from consent.shadow import Verdict, whole
from exchange.paper import field, lines
from schemas.contract import gold

INCOME = {c.name: c for c in gold("income_certificate__lines").columns}
FAMILY = {c.name: c for c in gold("family_relation_certificate__relatives").columns}
NAME, AMOUNT = FAMILY["FAM_NM"], INCOME["TXBS_AMT"]
RELATION, BIRTHDAY = FAMILY["FAM_REL_CD"], FAMILY["FAM_BRDT"]
FRACTION = next(c for c in gold("land_ledger").columns if c.logical_type == "number")
DEATH = FAMILY["DTH_YN"]  # a flag with a code list
FLAG = next(c for c in gold("service_bundles").columns if c.name == "BNDL_CMPTN_YN")
AGREES, DIFFERS, PAPER, DATA, NEITHER = Verdict


@pytest.mark.parametrize(
    ("column", "paper", "data", "verdict"),
    [
        (NAME, "김하나", "김하나", AGREES),
        (NAME, " 김하나\u3000", "김하나", AGREES),
        (NAME, "김\u00a0 하나", "김 하나", AGREES),
        (NAME, "\u1100\u1175\u11b7하나", "김하나", AGREES),  # letter by letter
        (NAME, "김하니", "김하나", DIFFERS),
        (NAME, "김하나", None, PAPER),
        (NAME, "", "김하나", DATA),
        (NAME, "해당없음", "김하나", DATA),
        (NAME, None, "김하나", DATA),
        (NAME, "-", None, AGREES),
        (AMOUNT, "12,345,000원", 12345000, AGREES),
        (AMOUNT, " 12345000 ", 12345000, AGREES),
        (AMOUNT, 12345000, 12345000, AGREES),
        (AMOUNT, "12345001", 12345000, DIFFERS),
        (AMOUNT, "0", None, PAPER),
        (AMOUNT, "1234S", 1234, NEITHER),
        (AMOUNT, "1" * 19, 1, NEITHER),
        (FRACTION, "84.50", Decimal("84.500000000"), AGREES),
        (FRACTION, "84.51", Decimal("84.500000000"), DIFFERS),
        (BIRTHDAY, "1990-02-11", "19900211", AGREES),
        (BIRTHDAY, "1990. 2. 11.", "19900211", AGREES),
        (BIRTHDAY, "1990년 2월 11일", "19900211", AGREES),
        (BIRTHDAY, "19900211", "19900212", DIFFERS),
        (BIRTHDAY, "1990-02-30", "19900211", NEITHER),
        (BIRTHDAY, "90-02-11", "19900211", NEITHER),
        (BIRTHDAY, "x1990-02-11", "19900211", NEITHER),
        (RELATION, "자녀", "006", AGREES),
        (RELATION, "006", "006", AGREES),
        (RELATION, "본인", "006", DIFFERS),
        (RELATION, "이웃", "006", NEITHER),
        (DEATH, "예", "Y", AGREES),
        (DEATH, "N", "N", AGREES),
        (DEATH, "아니오", "Y", DIFFERS),
        (FLAG, "예", "Y", AGREES),
        (FLAG, "아니오", "Y", DIFFERS),
        (FLAG, "모름", "Y", NEITHER),
    ],
)
def test_a_field_is_compared_after_both_sides_were_standardised(
    column: Any, paper: object, data: object, verdict: Verdict
) -> None:
    assert field(column, paper, data) is verdict


@pytest.mark.parametrize(
    ("paper", "data", "verdict"),
    [
        (["김하나", "이두리"], ["이두리", "김하나"], AGREES),
        (["김하나"], ["김하나", "김하나"], DIFFERS),
        (["김하나", ""], ["김하나"], AGREES),
        ([], ["김하나"], DATA),
        (["김하나"], [None], PAPER),
        ([], [], AGREES),
    ],
)
def test_lines_agree_if_the_same_values_stand_there_as_often_in_any_order(
    paper: list[object], data: list[object], verdict: Verdict
) -> None:
    assert lines(NAME, paper, data) is verdict


def test_one_unreadable_line_makes_its_column_not_comparable() -> None:
    assert lines(BIRTHDAY, ["19900211", "1990"], ["19900211"]) is NEITHER


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        ([AGREES, AGREES], AGREES),
        ([AGREES, NEITHER], AGREES),
        ([AGREES, DIFFERS], DIFFERS),
        ([AGREES, PAPER], DIFFERS),
        ([AGREES, DATA, NEITHER], DIFFERS),
        ([NEITHER, NEITHER], NEITHER),
    ],
)
def test_a_paper_agrees_if_every_field_that_could_be_compared_does(verdicts: list[Verdict], verdict: Verdict) -> None:
    assert whole({str(n): v for n, v in enumerate(verdicts)}) is verdict
