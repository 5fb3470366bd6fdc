"""Whose records each register of the world holds: persons', corporations', or both; of a thing its owner counts.

A document type that stands here is held.

A record's running number is its person's or its corporation's. Corporations begin above every person, so that a
register can hold both; the corporate register itself counts from its own beginning.
"""

from collections.abc import Mapping

PEOPLE, FIRMS = "people", "firms"
FIRST_FIRM = 50_000_000

_PEOPLE = (
    "household_extract",
    "income_certificate",
    "disability_certificate",
    "health_insurance_history",
    "family_relation_certificate",
    "individual_abstract",
    "health_insurance_premiums",
    "military_service_certificate",
    "pension_coverage_certificate",
    "pension_benefit_certificate",
    "employment_insurance_history",
    "basic_livelihood_certificate",
    "near_poverty_certificate",
    "single_parent_certificate",
    "entry_departure_certificate",
    "alien_registration_certificate",
    "passport_record",
    "driving_record",
    "graduation_certificate",
    "national_qualification_certificate",
    "veteran_confirmation",
    "basic_certificate",
    "marriage_relation_certificate",
    "guardianship_certificate",
    "lease_report",
    "lease_fixed_date",
)
_FIRMS = (
    "corporate_registration",
    "financial_statement_certificate",
    "social_insurance_roster",
    "export_declaration",
)
_BOTH = (
    "local_tax_clearance",
    "local_tax_assessment",
    "national_tax_clearance",
    "business_registration",
    "vat_base_certificate",
    "business_closure_certificate",
    "sme_confirmation",
    "vehicle_register",
    "building_ledger",
    "land_ledger",
    "land_price_confirmation",
    "land_use_plan",
    "real_estate_register",
)
# Register, named as published, to whom it is about.
SUBJECTS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_PEOPLE, (PEOPLE,)),
    **dict.fromkeys(_FIRMS, (FIRMS,)),
    **dict.fromkeys(_BOTH, (PEOPLE, FIRMS)),
}


def first_firm(register: str) -> int:
    """The running number of the register's first corporation."""
    return 0 if register == "corporate_registration" else FIRST_FIRM
