"""What somebody has earned or served: military service, passport, licence, school, qualification, merit."""

from datetime import date, timedelta

import polars as pl

from sources.simulate.documents import day, numbered
from sources.simulate.draws import (
    TODAY,
    below,
    day_before,
    day_between,
    digits,
    pick,
    scattered,
    settled,
    share,
)
from sources.simulate.parties import KEY, is_adult, is_national, issued, keyed, repeated, residents
from sources.simulate.rates import REGISTERED
from sources.simulate.romanised import romanised
from sources.simulate.store import Frames, Instants

SERVICE_AGE, GRADUATE_AGE, VETERAN_AGE = 20, 22, 25
FORCES = {"1": 0.78, "2": 0.08, "3": 0.08, "4": 0.06}
BRANCHES = ("보병", "포병", "통신", "공병", "수송", "의무", "병참")
RANKS = {"014": 0.93, "021": 0.02, "022": 0.02, "032": 0.02, "033": 0.01}
FORCE_NAMES = {"1": "육군", "2": "해군", "3": "공군", "4": "해병", "5": "보충역"}
RANK_NAMES = {
    "011": "이병",
    "012": "일병",
    "013": "상병",
    "014": "병장",
    "021": "하사",
    "022": "중사",
    "031": "소위",
    "032": "중위",
    "033": "대위",
}
SCHOOLS = {
    "가온대학교": "7009001",
    "누리대학교": "7009002",
    "다솜대학교": "7009003",
    "라온대학교": "7009004",
    "미르대학교": "7009005",
    "새빛대학교": "7009006",
    "아라대학교": "7009007",
    "한별대학교": "7009008",
}
# Name, its code, its grade.
QUALIFICATIONS = {
    "정보처리기사": ("13201", "기사"),
    "전기기사": ("11501", "기사"),
    "건축기사": ("16301", "기사"),
    "산업안전기사": ("15001", "기사"),
    "용접기능사": ("16001", "기능사"),
    "한식조리기능사": ("17901", "기능사"),
    "미용사(일반)": ("17937", "기능사"),
    "지게차운전기능사": ("17875", "기능사"),
    "자동차정비산업기사": ("12061", "산업기사"),
    "컴퓨터활용능력 1급": ("19101", "1급"),
}
PASSPORTS = {"PM": 0.93, "PS": 0.04, "PR": 0.01, "PO": 0.01, "PD": 0.005, "PT": 0.005}
PASSPORT_LETTERS = {"PM": "M", "PS": "S", "PR": "R", "PO": "G", "PD": "D", "PT": "T"}
REGIONS = tuple(str(r) for r in range(11, 29))


def service(men: pl.DataFrame) -> pl.DataFrame:
    """Adds to men with `number` and `born`: kind of service, force, rank, days of it; what never was is NULL.

    Hard case: somebody who serves now has been enlisted and not discharged.
    """
    drawn = pick(KEY, "service", {"2": 0.81, "3": 0.1, "4": 0.03, "5": 0.06})
    men = men.with_columns(drawn=drawn, rank=pick(KEY, "rank", RANKS), force=pick(KEY, "force", FORCES))
    enlisted = (pl.col("born").cast(pl.Int32) + 7_320 + below(KEY, "enlisted", 800)).cast(pl.Int32)
    term = pl.when(pl.col("rank") == "014").then(549).otherwise(1_300)
    men = men.with_columns(enlisted=enlisted, ended=(enlisted + term).cast(pl.Int32))
    last = pl.lit(settled()).cast(pl.Int32)
    is_called = pl.col("drawn").is_in(["2", "3"])
    has_begun, has_ended = is_called & (pl.col("enlisted") <= last), is_called & (pl.col("ended") <= last)
    months = (last - pl.col("enlisted")) // 30
    climbing = (
        pl.when(months < 2)
        .then(pl.lit("011"))
        .when(months < 8)
        .then(pl.lit("012"))
        .when(months < 14)
        .then(pl.lit("013"))
        .otherwise(pl.lit("014"))
    )
    is_reserve = pl.col("drawn") == "3"
    kind = pl.when(pl.col("drawn") != "2").then("drawn").when(has_ended).then(pl.lit("2")).otherwise(pl.lit("1"))
    rank = pl.when(is_reserve).then(pl.lit("011")).when(has_ended).then("rank").otherwise(climbing)
    fit = pick(KEY, "fitness", {"1": 0.35, "2": 0.35, "3": 0.3})
    grade = pl.col("drawn").replace_strict({"3": "4", "4": "5", "5": "6"}, default=fit, return_dtype=pl.String)
    waits = (pl.col("drawn") == "2") & ~has_begun & (share(KEY, "fitness again") < 0.05)
    return men.with_columns(
        kind=kind,
        force=pl.when(has_begun).then(pl.when(is_reserve).then(pl.lit("5")).otherwise("force")),
        rank=pl.when(has_begun).then(rank),
        enlisted=pl.when(has_begun).then(pl.col("enlisted").cast(pl.Date)),
        ended=pl.when(has_ended).then(pl.col("ended").cast(pl.Date)),
        branch=pl.when(has_begun & ~is_reserve).then(pick(KEY, "branch", BRANCHES)),
        discharge=pl.when(has_ended).then(pick(KEY, "discharge", {"01": 0.96, "02": 0.03, "03": 0.01})),
        fitness=pl.when(waits).then(pl.lit("7")).otherwise(grade),
    )


