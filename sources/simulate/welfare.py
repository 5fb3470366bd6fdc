"""Registers of welfare: basic livelihood, near poverty, single parents. The householder is the subject."""

import polars as pl

from sources.simulate.documents import day, numbered
from sources.simulate.draws import TODAY, day_before, pick, settled, share
from sources.simulate.parties import ADULT, KEY, is_adult, is_national, issued, keyed, residents
from sources.simulate.rates import REGISTERED
from sources.simulate.store import Frames, Instants

YOUNG_PARENT_YEARS = 24
_HOUSEHOLD = pl.col("household_id")
_LIVELIHOOD = REGISTERED["basic_livelihood"]


def _yes(condition: pl.Expr) -> pl.Expr:
    return pl.when(condition).then(pl.lit("Y")).otherwise(pl.lit("N"))


def _heads(base: Frames, instants: Instants) -> pl.DataFrame:
    found = residents(base, instants)
    return found.filter((pl.col("person_id") == pl.col("head_id")) & is_national())


def basic_livelihood_certificate(base: Frames, instants: Instants) -> Frames:
    """BLSC: some households, with everybody in them. A household with a minor has the benefit for education."""
    found = keyed("BLSC", _heads(base, instants).filter(share(_HOUSEHOLD, "livelihood") < _LIVELIHOOD))
    homes = base["persons"].filter(_HOUSEHOLD.is_not_null())
    sizes = homes.group_by("household_id").agg(
        size=pl.len().cast(pl.Int64), has_minor=(~is_adult()).any(), youngest=pl.col("born").max()
    )
    found = found.join(sizes, on="household_id", maintain_order="left")
    header = issued(
        "BLSC",
        found,
        "rrn",
        RECPNT_NM="name",
        LVLH_BNFT_YN=_yes(share(_HOUSEHOLD, "living benefit") < 0.7),
        MDCL_BNFT_KND_CD=pick(_HOUSEHOLD, "medical benefit", {"1": 0.65, "2": 0.35}),
        HOUS_BNFT_YN=_yes(share(_HOUSEHOLD, "housing benefit") < 0.8),
        EDU_BNFT_YN=_yes(pl.col("has_minor")),
        HSHDR_CNT="size",
        GRNT_BGNG_YMD=day_before(settled(), _HOUSEHOLD, "livelihood since", 0, 2_500).dt.strftime("%Y%m%d"),
        GRNT_END_YMD=pl.lit(None, pl.String),
    )
    members = found.select("household_id", "record_id", "changed_at").join(
        homes.select("household_id", "born", "person_id", HSHD_MBR_NM="name"), on="household_id"
    )
    lines = numbered(members, "born", "person_id").select("record_id", "changed_at", "line_no", "HSHD_MBR_NM")
    return {"basic_livelihood_certificate": header, "basic_livelihood_certificate__members": lines}


def near_poverty_certificate(base: Frames, instants: Instants) -> Frames:
    """NPOV: households without basic livelihood; confirmed within a year, good for a year."""
    disabled = base["disabilities"].filter(~pl.col("is_cancelled")).select("person_id", is_disabled=pl.lit(True))
    is_near = share(_HOUSEHOLD, "near poverty") < REGISTERED["near_poverty"] / (1 - _LIVELIHOOD)
    is_near &= share(_HOUSEHOLD, "livelihood") >= _LIVELIHOOD
    found = _heads(base, instants).filter(is_near)
    found = found.join(disabled, on="person_id", how="left", maintain_order="left")
    alone = single_parents(base).select("person_id", is_alone=pl.lit(True))
    found = found.join(alone, on="person_id", how="left", maintain_order="left")
    kind = (
        pl.when("is_disabled")
        .then(pl.lit("3"))
        .when("is_alone")
        .then(pl.lit("4"))
        .otherwise(pick(KEY, "near poverty kind", {"1": 0.2, "2": 0.3, "5": 0.5}))
    )
    found = found.with_columns(confirmed=day_before(settled(), _HOUSEHOLD, "near poverty since", 0, 330))
    header = issued(
        "NPOV",
        found,
        "rrn",
        FLNM="name",
        NPOV_TYPE_CD=kind,
        IDNTY_YMD=day("confirmed"),
        VLD_PRD_EXPRY_YMD=pl.col("confirmed").dt.offset_by("1y").dt.strftime("%Y%m%d"),
    )
    return {"near_poverty_certificate": header}


def _minors(base: Frames) -> pl.DataFrame:
    """Child and parent of everyone who lives with a minor of its own."""
    is_minor = TODAY.year - pl.col("born").dt.year() < ADULT
    minors = base["persons"].filter(_HOUSEHOLD.is_not_null() & is_minor)
    columns = [pl.col("household_id"), pl.col("born").alias("child_born"), pl.col("name").alias("CHLD_NM")]
    columns.append(pl.col("person_id").alias("child_id"))
    return pl.concat([minors.select(*columns, person_id=p).drop_nulls("person_id") for p in ("father_id", "mother_id")])


def single_parents(base: Frames) -> pl.DataFrame:
    """Householders without a living spouse who live with a minor child of their own (see candidates)."""
    people = base["persons"]
    alive = people.filter(pl.col("died").is_null()).select(spouse_id="person_id")
    heads = people.filter((pl.col("relation") == "본인") & is_national())
    alone = heads.join(alive, on="spouse_id", how="anti", maintain_order="left")
    return alone.join(_minors(base), on=["person_id", "household_id"], how="semi", maintain_order="left")


def single_parent_certificate(base: Frames, instants: Instants) -> Frames:
    """SNPF: every single parent, with the minor children at home."""
    single = single_parents(base).select("person_id")
    found = residents(base, instants).join(single, on="person_id", how="semi", maintain_order="left")
    children = _minors(base)
    eldest = children.group_by("person_id", "household_id").agg(eldest=pl.col("child_born").min())
    found = keyed("SNPF", found.join(eldest, on=["person_id", "household_id"], maintain_order="left"))
    kind = (
        pl.when(pl.col("born").dt.year() >= TODAY.year - YOUNG_PARENT_YEARS)
        .then(pl.lit("4"))
        .when(pl.col("sex") == "F")
        .then(pl.lit("1"))
        .otherwise(pl.lit("2"))
    )
    since = pl.max_horizontal(day_before(settled(), KEY, "single parent", 0, 900), "eldest")
    header = issued("SNPF", found, "rrn", FLNM="name", SGPRN_SE_CD=kind, SPRT_BGNG_YMD=since.dt.strftime("%Y%m%d"))
    lines = found.select("person_id", "household_id", "record_id", "changed_at").join(
        children, on=["person_id", "household_id"]
    )
    lines = numbered(lines, "child_born", "child_id").select(
        "record_id", "changed_at", "line_no", "CHLD_NM", CHLD_BRDT=day("child_born")
    )
    return {"single_parent_certificate": header, "single_parent_certificate__children": lines}
