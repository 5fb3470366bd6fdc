"""Residents and their households as base tables: names, numbers, regions, addresses.

A registration number is a birth date with 20 added to the month, a sex digit and six digits: no living person's
(no month is above 12). Children bear their father's name, clan and place of registration.
"""

import numpy as np
import polars as pl

from sources.simulate import names, rates, regions
from sources.simulate.households import (
    ADULT_CHILD,
    CHILD,
    COHABITANT,
    ELDER,
    HEAD,
    SPOUSE,
    YEAR,
    Bools,
    Ints,
    Slots,
)
from sources.simulate.kin import ALIVE, BASE_DAY, Kin
from sources.simulate.names import Texts


def persons(rng: np.random.Generator, slots: Slots, kin: Kin, places: pl.DataFrame) -> pl.DataFrame:
    """One row per resident, and per dead relative, in the order of `person_id`."""
    n = len(kin.born)
    roots = _roots(kin)
    surnames = np.array(names.SURNAMES, object)[rng.choice(len(names.SURNAMES), n, p=names.SURNAME_WEIGHTS)[roots]]
    clans = np.array(names.CLANS, object)[rng.integers(0, len(names.CLANS), n)[roots]]
    registered_at = places["name"].to_numpy()[rng.integers(0, len(places), n)[roots]]
    lots = np.array([f" {i}" for i in range(1, 500)], object)[rng.integers(0, 499, n)[roots]]
    name = surnames + names.given_names(rng, kin.is_male, rates.HARD_CASES["rare_hangul_person"])
    nationality = np.full(n, None, object)
    for i in np.flatnonzero(kin.is_foreign):
        country = int(rng.integers(0, len(names.NATIONALITIES)))
        nationality[i] = names.NATIONALITIES[country]
        name[i] = names.FOREIGN_NAMES[country][int(rng.integers(0, len(names.FOREIGN_NAMES[country])))]
    former = surnames + names.given_names(rng, kin.is_male, 0.0)
    has_former = (rng.random(n) < rates.HARD_CASES["name_change"]) & ~kin.is_foreign & (kin.died == ALIVE)
    has_former &= kin.born < BASE_DAY - 26 * YEAR
    pad = n - slots.people
    return pl.DataFrame(
        {
            "person_id": np.arange(n, dtype=np.int32),
            "rrn": numbers(kin.born, kin.is_male, kin.is_foreign),
            "name": names.series(name),
            "former_name": names.series(names.only(former, has_former)),
            "sex": names.series(np.where(kin.is_male, "M", "F").astype(object)),
            "born": pl.Series(kin.born.astype(np.int32)).cast(pl.Date),
            "died": pl.Series(np.where(kin.died == ALIVE, 0, kin.died).astype(np.int32)),
            "nationality": names.series(nationality),
            "clan": names.series(clans),
            "registered_place": names.series(registered_at + lots),
            "father_id": kin.father.astype(np.int32),
            "mother_id": kin.mother.astype(np.int32),
            "spouse_id": kin.spouse.astype(np.int32),
            "household_id": np.concatenate([slots.household, np.full(pad, -1)]).astype(np.int32),
            "relation": pl.Series([*_relations(slots, kin), *[None] * pad], dtype=pl.String),
        }
    ).with_columns(
        pl.when(pl.col("died") != 0).then(pl.col("died").cast(pl.Date)),
        *(pl.when(pl.col(c) >= 0).then(c) for c in ("father_id", "mother_id", "spouse_id", "household_id")),
    )


def _roots(kin: Kin) -> Ints:
    """The oldest known ancestor in each person's line of name: father's, or mother's where no father is known."""
    line = np.where(kin.father >= 0, kin.father, kin.mother)
    roots = np.arange(len(line))
    for _ in range(8):
        roots = np.where(line[roots] >= 0, line[roots], roots)
    return roots


def numbers(born: Ints, is_male: Bools, is_foreign: Bools, taken: int = 0) -> pl.Series:
    """Unique registration numbers; `taken` numbers of the same day and digit exist already."""
    days = born.astype("datetime64[D]")
    years = days.astype("datetime64[Y]").astype(np.int64) + 1970
    months = days.astype("datetime64[M]").astype(np.int64) % 12 + 1
    day = (days - days.astype("datetime64[M]")).astype(np.int64) + 1
    digit = np.where(years < 2000, 1, 3) + ~is_male + np.where(is_foreign, 4, 0)
    group = born * 16 + digit
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], group[order], side="left")
    rank = np.empty(len(born), np.int64)
    rank[order] = np.arange(len(born)) - starts
    serial = ((rank + taken) * 104_729 + group * 7_919) % 1_000_000
    value = ((years % 100 * 100 + months + 20) * 100 + day) * 10_000_000 + digit * 1_000_000 + serial
    return pl.Series(value).cast(pl.String).str.zfill(13)