def is_liable() -> pl.Expr:
    """Men of 20 and more who are nationals have a record of service."""
    return (pl.col("sex") == "M") & is_national() & is_adult(SERVICE_AGE)


def military_service_certificate(base: Frames, instants: Instants) -> Frames:
    """MLSV: men of 20 and more who are nationals."""
    found = service(residents(base, instants).filter(is_liable()))
    number = pl.col("enlisted").dt.strftime("%y") + "-" + digits(KEY, "service number", 8)
    header = issued(
        "MLSV",
        found,
        "rrn",
        FLNM="name",
        ARFC_CD="force",
        ECHLN_CD="rank",
        SVCNO=number,
        BRNCH_NM="branch",
        ENLST_YMD=day("enlisted"),
        DCRG_YMD=day("ended"),
        DCRG_SE_CD="discharge",
        SVC_KND_CD="kind",
        BDY_GRD_CD="fitness",
    )
    return {"military_service_certificate": header}


def passport_record(base: Frames, instants: Instants) -> Frames:
    """PASP: more than half of adult nationals. Hard case: a passport that has run out."""
    is_holder = share(KEY, "passport") < REGISTERED["passport"]
    found = residents(base, instants).filter(is_adult() & is_national() & is_holder)
    found = found.with_columns(kind=pick(KEY, "passport kind", PASSPORTS))
    letter = pick(KEY, "passport letter", tuple("ABCDEFGHJKLMNPQRSTUVWXYZ"))
    serial = scattered(KEY, 7)
    found = found.with_columns(
        pno=pl.col("kind").replace_strict(PASSPORT_LETTERS, return_dtype=pl.String)
        + serial.str.slice(0, 3)
        + letter
        + serial.str.slice(3)
    )
    until = day_before(TODAY + timedelta(days=3_600), KEY, "passport end", 0, 3_700)
    header = issued(
        "PASP",
        found,
        "pno",
        ENG_NM=romanised("name"),
        PSPRT_TYPE_CD="kind",
        VLD_PRD_EXPRY_YMD=until.dt.strftime("%Y%m%d"),
        BRDT=day("born"),
    )
    return {"passport_record": header}


def driving_record(base: Frames, instants: Instants) -> Frames:
    """DRVL: two adults of three. Hard cases: a licence revoked, a test of fitness overdue."""
    is_driver = share(KEY, "driving licence") < REGISTERED["driving_licence"]
    found = keyed("DRVL", residents(base, instants).filter(is_adult() & is_driver))
    found = found.with_columns(
        dln=pick(KEY, "licence region", REGIONS) + scattered(KEY, 10),
        first=day_between(
            pl.col("born").dt.offset_by("18y"),
            pl.min_horizontal(pl.col("born").dt.offset_by("35y"), pl.lit(settled() - timedelta(days=60))),
            KEY,
            "licence",
        ),
    )
    is_revoked = share(KEY, "licence revoked") < REGISTERED["licence_revoked"]
    test = day_before(TODAY + timedelta(days=3_600), KEY, "fitness test", 0, 3_700)
    revoked = day_between(pl.col("first"), pl.lit(settled()), KEY, "revoked")
    points = pl.when(share(KEY, "points") < 0.1).then(5 * (1 + below(KEY, "how many points", 8))).otherwise(0)
    header = issued(
        "DRVL",
        found,
        "dln",
        FLNM="name",
        APTST_EXPRY_YMD=test.dt.strftime("%Y%m%d"),
        LCNS_RTRCN_YMD=pl.when(is_revoked).then(revoked.dt.strftime("%Y%m%d")),
        PNPNT=points,
        CND_CD=pl.when(share(KEY, "condition") < 0.15).then(pick(KEY, "which condition", {"A": 0.99, "B": 0.01})),
    )
    kinds = {"12": 0.62, "32": 0.3, "11": 0.04, "13": 0.01, "14": 0.03}
    lines = [found.select("record_id", "changed_at", acquired="first", kind=pick(KEY, "licence kind", kinds))]
    second = found.filter(share(KEY, "second licence") < 0.12)
    later = day_between(pl.col("first"), pl.lit(settled()), KEY, "second licence day")
    other = pick(KEY, "second licence kind", {"33": 0.6, "38": 0.4})
    lines.append(second.select("record_id", "changed_at", acquired=later, kind=other))
    licences = numbered(pl.concat(lines), "acquired", "kind").select(
        "record_id", "changed_at", "line_no", LCNS_KND_CD="kind", LCNS_ACQS_YMD=day("acquired")
    )
    return {"driving_record": header, "driving_record__licences": licences}


