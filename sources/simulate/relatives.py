"""Who of the world is whose: heirs of the dead, members of a household, victims, who acts for a firm.

In: base tables. Out: frames keyed by the subject who applies (`is_firm`, `id`), with resident numbers of the others.
"""

import polars as pl

from schemas.services import EVERYBODY, PARENTS, SPOUSE
from sources.simulate.draws import share
from sources.simulate.rates import HARD_CASES
from sources.simulate.store import Frames

CHILD_YEARS = 15  # who is younger may need a guardian; the exact day of the 14th birthday is for the exchange to know
PERSON_ID = pl.col("person_id").cast(pl.Int64)


def heirs(base: Frames) -> pl.DataFrame:
    """Whose heir somebody is, of parents and spouse: `is_firm`, `id`, `deceased` (a resident number), `died`."""
    people = base["persons"]
    dead = people.filter(pl.col("died").is_not_null()).select(dead_id="person_id", deceased="rrn", died="died")
    kin = [
        people.select(id=PERSON_ID, dead_id=pl.col(relative)) for relative in ("spouse_id", "father_id", "mother_id")
    ]
    found = pl.concat(kin).drop_nulls().join(dead, on="dead_id", maintain_order="left")
    first = found.unique("id", keep="first", maintain_order=True)
    return first.select(pl.lit(False).alias("is_firm"), "id", "deceased", "died")


def representatives(base: Frames) -> pl.DataFrame:
    """Who acts for each firm: `is_firm`, `id`, `representative` (a resident number)."""
    heads = base["officers"].sort("corporation_id", pl.col("position") != "대표이사", "line_no")
    heads = heads.unique("corporation_id", keep="first", maintain_order=True)
    named = heads.join(base["persons"].select("person_id", representative="rrn"), on="person_id", maintain_order="left")
    return named.select(
        pl.lit(True).alias("is_firm"), pl.col("corporation_id").cast(pl.Int64).alias("id"), "representative"
    )


def victims(base: Frames) -> pl.DataFrame:
    """Whose lines a disclosure block keeps from whom: `is_firm`, `id` of the restricted, `victims` (resident numbers).

    Wives who are victims of their husbands (가족관계의 등록 등에 관한 법률 제14조 제8항).
    """
    people = base["persons"].filter(pl.col("died").is_null() & pl.col("household_id").is_not_null())
    is_victim = (pl.col("sex") == "F") & (share(PERSON_ID, "victim") < HARD_CASES["disclosure_block"])
    wives = people.filter(is_victim).select(victim="rrn", id=pl.col("spouse_id").cast(pl.Int64))
    husbands = wives.join(people.select(id=PERSON_ID), on="id", how="semi", maintain_order="left")
    listed = husbands.group_by("id", maintain_order=True).agg(victims="victim")
    return listed.select(pl.lit(False).alias("is_firm"), "id", "victims")


def members(base: Frames, who: str, today_year: int) -> pl.DataFrame:
    """One row for each applicant and other person of her household (`schemas.services.HOUSEHOLDS`), living residents.

    `id`, `member_id`, `member` (a resident number), `guardian`: of a child, the parent at home who acts for it, the
    applicant herself where she is one.
    """
    people = base["persons"].filter(pl.col("died").is_null() & pl.col("household_id").is_not_null())
    own = people.select("household_id", "spouse_id", "father_id", "mother_id", id=PERSON_ID)
    if who == EVERYBODY:
        pairs = own.select("household_id", "id").join(
            people.select("household_id", member_id="person_id"), on="household_id", maintain_order="left_right"
        )
    else:
        kin = {SPOUSE: ("spouse_id",), PARENTS: ("father_id", "mother_id")}[who]
        pairs = pl.concat([own.select("id", member_id=relative) for relative in kin]).drop_nulls().sort("id")
    return (
        pairs.filter(pl.col("id") != pl.col("member_id"))
        .select("id", "member_id")
        .join(_guarded(people, today_year), on="member_id", maintain_order="left")
        .with_columns(
            guardian=pl.when("is_child").then(
                pl.when(pl.col("id").is_in(pl.concat_list("mother_id", "father_id")))
                .then("id")
                .otherwise(pl.coalesce("mother_id", "father_id"))
            )
        )
        .join(people.select(guardian=PERSON_ID, guardian_rrn="rrn"), on="guardian", how="left", maintain_order="left")
        .select("id", pl.col("member_id").cast(pl.Int64), "member", guardian="guardian_rrn")
    )


def _guarded(people: pl.DataFrame, today_year: int) -> pl.DataFrame:
    """Everybody, with the parents who live at home and whether she may be a child."""
    made = people.select(
        "household_id",
        member_id="person_id",
        member="rrn",
        is_child=today_year - pl.col("born").dt.year() < CHILD_YEARS,
        mother_id=pl.col("mother_id").cast(pl.Int64),
        father_id=pl.col("father_id").cast(pl.Int64),
    )
    for parent in ("mother_id", "father_id"):
        at_home = people.select("household_id", PERSON_ID.alias(parent), home=pl.lit(True))
        made = made.join(at_home, on=["household_id", parent], how="left", maintain_order="left")
        made = made.with_columns(pl.when("home").then(parent).alias(parent)).drop("home")
    return made.drop("household_id")
