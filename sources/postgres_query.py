"""The SQL that a PostgreSQL holder is asked, made from a contract. Every name in it is quoted, every value a parameter.

Rows of `select`: ordinal of the request row, record id, changed-at, is-deleted, each content column in contract order,
each group in contract order as JSON text [[line number, columns…], …]. What is not covered is NULL.
"""

from typing import Any

import psycopg
from psycopg import sql

from schemas.column import Column, Group
from schemas.contract import Contract
from schemas.request import RequestSet
from sources.conform import LONGEST_TEXT, MOST_LINES, drift
from sources.coverage import Covered, subject_only

_REQUESTED = sql.SQL("pg_temp.requested")
_TYPES = {
    "string": ("text", "varchar", "bpchar"),
    "integer": ("int2", "int4", "int8"),
    "number": ("numeric",),
    "boolean": ("bool",),
    "instant": ("timestamptz",),
}
_SHOWN = {"timestamptz": "timestamp with time zone", "varchar": "character varying", "bpchar": "character"}


def check_relations(contract: Contract, connection: psycopg.Connection[Any]) -> str:
    """Compare the holder's relations with the contract. The SQL type of the identifier. Raises SchemaDrift (F22)."""
    d = contract.delivery
    header = _columns(contract, connection, d["relation"])
    for name, wanted in (
        (d["identifierColumn"], "string"),
        (d["recordIdColumn"], "string"),
        (d["changedAtColumn"], "instant"),
        (d["deletedColumn"], "boolean"),
        *((c.name, c.logical_type) for c in contract.content),
    ):
        _check(contract, name, wanted, header.get(name))
    for g in contract.groups:
        lines = _columns(contract, connection, g.delivery["relation"])
        flag = g.delivery.get("subjectLineColumn")
        for name, wanted in (
            (g.delivery["parentColumn"], "string"),
            (g.delivery["lineNoColumn"], "integer"),
            *(((flag, "boolean"),) if flag else ()),
            *((c.name, c.logical_type) for c in g.columns),
        ):
            _check(contract, name, wanted, lines.get(name), f"{g.name}.")
    return header[d["identifierColumn"]]


def _columns(contract: Contract, connection: psycopg.Connection[Any], relation: str) -> dict[str, str]:
    found = connection.execute(
        "select a.attname, t.typname from pg_attribute a join pg_type t on t.oid = a.atttypid "
        "where a.attrelid = to_regclass(%s) and a.attnum > 0 and not a.attisdropped",
        [relation],
    ).fetchall()
    if not found:
        raise drift(contract, relation, "a relation", "no such relation")
    return {str(name): str(kind) for name, kind in found}


def _check(contract: Contract, name: str, wanted: str, found: str | None, prefix: str = "") -> None:
    if found not in _TYPES[wanted]:
        shown = "no such column" if found is None else f"the type {_SHOWN.get(found, found)}"
        raise drift(contract, prefix + name, wanted, shown)


def _flag(group: Group | None, column: Column) -> sql.Identifier:
    """The request's own column that says whether a column is covered; short, since names are cut at 63 bytes."""
    return sql.Identifier(f"c {group.name}.{column.name}" if group else f"c {column.name}")


def _flags(contract: Contract) -> list[tuple[Group | None, Column]]:
    own: list[tuple[Group | None, Column]] = [(None, c) for c in contract.content]
    return own + [(g, c) for g in contract.groups for c in g.content]


def create_requested(contract: Contract, connection: psycopg.Connection[Any], identifier_type: str) -> None:
    flags = [sql.SQL(", {} bool not null").format(_flag(g, c)) for g, c in _flags(contract)]
    connection.execute(
        sql.SQL(
            "create temporary table requested (ordinal int primary key, identifier {} not null, variant text not null, "
            "is_new bool not null{}) on commit preserve rows"
        ).format(sql.SQL(identifier_type), sql.Composed(flags))  # a name out of _TYPES
    )


