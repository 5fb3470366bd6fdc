"""Which of the demonstration's citizens do not simply consent: they refuse, withdraw, pause, or are too early or late.

In: a service and who applies for it. Out: what each does. Most of it is drawn from the applicant's own number. Of each
kind of applicant the first whose documents are all held is spared, so that every service has a complete bundle, and the
next does what is the service's turn, so that each has an incomplete one with a reason of its own. Of services for a
household a family is spared too, and in another one member has not consented yet.
"""

from collections.abc import Sequence
from typing import Any

from schemas.services import Service, services

SPARED, MEMBER = "spared", "member"
REFUSED, WITHDRAWN, PAUSED, EXPIRED, LATER = TURNS = ("refused", "withdrawn", "paused", "expired", "later")


def planned(s: Service, rows: Sequence[dict[str, Any]]) -> list[str | None]:
    """What each applicant does by plan; None: whatever her number says."""
    found: list[str | None] = [None] * len(rows)
    for number, kind in enumerate(s.applicants):
        whole = [i for i, r in enumerate(rows) if r["identifier_kind"] == kind and r["is_complete"]]
        lacking = [r for r in rows if r["identifier_kind"] == kind and not r["is_complete"]]
        families = [i for i in whole if rows[i]["members"]]
        for place, does in (
            (whole[:1], SPARED),
            (families[:1], SPARED),
            ([i for i in families[1:2] if i != whole[0]], MEMBER),
        ):
            found = [does if i in place else one for i, one in enumerate(found)]
        free = [i for i in whole if found[i] is None]
        if free and (len(free) > 1 or not lacking):  # few who could be complete are left so where others are not
            found[free[0]] = TURNS[([one.id for one in services()].index(s.id) + number) % len(TURNS)]
    return found
