"""What recipients read: the published tables of documents, their shares of them, and the bundles of applications.

In: a run. Out: what each becomes, computed when it is committed, under the gate of now and from what gold then holds.
Publishing and erasing bring shares and bundles up to date alike.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from consent import gate, vault
from hanbeon.clock import seoul_date
from lake import tables
from pipeline import bundles
from pipeline.commit import Change, Compute, Current, Plan
from pipeline.coverage import consented_as
from pipeline.evidence import asked, evidence
from pipeline.gold import share, share_schema
from pipeline.run import Run
from schemas.contract import Contract, published
from schemas.services import recipients, services


def documents(contracts: tuple[Contract, ...] | None = None) -> list[Contract]:
    """Published tables that hold evidence: parents and their lines, not the tables about no document."""
    return [c for c in contracts or published() if "documentType" in c.properties]


@dataclass(frozen=True)
class _Need:
    recipient: str
    document_type: str


def shares() -> list[tuple[str, Contract]]:
    """(recipient, published table) for every share that exists; a group without a needed column has none."""
    needs = {_Need(s.recipient, r.document_type) for s in services() for r in s.data_requirements}
    return [
        (recipient.id, contract)
        for recipient in recipients()
        for contract in documents()
        if _Need(recipient.id, contract.document_type) in needs
        and len(share_schema(contract, recipient.id)) > len(share_schema(contract, ""))
    ]


def share_compute(run: Run, contract: Contract, recipient: str) -> Compute:
    """A share is what gold holds now, seen by one recipient under the gate of now."""

    def compute(current: Current) -> Change | None:
        own, hashes = current.allowed_of(contract), partial(vault.keyed_hashes, run.secrets)
        return whole_if_changed(current.read(), share(contract, gold_rows(run, contract), own, recipient, hashes))

    return compute


def share_plans(run: Run, coming: Collection[str]) -> list[Plan]:
    """One plan for each share with rows, or with rows to come: gold has some, or is about to (`coming`)."""
    return [
        share_plan(contract, recipient, share_compute(run, contract, recipient))
        for recipient, contract in shares()
        if contract.name in coming or not is_share_idle(run, recipient, contract)
    ]


def gold_plan(contract: Contract, compute: Compute) -> Plan:
    name, names = f"gold/{contract.name}", consented_as(contract)
    return Plan(name, contract.gold_schema, compute, partitioned=True, consented_as=names)


def share_plan(contract: Contract, recipient: str, compute: Compute) -> Plan:
    schema = share_schema(contract, recipient)
    names = {column: paths for column, paths in consented_as(contract).items() if column in schema.names}
    return Plan(f"shares/{recipient}/{contract.name}", schema, compute, partitioned=False, consented_as=names)


def overdue(run: Run) -> list[str]:
    """Tables of former versions whose overlap is over, and that still hold rows."""
    root, at = run.settings.lake_root, run.at()
    ended = [c for c in documents() if c.is_over(at)]
    names = [f"gold/{c.name}" for c in ended]
    names += [f"shares/{recipient}/{c.name}" for recipient, c in shares() if c in ended]
    return [name for name in names if not tables.is_empty(root, name)]


def is_share_idle(run: Run, recipient: str, contract: Contract) -> bool:
    """Whether neither the share nor what it is made from holds a row."""
    root = run.settings.lake_root
    return tables.is_empty(root, f"shares/{recipient}/{contract.name}") and tables.is_empty(
        root, f"gold/{contract.name}"
    )


def bundle_compute(run: Run) -> Compute:
    """Bundles are what open applications need now, satisfied with what gold holds now."""

    def compute(current: Current) -> Change | None:
        at, snapshot = run.at(), current.snapshot
        explained = gate.explained(snapshot, at)
        needed = bundles.requirements(snapshot.applications, snapshot.papers, current.allowed, explained)
        rows = bundles.stated(needed, evidence(run, needed), asked(run, needed), seoul_date(at))
        return whole_if_changed(current.read(), rows)

    return compute


def gold_rows(run: Run, contract: Contract) -> pa.Table:
    """What a published table holds in its newest version."""
    return tables.read(run.settings.lake_root, f"gold/{contract.name}", schema=contract.gold_schema)


def whole_if_changed(held: pa.Table, wanted: pa.Table) -> Change | None:
    """The change that makes an unpartitioned table what is wanted; None if it already is."""
    order = [(name, "ascending") for name in held.schema.names if not pa.types.is_nested(held.schema.field(name).type)]
    if held.sort_by(order).equals(wanted.cast(held.schema).sort_by(order)):
        return None
    return Change(wanted.cast(held.schema), None)
