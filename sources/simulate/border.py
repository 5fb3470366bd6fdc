"""Registers of the border: who left and came back, and which foreigners are registered."""

from datetime import date, timedelta

import polars as pl

from sources.simulate import names
from sources.simulate.documents import KOREAN, day, numbered
from sources.simulate.draws import TODAY, below, day_before, pick, share
from sources.simulate.parties import KEY, issued, keyed, repeated, residents
from sources.simulate.rates import HARD_CASES, REGISTERED
from sources.simulate.romanised import romanised
from sources.simulate.store import Frames, Instants

ASKED_YEARS, MOST_TRIPS, LEAST_SLOT = 5, 5, 60
COUNTRIES = dict(zip(names.NATIONALITIES, ("VNM", "CHN", "PHL", "KHM", "JPN", "THA", "UZB"), strict=True))
UNLISTED_COUNTRY = "USA"
RENUMBERED = 500_003  # what a new number is further than the former one; no two of one day and sex lie so far apart
SOJOURNS = {"F-6": 0.8, "F-5": 0.14, "F-2": 0.06}  # nearly all live here as somebody's spouse


def entry_departure_certificate(base: Frames, instants: Instants) -> Frames:
    """IMMG: every resident and the trips of the last five years, each in a stretch of time of its own."""
    found = keyed("IMMG", residents(base, instants))
    seoul = pl.col("changed_at").dt.convert_time_zone("Asia/Seoul")
    header = issued(
        "IMMG",
        found,
        "rrn",
        FLNM="name",
        ENG_NM=romanised("name"),
        BRDT=day("born"),
        NTNLTY_NM=pl.coalesce("nationality", pl.lit(KOREAN)),
        INQ_BGNG_YMD=seoul.dt.offset_by(f"-{ASKED_YEARS}y").dt.strftime("%Y%m%d"),
        INQ_END_YMD=seoul.dt.strftime("%Y%m%d"),
    )
    first: date = TODAY - timedelta(days=ASKED_YEARS * 365)
    last: date = TODAY - timedelta(days=60)
    found = found.with_columns(
        first=pl.max_horizontal(pl.lit(first), pl.col("born").dt.offset_by("100d")).cast(pl.Int32)
    )
    free = pl.lit(last).cast(pl.Int32) - pl.col("first")
    trips = (
        pl.when(share(KEY, "no trip") < REGISTERED["no_trip"]).then(0).otherwise(1 + below(KEY, "trips", MOST_TRIPS))
    )
    found = found.with_columns(free=free, trips=pl.min_horizontal(trips, free // LEAST_SLOT))
    lines = repeated(found, pl.col("trips"), MOST_TRIPS)
    slot = pl.col("free") // pl.col("trips")
    left = pl.col("first") + slot * (pl.col("line") - 1) + below(pl.col("line_key"), "left", slot - 30)
    back = left + 2 + below(pl.col("line_key"), "stayed", 25)
    lines = lines.select(
        "record_id",
        "changed_at",
        "line_no",
        DPTCNY_YMD=left.cast(pl.Int32).cast(pl.Date).dt.strftime("%Y%m%d"),
        ENTCNY_YMD=back.cast(pl.Int32).cast(pl.Date).dt.strftime("%Y%m%d"),
    )
    return {"entry_departure_certificate": header, "entry_departure_certificate__trips": lines}


def alien_registration_certificate(base: Frames, instants: Instants) -> Frames:
    """ARCF: residents with a nationality; a permit of permanent residence has no end. Hard cases: some have run out,
    and some foreigners have a new number, under which no other holder knows them yet.
    """
    found = residents(base, instants).filter(pl.col("nationality").is_not_null())
    serial = (pl.col("rrn").str.slice(7).cast(pl.Int64) + RENUMBERED) % 10**6
    is_reissued = share(KEY, "reissued number") < HARD_CASES["reissued_foreigner_number"]
    found = keyed("ARCF", found).with_columns(
        permit=pick(KEY, "sojourn", SOJOURNS),
        number_now=pl.when(is_reissued)
        .then(pl.col("rrn").str.slice(0, 7) + serial.cast(pl.String).str.zfill(6))
        .otherwise("rrn"),
    )
    until = day_before(TODAY + timedelta(days=3 * 365), KEY, "sojourn end", 0, 3 * 365 + 20)
    header = issued(
        "ARCF",
        found,
        "number_now",
        ENG_NM=romanised("name"),
        BRDT=day("born"),
        GNDR_CD="sex",
        NTN_CD=pl.col("nationality").replace_strict(COUNTRIES, default=UNLISTED_COUNTRY, return_dtype=pl.String),
        SOJRN_QLFC_CD="permit",
        SOJRN_PRD_EXPRY_YMD=pl.when(pl.col("permit") != "F-5").then(until.dt.strftime("%Y%m%d")),
        ROAD_NM_ADDR="road_addr",
    )
    came = pl.max_horizontal("moved_in", pl.col("born").dt.offset_by("20y"))
    earlier = repeated(found, below(KEY, "earlier places", 3), 3)
    earlier = earlier.with_columns(moved=day_before(came, pl.col("line_key"), "earlier place", 1, 700))
    lines = pl.concat(
        [frame.select("record_id", "changed_at", "moved") for frame in (found.with_columns(moved=came), earlier)]
    )
    lines = numbered(lines.unique(), "moved").select(
        "record_id", "changed_at", "line_no", SOJRN_PLC_CHG_YMD=day("moved")
    )
    return {"alien_registration_certificate": header, "alien_registration_certificate__addr_history": lines}
