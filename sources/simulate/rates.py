"""How the simulated world is made up: every share and rate, stated in one place.

Shares of a group add up to one. HARD_CASES are the low rates of what real registers hold and tidy test data does not;
EVENTS are expected numbers a day for each 1,000 residents (at least one of each kind happens every day).
"""

from datetime import UTC, datetime

BASE_INSTANT = datetime(2026, 6, 1, tzinfo=UTC)  # the world's first instant, whatever today is
# Every record changed last in these days before the base instant, late corrections in the very last. Nothing that a
# record tells happened later than that.
FIRST_CHANGES_DAYS = 19
LATE_CHANGES_DAYS = 3
INCOME_YEARS = (2023, 2024, 2025)
PEOPLE_PER_CORPORATION = 40

# Shares of households by kind.
HOUSEHOLDS = {
    "sole_young": 0.17,
    "sole_middle": 0.11,
    "sole_old": 0.12,
    "couple_young": 0.06,
    "couple_old": 0.12,
    "couple_children": 0.23,
    "single_parent": 0.07,
    "three_generations": 0.04,
    "parent_adult_child": 0.05,
    "cohabitants": 0.03,
}
CHILDREN = {1: 0.45, 2: 0.43, 3: 0.12}
SINGLE_PARENTS = {"divorced": 0.55, "widowed": 0.2, "unmarried": 0.25}

HARD_CASES = {
    "rare_hangul_person": 0.002,  # a syllable of CP949 that EUC-KR lacks, in a given name
    "rare_hangul_corporation": 0.03,  # the same in a trade name
    "name_change": 0.004,  # the corporate register still shows the former name
    "deceased_householder": 0.3,  # of widows and widowers living alone: the spouse was householder until death
    "foreign_spouse": 0.03,  # of couples: a line with a nationality, a foreigner's number, no family register
    "step_child": 0.03,  # of couples with children: the eldest is the spouse's child of a former marriage
    "deceased_child": 0.004,  # of couples with children: shown in the detailed certificate alone
    "renamed_region": 0.01,  # of households: living since long in a province that was renamed meanwhile
    "residence_unknown": 0.003,  # of sole householders
    "retroactive_insurance": 0.01,  # of workplace subscribers: reported months after it began
    "late_correction": 0.02,  # of income certificates: an old year corrected in the last month
    "closed_corporation": 0.04,
    "disclosure_block": 0.02,  # of wives at home: a victim whose certificates her husband may not have
    "reissued_foreigner_number": 0.5,  # of registered foreigners: other holders still know the former number
    "reused_plate": 0.02,  # of vehicles: the plate was another vehicle's, or still is in somebody's records
}

# Shares of records, or of lines, that a holder writes in another form than the standard one (forms.py).
FORMS = {
    "former_region": 0.3,  # of records in a renamed province: the codes, and in the register the name, of before
    "abbreviated_province": 0.02,  # of addresses: 서울, 경기
    "wide_address": 0.02,  # of addresses: digits and parentheses of full width
    "blanks_in_address": 0.02,
    "syllables_apart": 0.03,  # of names: 김 하 나
    "wide_name": 0.02,  # of names: in full width, or with blanks of it
    "decomposed_name": 0.01,  # of names: jamo instead of syllables
    "word_for_nothing": 0.3,  # of values that there are not
    "odd_check_digit": 0.01,  # of corporate numbers given before 2025-01-31: a slip that nobody corrected
}
# Of births before 1960: entered by the lunar calendar, or without the day, or without month and day.
OLD_BIRTHS = {"lunar": 0.2, "no day": 0.03, "no month": 0.01}

INCOME_SHARE = 0.82  # of residents of 20 to 64
BUSINESS_SHARE = 0.15  # of earners of 20 to 64
PENSION_SHARE = 0.6  # of residents of 65 and more
DISABILITY_SHARE = 0.05
DISABILITY_SECOND_TYPE = 0.08

EVENTS = {
    "move": 0.15,
    "birth": 0.02,
    "marriage": 0.02,
    "divorce": 0.006,
    "death": 0.02,
    "name_change": 0.01,
    "household_split": 0.01,
    "income_correction": 0.1,
    "disability_registered": 0.02,
    "disability_cancelled": 0.01,
    "insurance_change": 0.2,
    "corporation_change": 0.02,
}

# Shares of the registers whose content is drawn from a subject's number alone (draws.py).
REGISTERED = {
    "tax_arrears": 0.03,  # of taxpayers: a clearance that says there is something to pay
    "tax_deferred": 0.005,  # of taxpayers: collection is put off
    "address_unreturned": 0.003,  # of former addresses: struck off there, then registered again
    "military_on_abstract": 0.12,  # of men with a record of service: asked to be printed on the abstract
    "partner": 0.05,  # of proprietors with a living spouse: the spouse is a partner
    "proprietor_suspended": 0.02,
    "proprietor_closed": 0.03,
    "premium_arrears": 0.03,  # of subscribers
    "basic_livelihood": 0.045,  # of households
    "near_poverty": 0.02,  # of households, drawn from those without basic livelihood
    "old_age_pension": 0.7,  # of residents of 62 and more
    "no_trip": 0.3,  # of residents, in five years
    "passport": 0.55,  # of adult nationals
    "driving_licence": 0.65,  # of adults
    "licence_revoked": 0.01,  # of drivers
    "graduation": 0.7,  # of residents of 22 and more
    "qualification": 0.18,  # of adults
    "veteran": 0.012,  # of nationals older than 25
    "ward": 0.003,  # of adult nationals, where an adult of the family can be guardian
    "vehicle": 0.55,  # of adults
    "corporate_vehicle": 0.7,
    "hired_vehicle": 0.1,  # of corporate vehicles: for hire
    "joint_vehicle": 0.08,  # of persons' vehicles: two owners
    "seized_vehicle": 0.02,
    "mortgaged_vehicle": 0.12,
    "tenant": 0.4,  # of householders
    "monthly_rent": 0.6,  # of leases
    "renewed_lease": 0.25,
    "fixed_next_day": 0.15,  # of fixed dates: asked for after 16:00
    "exporter": 0.35,  # of open corporations
    "shipped_export": 0.85,
    "no_guardianship": 0.003,  # of adult nationals: a certificate that nothing is recorded
    "property": 0.35,  # of adult nationals
    "foreign_property": 0.4,  # of adult foreigners: high, so that a small world has some
    "foreign_disability": 0.25,  # of adult foreigners: high likewise (장애인복지법 제32조의2)
    "shop_owner_property": 0.75,
    "firm_property": 0.6,
    "joint_owners": 0.35,  # of owners with a spouse
    "forest": 0.2,  # of parcels without a building
    "category_changed": 0.15,  # of other parcels
    "parcel_divided": 0.3,
    "building_violation": 0.02,
    "mortgage": 0.45,
    "mortgage_cancelled": 0.25,
}
