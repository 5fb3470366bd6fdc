"""The kinds of identifier that name a subject, and the form of each.

Forms are those of the law and of the issuing agency; check digits are no part of them, since resident numbers issued
since October 2020 and corporate numbers issued since 2025-01-31 have none (주민등록법 시행규칙 제2조;
법인 및 재외국민의 부동산등기용등록번호 부여에 관한 규칙 제2조). A property's number is that of 부동산등기규칙 제12조;
of lease reports and fixed dates only the longest length is known.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class IdentifierKind:
    """`pattern` matches the whole identifier, as text without hyphens. A thing cannot consent: its owner does."""

    id: str
    pattern: str
    is_of_thing: bool = False

    def is_form_of(self, value: str) -> bool:
        return re.fullmatch(self.pattern, value) is not None


PERSON = "RRN"
CORPORATE = ("CRN", "BRN")  # who is named by one of these consents through a representative

KINDS: Mapping[str, IdentifierKind] = {
    kind.id: kind
    for kind in (
        IdentifierKind("RRN", "[0-9]{13}"),  # 주민등록번호
        IdentifierKind("FRN", "[0-9]{13}"),  # 외국인등록번호
        IdentifierKind("PNO", "[A-Z][0-9A-Z]{8}"),  # 여권번호
        IdentifierKind("DLN", "[0-9]{12}"),  # 운전면허번호
        IdentifierKind("CRN", "[0-9]{13}"),  # 법인등록번호
        IdentifierKind("BRN", "[0-9]{10}"),  # 사업자등록번호
        IdentifierKind("PNU", "[0-9]{19}", is_of_thing=True),  # 토지의 고유번호, a parcel
        IdentifierKind("BMN", "[0-9]{25}", is_of_thing=True),  # 건물관리번호, a building
        IdentifierKind("REN", "[0-9]{14}", is_of_thing=True),  # 부동산고유번호, a property in the register
        IdentifierKind("VIN", "[0-9A-HJ-NPR-Z]{17}", is_of_thing=True),  # 차대번호, a vehicle
        IdentifierKind("LRN", "[0-9A-Z]{1,50}", is_of_thing=True),  # 임대차 신고번호, a reported lease
        IdentifierKind("FDN", "[0-9A-Z]{1,50}", is_of_thing=True),  # 확정일자번호, a lease with a fixed date
    )
}
