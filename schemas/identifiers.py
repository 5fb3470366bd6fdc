"""The kinds of identifier that name a subject, and the form of each.

Forms are those of the law and of the issuing agency; check digits are no part of them, since resident numbers issued
since October 2020 and corporate numbers issued since 2025-01-31 have none (주민등록법 시행규칙 제2조;
법인 및 재외국민의 부동산등기용등록번호 부여에 관한 규칙 제2조). Unique identifiers are those of PIPA 24 and Decree 19.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class IdentifierKind:
    """`pattern` matches the whole identifier, as text without hyphens."""

    id: str
    korean: str
    pattern: str
    is_unique_identifier: bool = False

    def is_form_of(self, value: str) -> bool:
        return re.fullmatch(self.pattern, value) is not None


KINDS: Mapping[str, IdentifierKind] = {
    kind.id: kind
    for kind in (
        IdentifierKind("RRN", "주민등록번호", "[0-9]{13}", True),
        IdentifierKind("FRN", "외국인등록번호", "[0-9]{13}", True),
        IdentifierKind("PNO", "여권번호", "[A-Z][0-9A-Z]{8}", True),
        IdentifierKind("DLN", "운전면허번호", "[0-9]{12}", True),
        IdentifierKind("CRN", "법인등록번호", "[0-9]{13}"),
        IdentifierKind("BRN", "사업자등록번호", "[0-9]{10}"),
    )
}
