"""Apply the gate to rows and columns: what nothing covers is dropped, column by column where it comes to that.

In: a relation of bronze or gold rows and the gate's relation. Out: SQL, or an Arrow table, with only covered rows,
uncovered columns NULL (one that is made of several stands only where all of them are covered), a group NULL when none
of its columns is covered, no line about a person whom a disclosure block keeps out, and one witness authorisation for
each row. One text serves bronze, quarantine, gold, shares and erasing, so that P1 has one meaning.
"""

from collections.abc import Sequence

import pyarrow as pa

from lake.engine import scratch
from schemas.column import Group
from schemas.contract import Contract, source

COVERAGE_SCHEMA = pa.schema(
    [
        pa.field("_subject_key", pa.int64()),
        pa.field("_variant", pa.string()),
        pa.field("columns", pa.list_(pa.string())),
        pa.field("authorisation_id", pa.string()),
        pa.field("blocked", pa.list_(pa.int64())),
    ]
)


def paths_of(contract: Contract) -> list[str]:
    """The official paths whose coverage lets a row of this table stand.

    A document's own row stands as long as anything of the document is covered: its lines point to it.
    """
    if contract.kind == "source":
        return list(contract.column_paths)
    return _own_paths(contract) if contract.group else list(source(contract.document_type).column_paths)


def _own_paths(contract: Contract) -> list[str]:
    """The official paths of the values that one table holds."""
    if contract.kind == "source":
        return list(contract.column_paths)
    return list(dict.fromkeys(path for _, paths in gold_paths(contract) for path in paths))


def unite(allowed: pa.Table, contract: Contract) -> pa.Table:
    """The gate's rows of one document type, as the union of this table's columns for each (subject, variant).

    The witness is the smallest authorisation id that covers a value of this table, so that the same ledger gives the
    same rows and a row's witness really covers it; where no value of its own is covered, the smallest for the document.
    """
    with scratch() as duck:
        duck.register("allowed", allowed)
        return (
            duck.execute(
                """
                with relevant as (
                    select
                        _subject_key, variant, authorisation_id, blocked, list_intersect(columns, $paths) as columns,
                    from allowed
                )
                select
                    _subject_key,
                    variant as _variant,
                    list_sort(list_distinct(flatten(list(columns)))) as columns,
                    coalesce(
                        min(authorisation_id) filter (where list_has_any(columns, $own)), min(authorisation_id)
                    ) as authorisation_id,
                    list_sort(list_distinct(flatten(list(blocked)))) as blocked,
                from relevant
                where len(columns) > 0
                group by all
                order by all
                """,
                {"paths": paths_of(contract), "own": _own_paths(contract)},
            )
            .to_arrow_table()
            .cast(COVERAGE_SCHEMA)
        )


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _if_covered(paths: Sequence[str], expression: str, needed: str = "all") -> str:
    names = ", ".join(_literal(p) for p in paths)
    return f"case when list_has_{needed}(coverage.columns, [{names}]) then {expression} end"


def _group_sql(group: Group) -> str:
    """A group's list with uncovered columns of each line set to NULL."""
    paths = [c.paths(group.name) for c in group.content]
    fields = ["'_line_no': line._line_no", "'_person_key': line._person_key"]
    fields += [
        f"{_literal(c.name)}: {_if_covered(own, f'line.{quoted(c.name)}')}"
        for c, own in zip(group.content, paths, strict=True)
    ]
    shown = f"list_filter({quoted(group.name)}, lambda line: not {_is_blocked('line')})"
    lines = f"list_transform({shown}, lambda line: {{{', '.join(fields)}}})"
    anything = [path for own in paths for path in own]
    return f"{_if_covered(anything, lines, 'any')} as {quoted(group.name)}"


def _is_blocked(line: str) -> str:
    """Whether a line is about a person whom a disclosure block keeps out of this document."""
    return f"coalesce(list_contains(coverage.blocked, {line}._person_key), false)"


def bronze_columns(contract: Contract) -> list[str]:
    """Select expressions for the content of a bronze row under `coverage`, in the order of `bronze_schema`."""
    own = [f"{_if_covered(c.paths(None), f'rows.{quoted(c.name)}')} as {quoted(c.name)}" for c in contract.content]
    return own + [_group_sql(g) for g in contract.groups]


def gold_columns(contract: Contract) -> list[str]:
    """The same for a published table; a group's table has paths that begin with the group's name."""
    return [f"{_if_covered(paths, f'rows.{quoted(name)}')} as {quoted(name)}" for name, paths in gold_paths(contract)]


def gold_paths(contract: Contract) -> list[tuple[str, tuple[str, ...]]]:
    """(column name, the official paths that consent must cover, each of them) of a published table."""
    return [(c.name, c.paths(contract.group)) for c in contract.columns]


def consented_as(contract: Contract) -> dict[str, list[str]]:
    """The columns of a published table that consent knows otherwise than by their own name there."""
    return {c.name: list(c.consented_as) for c in contract.columns if c.consented_as}


def covered_sql(contract: Contract, schema: pa.Schema) -> str:
    """SQL over relations `rows` and `coverage` (of `unite`): only covered rows and columns, in the order of `schema`.

    `_authorisation_id` becomes the witness that covers the row now.
    """
    content = bronze_columns(contract) if contract.kind == "source" else gold_columns(contract)
    replaced = {c.name for c in contract.content} | {g.name for g in contract.groups} | {"_authorisation_id"}
    kept = [f"rows.{quoted(name)}" for name in schema.names if name not in replaced]
    is_shown = f"where not {_is_blocked('rows')}" if "_person_key" in schema.names else ""
    select = ",\n    ".join([*kept, "coverage.authorisation_id as _authorisation_id", *content])
    return f"""
select {select}
from rows
inner join coverage
    on rows._subject_key = coverage._subject_key and rows._variant = coverage._variant
{is_shown}
"""


def covered(contract: Contract, rows: pa.Table, coverage: pa.Table) -> pa.Table:
    """Rows that the coverage allows, with the same schema. Order is by evidence id and line, so that runs compare."""
    with scratch() as duck:
        duck.register("rows", rows)
        duck.register("coverage", coverage)
        order = ["_evidence_id"] + (["_line_no"] if "_line_no" in rows.schema.names else [])
        names = ", ".join(quoted(n) for n in rows.schema.names)
        sql = f"select {names} from ({covered_sql(contract, rows.schema)}) order by {', '.join(order)}"
        return duck.sql(sql).to_arrow_table().cast(rows.schema)
