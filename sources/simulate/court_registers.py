"""The court's registers, rendered from the base tables in published form: family register and corporate register.

A family record lists the subject, parents, spouse and every child, as the detailed certificate does; `general_no`
numbers the lines of the general one: of the children, the living ones of the present marriage alone. The specific one
is line 1, the subject.
"""

import polars as pl

from sources.simulate.documents import control, day, numbered, subjects
from sources.simulate.store import Frames, Instants

SELF, WIFE, HUSBAND, FATHER, MOTHER, CHILD = "001", "002", "003", "004", "005", "006"


def family_relation_certificate(base: Frames, instants: Instants) -> Frames:
    """FAMR: residents who are nationals; a foreigner has no family register and appears in a spouse's or child's."""
    people = base["persons"]
    nationals = subjects(people, instants.people).filter(pl.col("nationality").is_null())
    header = nationals.select(
        "person_id",
        *control("FAMR", "person_id"),
        REGSTD_PLC="registered_place",
        SELF_FLNM="name",
        CLANSEAT="clan",
        GNDR_CD="sex",
    )
    key = header.select("record_id", "changed_at", subject_id="person_id")
    relatives = people.select(
        relative_id="person_id",
        person_identifier="rrn",
        FAM_NM="name",
        FAM_BRDT=day("born"),
        FAM_GNDR_CD="sex",
        DTH_YN=pl.when(pl.col("died").is_null()).then(pl.lit("N")).otherwise(pl.lit("Y")),
        born="born",
    )
    lines = relations(people, nationals).join(key, on="subject_id").join(relatives, on="relative_id")
    is_shown = pl.col("is_of_marriage") & ((pl.col("FAM_REL_CD") != CHILD) | (pl.col("DTH_YN") == "N"))
    lines = numbered(lines.with_columns(is_shown=is_shown), "rank", "born", "relative_id").with_columns(
        general_no=pl.when("is_shown").then(pl.col("is_shown").cum_sum().over("record_id").cast(pl.Int32))
    )
    official = ["FAM_REL_CD", "FAM_NM", "FAM_BRDT", "FAM_GNDR_CD", "DTH_YN"]
    lines = lines.select("record_id", "changed_at", "line_no", "person_identifier", *official, "general_no")
    return {"family_relation_certificate": header.drop("person_id"), "family_relation_certificate__relatives": lines}


def relations(people: pl.DataFrame, nationals: pl.DataFrame) -> pl.DataFrame:
    """Subject, relative, kind of relation; `is_of_marriage`: a child is of the present marriage."""

    def line(relative: str, code: str | pl.Expr, rank: int) -> pl.DataFrame:
        return nationals.filter(pl.col(relative).is_not_null()).select(
            subject_id="person_id",
            relative_id=relative,
            FAM_REL_CD=pl.lit(code) if isinstance(code, str) else code,
            rank=pl.lit(rank),
            is_of_marriage=pl.lit(True),
        )

    spouse = pl.when(pl.col("sex") == "M").then(pl.lit(WIFE)).otherwise(pl.lit(HUSBAND))
    married = nationals.select(subject_id="person_id", present="spouse_id")
    children = []
    for parent, other in (("father_id", "mother_id"), ("mother_id", "father_id")):
        found = people.filter(pl.col(parent).is_not_null()).select(
            subject_id=parent, relative_id="person_id", other=other
        )
        children.append(
            found.join(married, on="subject_id").select(
                "subject_id",
                "relative_id",
                FAM_REL_CD=pl.lit(CHILD),
                rank=pl.lit(4),
                is_of_marriage=(pl.col("other") == pl.col("present")).fill_null(False),
            )
        )
    return pl.concat(
        [
            line("person_id", SELF, 0),
            line("father_id", FATHER, 1),
            line("mother_id", MOTHER, 2),
            line("spouse_id", spouse, 3),
            *children,
        ]
    )


def corporate_registration(base: Frames, instants: Instants) -> Frames:
    """CORR: every corporation that was ever registered."""
    header = base["corporations"].join(instants.firms, on="corporation_id", maintain_order="left")
    header = header.select(
        "corporation_id",
        *control("CORR", "corporation_id", "crn"),
        CRNO="crn",
        RG_NO="register_no",
        CONM="name",
        MNBR_ADDR="address",
        PBANC_MTHD_CN="notice",
        SHR_PAR_AMT="par",
        PBLCN_STCK_CNT="shares",
        CPTL="capital",
        FNDN_YMD=day("founded"),
        CORP_STTS_CD="status",
    )
    key = header.select("corporation_id", "record_id", "changed_at")
    purposes = base["purposes"].join(key, on="corporation_id").sort("record_id", "line_no")
    holders = base["persons"].select("person_id", person_identifier="rrn")
    officers = base["officers"].join(key, on="corporation_id").join(holders, on="person_id")
    return {
        "corporate_registration": header.drop("corporation_id"),
        "corporate_registration__purposes": purposes.select(
            "record_id", "changed_at", "line_no", BIZ_PRPS_CN="purpose"
        ),
        "corporate_registration__officers": officers.sort("record_id", "line_no").select(
            "record_id",
            "changed_at",
            "line_no",
            "person_identifier",
            EXC_NM="shown_name",
            EXC_JBPS_NM="position",
            INGR_YMD=day("appointed"),
        ),
    }
