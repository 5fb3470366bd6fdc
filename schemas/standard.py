"""How a delivered value becomes the published one: the rules that a source column may name, and the macro of each.

`{property: standardised, value: {by: region, asOf: ISSU_YMD}}` of a source column. A column that names none keeps its
number, or has its text cleaned (blanks around it and words for nothing go). `call` is what the staging model must say;
a test holds every model to it. Columns are named officially, as the staging models name them.

Try it: `python -c "from schemas import contract, standard; c = contract.source('RRT');
print(*(standard.call(x) for x in c.content), sep=chr(10))"`
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from schemas.codes import REGION_LISTS
from schemas.column import Column
from schemas.contract import Contract

DAY_DOMAIN = "연월일C8"


@dataclass(frozen=True)
class Rule:
    """`takes` are the logical types that a holder may deliver; `columns` and `values` the options that it has."""

    sentence: str
    takes: tuple[str, ...]
    call: Callable[[Column], str]
    columns: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    values: Mapping[str, tuple[str, ...]] | None = None


def _of(macro: str, *options: str) -> Callable[[Column], str]:
    """A call of the macro with the column's official name and these options, in order."""

    def made(column: Column) -> str:
        given = [str(column.standardised[o]) for o in options if o in column.standardised]
        return f"{{{{ {macro}({', '.join(repr(a) for a in (official(column), *given))}) }}}}"

    return made


def _region(column: Column) -> str:
    return f"{{{{ region('{official(column)}', '{column.code_list}', '{column.standardised['asOf']}') }}}}"


RULES: Mapping[str, Rule] = {
    "region": Rule(
        "a code that was abolished by the day of `asOf` becomes the one that followed it, where one did for certain",
        ("string",),
        _region,
        columns=("asOf",),
    ),
    "address": Rule(
        "usual width and blanks, and the province by its name of the day of `asOf`, where it is abbreviated or renamed",
        ("string",),
        _of("address", "asOf"),
        columns=("asOf",),
    ),
    "name": Rule(
        "usual width, composed letters, one blank between words, none where syllables were printed apart",
        ("string",),
        _of("name"),
    ),
    "day": Rule(
        "YYYYMMDD by the sun, from dots, hyphens or slashes or the lunar calendar; 00 for what nobody knows stays",
        ("string",),
        _of("day"),
    ),
    "yes_no": Rule("Y or N, whatever word of list `yn_written` the holder has", ("string",), _of("yes_no")),
    "amount": Rule(
        "whole won, whatever the unit, the thousands separators and the type that the holder writes",
        ("string", "integer"),
        _of("amount", "unit"),
        values={"unit": ("won", "thousand_won")},
    ),
    "whole_number": Rule("a number that the holder writes as text", ("string",), _of("whole_number")),
}
"""The rules by name, in the order in which docs show them."""


def official(column: Column) -> str:
    return column.publishes or column.name


def call(column: Column) -> str:
    """The expression of a column in its staging model. Raises KeyError for a rule that the check refuses."""
    if not column.standardised:
        return f"{{{{ cleaned('{official(column)}') }}}}" if column.logical_type == "string" else official(column)
    return RULES[str(column.standardised["by"])].call(column)


def findings(column: Column, beside: Sequence[Column]) -> Iterator[str]:
    """What is wrong with the rule that a column names; `beside` are the columns of the same document or group."""
    if not column.standardised:
        return
    by = column.standardised.get("by")
    rule = RULES.get(str(by))
    if rule is None:
        yield f"is standardised by {by}, which is no rule; known: {', '.join(RULES)}."
        return
    options = {*rule.columns, *rule.optional, *(rule.values or {})}
    yield from (f"lacks {o}, which rule {by} needs." for o in rule.columns if o not in column.standardised)
    yield from (f"says {o}, which rule {by} does not know." for o in column.standardised if o not in {"by", *options})
    if column.logical_type not in rule.takes:
        yield f"is {column.logical_type}, which rule {by} does not take."
    named = {official(c): c for c in beside}
    for option in (*rule.columns, *rule.optional):
        wanted = column.standardised.get(option)
        if wanted is not None and wanted not in named:
            yield f"needs {wanted} for rule {by}, which stands in no column beside it."
        elif wanted is not None and option == "asOf" and not _is_plain_day(named[wanted]):
            yield f"is standardised as of {wanted}, which is no day that is delivered as YYYYMMDD."
    for option, allowed in (rule.values or {}).items():
        if column.standardised.get(option) not in allowed:
            yield f"must say {option} as one of {', '.join(allowed)}."
    if by == "yes_no" and column.code_list != "yn_written":
        yield "is standardised as yes or no, but its code list is not yn_written."
    if by == "region" and column.code_list not in REGION_LISTS:
        yield f"is standardised as a region, but its code list is none of {', '.join(REGION_LISTS)}."


def dating(contract: Contract) -> Iterator[tuple[str, str]]:
    """Of each column that is standardised as of a day: its path, and that of the day."""
    for group, columns in ((None, contract.content), *((g.name, g.content) for g in contract.groups)):
        prefix = f"{group}." if group else ""
        for column in columns:
            if "asOf" in column.standardised:
                yield f"{prefix}{official(column)}", f"{prefix}{column.standardised['asOf']}"


def _is_plain_day(column: Column) -> bool:
    return column.domain == DAY_DOMAIN and not column.standardised
