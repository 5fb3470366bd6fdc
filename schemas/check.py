"""Contracts in, findings out: everything that must agree between contracts, terms, code lists and services.

No finding, and the loader, the connectors, dbt and the quality gate may trust a contract blindly. Each finding is one
sentence that names the contract.

Run it: `python -m schemas.check` (exit 1 when something is found).
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from schemas import standard, versions
from schemas.cited import unread
from schemas.codes import codes, names
from schemas.column import Column
from schemas.contract import Contract, load_all
from schemas.decimals import digits
from schemas.documents import document_types, never_shareable
from schemas.identifiers import KINDS
from schemas.provenance import definition
from schemas.rules import is_day, violations
from schemas.services import ABOUT, HOUSEHOLD, HOUSEHOLDS, STATUTE, THING, services
from schemas.statutes import articles
from schemas.terms import departures

DAY_PATTERN = "^[0-9]{8}$"

# What each delivery form must say: of the dataset, of each column, of each group.
DELIVERY_KEYS: dict[str, tuple[tuple[str, ...], str | None, tuple[str, ...]]] = {
    "postgres": (
        ("database", "relation", "identifierColumn", "recordIdColumn", "changedAtColumn", "deletedColumn"),
        None,
        ("relation", "parentColumn", "lineNoColumn"),
    ),
    "rest": (
        ("path", "tokenPath", "recordsAt", "identifierField", "recordIdField", "changedAtField", "deletedField"),
        None,
        (),
    ),
    "file": (
        (
            *("filePattern", "controlSuffix", "encoding", "recordBytes", "kindBytes", "headerKind"),
            *("identifierBytes", "recordIdBytes", "changedAtBytes", "deletedBytes"),
        ),
        "bytes",
        ("kind", "lineNoBytes"),
    ),
    "court_xml": (("path", "record", "identifier", "recordId", "changedAt", "deleted"), "xpath", ("record", "lineNo")),
}

# Where the holder marks the subject's own line, for variants that show no other.
SUBJECT_LINE_KEYS = ("subjectLine", "subjectLineColumn", "subjectLineField", "subjectLineBytes")


def check(contracts: Sequence[Contract] | None = None) -> list[str]:
    """Every finding about the contracts (None: all of the project), in their order."""
    given = load_all() if contracts is None else contracts
    findings = [*_unique(given)]
    for contract in given:
        about = [*_standard(contract), *_columns(contract)]
        about += _source(contract, given) if contract.kind == "source" else _published(contract, given)
        findings += [f"{contract.id}: {finding}" for finding in about]
    return [*findings, *unread(given), *_catalogue(given), *_services(given)]


def _unique(contracts: Sequence[Contract]) -> Iterator[str]:
    """No two share an id, nor two of one kind a name: a dataset may be called as the table that it makes is called."""
    counted = Counter(c.id for c in contracts)
    yield from (f"{value}: {count} contracts have this id." for value, count in counted.items() if count > 1)
    named = Counter((c.kind, c.name) for c in contracts)
    yield from (f"{name}: {n} {kind} contracts have this name." for (kind, name), n in named.items() if n > 1)


def _standard(contract: Contract) -> Iterator[str]:
    """The file against the JSON schema of the Open Data Contract Standard, and what the project asks of every file."""
    yield from _breaks_standard(contract.path.read_text(encoding="utf-8"))
    if not re.fullmatch(r"\d+\.\d+\.\d+", contract.version):
        yield f"version {contract.version} is not of the form 1.2.3."
    if not contract.grain.startswith("One row per "):
        yield "the table's description does not say its grain (One row per …)."


@cache
def _breaks_standard(text: str) -> tuple[str, ...]:
    from jsonschema import Draft201909Validator

    content = yaml.safe_load(text)
    errors = Draft201909Validator(_odcs_schema()).iter_errors(content)
    found = [
        f"breaks the Open Data Contract Standard at {'/'.join(map(str, e.absolute_path))}: {e.message}." for e in errors
    ]
    description = content.get("description") or {}
    return (
        *found,
        *(f"its description lacks {p}." for p in ("purpose", "limitations", "usage") if not description.get(p)),
    )


@cache
def _odcs_schema() -> Any:
    return json.loads(files("open_data_contract_standard").joinpath("schema.json").read_text(encoding="utf-8"))


def _columns(contract: Contract) -> Iterator[str]:
    groups = [(None, contract.columns), *((g.name, g.columns) for g in contract.groups)]
    for group, columns in groups:
        counted = Counter(c.name for c in columns)
        yield from (f"{name} stands {n} times in {group or 'the document'}." for name, n in counted.items() if n > 1)
        for column in columns:
            path = f"{group}.{column.name}" if group else column.name
            yield from (f"{path} {finding}" for finding in _column(column))
            if contract.kind == "source":
                yield from (f"{path} {finding}" for finding in standard.findings(column, columns))
            elif column.standardised:
                yield f"{path} is standardised; only the holder's own column is."


def _column(column: Column) -> Iterator[str]:
    if not column.korean:
        yield "has no Korean business name."
    if not column.description.endswith("."):
        yield "has no description that is a sentence."
    if column.is_identifier:
        return
    if not column.defined_by:
        yield "does not say who defines it (definedBy)."
    elif definition(column) is None:
        yield "is defined by what is neither statute, official form, standard nor general knowledge (definedBy)."
    if column.code_list and column.code_list not in names():
        yield f"names code list {column.code_list}, which does not exist."
        return
    if is_day(column) and column.pattern not in (None, DAY_PATTERN):
        yield f"is a day and may have no other pattern than {DAY_PATTERN}."
    if column.pattern and re.compile(column.pattern).groups:
        yield "has a pattern that captures a group; write (?:…)."
    if column.logical_type == "number" and digits(column.physical_type) is None:
        yield "is a number and must be stored as numeric(digits,fraction digits)."
        return
    yield from _shape_of_codes(column)
    for label, example, must_pass in (("good", column.good_example, True), ("bad", column.bad_example, False)):
        if example is None:
            yield f"has no {label} example."
        elif must_pass and (broken := violations(column, example)):
            yield f"rejects its good example: it must be that it {' and '.join(broken)}."
        elif not must_pass and not violations(column, example):
            yield "accepts its bad example."


def _shape_of_codes(column: Column) -> Iterator[str]:
    """A code list decides alone, so what the contract says of the shape must agree with every code."""
    if not column.code_list:
        return
    if column.pattern and not all(re.fullmatch(column.pattern, code) for code in codes(column.code_list)):
        yield f"has a pattern that some codes of list {column.code_list} do not match."
    if column.max_length is not None and any(len(code) > column.max_length for code in codes(column.code_list)):
        yield f"is shorter than some codes of list {column.code_list}."


def _source(contract: Contract, contracts: Sequence[Contract]) -> Iterator[str]:
    keys = ("documentType", "holder", "published", "subjectIdentifierKind", "variants", "deletes", "delivery")
    missing = [k for k in keys if not contract.properties.get(k)]
    if missing:
        yield f"lacks {', '.join(missing)}."
        return
    if contract.deletes not in ("flag", "absence"):
        yield f"deletes must be flag or absence, not {contract.deletes}."
    if not 0 <= contract.maximum_failing_share <= 1:
        yield "maximumFailingShare must lie between 0 and 1."
    for kind in contract.subject_identifier_kinds:
        if kind not in KINDS:
            yield f"names its subjects by {kind}, which is no kind of schemas/identifiers.py."
    if sum(c.identifies == "subject" for c in contract.columns) != 1:
        yield "must have exactly one column that identifies the subject."
    yield from _delivery(contract)
    yield from _agrees(contract, contracts)
    yield from versions.findings_of_source(contract, contracts)


def _delivery(contract: Contract) -> Iterator[str]:
    form = contract.delivery.get("form")
    if form not in DELIVERY_KEYS:
        yield f"delivery form {form} is unknown; known: {', '.join(DELIVERY_KEYS)}."
        return
    dataset_keys, column_key, group_keys = DELIVERY_KEYS[form]
    yield from (f"delivery lacks {k}." for k in dataset_keys if not contract.delivery.get(k))
    for group in contract.groups:
        yield from (f"delivery of {group.name} lacks {k}." for k in group_keys if not group.delivery.get(k))
        narrow = group.delivery.get("subjectOnlyVariants", ())
        yield from (f"{group.name} names the unknown variant {v}." for v in narrow if v not in contract.variants)
        if narrow and not any(k in group.delivery for k in SUBJECT_LINE_KEYS):
            yield f"delivery of {group.name} does not say which line is the subject's own."
    if column_key:
        everything = (*contract.content, *(c for g in contract.groups for c in g.columns))
        yield from (f"{c.name} lacks {column_key}." for c in everything if column_key not in c.delivery)
    if form == "file":
        yield from _bytes(contract)


def _bytes(contract: Contract) -> Iterator[str]:
    """No two fields of one record kind share a byte, and none lies outside the record."""
    length = int(contract.delivery["recordBytes"])
    common = [("kind", contract.delivery["kindBytes"]), ("identifier", contract.delivery["identifierBytes"])]
    header = [(k, contract.delivery[k]) for k in ("recordIdBytes", "changedAtBytes", "deletedBytes")]
    kinds = {"header": common + header + [(c.name, c.delivery["bytes"]) for c in contract.content]}
    for g in contract.groups:
        own = [(c.name, c.delivery["bytes"]) for c in g.columns]
        kinds[g.name] = [*common, ("lineNo", g.delivery["lineNoBytes"]), *own]
    for kind, fields in kinds.items():
        end, before = 0, "the start"
        for name, (start, size) in sorted(fields, key=lambda f: int(f[1][0])):
            if start < end:
                yield f"bytes of {name} overlap those of {before} in {kind} records."
            end, before = start + size, name
        if end > length:
            yield f"{kind} records end after recordBytes."


def _agrees(contract: Contract, contracts: Sequence[Contract]) -> Iterator[str]:
    """Source and published columns, both directions, groups too."""
    by_name = {c.name: c for c in contracts if c.kind == "published"}
    tables: list[tuple[str, str | None, tuple[Column, ...]]] = [(contract.published, None, contract.content)]
    tables += [(f"{contract.published}__{g.name}", g.name, g.content) for g in contract.groups]
    for name, lines, columns in tables:
        table = by_name.get(name)
        if table is None:
            yield f"publishes {name}, which has no contract."
            continue
        given, wanted = {c.publishes or "" for c in columns}, {c.name for c in table.columns}
        if len(given) != len(columns):
            yield f"two columns publish one column of {name}, or one publishes none."
        former = [t for t in by_name.values() if versions.replaces(t, contract) and t.group == lines]
        still = {c.name for t in former for c in t.columns}
        yield from (f"publishes {c}, which {name} lacks." for c in sorted(given - wanted - still))
        yield from (f"{name} has {c}, which no column publishes." for c in sorted(wanted - given))
        said = {c.name: c.defined_by for c in table.columns}
        yield from (
            f"{c.name} and {name}.{c.publishes} name two sources of one field (definedBy)."
            for c in columns
            if c.publishes in said and said[c.publishes] != c.defined_by
        )
    for group in contract.groups:
        table = by_name.get(f"{contract.published}__{group.name}")
        if table is not None and bool(table.properties.get("hasPersonKey")) != (group.person is not None):
            yield f"{table.name} must say hasPersonKey just where {group.name} identifies its line's person."


def _published(contract: Contract, contracts: Sequence[Contract]) -> Iterator[str]:
    document_type = contract.properties.get("documentType")
    if document_type and document_type not in {
        c.properties.get("documentType") for c in contracts if c.kind == "source"
    }:
        yield f"document type {document_type} has no source contract."
    for source in (c for c in contracts if c.kind == "source" and c.properties.get("documentType") == document_type):
        made = {source.published, *(f"{source.published}__{g.name}" for g in source.groups)}
        if contract.name not in made and not versions.replaces(contract, source):
            yield f"no document or group of {source.id} makes this table."
        else:
            yield from versions.findings_of_published(contract, source, contracts)
    for column in contract.columns:
        if column.is_identifier:
            yield f"{column.name} is an identifier; published tables hold none (P10)."
        yield from departures(column)


def _catalogue(contracts: Sequence[Contract]) -> Iterator[str]:
    """What contracts and services name is a document type of the catalogue, and one that a law lets flow."""
    for contract in contracts:
        named = contract.properties.get("documentType")
        if named and named not in document_types():
            yield f"{contract.id}: document type {named} is not in schemas/documents.yaml."
        elif named in never_shareable():
            yield f"{contract.id}: no law lets {named} flow, so it may have no contract (P1)."
    for service in services():
        for need in service.requirements:
            if need.document_type not in document_types():
                yield f"Service {service.id}: {need.document_type} is not in schemas/documents.yaml."
    articles()  # the registry reads, or MalformedContract names the line


def _services(contracts: Sequence[Contract]) -> Iterator[str]:
    sources = {c.document_type: c for c in contracts if c.kind == "source"}
    for service in services():
        for kind in service.applicants:
            if kind not in KINDS:
                yield f"Service {service.id}: applicants are named by {kind}, which is no kind of identifier."
        is_of_several = any(need.about == HOUSEHOLD for need in service.requirements)
        if service.household not in (None, *HOUSEHOLDS) or is_of_several != (service.household is not None):
            yield f"Service {service.id}: `household` must say who else, where a document is about each of them."
        for need in service.requirements:
            contract = sources.get(need.document_type)
            place = f"Service {service.id}, {need.document_type}"
            if need.is_available != (contract is not None):
                yield f"{place}: available must be {str(contract is not None).lower()}, as source contracts say."
            if need.authorisation == STATUTE and need.is_available and not _is_public_register(need.document_type):
                yield f"{place}: a statute opens public registers; this needs consent (전자정부법 시행령 제49조)."
            unknown_kinds = sorted(set(need.applicants) - set(service.applicants))
            if unknown_kinds or not need.applicants:
                yield f"{place}: is asked of {', '.join(unknown_kinds) or 'nobody'}, who does not apply."
            if contract is None:
                continue
            if (need.about == THING) != KINDS[contract.subject_identifier_kind].is_of_thing or need.about not in ABOUT:
                yield f"{place}: `about` must say what the document is about, a thing or not."
            yield from (
                f"{place}: needs {c} too: the document may not stand for the paper any longer than it says."
                for c in sorted({"ISSU_YMD", "VLD_PRD_EXPRY_YMD"} & set(contract.column_paths) - set(need.columns))
                if "VLD_PRD_EXPRY_YMD" in contract.column_paths
            )
            yield from (
                f"{place}: needs {c} too: {path} means what it meant on that day."
                for path, c in standard.dating(contract)
                if path in need.columns and c not in need.columns
            )
            if need.variant not in contract.variants:
                yield f"{place}: variant {need.variant} is none of {', '.join(contract.variants)}."
            unknown = [c for c in need.columns if c not in contract.column_paths]
            if unknown or not need.columns:
                yield f"{place}: columns {', '.join(unknown) or '(none given)'} are not in the contract."


def _is_public_register(document_type: str) -> bool:
    known = document_types().get(document_type)
    return known is not None and known.flows_by == "public_register"


def main() -> int:
    findings = check()
    print("\n".join(findings) or f"{len(load_all())} contracts agree with terms, code lists and services.")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
