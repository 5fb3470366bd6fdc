"""Numbers with fractions: exact, with their full scale, never rounded."""

from dataclasses import replace
from decimal import Decimal

import pyarrow as pa
import pytest

from hanbeon.errors import SchemaDrift
from schemas.check import _column
from schemas.column import Column
from schemas.contract import Contract, load_all, source
from schemas.decimals import digits, exact, from_text, plain
from schemas.errors import MalformedContract
from schemas.render import duckdb_type
from schemas.rules import violations
from sources.conform import Poison, conform

AREA = Column(
    name="AREA",
    korean="면적",
    logical_type="number",
    is_required=True,
    classification="public",
    domain="면적N19,9",
    minimum=0,
    maximum=9_999_999_999,
    description="Area in square metres.",
    defined_by="General knowledge of the printed forms (unverified)",
    good_example=Decimal("330.500000000"),
    bad_example=Decimal(-1),
    physical_type="numeric(19,9)",
)


@pytest.mark.parametrize(
    ("physical_type", "found"),
    [
        ("numeric(19,9)", (19, 9)),
        ("numeric(5,2)", (5, 2)),
        ("numeric(38,38)", (38, 38)),
        ("numeric(39,9)", None),
        ("numeric(5,6)", None),
        ("numeric(19)", None),
        ("double", None),
    ],
)
def test_a_physical_type_says_how_many_digits(physical_type: str, found: tuple[int, int] | None) -> None:
    assert digits(physical_type) == found


@pytest.mark.parametrize("text", ["1", "-1.5", "+0.000000001", "9999999999.999999999"])
def test_a_plain_text_is_a_number(text: str) -> None:
    assert from_text(text) == Decimal(text)


@pytest.mark.parametrize("text", ["", "1,000", "1e3", ".5", "5.", "NaN", "１", " 1", "1\n", "9" * 101])
def test_any_other_text_is_none(text: str) -> None:
    assert from_text(text) is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("330.5", "330.500000000"),
        ("330.5000000000", "330.500000000"),  # more noughts, not more digits
        ("0", "0.000000000"),
        ("-0", "0.000000000"),
        ("0E+20", "0.000000000"),
        ("9999999999.999999999", "9999999999.999999999"),
        ("10000000000", None),
        ("1e10", None),
        ("0.0000000001", None),
        ("330.5000000001", None),
        ("1e-999999", None),
        ("1e999999", None),
        ("NaN", None),
        ("Infinity", None),
    ],
)
def test_a_value_has_its_full_scale_or_is_refused_and_never_rounded(given: str, kept: str | None) -> None:
    found = exact(Decimal(given), 19, 9)
    assert (None if found is None else plain(found)) == kept


def test_arrow_and_duckdb_keep_the_digits_of_the_contract() -> None:
    assert AREA.arrow_field == pa.field("AREA", pa.decimal128(19, 9))
    assert duckdb_type(AREA.arrow_field.type) == "decimal(19,9)"


def test_a_number_that_does_not_say_its_digits_is_found() -> None:
    vague = replace(AREA, physical_type="double")
    assert list(_column(vague)) == ["is a number and must be stored as numeric(digits,fraction digits)."]
    with pytest.raises(MalformedContract, match="numeric"):
        _ = vague.arrow_field


@pytest.mark.parametrize(
    ("value", "broken"),
    [
        (Decimal("0.000000001"), ()),
        (Decimal("-0.000000001"), ("is 0 to 9999999999",)),
        (Decimal("0.0000000001"), ("has at most 10 digits before the point and 9 after it",)),
        (1, ("is a number",)),
        (1.5, ("is a number",)),
        ("1", ("is a number",)),
    ],
)
def test_the_rules_of_a_number(value: object, broken: tuple[str, ...]) -> None:
    assert violations(AREA, value) == broken


@pytest.mark.parametrize("value", ["330.5", Decimal("330.5"), Decimal("330.5000000000"), "+330.50"])
def test_a_delivered_number_is_exact_whatever_its_form(value: object) -> None:
    found = conform(source("RRT"), AREA, value)
    assert isinstance(found, Decimal)
    assert plain(found) == "330.500000000"


def test_a_whole_number_is_a_number_too() -> None:
    assert conform(source("RRT"), AREA, 330) == Decimal(330)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("330.5000000001", "too_many_digits"),
        ("10000000000", "too_many_digits"),
        (10**10, "too_many_digits"),
        (Decimal("1e-10"), "too_many_digits"),
        (Decimal("NaN"), "number_out_of_range"),
        (Decimal("Infinity"), "number_out_of_range"),
    ],
)
def test_f23_a_number_with_more_digits_than_its_domain_withholds_its_record(value: object, reason: str) -> None:
    with pytest.raises(Poison) as poison:
        conform(source("RRT"), AREA, value)
    assert poison.value.reason == reason


@pytest.mark.parametrize("value", ["about 330", "1e3", True, 330.5, [], {}])
def test_f22_what_is_no_number_is_drift(value: object) -> None:
    with pytest.raises(SchemaDrift, match="AREA is expected as number"):
        conform(source("RRT"), AREA, value)


@pytest.mark.parametrize("contract", load_all(), ids=lambda c: c.id)
def test_examples_of_numbers_are_the_decimals_that_their_texts_say(contract: Contract) -> None:
    for column in (*contract.content, *(c for g in contract.groups for c in g.content)):
        if column.logical_type == "number":
            assert isinstance(column.good_example, Decimal), column.name
            assert column.good_example == exact(column.good_example, *column.digits), column.name
