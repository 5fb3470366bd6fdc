"""Which rows stand for which: a share's row, the gold row behind it, the bronze row behind that.

In: a table and evidence id, or an authorisation's terms. Out: links back to bronze, or every row that the terms cover.
Bronze and gold share their evidence ids; a share's is a keyed hash of gold's, which is computed forward and compared.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from consent import journal, vault
from hanbeon.errors import UsageError
from pipeline.bronze import quarantine_schema
from pipeline.coverage import paths_of
from pipeline.gold import pairwise_ids, share_evidence_ids, share_schema
from pipeline.lawfulness import Authorisation, Row
from pipeline.publish import documents, shares
from pipeline.reading import read, standing
from pipeline.run import Run
from schemas.contract import Contract, source, sources


@dataclass(frozen=True)
class Link:
    """One table in the chain, and the row's id there. `recipient` is set for a share."""

    table: str
    contract: Contract
    evidence_id: str
    recipient: str | None = None


@dataclass(frozen=True)
class HeldRow:
    """A row that an authorisation covers now, or that still names it as its witness although nothing flows any more."""

    table: str
    version: int
    evidence_id: str
    document_type: str
    lines: int
    valid_from: datetime | None
    valid_to: datetime | None  # None: what the record says now, or a share's, which holds nothing else
    is_covered: bool
    is_witness: bool


def evidence_tables() -> dict[str, tuple[Contract, str | None]]:
    """Every table that holds evidence, with its contract and, for a share, its recipient."""
    tables: dict[str, tuple[Contract, str | None]] = {}
    for layer in ("bronze", "quarantine"):
        tables |= {f"{layer}/{c.dataset}": (c, None) for c in sources()}
    tables |= {f"gold/{c.name}": (c, None) for c in documents()}
    return tables | {f"shares/{recipient}/{c.name}": (c, recipient) for recipient, c in shares()}


def schema_of(table: str, contract: Contract, recipient: str | None) -> pa.Schema:
    if recipient is not None:
        return share_schema(contract, recipient)
    if contract.kind == "published":
        return contract.gold_schema
    return quarantine_schema(contract) if table.startswith("quarantine/") else contract.bronze_schema


def chain(run: Run, table: str, evidence_id: str) -> list[Link]:
    """From the table asked about back to bronze; empty without such a row. Raises UsageError for another table.

    A share holds present states alone: the id of one that it held before leads to gold.
    """
    known = evidence_tables()
    if table not in known:
        raise UsageError("That is no table of evidence. Name one like gold/income_certificate or bronze/nts/income.")
    contract, recipient = known[table]
    if standing(run, table, evidence_id) is None:
        return [] if recipient is None else _former(run, contract, recipient, evidence_id)
    first = Link(table, contract, evidence_id, recipient)
    if recipient is not None:
        behind = _behind_share(run, contract, recipient, evidence_id)
        return [first, *chain(run, f"gold/{contract.name}", behind)] if behind else []
    if contract.kind == "published":
        origin = source(contract.document_type)
        return [first, Link(f"bronze/{origin.dataset}", origin, evidence_id)]
    return [first]


def _former(run: Run, contract: Contract, recipient: str, evidence_id: str) -> list[Link]:
    behind = _behind_share(run, contract, recipient, evidence_id)
    links = chain(run, f"gold/{contract.name}", behind) if behind else []
    row = row_of(run, links[0]) if links else None
    return links if row is not None and row["_valid_to"] is not None else []


def _behind_share(run: Run, contract: Contract, recipient: str, evidence_id: str) -> str | None:
    ids = pc.unique(read(run, f"gold/{contract.name}", contract.gold_schema).column("_evidence_id"))
    hashed = share_evidence_ids(ids, recipient, partial(vault.keyed_hashes, run.secrets)).to_pylist()
    return next((lake for lake, shared in zip(ids.to_pylist(), hashed, strict=True) if shared == evidence_id), None)


def row_of(run: Run, link: Link) -> Row | None:
    """The row behind a link; a document's lines share one evidence id, and their pipeline columns are the same."""
    held = read(run, link.table, schema_of(link.table, link.contract, link.recipient))
    rows = held.filter(pc.equal(held.column("_evidence_id"), link.evidence_id)).slice(0, 1).to_pylist()
    return rows[0] if rows else None


def held_rows(run: Run, given: Iterable[Authorisation]) -> tuple[HeldRow, ...]:
    """Every row, in every table, that these authorisations cover or that names one of them as its witness."""
    pointer = journal.pointer(run.conn)
    found: dict[tuple[str, str], HeldRow] = {}
    for authorisation in given:
        for table, (contract, recipient) in evidence_tables().items():
            is_its = contract.document_type == authorisation.terms["document_type"]
            if is_its and recipient in (None, authorisation.terms["recipient"]) and table in pointer:
                for row in _held_in(run, table, contract, recipient, authorisation, pointer[table]):
                    found[row.table, row.evidence_id] = row
    return tuple(found.values())


def _held_in(
    run: Run, table: str, contract: Contract, recipient: str | None, authorisation: Authorisation, version: int
) -> Iterator[HeldRow]:
    terms = authorisation.terms
    covers = authorisation.flows and bool(set(paths_of(contract)) & set(terms["columns"]))
    own = _own(run, table, contract, recipient, terms)
    rows: dict[str, list[Row]] = {}
    for row in own.to_pylist():
        rows.setdefault(row["_evidence_id"], []).append(row)
    for evidence_id, lines in rows.items():
        is_witness = lines[0]["_authorisation_id"] == authorisation.authorisation_id
        if covers or is_witness:
            yield HeldRow(
                table=table,
                version=version,
                evidence_id=evidence_id,
                document_type=contract.document_type,
                lines=len(lines),
                valid_from=lines[0]["_observed_at"],
                valid_to=lines[0].get("_valid_to"),
                is_covered=covers,
                is_witness=is_witness,
            )


def _own(run: Run, table: str, contract: Contract, recipient: str | None, terms: Row) -> pa.Table:
    """The subject's rows of the authorisation's variant in one table, pipeline columns only."""
    held = read(run, table, schema_of(table, contract, recipient))
    if recipient is None:
        is_own = pc.and_(
            pc.equal(held.column("_subject_key"), terms["_subject_key"]),
            pc.equal(held.column("_variant"), terms["variant"]),
        )
    else:
        hashes = partial(vault.keyed_hashes, run.secrets)
        pseudonym = pairwise_ids(pa.chunked_array([[terms["_subject_key"]]], pa.int64()), recipient, hashes)[0]
        gold = read(run, f"gold/{contract.name}", contract.gold_schema)
        of_variant = gold.filter(
            pc.and_(
                pc.equal(gold.column("_subject_key"), terms["_subject_key"]),
                pc.equal(gold.column("_variant"), terms["variant"]),
            )
        ).column("_evidence_id")
        shared = share_evidence_ids(of_variant, recipient, hashes)
        is_own = pc.and_(
            pc.equal(held.column("_pairwise_id"), pseudonym), pc.is_in(held.column("_evidence_id"), value_set=shared)
        )
    told = ("_evidence_id", "_authorisation_id", "_observed_at", "_valid_to")
    return held.filter(is_own).select([name for name in told if name in held.column_names])
