"""Contracts in, generated text out: dbt YAML, the data dictionary.

What is rendered is committed, and a drift test compares both directions. Expectations are rendered in
`schemas.expectations`.

Run it: `python -m schemas.render --write` (writes `dbt/models/staging/_sources.yml` and
`dbt/models/marts/_contracts.yml`), `python -m schemas.render --dictionary ko` (prints the data dictionary).
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from schemas.codes import entries
from schemas.column import Column
from schemas.contract import LINE_FIELDS, PIPELINE_FIELDS, Contract, marts, published, sources

DBT_FOLDER = Path(__file__).parent.parent / "dbt"
SOURCES_FILE = Path("models/staging/_sources.yml")
MARTS_FILE = Path("models/marts/_contracts.yml")
NOTICE = "# Made from schemas/contracts by `python -m schemas.render --write`; edit the contracts, not this file.\n"

_DUCKDB = {
    pa.string(): "varchar",
    pa.int64(): "bigint",
    pa.int32(): "integer",
    pa.bool_(): "boolean",
    pa.binary(): "blob",
    pa.date32(): "date",
    pa.timestamp("us", tz="UTC"): "timestamp with time zone",
}
PIPELINE_DESCRIPTIONS = {
    "_subject_key": "Pseudonym of the subject that the record is about.",
    "_key_bucket": "Partition, derived from the subject key.",
    "_evidence_id": "Derived id of this state of the record; joins parent, lines, bundle and trace.",
    "_authorisation_id": "One authorisation that covers the row; the gate finds the others.",
    "_variant": "Variant of the document that was asked for.",
    "_source_record_id": "Keyed hash of the holder's own record id.",
    "_source_record_hash": "Keyed hash of the record's content as delivered.",
    "_observed_at": "Since when the record says this, in its holder's time.",
    "_valid_to": "From when on it says something else, in its holder's time; empty: that is what it says now.",
    "_pulled_at": "When the record was pulled.",
    "_run_id": "Run that pulled it.",
    "_line_no": "The line's own number in its document.",
    "_person_key": "Pseudonym of the person that the line is about, where the holder names one.",
    "_is_deleted": "True for a tombstone: the holder deleted or cancelled the record.",
}
# Pipeline columns that may be empty: a table without them in every row is still whole.
OPTIONAL = frozenset({"_person_key", "_valid_to"})


def duckdb_type(kind: pa.DataType) -> str:
    """The DuckDB name of an Arrow type that contracts use. Raises KeyError for any other."""
    if pa.types.is_list(kind):
        return f"{duckdb_type(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        return f"struct({', '.join(f'{f.name} {duckdb_type(f.type)}' for f in kind)})"
    if pa.types.is_decimal128(kind):
        return f"decimal({kind.precision},{kind.scale})"
    return _DUCKDB[kind]


def dbt_sources_yaml() -> str:
    """The bronze tables, as dbt sources of the schema `bronze`."""
    tables = [
        {
            "name": contract.slug,
            "description": _described(contract),
            "columns": [_dbt_column(contract, f) for f in contract.bronze_schema],
        }
        for contract in sources()
    ]
    return _yaml({"version": 2, "sources": [{"name": "bronze", "schema": "bronze", "tables": tables}]})


def dbt_marts_yaml() -> str:
    """Every published table as a dbt model with an enforced contract."""
    by_model: dict[str, list[Contract]] = {}
    for contract in sorted(marts(), key=lambda c: c.table.major):
        by_model.setdefault(contract.model, []).append(contract)
    models = [_model(name, by_model[name]) for name in sorted(by_model)]
    return _yaml({"version": 2, "models": models})


def _model(name: str, contracts: Sequence[Contract]) -> dict[str, Any]:
    """One dbt model; where several major versions are published, dbt's own versions of it."""
    newest = contracts[-1]
    head = {"name": name, "description": _described(newest), "config": {"contract": {"enforced": True}}}
    if newest.table.major == 1:
        return head | {"columns": _model_columns(newest)}
    versions = [
        {"v": c.table.major, "defined_in": c.name, "description": _described(c), "config": {"alias": c.name}}
        | ({"deprecation_date": str(c.published_until)} if c.is_former else {})
        | {"columns": _model_columns(c)}
        for c in contracts
    ]
    return head | {"latest_version": newest.table.major, "versions": versions}


def _model_columns(contract: Contract) -> list[dict[str, Any]]:
    return [
        _dbt_column(contract, f) | _constraints(contract, f) | _data_tests(contract, f) for f in contract.gold_schema
    ]


def _rendered() -> tuple[tuple[Path, str], ...]:
    return ((SOURCES_FILE, dbt_sources_yaml()), (MARTS_FILE, dbt_marts_yaml()))


def write(dbt_folder: Path = DBT_FOLDER) -> list[Path]:
    """Write every generated file; returns the paths whose content changed."""
    changed = []
    for path, text in _rendered():
        target = dbt_folder / path
        if not target.is_file() or target.read_text(encoding="utf-8") != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            changed.append(target)
    return changed


