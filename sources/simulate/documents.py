"""The executive holders' registers, rendered from the base tables in published form.

In: base tables, and the instant at which each subject's record last changed. Out: a header table (`record_id`,
`identifier`, `changed_at`, `is_deleted`, official columns) and one table per repeating group (`record_id`,
`changed_at`, `line_no`, `person_identifier` where lines are persons, official columns). One record a subject.
"""

import polars as pl

from sources.simulate.store import Frames, Instants

CONTROL = ("record_id", "identifier", "changed_at", "is_deleted")
KOREAN = "대한민국"
INSTITUTIONS = {
    "RRT": "1741000",
    "INCM": "1210000",
    "DISB": "1352000",
    "HINQ": "B551182",
    "FAMR": "COURT00",
    "CORR": "COURT00",
    "RRA": "1741000",
    "LTAXC": "1741000",
    "LTAXI": "1741000",
    "NTAXC": "1210000",
    "BIZR": "1210000",
    "VATB": "1210000",
    "CLSB": "1210000",
    "FINS": "1210000",
    "HIPM": "B551182",
    "SI4": "B551182",
    "MLSV": "1300000",
    "NPSC": "B552015",
    "NPSB": "B552015",
    "EMPI": "1492000",
    "BLSC": "1352000",
    "NPOV": "1352000",
    "SNPF": "1383000",
    "IMMG": "1270000",
    "ARCF": "1270000",
    "PASP": "1262000",
    "DRVL": "1320000",
    "GRAD": "1342000",
    "QUAL": "B490007",
    "SMEC": "1421000",
    "VETR": "1181000",
    "BASC": "COURT00",
    "MARR": "COURT00",
    "GRDN": "COURT00",
    "VHCL": "1613000",
    "LEAS": "1613000",
    "LDAT": "COURT00",
    "EXPC": "1220000",
    "BLDR": "1613000",
    "IOLP": "1613000",
    "LAND": "1613000",
    "LUSE": "1613000",
    "REGR": "COURT00",
}


def control(document: str, number: str, identifier: str = "rrn") -> list[pl.Expr]:
    """Control columns and the shared heading of every document; `number` is the subject's running number."""
    padded = (pl.col(number) + 1).cast(pl.String).str.zfill(9)
    seoul = pl.col("changed_at").dt.convert_time_zone("Asia/Seoul")
    return [
        (pl.lit(document[:2]) + padded.str.zfill(11)).alias("record_id"),
        pl.col(identifier).alias("identifier"),
        pl.col("changed_at"),
        pl.lit(False).alias("is_deleted"),
        (pl.lit(f"{document}-") + seoul.dt.strftime("%Y") + "-" + padded).alias("ISSU_NO"),
        seoul.dt.strftime("%Y%m%d").alias("ISSU_YMD"),
        pl.lit(INSTITUTIONS[document]).alias("ISSU_INST_CD"),
    ]


def day(column: str) -> pl.Expr:
    """A date as 연월일C8."""
    return pl.col(column).dt.strftime("%Y%m%d")


def subjects(people: pl.DataFrame, instants: pl.DataFrame) -> pl.DataFrame:
    """Residents among the subjects to render, with the instant of each."""
    residents = people.filter(pl.col("household_id").is_not_null())
    return residents.join(instants, on="person_id", maintain_order="left")


def numbered(lines: pl.DataFrame, *order: str) -> pl.DataFrame:
    """Lines with `line_no` from 1 within each record, in the order given."""
    lines = lines.sort("record_id", *order, nulls_last=True)
    return lines.with_columns(line_no=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("record_id"))


def household_extract(base: Frames, instants: Instants) -> Frames:
    """RRT: every resident is the subject of an extract that lists the household; `is_subject` marks its own line."""
    people, households = base["persons"], base["households"]
    names = people.select(head_id="person_id", HSHLDR_NM="name")
    header = (
        subjects(people, instants.people)
        .join(households, on="household_id", maintain_order="left")
        .join(names, on="head_id", maintain_order="left")
        .select(
            "person_id",
            "household_id",
            *control("RRT", "person_id"),
            "HSHLDR_NM",
            ROAD_NM_ADDR="road_addr",
            STDG_CD="stdg_cd",
            DONG_CD="dong_cd",
            ZIP="zip",
            MVIN_YMD=day("moved_in"),
            HH_CMPS_RSN_CD="reason",
        )
    )
    key = header.select("record_id", "changed_at", "household_id", "person_id")
    lines = key.join(_members(people, households), on="household_id").sort("record_id", "line_no")
    lines = lines.with_columns(is_subject=pl.col("member_id") == pl.col("person_id"))
    return {
        "household_extract": header.drop("person_id", "household_id"),
        "household_extract__members": lines.drop("person_id", "household_id", "member_id"),
    }


