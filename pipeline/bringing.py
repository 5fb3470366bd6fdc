"""Under which authorisations a pull brought something, and who must be told of it.

In: the gate's rows that were asked for, and the rows that came, good or not. Out: uses to count; notices to persons
whose records came on a statutory ground.
"""

import pyarrow as pa
import pyarrow.compute as pc

from consent.gate import RESIDENT_NUMBER
from consent.subject_notices import owe_for_statute
from pipeline.run import Run
from schemas.contract import Contract


def came(allowed: pa.Table, *brought: pa.Table) -> pa.Table:
    """The gate's rows of everybody about whom something came."""
    chunks = [chunk for table in brought for chunk in table.column("_subject_key").chunks]
    subjects = pa.chunked_array(chunks, pa.int64()).unique()
    return allowed.filter(pc.is_in(allowed.column("_subject_key"), value_set=subjects))


def uses_of(own: pa.Table) -> list[tuple[str, str]]:
    """(authorisation, document type): a use of what was asked."""
    return list(zip(own.column("authorisation_id").to_pylist(), own.column("document_type").to_pylist(), strict=True))


def tell(run: Run, contract: Contract, own: pa.Table) -> None:
    """Persons whose records came without being asked for it are told afterwards (Decree 49)."""
    if contract.subject_identifier_kind == RESIDENT_NUMBER:  # a parcel or a corporation is told nothing
        pairs = zip(own.column("_subject_key").to_pylist(), own.column("authorisation_id").to_pylist(), strict=True)
        owe_for_statute(run.conn, pairs, contract.document_type, run.at())