def load_requested(
    contract: Contract, connection: psycopg.Connection[Any], request: RequestSet, sets: tuple[Covered, ...]
) -> None:
    """Copy the request set into the temporary table, ordinals in its own order."""
    by_set = [
        [c.name in (s.groups.get(g.name, frozenset()) if g else s.own) for g, c in _flags(contract)] for s in sets
    ]
    table = request.table.select(["identifier", "variant", "is_new", "column_set"])
    with connection.cursor() as cursor:
        with cursor.copy(sql.SQL("copy {} from stdin").format(_REQUESTED)) as copy:
            ordinal = 0
            for batch in table.to_batches(max_chunksize=10_000):
                for identifier, variant, is_new, column_set in zip(*batch.to_pydict().values(), strict=True):
                    copy.write_row((ordinal, identifier, variant, is_new, *by_set[column_set]))
                    ordinal += 1
        cursor.execute(sql.SQL("analyze {}").format(_REQUESTED))


def select(contract: Contract) -> sql.Composed:
    """One part of the delivery, the newest version of each record (F24): parameters `start` and `end` are ordinals."""
    d = contract.delivery
    own = [sql.SQL(", x.{0} as {1}").format(sql.Identifier(c.name), _own(c)) for c in contract.content]
    shown = [_value(c) for c in contract.content] + [_lines(contract, g) for g in contract.groups]
    return sql.SQL(
        "select h.ordinal, h._record::text, case when isfinite(h._changed_at) then h._changed_at end, h._is_deleted"
        "{shown} from (select distinct on (q.ordinal, x.{record}) q.*, x.{record} as _record, "
        "x.{changed} as _changed_at, x.{deleted} as _is_deleted{columns} "
        "from {requested} q join {relation} x on x.{identifier} = q.identifier "
        "where q.ordinal >= %(start)s and q.ordinal < %(end)s "
        "and (q.is_new or %(since)s::timestamptz is null or x.{changed} is null or x.{changed} >= %(since)s) "
        "order by q.ordinal, x.{record}, x.{changed} desc) h order by h.ordinal"
    ).format(
        shown=sql.Composed([sql.SQL(", ") + value for value in shown]),
        columns=sql.Composed(own),
        requested=_REQUESTED,
        record=sql.Identifier(d["recordIdColumn"]),
        changed=sql.Identifier(d["changedAtColumn"]),
        deleted=sql.Identifier(d["deletedColumn"]),
        relation=_relation(d["relation"]),
        identifier=sql.Identifier(d["identifierColumn"]),
    )


def _own(column: Column) -> sql.Identifier:
    return sql.Identifier(f"x {column.name}")


def _value(column: Column) -> sql.Composed:
    return sql.SQL("case when h.{} and not h._is_deleted then {} end").format(
        _flag(None, column), _short(column, sql.SQL("h.{}").format(_own(column)))
    )


def _short(column: Column, name: sql.Composed) -> sql.Composed:
    """A text that is too long leaves as little more than its bound (F23)."""
    if column.logical_type != "string":
        return name
    return sql.SQL("left({}::text, {})").format(name, sql.Literal(LONGEST_TEXT + 1))


def _lines(contract: Contract, group: Group) -> sql.Composed:
    d = group.delivery
    columns = []
    for c in group.columns:
        name = _short(c, sql.SQL("l.{}").format(sql.Identifier(c.name)))
        if c.logical_type == "number":  # as text, since a number of JSON may lose digits on its way
            name = sql.SQL("{}::text").format(name)
        columns.append(name if c.is_identifier else sql.SQL("case when h.{} then {} end").format(_flag(group, c), name))
    return sql.SQL(
        "case when ({any}) and not h._is_deleted then "
        "(select json_agg(json_build_array(l.{number}, {columns}))::text from "
        "(select * from {relation} l where l.{parent} = h._record{narrowed} order by l.{number} limit {most}) l) end"
    ).format(
        any=sql.SQL(" or ").join(sql.SQL("h.{}").format(_flag(group, c)) for c in group.content),
        number=sql.Identifier(d["lineNoColumn"]),
        columns=sql.SQL(", ").join(columns),
        relation=_relation(d["relation"]),
        parent=sql.Identifier(d["parentColumn"]),
        narrowed=_narrowed(contract, group),
        most=sql.Literal(MOST_LINES + 1),
    )


def _narrowed(contract: Contract, group: Group) -> sql.Composable:
    narrow = [v for v in contract.variants if subject_only(group, v)]
    if not narrow:
        return sql.SQL("")
    return sql.SQL(" and (l.{} or h.variant <> all ({}))").format(
        sql.Identifier(group.delivery["subjectLineColumn"]), sql.Literal(narrow)
    )


def _relation(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split("."))