def _members(people: pl.DataFrame, households: pl.DataFrame) -> pl.DataFrame:
    """The lines of every household, numbered once: each of its extracts shows the same."""
    status = (
        pl.when(pl.col("nationality").is_not_null())
        .then(pl.lit("04"))
        .when("is_unknown")
        .then(pl.lit("02"))
        .otherwise(pl.lit("01"))
    )
    rank = pl.col("relation").replace_strict({"본인": 0, "배우자": 1}, default=2)
    home = households.select("household_id", "moved_in", "is_unknown")
    residents = people.filter(pl.col("household_id").is_not_null())
    members = residents.join(home, on="household_id", maintain_order="left").sort(
        "household_id", rank, "born", "person_id"
    )
    return members.select(
        "household_id",
        member_id="person_id",
        line_no=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("household_id"),
        person_identifier="rrn",
        FMBR_NM="name",
        HSHLDR_REL_NM="relation",
        MVIN_YMD=pl.max_horizontal("moved_in", "born").dt.strftime("%Y%m%d"),
        RSDNC_STTS_CD=status,
        NTNLTY_NM=pl.coalesce("nationality", pl.lit(KOREAN)),
    )


def income_certificate(base: Frames, instants: Instants) -> Frames:
    """INCM: residents who had an income, and the dead who had one."""
    earners = base["incomes"].select("person_id").unique()
    people = base["persons"].join(instants.people, on="person_id", maintain_order="left")
    header = people.join(earners, on="person_id", how="semi", maintain_order="left").select(
        "person_id", *control("INCM", "person_id"), INERN_NM="name"
    )
    lines = base["incomes"].join(header.select("person_id", "record_id", "changed_at"), on="person_id")
    lines = numbered(lines, "year", "kind", "income_id").select(
        "record_id",
        "changed_at",
        "line_no",
        EARN_BLN_YR="year",
        EARN_SE_CD="kind",
        INCM_AMT="gross",
        EARN_AMT="earned",
        TXBS_AMT="base",
        DCSN_TXAMT="tax",
        TSL_AMT="salary",
        BPLC_NM="payer",
        BRNO="payer_brn",
    )
    return {"income_certificate": header.drop("person_id"), "income_certificate__lines": lines}


def disability_certificate(base: Frames, instants: Instants) -> Frames:
    """DISB: residents whose registration stands."""
    guardians = base["persons"].select(guardian_id="person_id", PRTCR_NM="name")
    header = (
        base["disabilities"]
        .filter(~pl.col("is_cancelled"))
        .join(subjects(base["persons"], instants.people), on="person_id", maintain_order="left")
        .join(guardians, on="guardian_id", how="left", maintain_order="left")
        .select(
            *control("DISB", "person_id"),
            FLNM="name",
            MDSBLTY_TYPE_CD="main_type",
            SDSBLTY_TYPE_CD="second_type",
            DSBLTY_DGREE_CD="degree",
            DSBLTY_REG_YMD=day("registered"),
            REXM_YMD=day("review"),
            PRTCR_NM="PRTCR_NM",
        )
    )
    return {"disability_certificate": header}


def health_insurance_history(base: Frames, instants: Instants) -> Frames:
    """HINQ: every resident, the periods of insurance, and those whom a workplace subscriber insures."""
    insurance = base["insurance"]
    insured = insurance.filter(pl.col("lost").is_null()).select("person_id", "subscriber_id", "kind")
    card = (pl.lit("9") + pl.coalesce("subscriber_id", "person_id").cast(pl.String).str.zfill(10)).alias("HIC_NO")
    header = (
        subjects(base["persons"], instants.people)
        .join(insured.unique("person_id", keep="last"), on="person_id", how="left", maintain_order="left")
        .select("person_id", *control("HINQ", "person_id"), card, SBSR_NM="name")
    )
    header = header.select("person_id", *CONTROL, "ISSU_NO", "ISSU_YMD", "ISSU_INST_CD", "SBSR_NM", "HIC_NO")
    key = header.select("person_id", "record_id", "changed_at")
    firms = base["corporations"].select("corporation_id", "brn", firm="name")
    history = insurance.join(key, on="person_id").join(firms, on="corporation_id", how="left")
    history = numbered(history, "acquired", "insurance_id").select(
        "record_id",
        "changed_at",
        "line_no",
        SBSR_SE_CD="kind",
        BPLC_NM="firm",
        BPLC_MNG_NO=pl.col("brn") + "0",
        HLTH_INSRNC_ACQS_YMD=day("acquired"),
        HLTH_INSRNC_LOSE_YMD=day("lost"),
    )
    dependants = (
        insured.filter(pl.col("kind") == "2")
        .join(base["persons"].select("person_id", "rrn", "name", "born"), on="person_id")
        .select("rrn", "name", "born", person_id="subscriber_id")
        .join(key, on="person_id")
    )
    dependants = numbered(dependants, "born", "rrn").select(
        "record_id", "changed_at", "line_no", person_identifier="rrn", DPND_NM="name"
    )
    return {
        "health_insurance_history": header.drop("person_id"),
        "health_insurance_history__history": history,
        "health_insurance_history__dependants": dependants,
    }
