"""No authorisation, approval or application is made with a field that is empty, not one line, or no instant."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from hanbeon.errors import UsageError
from tests.consent.making import AT, SECOND, application, approval, grant, scope

MADE: dict[str, Any] = {"scope": scope(), "grant": grant(), "approval": approval(), "application": application()}
TEXTS = {
    "scope": ("document_type", "holder"),
    "grant": ("recipient", "service", "purpose", "legal_basis"),
    "approval": ("holder", "recipient", "document_type", "purpose", "legal_basis", "storage"),
    "application": ("service", "recipient"),
}


@pytest.mark.parametrize(("made", "name"), [(made, name) for made, names in TEXTS.items() for name in names])
def test_a_text_is_one_line_and_says_something(made: str, name: str) -> None:
    for wrong in ("", "two\nlines", "a\x00b", None):
        with pytest.raises(UsageError, match=name):
            replace(MADE[made], **{name: wrong})


@pytest.mark.parametrize("made", ["grant", "approval"])
def test_an_interval_has_two_instants_and_ends_after_it_begins(made: str) -> None:
    for changes in (
        {"valid_until": MADE[made].valid_from},
        {"valid_from": MADE[made].valid_until + SECOND},
        {"valid_from": datetime(2026, 6, 1)},
        {"valid_until": datetime(2027, 6, 1)},
    ):
        with pytest.raises(UsageError):
            replace(MADE[made], **changes)


def test_who_applies_is_a_key_and_when_is_an_instant() -> None:
    for changes in ({"applicant_key": "7"}, {"applicant_key": 2**63}, {"opened_at": datetime(2026, 6, 1)}):
        with pytest.raises(UsageError):
            replace(application(), **changes)
    assert replace(application(), applicant_key=-(2**63), opened_at=AT).applicant_key == -(2**63)
