"""The registers whose content is drawn from base rows: which function renders which, and about whom each is."""

from collections.abc import Callable, Mapping

from sources.simulate import (
    border,
    business,
    court_persons,
    credentials,
    insurance_records,
    residence,
    tax,
    welfare,
)
from sources.simulate.store import Frames, Instants

DOCUMENTS: Mapping[str, str] = {
    "RRA": "individual_abstract",
    "LTAXC": "local_tax_clearance",
    "LTAXI": "local_tax_assessment",
    "NTAXC": "national_tax_clearance",
    "BIZR": "business_registration",
    "VATB": "vat_base_certificate",
    "CLSB": "business_closure_certificate",
    "FINS": "financial_statement_certificate",
    "HIPM": "health_insurance_premiums",
    "SI4": "social_insurance_roster",
    "MLSV": "military_service_certificate",
    "NPSC": "pension_coverage_certificate",
    "NPSB": "pension_benefit_certificate",
    "EMPI": "employment_insurance_history",
    "BLSC": "basic_livelihood_certificate",
    "NPOV": "near_poverty_certificate",
    "SNPF": "single_parent_certificate",
    "IMMG": "entry_departure_certificate",
    "ARCF": "alien_registration_certificate",
    "PASP": "passport_record",
    "DRVL": "driving_record",
    "GRAD": "graduation_certificate",
    "QUAL": "national_qualification_certificate",
    "SMEC": "sme_confirmation",
    "VETR": "veteran_confirmation",
    "BASC": "basic_certificate",
    "MARR": "marriage_relation_certificate",
    "GRDN": "guardianship_certificate",
}
_GROUPS = {
    "individual_abstract": ("addr_history", "name_history"),
    "business_registration": ("items", "partners"),
    "vat_base_certificate": ("periods",),
    "financial_statement_certificate": ("accounts",),
    "health_insurance_premiums": ("months",),
    "social_insurance_roster": ("workers",),
    "pension_coverage_certificate": ("history",),
    "pension_benefit_certificate": ("payments",),
    "employment_insurance_history": ("history",),
    "basic_livelihood_certificate": ("members",),
    "single_parent_certificate": ("children",),
    "entry_departure_certificate": ("trips",),
    "alien_registration_certificate": ("addr_history",),
    "driving_record": ("licences",),
    "national_qualification_certificate": ("quals",),
    "marriage_relation_certificate": ("history",),
    "guardianship_certificate": ("guardians",),
}
_MODULES = (
    tax,
    business,
    insurance_records,
    welfare,
    border,
    credentials,
    residence,
    court_persons,
)
_FIRMS_ALONE = ("financial_statement_certificate", "social_insurance_roster")
_BOTH = (
    "local_tax_clearance",
    "local_tax_assessment",
    "national_tax_clearance",
    "business_registration",
    "vat_base_certificate",
    "business_closure_certificate",
    "sme_confirmation",
)


def _builder(table: str) -> Callable[[Frames, Instants], Frames]:
    found: Callable[[Frames, Instants], Frames] = next(getattr(m, table) for m in _MODULES if hasattr(m, table))
    return found


def _subjects(table: str) -> tuple[str, ...]:
    if table in _BOTH:
        return ("people", "firms")
    return ("firms",) if table in _FIRMS_ALONE else ("people",)


GROUPS: Mapping[str, tuple[str, ...]] = {t: _GROUPS.get(t, ()) for t in DOCUMENTS.values()}
SUBJECTS: Mapping[str, tuple[str, ...]] = {t: _subjects(t) for t in DOCUMENTS.values()}
BUILDERS: Mapping[str, Callable[[Frames, Instants], Frames]] = {t: _builder(t) for t in DOCUMENTS.values()}