def graduation_certificate(base: Frames, instants: Instants) -> Frames:
    """GRAD: most residents of 22 and more; who would finish later than now is still at school."""
    is_student = share(KEY, "graduation") < REGISTERED["graduation"]
    found = residents(base, instants).filter(is_adult(GRADUATE_AGE) & is_student)
    degree = pick(KEY, "degree", {"1": 0.88, "2": 0.1, "3": 0.02})
    begins = degree.replace_strict({"1": 19, "2": 24, "3": 27}, return_dtype=pl.Int32)
    found = found.with_columns(
        degree=degree,
        entered=pl.date(pl.min_horizontal(pl.col("born").dt.year() + begins, pl.lit(TODAY.year - 1)), 3, 2),
        drawn=pick(KEY, "student state", {"3": 0.94, "4": 0.03, "5": 0.03}),
        school=pick(KEY, "school", tuple(SCHOOLS)),
    )
    years = pl.col("degree").replace_strict({"1": 4, "2": 2, "3": 4}, return_dtype=pl.Int32) + below(KEY, "years", 3)
    left = pl.date(pl.col("entered").dt.year() + years, 2, 20)
    now = pick(KEY, "student now", {"1": 0.75, "2": 0.25})
    found = found.with_columns(left=left).with_columns(
        state=pl.when(pl.col("left") > pl.lit(settled())).then(now).otherwise("drawn")
    )
    is_graduate = pl.col("state") == "3"
    header = issued(
        "GRAD",
        found,
        "rrn",
        FLNM="name",
        BRDT=day("born"),
        EDNST_CD=pl.col("school").replace_strict(SCHOOLS, return_dtype=pl.String),
        SCHL_NM="school",
        SCSBJT_CD=pl.lit("7") + digits(KEY % 97, "subject", 4),
        DGR_CD=pl.when(is_graduate).then("degree"),
        MTCLTN_YMD=day("entered"),
        GRDTN_YMD=pl.when(is_graduate).then(day("left")),
        SCHRG_STTS_CD="state",
    )
    return {"graduation_certificate": header}


def national_qualification_certificate(base: Frames, instants: Instants) -> Frames:
    """QUAL: one to three qualifications, each of another kind."""
    is_holder = share(KEY, "qualification") < REGISTERED["qualification"]
    found = keyed("QUAL", residents(base, instants).filter(is_adult() & is_holder))
    header = issued(
        "QUAL",
        found,
        "rrn",
        FLNM="name",
        BRDT=day("born"),
        QLFC_STTS_CD=pick(KEY, "qualification state", {"1": 0.97, "2": 0.02, "3": 0.01}),
    )
    known = list(QUALIFICATIONS)
    lines = repeated(found, 1 + below(KEY, "qualifications", 3), 3)
    which = (below(KEY, "which qualification", len(known)) + pl.col("line") * 3) % len(known)
    key = pl.col("line_key")
    lines = lines.with_columns(
        name=which.replace_strict(dict(enumerate(known)), return_dtype=pl.String),
        acquired=day_between(
            pl.max_horizontal(pl.col("born").dt.offset_by("17y"), pl.lit(date(1980, 1, 1))),
            pl.lit(settled()),
            key,
            "qualified",
        ),
    )
    number = pl.col("acquired").dt.strftime("%y") + pl.lit("9") + digits(key, "qualification number", 8)
    lines = numbered(lines.drop("line_no"), "acquired", "name").select(
        "record_id",
        "changed_at",
        "line_no",
        QLFC_LCNS_NO=number,
        QLFC_LCNS_NM="name",
        NTN_QLFC_LCNS_CD=pl.col("name").replace_strict({n: c for n, (c, _) in QUALIFICATIONS.items()}),
        QLFC_GRD_NM=pl.col("name").replace_strict({n: g for n, (_, g) in QUALIFICATIONS.items()}),
        QLFC_ACQS_YMD=day("acquired"),
    )
    return {"national_qualification_certificate": header, "national_qualification_certificate__quals": lines}


def veteran_confirmation(base: Frames, instants: Instants) -> Frames:
    """VETR: nationals older than 25; the wounded have a grade, a survivor has the merit of somebody who died."""
    is_honoured = share(KEY, "veteran") < REGISTERED["veteran"]
    found = residents(base, instants).filter(is_adult(VETERAN_AGE) & is_national() & is_honoured)
    found = found.with_columns(
        merit=pick(KEY, "merit", {"101": 0.3, "102": 0.4, "103": 0.1, "201": 0.2}),
        wound=pick(KEY, "wound", tuple(f"{n:02}" for n in range(1, 8))),
        registered=day_between(pl.col("born").dt.offset_by("22y"), pl.lit(settled()), KEY, "merit since"),
    )
    header = issued(
        "VETR",
        found,
        "rrn",
        FLNM="name",
        PVNO=pick(KEY, "veterans office", ("11", "21", "26", "31")) + "-" + scattered(KEY, 8),
        PV_TRPR_CD="merit",
        WNDD_GRD_CD=pl.when(pl.col("merit").is_in(["101", "102"])).then("wound"),
        REG_YMD=day("registered"),
        BRVD_YN=pl.when(share(KEY, "survivor") < 0.25).then(pl.lit("Y")).otherwise(pl.lit("N")),
    )
    return {"veteran_confirmation": header}
