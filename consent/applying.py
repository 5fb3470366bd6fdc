"""What an application says when it is opened, and whether its service can be applied for so.

In: an `Application`. Out: its terms as the ledger keeps them, or UsageError.
"""

from typing import Any

from consent import append as log
from consent.model import Application
from hanbeon.errors import UsageError
from schemas.services import SPOUSE, service

TERMS = ("service", "recipient", "applicant_key", "applicant_kind", "member_keys", "not_concerned")


def need_fitting(a: Application) -> None:
    """Raise UsageError where another recipient decides, or somebody else applies, for the service; where it looks at
    nobody else, or not at so many; or where it cannot do without a document."""
    chosen = service(a.service)
    if chosen.recipient != a.recipient:
        raise UsageError(f"Service {a.service} is decided by {chosen.recipient}. Name that recipient.")
    if a.applicant_kind not in chosen.applicants:
        raise UsageError(f"Who applies for {a.service} is named by {' or '.join(chosen.applicants)}.")
    if a.members and chosen.household is None:
        raise UsageError(f"{chosen.id} concerns who applies alone. Open the application without members.")
    if a.applicant_key in a.members or len(set(a.members)) < len(a.members):
        raise UsageError("A member of the household is named twice, or is who applies. Name each other person once.")
    if chosen.household == SPOUSE and len(a.members) > 1:
        raise UsageError(f"{chosen.id} concerns who applies and her spouse. Name one other person at most.")
    waived = {r.document_type for r in chosen.needed_of(str(a.applicant_kind)) if r.is_if_held}
    if not set(a.not_concerned) <= waived:
        told = ", ".join(sorted(waived)) or "none"
        raise UsageError(f"Of {chosen.id}'s documents only these need not concern who applies: {told}.")


def terms(a: Application) -> tuple[Any, ...]:
    """What an application says, in the order of TERMS; NULL for no members, and for no document that is left out."""
    members, left_out = sorted(a.members), sorted(set(a.not_concerned))
    return a.service, a.recipient, a.applicant_key, a.applicant_kind, members or None, left_out or None


def payload(a: Application) -> dict[str, Any]:
    opened_at = log.instant_text(a.opened_at)
    more = {"member_keys": [str(key) for key in sorted(a.members)]} if a.members else {}
    more |= {"not_concerned": sorted(set(a.not_concerned))} if a.not_concerned else {}
    return more | {
        "applicant_key": str(a.applicant_key),
        "applicant_kind": a.applicant_kind,
        "opened_at": opened_at,
        "recipient": a.recipient,
        "service": a.service,
    }
