"""Contracts in, expectation suites out: plain data that `quality` turns into Great Expectations objects.

A suite speaks of one frame: a document's own columns, or the lines of one of its groups. Columns carry their official
names in both kinds of contract, so that a sentence reads the same for bronze and for gold.

Try it: `python -c "from schemas import contract, expectations as e;
print(*(x.text for s in e.suites(contract.source('RRT')) for x in s.expectations), sep=chr(10))"`
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.codes import codes
from schemas.column import Column
from schemas.contract import PIPELINE_FIELDS, Contract, sources
from schemas.errors import MalformedContract
from schemas.rules import Rule, day_shape, rules
from schemas.shapes import HIDDEN_RESIDENT_NUMBER

# The number of a row in its batch; a line carries that of the document that it belongs to.
ROW = "_row"
FILLED = ("_subject_key", "_evidence_id", "_authorisation_id", "_variant", "_source_record_id", "_observed_at")
GRAIN = ("_subject_key", "_variant", "_source_record_id")


@dataclass(frozen=True)
class Expectation:
    """One expectation, in the words of Great Expectations. With `covers`, it binds only where consent covers it."""

    type: str
    kwargs: Mapping[str, Any]
    sentence: str
    column: str
    group: str | None = None
    covers: str | None = None

    @property
    def path(self) -> str:
        return f"{self.group}.{self.column}" if self.group else self.column

    @property
    def text(self) -> str:
        """What a failing row is told: a place and a rule, never a value (P8)."""
        return f"{self.path}: {self.sentence}"


@dataclass(frozen=True)
class Suite:
    """The expectations of one frame; `group` is None for a document's own columns."""

    name: str
    group: str | None
    expectations: tuple[Expectation, ...]


def suites(contract: Contract) -> tuple[Suite, ...]:
    """The suites of a contract, the document's own first. Raises MalformedContract for a missing code list."""
    own = Suite(contract.id, contract.group, (*_keys(contract), *_columns(contract.columns, contract.group)))
    return (own, *(_lines(contract, g.name, g.content) for g in contract.groups))


def _lines(contract: Contract, group: str, columns: tuple[Column, ...]) -> Suite:
    keys = (
        _filled("_line_no", group),
        _unique((ROW, "_line_no"), "_line_no", "is distinct within its document", group),
    )
    return Suite(f"{contract.id}:{group}", group, (*keys, *_columns(columns, group)))


def _keys(contract: Contract) -> tuple[Expectation, ...]:
    if contract.pipeline_fields != PIPELINE_FIELDS:
        return ()  # a table about applications or counts: its grain is its own model's business
    group = contract.group
    filled = tuple(_filled(name, group) for name in FILLED)
    if group:
        line = ("_evidence_id", "_line_no")
        return (
            *filled,
            _filled("_line_no", group),
            _unique(line, "_line_no", "is distinct within its document", group),
        )
    once = Expectation("expect_column_values_to_be_unique", {"column": "_evidence_id"}, "stands once", "_evidence_id")
    return (*filled, *_states(contract), once, *_variant(contract))


def _states(contract: Contract) -> tuple[Expectation, ...]:
    """A delivery tells one state of each record; a published table holds several, one after the other."""
    if contract.kind == "source":
        return (_unique(GRAIN, "_source_record_id", "stands once for each subject and variant", None),)
    sentence = "is distinct for each state of a record"
    return tuple(_unique((*GRAIN, end), end, sentence, None) for end in ("_observed_at", "_valid_to"))


def _variant(contract: Contract) -> tuple[Expectation, ...]:
    known = next((s.variants for s in sources() if s.document_type == contract.document_type), ())
    if not known:
        return ()
    kwargs = {"column": "_variant", "value_set": list(known)}
    sentence = f"is one of {', '.join(known)}"
    return (Expectation("expect_column_values_to_be_in_set", kwargs, sentence, "_variant"),)


def _columns(columns: tuple[Column, ...], group: str | None) -> tuple[Expectation, ...]:
    return tuple(
        made
        for column in columns
        if not column.is_identifier
        for rule in rules(column)
        if (made := _expectation(column, rule, group)) is not None
    )


def _expectation(column: Column, rule: Rule, group: str | None) -> Expectation | None:
    name = column.publishes or column.name
    path = f"{group}.{name}" if group else name
    kind: str
    more: dict[str, Any] = {}
    match rule.kind:
        case "type" | "digits":
            return None  # Arrow types are compared before any row is looked at, and hold no more digits than they say
        case "required":
            kind = "expect_column_values_to_not_be_null"
        case "length":
            kind = "expect_column_value_lengths_to_be_between"
            more = {"min_value": column.min_length, "max_value": column.max_length}
        case "pattern":
            # `$` alone would let a line break pass at the end.
            kind, more = "expect_column_values_to_match_regex", {"regex": rf"\A(?:{column.pattern})\Z"}
        case "day":
            kind, more = "expect_column_values_to_match_regex", {"regex": day_shape(column)}
        case "no_resident_number":
            kind, more = "expect_column_values_to_not_match_regex", {"regex": HIDDEN_RESIDENT_NUMBER}
        case "range":
            kind = "expect_column_values_to_be_between"
            more = _bound("min", column.minimum, -1) | _bound("max", column.maximum, 1)
        case "code":
            assert column.code_list is not None
            kind, more = "expect_column_values_to_be_in_set", {"value_set": sorted(codes(column.code_list))}
    covers = path if rule.kind == "required" else None
    return Expectation(kind, {"column": name} | more, rule.sentence, name, group, covers)


def _bound(side: str, bound: int | None, outwards: int) -> dict[str, Any]:
    """Great Expectations keeps bounds as floats: one that no float can hold becomes "less than the next number"."""
    if bound is None or int(float(bound)) == bound:
        return {f"{side}_value": bound}
    beyond = bound + outwards
    if int(float(beyond)) != beyond:
        raise MalformedContract(
            f"The bound {bound} cannot be kept exactly. Use one with fewer digits, or a power of ten."
        )
    return {f"{side}_value": beyond, f"strict_{side}": True}


def _filled(name: str, group: str | None) -> Expectation:
    return Expectation("expect_column_values_to_not_be_null", {"column": name}, "is filled", name, group)


def _unique(names: tuple[str, ...], column: str, sentence: str, group: str | None) -> Expectation:
    kwargs = {"column_list": list(names), "ignore_row_if": "never"}
    return Expectation("expect_compound_columns_to_be_unique", kwargs, sentence, column, group)