def _relations(slots: Slots, kin: Kin) -> list[str]:
    """How each resident is related to the head of the household, as printed on the extract."""
    n = slots.people
    head = slots.of[HEAD][slots.household]
    is_own = (kin.father[:n] == head) | (kin.mother[:n] == head)
    is_parent = (kin.father[head] == np.arange(n)) | (kin.mother[head] == np.arange(n))
    relation = np.full(n, "동거인", object)
    role = slots.role
    relation[role == HEAD] = "본인"
    relation[role == SPOUSE] = "배우자"
    is_child = ((role >= CHILD) & (role < COHABITANT)) | (role == ADULT_CHILD)
    relation[is_child] = np.where(is_own, "자녀", "배우자의 자녀")[is_child]
    parents = np.where(slots.is_male, "부", "모").astype(object)
    relation[role == ELDER] = np.where(is_parent, parents, "배우자의 " + parents)[role == ELDER]
    return [str(r) for r in relation]


def addresses(rng: np.random.Generator, places: pl.DataFrame, chosen: Ints) -> dict[str, Texts | pl.Series]:
    """Region code, administrative code, postal code and road address of the places chosen."""
    at = places[chosen]
    roads = names.road_names(rng, len(chosen))
    return {
        "stdg_cd": at["code"],
        "dong_cd": at["dong_cd"],
        "zip": at["zip_prefix"] + pl.Series(rng.integers(100, 1000, len(chosen))).cast(pl.String),
        "road_addr": names.series(at["road_prefix"].to_numpy() + " " + roads),
    }


def households(rng: np.random.Generator, slots: Slots, kin: Kin, places: pl.DataFrame) -> pl.DataFrame:
    """One row per household, in the order of `household_id`."""
    n = slots.households
    head = slots.of[HEAD]
    is_old = rng.random(n) < rates.HARD_CASES["renamed_region"]
    renamed = np.flatnonzero(
        (places["old_code"].is_not_null() & places["code"].is_in(sorted(regions.ancient()[1]))).to_numpy()
    )
    chosen = np.where(is_old, renamed[rng.integers(0, len(renamed), n)], draw_places(rng, places, n))
    years = rng.uniform(0.1, np.minimum(15, np.maximum(slots.age_days[head] / YEAR - 18, 0.2)))
    years = np.where(is_old, 4 + years * 0.7, years)
    reason = np.array(["01", "02", "03", "04"], object)[rng.choice(4, n, p=[0.7, 0.18, 0.07, 0.05])]
    is_widowed = (kin.spouse[head] >= 0) & (kin.died[np.maximum(kin.spouse[head], 0)] != ALIVE)
    is_succession = is_widowed & (rng.random(n) < rates.HARD_CASES["deceased_householder"])
    is_sole = slots.of[SPOUSE] < 0
    is_unknown = is_sole & (rng.random(n) < rates.HARD_CASES["residence_unknown"])
    return pl.DataFrame(
        {
            "household_id": np.arange(n, dtype=np.int32),
            "head_id": head.astype(np.int32),
            **addresses(rng, places, chosen),
            "moved_in": pl.Series((BASE_DAY - years * YEAR).astype(np.int32)).cast(pl.Date),
            "reason": names.series(np.where(is_succession, "05", reason)),
            "is_unknown": is_unknown,
        }
    )


def draw_places(rng: np.random.Generator, places: pl.DataFrame, n: int) -> Ints:
    """Six of seven live in towns (동), the others in the country (리)."""
    is_country = (~places["code"].str.ends_with("00")).to_numpy()
    towns, country = np.flatnonzero(~is_country), np.flatnonzero(is_country)
    in_town = rng.random(n) < 0.86
    drawn = np.where(in_town, towns[rng.integers(0, len(towns), n)], country[rng.integers(0, len(country), n)])
    return regions.long_standing()[drawn]
