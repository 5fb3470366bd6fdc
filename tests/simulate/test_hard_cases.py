"""The hard cases of real registers occur in the world, at the rates of `rates.py`; docs/hard-cases.md lists them."""

from datetime import timedelta

import polars as pl
import pytest

from hanbeon.clock import seoul_date
from schemas.identifiers import KINDS
from sources.simulate import rates, store
from sources.simulate.relatives import victims

WEIGHTS = {"RRN": (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), "CRN": (1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2)}


def has_check_digit(kind: str, number: str) -> bool:
    """As numbers had one until October 2020 (residents) and 2025-01-31 (corporations)."""
    total = sum(w * int(d) for w, d in zip(WEIGHTS[kind], number[:12], strict=True))
    rest = 11 - total % 11 if kind == "RRN" else 10 - total % 10
    return rest % 10 == int(number[12])


@pytest.mark.parametrize(
    ("kind", "table", "column", "least"), [("RRN", "persons", "rrn", 0.8), ("CRN", "corporations", "crn", 0.0)]
)
def test_numbers_need_no_check_digit(base: store.Frames, kind: str, table: str, column: str, least: float) -> None:
    numbers = base[table][column].to_list()
    without = [n for n in numbers if not has_check_digit(kind, n)]
    assert len(without) > len(numbers) * least
    assert all(KINDS[kind].is_form_of(n) for n in without)


def test_some_vehicles_bear_a_plate_that_was_another_s_and_stay_two(registers: store.Frames) -> None:
    vehicles = registers["vehicle_register"]
    shared = vehicles.filter(pl.col("VHRNO").is_duplicated())
    assert 0 < len(shared) < len(vehicles) * 2 * rates.HARD_CASES["reused_plate"]
    assert vehicles["identifier"].is_unique().all()
    assert vehicles["identifier"].equals(vehicles["VIN"].rename("identifier"))


def test_some_foreigners_have_a_new_number_that_other_holders_do_not_know(
    base: store.Frames, registers: store.Frames
) -> None:
    persons = base["persons"]
    foreigners = persons.filter(pl.col("nationality").is_not_null() & pl.col("household_id").is_not_null())
    registered = registers["alien_registration_certificate"]["identifier"]
    new = registered.filter(~registered.is_in(foreigners["rrn"].implode()))
    assert len(registered) == len(foreigners)
    assert 0 < len(new) < len(foreigners)
    assert not set(new) & set(persons["rrn"]), "a new number is nobody else's"
    assert {n[:7] for n in new} <= {n[:7] for n in foreigners["rrn"]}, "day of birth and sex stay"
    assert not set(new) & set(registers["individual_abstract"]["identifier"])


def test_some_wives_are_hidden_from_their_husbands(base: store.Frames) -> None:
    hidden = victims(base).explode("victims")
    assert len(hidden) > 0
    spouses = dict(base["persons"].select("rrn", pl.col("spouse_id").cast(pl.Int64)).iter_rows())
    assert all(spouses[row["victims"]] == row["id"] for row in hidden.iter_rows(named=True))


def test_some_insurance_was_reported_months_after_it_began(base: store.Frames) -> None:
    began = seoul_date(rates.BASE_INSTANT) - timedelta(days=200)
    late = base["insurance"].filter((pl.col("acquired") == began) & pl.col("lost").is_not_null())
    workers = base["insurance"].filter(pl.col("kind") == "1")["person_id"].n_unique()
    assert 0 < late["person_id"].n_unique() < workers * 3 * rates.HARD_CASES["retroactive_insurance"]


def test_minors_and_wards_have_guardians(registers: store.Frames) -> None:
    minors = registers["basic_certificate"].filter(pl.col("BRTH_YMD") > "20120601")
    assert minors.select(pl.coalesce("PTRP_NM", "MNR_GRDN_NM").is_not_null().any()).item()
    wards = registers["guardianship_certificate"].filter(pl.col("RCRD_ABSN_YN") == "N")
    guardians = registers["guardianship_certificate__guardians"]
    assert len(wards) > 0
    assert set(wards["record_id"]) == set(guardians["record_id"])


def test_some_householders_are_dead_and_their_spouses_succeeded_them(base: store.Frames) -> None:
    succeeded = base["households"].filter(pl.col("reason") == "05")
    heads = base["persons"].join(succeeded.select(person_id="head_id"), on="person_id", how="semi")
    dead = base["persons"].filter(pl.col("died").is_not_null())["person_id"]
    assert len(heads) > 0
    assert heads["spouse_id"].is_in(dead.implode()).all()
