"""Whether every row of a lake stands under an authorisation, and holds no column that none lets stand.

In: the rows of a table's newest version, and what stood when that version was committed (`verify.standing`). Out: how
many rows were looked at, and what is wrong with how many of them, in words without a value.

A column that was renamed, or that a former version makes of today's, is known to consent by other paths; the table's
commit says which, and the check tells of it, since that is the operator's word.
Which document a table holds is not written in the files: it is the one that most of its rows' authorisations name.
A share's row does not say whose it is: some subject of its authorisation must account for all of its columns.
Bronze and quarantine have the holder's own names: there columns are counted, and groups, whose names are the official
ones, looked up.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from verify.standing import Key, Scope, Standing

Row = Mapping[str, Any]
Names = Mapping[str, list[str]]  # column -> the paths by which consent knows it
NO_NAMES: Names = {}
NOT_IN_FORCE = "their authorisation was not in force when the table was last committed"
NOTHING_STANDS = "an approval, a death, a block or a representation stood against what their authorisation names"


def document_of(name: str) -> str:
    """What the tables of one document have in common: a dataset, or the published name without version and group."""
    room, _, rest = name.partition("/")
    if room in ("bronze", "quarantine"):
        return rest
    return re.sub(r"_v[0-9]+$", "", rest.split("/")[-1].partition("__")[0])


def named(rows: Iterable[Row], standing: Standing) -> Counter[str]:
    """How many rows' authorisations name each document type, of the row's own subject where it says whose it is."""
    found: Counter[str] = Counter()
    for row in rows:
        scopes = standing.scopes.get(row.get("_authorisation_id") or "", [])
        found.update({scope.key[1] for scope in scopes if _is_own(row, scope)})
    return found


def most_named(counted: Counter[str]) -> set[str]:
    most = max(counted.values(), default=0)
    return {document for document, count in counted.items() if count == most}


def wrong(
    name: str, rows: Iterable[Row], standing: Standing, documents: set[str], renamed: Names = NO_NAMES
) -> tuple[int, dict[str, int]]:
    """(rows looked at, finding -> rows) of one table. `renamed` is what its commit says of columns' other names."""
    room, found, count = name.partition("/")[0], dict[str, int](), 0
    recipient = name.split("/")[1] if room == "shares" else None
    group = name.rpartition("__")[2] if "__" in name else None
    for row in rows:
        count += 1
        finding = _against(row, standing, documents, recipient)
        if not finding and room in ("bronze", "quarantine"):
            finding = _against_counts(row, standing, documents)
        elif not finding:
            finding = _against_columns(row, standing, documents, recipient, group, renamed)
        if finding:
            found[finding] = found.get(finding, 0) + 1
    return count, found


def _is_own(row: Row, scope: Scope) -> bool:
    """Whether a scope can be this row's: of its subject and variant, as far as it says them."""
    subject, _, variant = scope.key
    return bool(row.get("_subject_key", subject) == subject and row.get("_variant", variant) == variant)


def _against(row: Row, standing: Standing, documents: set[str], recipient: str | None) -> str:
    """What is wrong with the authorisation that a row names."""
    scopes = standing.scopes.get(row.get("_authorisation_id") or "")
    if scopes is None:
        return NOT_IN_FORCE
    if recipient is not None and recipient != scopes[0].recipient:
        return "their authorisation names another recipient"
    if recipient is None and row.get("_subject_key") is None:
        return "they do not say whom they are about"
    own = [scope for scope in scopes if _is_own(row, scope)]
    if not own:
        return "their authorisation is about somebody else"
    if not any(scope.key[1] in documents for scope in own):
        return "their authorisation is about another document"
    keys = _keys(row, standing, documents)
    if not keys:
        return NOTHING_STANDS
    people = set().union(*(standing.kept_out(key) for key in keys))
    return "they show a person whom a disclosure block keeps out" if people & set(_people(row)) else ""


def _people(row: Row) -> Iterable[int | None]:
    """Whom a row's lines are about, where they say so."""
    yield row.get("_person_key")
    for value in row.values():
        for line in value if isinstance(value, list) else ():
            yield line.get("_person_key") if isinstance(line, dict) else None


def _keys(row: Row, standing: Standing, documents: set[str]) -> list[Key]:
    """Whose and which document a row may be, under the authorisation that it names."""
    scopes = standing.scopes.get(row.get("_authorisation_id") or "", [])
    return [scope.key for scope in scopes if scope.stands and scope.key[1] in documents and _is_own(row, scope)]


def _against_columns(
    row: Row, standing: Standing, documents: set[str], recipient: str | None, group: str | None, renamed: Names
) -> str:
    """The columns that a published row holds too many; of a group's table the paths begin with the group's name.

    Of a column that consent knows by another path, or by several, each of these must stand.
    """
    prefix = "" if group is None else f"{group}."
    held = [name for name, value in _content(row) if value is not None]
    shown = {path for name in held for path in renamed.get(name, [f"{prefix}{name}"])}
    outside = [shown - standing.columns(key, recipient) for key in _keys(row, standing, documents)]
    least = min(outside, key=lambda names: (len(names), sorted(names)))
    return f"they hold {', '.join(sorted(least))}, which no authorisation lets stand" if least else ""


def _against_counts(row: Row, standing: Standing, documents: set[str]) -> str:
    """What a holder's row holds more than anything lets stand, as far as its own names allow to say."""
    finding = ""
    for key in _keys(row, standing, documents):
        finding = _too_many(row, standing.columns(key, None))
        if not finding:
            return ""
    return finding


def _too_many(row: Row, allowed: frozenset[str]) -> str:
    plain = [name for name, value in _content(row) if value is not None and not isinstance(value, list)]
    if len(plain) > sum("." not in path for path in allowed):
        return "they hold more columns than authorisations let stand"
    for name, value in _content(row):
        own = sum(path.startswith(f"{name}.") for path in allowed)
        for line in value if isinstance(value, list) else ():
            if not own or sum(v is not None for _, v in _content(line)) > own:
                return f"lines of {name} hold more columns than authorisations let stand"
    return ""


def _content(row: Row) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in row.items() if not name.startswith("_")]
