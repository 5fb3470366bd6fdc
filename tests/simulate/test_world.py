"""The world is the same for the same seed, and nobody in it can exist."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from hanbeon.errors import DependencyDown, UsageError
from schemas.codes import codes
from sources.simulate import corporations, names, rates, regions, store, world


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
    """DESIGN.md, Simulated RRNs: the month is written 20 too high."""
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


def test_corporations_and_businesses_carry_numbers_of_no_office(base: store.Frames) -> None:
    firms = base["corporations"]
    assert firms["crn"].str.contains(r"^99[0-9]{11}$").all()
    assert firms["crn"].is_unique().all()
    numbers = pl.concat([firms["brn"], base["incomes"]["payer_brn"].drop_nulls()])
    assert numbers.str.contains(r"^999[0-9]{7}$").all()
    assert len(firms) == corporations.how_many(5_000)


def test_regions_are_real_codes_with_abolished_ones_among_old_records(base: store.Frames) -> None:
    used = set(base["households"]["stdg_cd"])
    assert used <= codes("stdg")
    old = base["households"].filter(pl.col("stdg_cd").str.contains("^(42|45|47720)"))
    live = regions.legal_codes().filter("is_live")["code"]
    assert 0 < len(old) < len(base["households"]) * 0.03
    assert not set(old["stdg_cd"]) & set(live)
    assert (old["moved_in"] < date(2023, 1, 1)).all()
    assert old["dong_cd"].is_null().all()


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