def drift(dbt_folder: Path = DBT_FOLDER) -> list[str]:
    """What differs between the committed files and the contracts, one line each, in both directions."""
    found = []
    for path, text in _rendered():
        target = dbt_folder / path
        committed = target.read_text(encoding="utf-8") if target.is_file() else ""
        if committed == text:
            continue
        has, wants = _columns(committed), _columns(text)
        found += [f"{path}: {c} is in the contracts only" for c in sorted(wants.keys() - has.keys())]
        found += [f"{path}: {c} is in the file only" for c in sorted(has.keys() - wants.keys())]
        found += [f"{path}: {c} differs" for c in sorted(c for c in has.keys() & wants.keys() if has[c] != wants[c])]
        if not found:
            found.append(f"{path} differs in its layout")
    return found


def _columns(text: str) -> dict[str, Any]:
    given = yaml.safe_load(text) or {}
    models = [m if v is None else v | {"name": v["defined_in"]} for m in given.get("models", []) for v in _versions(m)]
    tables = models + [t for s in given.get("sources", []) for t in s.get("tables", [])]
    inside = {f"{t['name']}.{c['name']}": c for t in tables for c in t.get("columns", [])}
    return inside | {t["name"]: {k: v for k, v in t.items() if k != "columns"} for t in tables}


def _versions(model: dict[str, Any]) -> Sequence[dict[str, Any] | None]:
    return model.get("versions") or [None]


def _described(contract: Contract) -> str:
    return f"{contract.description} {contract.grain}".strip()


def _dbt_column(contract: Contract, field: pa.Field) -> dict[str, Any]:
    own = next((c for c in contract.columns if c.name == field.name), None)
    if own is not None:
        text = _column_text(own)
    elif field.name in PIPELINE_DESCRIPTIONS:
        text = PIPELINE_DESCRIPTIONS[field.name]
    else:
        group = next(g for g in contract.groups if g.name == field.name)
        text = f"Lines: {', '.join(f'{c.name} ({c.korean})' for c in group.content)}."
    return {"name": field.name, "description": text, "data_type": duckdb_type(field.type)}


def _constraints(contract: Contract, field: pa.Field) -> dict[str, Any]:
    """Content may be empty (not covered by consent); pipeline columns may not, unless a contract picks its own."""
    names = {f.name for f in (*PIPELINE_FIELDS, *LINE_FIELDS)} - OPTIONAL
    is_required = field.name in names and contract.pipeline_fields == PIPELINE_FIELDS
    return {"constraints": [{"type": "not_null"}]} if is_required else {}


def _data_tests(contract: Contract, field: pa.Field) -> dict[str, Any]:
    """A document has one row for each evidence id; a line belongs to a document."""
    if field.name != "_evidence_id" or contract.pipeline_fields != PIPELINE_FIELDS:
        return {}
    if contract.group is None:
        return {"data_tests": ["unique"]}
    table = contract.table
    version = f", v={table.major}" if any(c.table.major > 1 for c in marts() if c.model == table.document) else ""
    parent = f"ref('{table.document}'{version})"
    return {"data_tests": [{"relationships": {"arguments": {"to": parent, "field": field.name}}}]}


def _column_text(column: Column) -> str:
    codes = f" Code list {column.code_list}." if column.code_list else ""
    return f"{column.korean}. {column.description}{codes}"


def _yaml(content: Any) -> str:
    return NOTICE + yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=120)


_WORDS = {
    "en": (
        "Data dictionary",
        "Column",
        "Korean name",
        "Type",
        "Domain",
        "Required",
        "Meaning",
        "Code lists",
        "yes",
        "no",
    ),
    "ko": ("데이터 사전", "컬럼", "한글명", "타입", "도메인", "필수", "설명", "코드 목록", "예", "아니요"),
}


def dictionary(language: str = "en") -> str:
    """Every published table and code list as Markdown; `language` is `en` or `ko`."""
    title, *head, lists, yes, no = _WORDS[language]
    lines = [f"# {title}", ""]
    used: set[str] = set()
    for contract in published():
        lines += [
            f"## {contract.name}",
            "",
            _described(contract),
            "",
            f"| {' | '.join(head)} |",
            "|---" * len(head) + "|",
        ]
        for c in contract.columns:
            used |= {c.code_list} if c.code_list else set()
            cells = (c.name, c.korean, c.arrow_field.type, c.domain or "", yes if c.is_required else no, c.description)
            lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
        lines.append("")
    lines += [f"## {lists}", ""]
    for name in sorted(used):
        known = entries(name)
        shown = ", ".join(f"{e.code} {e.name_ko if language == 'ko' else e.name_en or e.name_ko}" for e in known[:40])
        more = "" if len(known) <= 40 else f", … ({len(known):,})"
        lines.append(f"- `{name}`: {shown}{more}")
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m schemas.render")
    parser.add_argument("--write", action="store_true", help="write the dbt YAML files")
    parser.add_argument("--dictionary", choices=sorted(_WORDS), help="print the data dictionary")
    chosen = parser.parse_args(arguments)
    if chosen.write:
        for path in write():
            print(path.name)
        return 0
    if chosen.dictionary:
        print(dictionary(chosen.dictionary), end="")
        return 0
    findings = drift()
    print("\n".join(findings), end="\n" if findings else "")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
