"""The columns of one table or group, before and after, in; what changed of each, out.

Narrowing breaks: a value that passed yesterday is refused tomorrow, at the holder's delivery and in what is published.
Two patterns cannot be ordered in general, so a pattern that is another counts as narrowed; where a code list decides,
the pattern does not and its change is wording.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from schemas.changes import Kind
from schemas.column import Column

Range = tuple[float | None, float | None]


@dataclass(frozen=True)
class Found:
    """One change before it is known whom it reaches: `paths` or `group` or `variant` is what services may name."""

    kind: Kind
    place: str
    detail: str
    paths: tuple[str, ...] | None = None
    group: str | None = None
    variant: str | None = None


@dataclass(frozen=True)
class CodesOf:
    """The code lists of both sides."""

    before: Callable[[str], frozenset[str]]
    after: Callable[[str], frozenset[str]]


def columns_changed(
    before: Sequence[Column], after: Sequence[Column], group: str | None, kind: str, lists: CodesOf
) -> Iterator[Found]:
    """Every change of the columns of one table or group."""
    was, now = {c.name: c for c in before}, {c.name: c for c in after}
    renamed = _renamed(was, now)
    for name, column in was.items():
        if name in now:
            yield from _at(column, group, _changed(column, now[name], lists))
        elif name in renamed:
            detail = f"to {renamed[name]}{_uncovered(column, now[renamed[name]])}"
            yield from _at(column, group, [(Kind.COLUMN_RENAMED, detail)])
            yield from _at(column, group, _changed(column, now[renamed[name]], lists))
        else:
            yield from _at(column, group, [(Kind.COLUMN_REMOVED, "")])
    for name, column in now.items():
        if name not in was and name not in renamed.values():
            is_owed = kind == "source" and column.is_required
            yield from _at(column, group, [(Kind.REQUIRED_COLUMN_ADDED if is_owed else Kind.COLUMN_ADDED, "")])


def _renamed(was: Mapping[str, Column], now: Mapping[str, Column]) -> dict[str, str]:
    """Old name to new: one column left and one came that consent knows as the old one (`consentedAs`), or that has the
    same Korean name, type and official name."""

    def sign(column: Column) -> tuple[object, ...]:
        return column.korean, column.logical_type, column.publishes, column.identifies

    came = {sign(c): c.name for n, c in now.items() if n not in was}
    known = {p.rpartition(".")[2]: c.name for n, c in now.items() if n not in was for p in c.consented_as}
    gone = {n: c for n, c in was.items() if n not in now}
    found = {n: known.get(_consented(c)[0]) or came.get(sign(c)) for n, c in gone.items()}
    return {n: to for n, to in found.items() if to}


def _consented(column: Column) -> tuple[str, ...]:
    """How consent knows the column within its document or group."""
    paths = column.consented_as or (column.publishes or column.name,)
    return tuple(path.rpartition(".")[2] for path in paths)


def _uncovered(old: Column, new: Column) -> str:
    is_same = old.is_identifier or _consented(old) == _consented(new)
    return "" if is_same else "; consents that were given do not cover it (consentedAs)"


def _at(
    column: Column, group: str | None, found: Iterator[tuple[Kind, str]] | list[tuple[Kind, str]]
) -> Iterator[Found]:
    place = f"{group}.{column.name}" if group else column.name
    paths = None if column.is_identifier else column.paths(group)
    for kind, detail in found:
        yield Found(kind, place, detail, paths=paths)


def _changed(old: Column, new: Column, lists: CodesOf) -> Iterator[tuple[Kind, str]]:
    if (old.logical_type, old.physical_type) != (new.logical_type, new.physical_type):
        yield Kind.TYPE_CHANGED, f"{old.logical_type} {old.physical_type} to {new.logical_type} {new.physical_type}"
    if old.is_required != new.is_required:
        yield (Kind.BECAME_REQUIRED if new.is_required else Kind.BECAME_OPTIONAL), ""
    if (old.identifier_kind, old.identifies) != (new.identifier_kind, new.identifies):
        yield Kind.KEY_CHANGED, f"{old.identifier_kind} {old.identifies} to {new.identifier_kind} {new.identifies}"
    if old.publishes != new.publishes:
        yield Kind.PUBLISHES_CHANGED, f"{old.publishes} to {new.publishes}{_uncovered(old, new)}"
    elif old.name == new.name and _consented(old) != _consented(new):
        yield Kind.CONSENT_CHANGED, f"{' and '.join(_consented(old))} to {' and '.join(_consented(new))}"
    if old.delivery != new.delivery:
        yield Kind.DELIVERY_CHANGED, f"{dict(old.delivery)} to {dict(new.delivery)}"
    yield from _bounds(
        (old.min_length, old.max_length), (new.min_length, new.max_length), Kind.LENGTH_NARROWED, Kind.LENGTH_WIDENED
    )
    yield from _bounds((old.minimum, old.maximum), (new.minimum, new.maximum), Kind.RANGE_NARROWED, Kind.RANGE_WIDENED)
    if old.standardised != new.standardised:
        yield Kind.RULE_CHANGED, f"{dict(old.standardised)} to {dict(new.standardised)}"
    if old.partial_day != new.partial_day:
        yield (
            (Kind.PATTERN_WIDENED, "a day may be known in part")
            if new.partial_day
            else (Kind.PATTERN_NARROWED, "a day must be known whole")
        )
    yield from _pattern(old, new)
    yield from _codes(old, new, lists)
    yield from _words(old, new)


def _bounds(was: Range, now: Range, narrowed: Kind, widened: Kind) -> Iterator[tuple[Kind, str]]:
    lowest, highest = float("-inf"), float("inf")
    (a, b), (c, d) = ((lowest if r[0] is None else r[0], highest if r[1] is None else r[1]) for r in (was, now))
    detail = f"{_span(was)} to {_span(now)}"
    if c > a or d < b:
        yield narrowed, detail
    elif c < a or d > b:
        yield widened, detail


def _span(bounds: Range) -> str:
    low, high = ("any" if b is None else f"{b:g}" if isinstance(b, float) else str(b) for b in bounds)
    return f"{low}…{high}"


def _pattern(old: Column, new: Column) -> Iterator[tuple[Kind, str]]:
    if old.pattern == new.pattern:
        return
    detail = f"{old.pattern or 'none'} to {new.pattern or 'none'}"
    if new.code_list:
        yield Kind.WORDING_CHANGED, f"pattern {detail}, the code list decides"
    else:
        yield (Kind.PATTERN_WIDENED if new.pattern is None else Kind.PATTERN_NARROWED), detail


def _codes(old: Column, new: Column, lists: CodesOf) -> Iterator[tuple[Kind, str]]:
    if old.code_list is None and new.code_list is None:
        return
    if old.code_list is None:
        yield Kind.CODES_REMOVED, f"only codes of {new.code_list} pass now"
    elif new.code_list is None:
        yield Kind.CODES_ADDED, f"not only codes of {old.code_list} pass now"
    else:
        was, now = lists.before(old.code_list), lists.after(new.code_list)
        name = new.code_list if old.code_list == new.code_list else f"{old.code_list} to {new.code_list}"
        if was - now:
            yield Kind.CODES_REMOVED, f"{name}: {_few(was - now)}"
        if now - was:
            yield Kind.CODES_ADDED, f"{name}: {_few(now - was)}"
        if was == now and old.code_list != new.code_list:
            yield Kind.WORDING_CHANGED, f"code list {name}, the same codes"


def _few(found: frozenset[str]) -> str:
    shown = sorted(found)
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")


def _words(old: Column, new: Column) -> Iterator[tuple[Kind, str]]:
    for name, kind in (
        ("classification", Kind.CLASSIFICATION_CHANGED),
        ("domain", Kind.DOMAIN_CHANGED),
        ("good_example", Kind.EXAMPLE_CHANGED),
        ("bad_example", Kind.EXAMPLE_CHANGED),
        ("korean", Kind.WORDING_CHANGED),
        ("description", Kind.WORDING_CHANGED),
        ("defined_by", Kind.WORDING_CHANGED),
    ):
        if getattr(old, name) != getattr(new, name):
            yield kind, f"{name}: {getattr(old, name)} to {getattr(new, name)}"[:160]
