"""Whose row a pack is about, and which authorisations it rests on: its witness, and who else covers what is shown.

In: the proved rows of one evidence id. Out: `Grounds`, as few authorisations as cover the columns shown. Gold holds
the union of what several authorisations allow, so the witness alone may cover less than the row; and what somebody
withdrew since the commit is shown no more, although the row waits for its erasure (P4).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from consent import journal, ledger, vault
from consent.history import LedgerEvent
from consent.model import TRANSITIONS, Event, State
from consent.narrow import snapshot_of_subject
from hanbeon.errors import GateRefused, IntegrityError
from pipeline.coverage import gold_paths
from pipeline.gold import pairwise_ids
from pipeline.lawfulness import Authorisation, authorisations
from pipeline.proving import RowProof
from pipeline.run import Run
from schemas.contract import Contract

NOT_COVERED = "content_not_covered"


@dataclass(frozen=True)
class Grounds:
    """`authorisation_ids` begin with the witnesses that the rows name."""

    subject_key: int
    document_type: str
    authorisation_ids: tuple[str, ...]

    def is_shown(self, scope: Mapping[str, Any]) -> bool:
        """Whether a scope of a grant's payload is of this subject and document: the others concern somebody else."""
        return (scope["subject_key"], scope["document_type"]) == (str(self.subject_key), self.document_type)


def grounds_of(run: Run, proofs: Sequence[RowProof], contract: Contract, recipient: str | None) -> Grounds:
    """The subject and the witnesses alone. Raises IntegrityError for a row whose witness is about somebody else."""
    witnesses = tuple(sorted({proof.values["_authorisation_id"] for proof in proofs}))
    return Grounds(_subject(run, proofs[0].values, recipient), contract.document_type, witnesses)


def covering(
    run: Run, given: Grounds, proofs: Sequence[RowProof], contract: Contract, recipient: str | None
) -> Grounds:
    """With those that cover every column of the rows. Raises GateRefused when that is not all covered now."""
    variant = proofs[0].values.get("_variant")  # a share has no such column
    paths = dict(gold_paths(contract))
    shown = {name for p in proofs for name, text in p.content.columns.items() if text is not None}
    wanted = {path for name in shown for path in paths.get(name, (name,))}
    every = authorisations(
        run,
        snapshot_of_subject(run.conn, given.subject_key),
        lambda terms: (
            terms["document_type"] == given.document_type
            and variant in (None, terms["variant"])
            and recipient in (None, terms["recipient"])
        ),
    )
    if wanted - {column for one in every if one.flows for column in one.terms["columns"]}:
        raise GateRefused(
            "The row holds columns that no authorisation covers any more; it waits for its erasure, and its content is"
            " not shown. `--redact` makes a pack without content.",
            NOT_COVERED,
        )
    position = max(_ledger_position(run, proof) for proof in proofs)
    stood = [one for one in every if _stood(one.events, position)]
    return Grounds(given.subject_key, given.document_type, tuple(_enough(given.authorisation_ids, stood, wanted)))


def _enough(witnesses: Sequence[str], stood: Sequence[Authorisation], wanted: set[str]) -> Iterator[str]:
    """The witnesses, then each that covers something still open. Raises IntegrityError when all of them do not."""
    yield from witnesses
    covers = {one.authorisation_id: set(one.terms["columns"]) for one in stood}
    left = wanted.difference(*(covers.get(key, set()) for key in witnesses))
    for key in sorted(covers.keys() - set(witnesses)):
        if left & covers[key]:
            left -= covers[key]
            yield key
    if left:
        raise IntegrityError("The row holds columns that nothing covered when it was committed. Run `hanbeon verify`.")


def _stood(events: Sequence[LedgerEvent], position: int) -> bool:
    state: State | None = None
    for event in events:
        if event.position <= position:
            state = TRANSITIONS[(state, Event(event.kind))]
    return state is State.GRANTED


def _subject(run: Run, row: Mapping[str, Any], recipient: str | None) -> int:
    """A share's row names its subject by a pseudonym alone, so the subjects of its witness are tried."""
    if recipient is None:
        return int(row["_subject_key"])
    keys = ledger.authorisations(run.conn, authorisation_id=row["_authorisation_id"]).column("_subject_key")
    pseudonyms = pairwise_ids(keys, recipient, partial(vault.keyed_hashes, run.secrets)).to_pylist()
    found = {k for k, one in zip(keys.to_pylist(), pseudonyms, strict=True) if one == row["_pairwise_id"]}
    if len(found) != 1:
        raise IntegrityError("The row's authorisation is not about the row's subject. Run `hanbeon verify`.")
    return int(found.pop())


def _ledger_position(run: Run, proof: RowProof) -> int:
    return next(int(x.ledger_position) for x in journal.leaves(run.conn, proof.table) if x.sequence == proof.sequence)
