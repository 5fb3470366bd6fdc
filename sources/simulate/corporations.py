"""Corporations of the world: who they are, what they do, and which residents hold office in them."""

from datetime import date

import numpy as np
import polars as pl

from schemas.check_digits import LAST_CORPORATE, corporate_check_digit
from sources.simulate import names, persons, rates
from sources.simulate.draws import share
from sources.simulate.households import YEAR, Ints
from sources.simulate.kin import BASE_DAY

LAST_CHECK_DIGIT = (date.fromisoformat(LAST_CORPORATE) - date(1970, 1, 1)).days
SERIALS, ANOTHER_KIND = 900_000, 10**7
_BUSINESS_KINDS = np.array([81, 86, 87, 88])
_NOTICE = ("서울특별시에서 발행하는 일간신문에 게재한다.", "회사의 인터넷 홈페이지에 게재한다.")


def how_many(people: int) -> int:
    return max(3, people // rates.PEOPLE_PER_CORPORATION)


def business_number(kind: Ints, serial: Ints) -> pl.Series:
    """A business number that starts with 999, an office that does not exist."""
    return pl.Series(999_0000000 + kind * 100_000 + serial % 100_000).cast(pl.String)


def corporate_numbers(office: Ints, serial: Ints, founded: Ints) -> pl.Series:
    """With a check digit, but for some slips, where the corporation was founded before 2025-01-31; without one since.

    `office` is the number of registry office and kind, seven digits of noughts behind.
    """
    numbers = pl.DataFrame({"serial": serial})
    slips = numbers.select(share(pl.col("serial"), "slip") < rates.FORMS["odd_check_digit"]).to_series().to_numpy()
    digits = np.array([corporate_check_digit(f"{n:012}") for n in office // 10 + serial % SERIALS])
    old = office + serial * 10 + (digits + slips) % 10
    new = office + SERIALS * 10 + serial
    many = office + ANOTHER_KIND + serial  # a world of more corporations than these serial numbers
    in_order = np.where(founded < LAST_CHECK_DIGIT, old, new)
    return pl.Series(np.where(serial < SERIALS, in_order, many)).cast(pl.String)


def corporations(rng: np.random.Generator, people: int, places: pl.DataFrame) -> pl.DataFrame:
    """One row per corporation, in the order of `corporation_id`."""
    n = how_many(people)
    ids = np.arange(n)
    is_stock = rng.random(n) < 0.9
    is_closed = (rng.random(n) < rates.HARD_CASES["closed_corporation"]) & (ids > 1)
    trade = names.trade_names(rng, n, rates.HARD_CASES["rare_hangul_corporation"])
    form = np.where(is_stock, "주식회사", "유한회사").astype(object)
    name = np.where(rng.random(n) < 0.7, form + " " + trade, trade + " " + form)
    par = np.array([100, 500, 1_000, 5_000, 10_000])[rng.integers(0, 5, n)]
    shares = rng.integers(1, 400, n) * 1_000
    kind = np.where(is_stock, 11, 14)
    office = 99 * 10**11 + rng.integers(1, 90, n) * 10**9 + kind * 10**7
    town = persons.draw_places(rng, places, n)
    where = persons.addresses(rng, places, town)
    founded = BASE_DAY - (rng.uniform(0.6, 30, n) * YEAR).astype(np.int64)
    notice = np.array(_NOTICE, object)[rng.integers(0, 2, n)]
    return pl.DataFrame(
        {
            "corporation_id": ids.astype(np.int32),
            "crn": corporate_numbers(office, ids + 1, founded),
            "brn": business_number(_BUSINESS_KINDS[ids // 100_000 % 4], ids),
            "register_no": pl.Series(ids + 1).cast(pl.String).str.zfill(6),
            "name": names.series(name),
            "address": where["road_addr"],
            "notice": names.series(names.only(notice, is_stock)),
            "par": pl.Series(np.where(is_stock, par, 0)),
            "shares": pl.Series(np.where(is_stock, shares, 0)),
            "capital": pl.Series(np.where(is_stock, par * shares, rng.integers(1, 50, n) * 10_000_000)),
            "founded": pl.Series(founded.astype(np.int32)).cast(pl.Date),
            "status": names.series(np.where(is_closed, rng.integers(2, 5, n).astype(str).astype(object), "1")),
        }
    ).with_columns(pl.when(pl.col(c) > 0).then(c) for c in ("par", "shares"))


def purposes(rng: np.random.Generator, corporations: pl.DataFrame) -> pl.DataFrame:
    """What each corporation may do: `corporation_id`, `line_no`, `purpose`."""
    n = len(corporations)
    count = rng.integers(1, 5, n)
    owner = np.repeat(np.arange(n), count)
    line = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    first = np.repeat(rng.integers(0, len(names.PURPOSES), n), count)
    text = np.array(names.PURPOSES, object)[(first + line * 3) % len(names.PURPOSES)]
    return pl.DataFrame(
        {
            "purpose_id": np.arange(len(owner), dtype=np.int32),
            "corporation_id": owner.astype(np.int32),
            "line_no": (line + 1).astype(np.int32),
            "purpose": names.series(text),
        }
    )


def officers(rng: np.random.Generator, corporations: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """Who holds which office; `shown_name` is the name at the time of registration."""
    n = len(corporations)
    is_fit = pl.col("household_id").is_not_null() & pl.col("nationality").is_null()
    adults = people.filter(is_fit & (pl.col("born") < pl.lit(BASE_DAY - int(27 * YEAR)).cast(pl.Date)))
    count = np.minimum(rng.integers(1, 5, n), len(adults))
    owner = np.repeat(np.arange(n), count)
    line = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    first = np.repeat(rng.integers(0, len(adults), n), count)
    holder = adults[(first + line * 17) % len(adults)]
    founded = corporations["founded"].cast(pl.Int32).to_numpy()[owner]
    appointed = np.maximum(founded, BASE_DAY - rng.integers(30, 6 * 365, len(owner)))
    position = np.array(names.POSITIONS, object)[np.where(line == 0, 0, rng.integers(1, 4, len(owner)))]
    return pl.DataFrame(
        {
            "officer_id": np.arange(len(owner), dtype=np.int32),
            "corporation_id": owner.astype(np.int32),
            "line_no": (line + 1).astype(np.int32),
            "person_id": holder["person_id"],
            "shown_name": holder.select(pl.coalesce("former_name", "name")).to_series(),
            "position": names.series(position),
            "appointed": pl.Series(appointed.astype(np.int32)).cast(pl.Date),
        }
    )
