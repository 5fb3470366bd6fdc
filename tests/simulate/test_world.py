"""The world is the same for the same seed, and nobody in it can exist."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from hanbeon.errors import DependencyDown, UsageError
from schemas.check_digits import corporate_fits
from schemas.succession import ended, meaning, since
from sources.simulate import corporations, forms, names, rates, regions, store, world
from sources.simulate.registers import render


def test_the_same_people_and_seed_give_the_same_world() -> None:
    one, other = world.generate(700, 5), world.generate(700, 5)
    assert set(store.BASE_KEYS) <= set(one)
    for name in one:
        assert_frame_equal(one[name], other[name])


def test_another_seed_gives_another_world() -> None:
    one, other = world.generate(700, 5), world.generate(700, 6)
    assert all(not one[name].equals(other[name]) for name in store.BASE_KEYS)


@pytest.mark.parametrize("people", [50, 51, 333, 1_000])
def test_a_world_has_exactly_the_residents_asked_for(people: int) -> None:
    tables = world.generate(people, 2)
    assert tables["persons"]["household_id"].is_not_null().sum() == people
    assert set(tables["persons"]["household_id"].drop_nulls()) == set(tables["households"]["household_id"])


def test_a_world_too_small_to_be_coherent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="50 people"):
        world.build(tmp_path, 49, 1)


def test_a_missing_world_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DependencyDown, match="No world is built"):
        world.state(tmp_path)


def test_no_number_of_the_world_can_be_a_living_persons(base: store.Frames) -> None:
    """The month is written 20 too high."""
    numbers = base["persons"]["rrn"]
    assert numbers.is_unique().all()
    assert numbers.str.contains(r"^[0-9]{13}$").all()
    assert numbers.str.slice(2, 2).cast(pl.Int32).is_between(21, 32).all()


def test_a_number_tells_birth_date_and_sex_once_the_month_is_put_right(base: store.Frames) -> None:
    for row in base["persons"].head(500).iter_rows(named=True):
        rrn, digit = row["rrn"], int(row["rrn"][6])
        century = 1900 if digit in (1, 2, 5, 6) else 2000
        assert date(century + int(rrn[:2]), int(rrn[2:4]) - 20, int(rrn[4:6])) == row["born"]
        assert (row["sex"] == "M") == (digit % 2 == 1)
        assert (row["nationality"] is not None) == (digit >= 5)


def test_corporate_numbers_have_a_check_digit_as_long_as_there_was_one(base: store.Frames) -> None:
    firms = base["corporations"]
    fits = [corporate_fits(n, f"{d:%Y%m%d}") for n, d in firms.select("crn", "founded").iter_rows()]
    assert fits.count(True) > len(firms) * 0.9
    assert None in fits
    many = corporations.corporate_numbers(*(np.full(3_000, 99 * 10**11), np.arange(1, 3_001), np.full(3_000, 10_000)))
    assert 0 < [corporate_fits(n, "19970101") for n in many].count(False) < 3_000 * 0.03
    assert many.is_unique().all()


def test_corporations_and_businesses_carry_numbers_of_no_office(base: store.Frames) -> None:
    firms = base["corporations"]
    assert firms["crn"].str.contains(r"^99[0-9]{11}$").all()
    assert firms["crn"].is_unique().all()
    numbers = pl.concat([firms["brn"], base["incomes"]["payer_brn"].drop_nulls()])
    assert numbers.str.contains(r"^999[0-9]{7}$").all()
    assert len(firms) == corporations.how_many(5_000)


def test_regions_are_codes_in_force_and_some_live_long_in_a_renamed_province(base: store.Frames) -> None:
    households = base["households"]
    live = regions.legal_codes().filter("is_live")["code"]
    assert set(households["stdg_cd"]) <= set(live)
    assert not households["road_addr"].str.contains("^(강원도|전라북도|경상북도 군위군) ").any()
    renamed = households.filter(pl.col("stdg_cd").str.contains("^(51|52|27720)"))
    assert (renamed["moved_in"] < date(2023, 1, 1)).sum() > len(households) * 0.01


def test_holders_deliver_the_former_codes_of_regions_on_both_sides_of_the_change() -> None:
    """A document of today with the codes of before, and lines of before and after with them."""
    instant = datetime(2026, 5, 20, tzinfo=UTC)
    tables = world.generate(5_000, 7)
    tables.pop("recent")
    for name, table in (("household_extract", ""), ("individual_abstract", "__addr_history")):
        true = render(tables, name, first_instants_at(tables, instant))
        given = forms.delivered(name, true)[name + table]
        day = pl.lit("20260520") if not table else pl.col("MVIN_YMD")
        former = given.with_columns(day=day).filter(pl.col("STDG_CD").str.contains("^(42|45|47720)"))
        abolished = former.filter(
            pl.col("day") >= pl.col("STDG_CD").replace_strict(ended("stdg"), return_dtype=pl.String)
        )
        assert len(abolished) > 0
        assert (len(former) > len(abolished)) == bool(table)
        for code, on in given.with_columns(day=day).select("STDG_CD", "day").iter_rows():
            assert since("stdg").get(code, "") <= on
        standard = [meaning("stdg", c, d) for c, d in given.with_columns(day=day).select("STDG_CD", "day").iter_rows()]
        assert standard == true[name + table]["STDG_CD"].to_list()
        if not table:
            codes_then = zip(given["DONG_CD"], true["household_extract"]["DONG_CD"], strict=True)
            assert all(meaning("hdong", then, "20260520") == now for then, now in codes_then)
            assert given["DONG_CD"].str.contains("^(42|45|47720)").any()


def first_instants_at(tables: store.Frames, instant: datetime) -> store.Instants:
    changed = {"changed_at": pl.lit(instant).cast(pl.Datetime("us", "UTC"))}
    people = tables["persons"].select("person_id", **changed)
    return store.Instants(people, tables["corporations"].select("corporation_id", **changed))


def test_every_renamed_province_can_occur_in_an_old_record() -> None:
    former = regions.places()["old_code"].drop_nulls()
    assert {c[:2] for c in former} == {"42", "45", "47"}
    assert former.str.starts_with("47720").any()


def test_administrative_codes_are_those_of_the_mapping(base: store.Frames) -> None:
    pairs = set(regions.places().select("code", "dong_cd").iter_rows())
    held = base["households"].filter(pl.col("dong_cd").is_not_null()).select("stdg_cd", "dong_cd")
    assert set(held.iter_rows()) <= pairs


def test_an_address_begins_with_the_name_of_its_region(base: store.Frames) -> None:
    named = base["households"].join(regions.legal_codes(), left_on="stdg_cd", right_on="code")
    assert len(named) == len(base["households"])
    for row in named.head(300).iter_rows(named=True):
        assert row["road_addr"].startswith(row["name"].split(" ")[0])


def test_rare_syllables_exist_in_cp949_but_not_in_two_bytes_of_euc_kr(base: store.Frames) -> None:
    for syllable in names.RARE:
        assert len(syllable.encode("cp949")) == 2
        assert len(syllable.encode("euc_kr")) == 8  # Python's own composition; other decoders refuse it
    pattern = "[" + "".join(names.RARE) + "]"
    assert base["persons"]["name"].str.contains(pattern).any()
    assert base["corporations"]["name"].str.contains(pattern).any()


def test_every_hard_case_occurs_and_stays_rare(base: store.Frames) -> None:
    people, households = base["persons"], base["households"]
    found = {
        "name_change": people["former_name"].is_not_null().sum(),
        "foreign_spouse": people["nationality"].is_not_null().sum(),
        "step_child": (people["relation"] == "배우자의 자녀").sum(),
        "deceased_householder": (households["reason"] == "05").sum(),
        "residence_unknown": households["is_unknown"].sum(),
        "closed_corporation": (base["corporations"]["status"] != "1").sum(),
    }
    assert set(found) < set(rates.HARD_CASES)
    assert all(0 < n < 5_000 * 0.03 for n in found.values()), found
