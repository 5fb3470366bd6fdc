"""What a holder signed about its delivery, believed and kept in the log (kind 6).

In: a finished delivery's statements, and what the pull made of it. Out: the number of the delivery, which its commits
name; None where the holder signs nothing, or not all of it, or its key is not known. A signature that is somebody
else's, about other bytes than came, or about a file of another name (last night's, sent again), refuses the delivery.
"""

from collections.abc import Mapping
from typing import Any

from consent.append import instant_text
from consent.bodies import BodyKind, record_body
from consent.trust import Trust, signed_by_partner
from hanbeon.errors import IntegrityError, SourceError
from pipeline.run import Run
from schemas.contract import Contract
from sources.delivery import DeliveryReport
from sources.signed import Statement


def record_delivery(run: Run, contract: Contract, report: DeliveryReport) -> int | None:
    """Check every statement and keep them as one delivery. Raises SourceError when one proves something else."""
    signed = [one for one in report.statements if one.token is not None]
    if not signed:
        return None
    trust = run.trust
    if contract.holder not in trust.partners:
        return None
    claims = [_believed(trust, contract, one) for one in signed]
    if len(signed) < len(report.statements):
        return None  # unsigned in part: the reconciliation says so
    body: dict[str, Any] = {
        "dataset": contract.dataset,
        "holder": contract.holder,
        "run_id": run.run_id,
        "received_at": instant_text(run.at()),
        "records": sum(int(said["records"]) for said in claims),
        "counted": report.received if report.signed_count is None else report.signed_count,
        "statements": [one.token for one in signed],
    }
    return record_body(run.conn, BodyKind.DELIVERY, body, stream=contract.dataset)


def _believed(trust: Trust, contract: Contract, one: Statement) -> Mapping[str, Any]:
    wrong = SourceError(
        f"{contract.holder} signed something else than the delivery of {contract.dataset}, or another signed it. "
        "Nothing of it is used; the watermark stays."
    )
    try:
        holder, claims = signed_by_partner(trust, str(one.token))
    except IntegrityError:
        raise wrong from None
    records = claims.get("records")
    said = (holder, claims.get("content"), claims.get("request"), claims.get("file"))
    if said != (contract.holder, one.content, one.request, one.file):
        raise wrong
    if not isinstance(records, int) or isinstance(records, bool) or records < 0:
        raise wrong
    return claims
