"""Who of the world could apply for which service, and would find its documents there: for checks and demos.

One row per service and subject: `service`, `identifier_kind`, `identifier`, `grantor_identifier` (who consents, for a
firm its representative), `also` (every number of the subject: a list of kind and identifier), `about` (what documents
are about besides her: things that she owns, and the dead whose heir she is, with the day of death), `is_complete`
(whether every document that comes as data is held). The order is by service, kind of applicant and running number, the
same every time. Of a service without a rule of its own some adults apply whose documents are all held, and a few who
lack some.
"""

from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pyarrow as pa

from schemas.contract import source
from schemas.services import DECEASED, THING, Service, services
from sources.simulate import store
from sources.simulate.identities import holders, identities
from sources.simulate.store import Frames

MINOR_YEARS, YOUNG_YEARS = 19, 45
MOST_COMPLETE, MOST_LACKING = 40, 10  # of a service without a rule of its own
FOREIGNER, PERSON = "FRN", "RRN"
ABOUT = pl.List(pl.Struct({"kind": pl.String, "identifier": pl.String, "died_on": pl.Date}))
SCHEMA = pa.schema(
    [
        *(pa.field(n, pa.string()) for n in ("service", "identifier_kind", "identifier", "grantor_identifier")),
        pa.field("also", pa.list_(pa.struct([pa.field("kind", pa.string()), pa.field("identifier", pa.string())]))),
        pa.field(
            "about",
            pa.list_(
                pa.struct(
                    [
                        pa.field("kind", pa.string()),
                        pa.field("identifier", pa.string()),
                        pa.field("died_on", pa.date32()),
                    ]
                )
            ),
        ),
        pa.field("is_complete", pa.bool_()),
    ]
)


def candidates(home: Path) -> pa.Table:
    base, today = store.base(home), store.today(home)
    residents = base["persons"].filter(pl.col("household_id").is_not_null())
    adults = residents.with_columns(age=today.year - pl.col("born").dt.year())
    ruled = _ruled(base, adults.filter(pl.col("nationality").is_null()), today.year)
    numbers = identities(home, base)
    held = {name: holders(home, name) for name in store.REGISTERS}
    heirs = _heirs(base)
    parts = []
    for service in services():
        named: list[pl.DataFrame] = []  # nobody applies twice, once by each of her numbers
        for kind in service.applicants:
            everybody = _named_by(kind, base, adults, numbers)
            chosen = ruled.get(service.id)
            if chosen is not None:
                everybody = everybody.join(chosen, on=["is_firm", "id"], how="semi", maintain_order="left")
            for earlier in named:
                everybody = everybody.join(earlier, on=["is_firm", "id"], how="anti", maintain_order="left")
            rows = _holding(service, kind, everybody, held, heirs)
            named.append(rows if chosen is not None else _some(rows))
        parts += named
    return (
        pl.concat(parts)
        .join(_others(numbers), on=["is_firm", "id"], how="left", maintain_order="left")
        .join(_representatives(base), on=["is_firm", "id"], how="left", maintain_order="left")
        .select(_row())
        .to_arrow()
        .cast(SCHEMA)
    )


def _row() -> list[pl.Expr]:
    """A person consents herself; a firm through its representative, as the corporate register names it."""
    return [
        pl.col("service"),
        pl.col("identifier_kind"),
        pl.col("identifier"),
        pl.when("is_firm").then("representative").otherwise("identifier").alias("grantor_identifier"),
        pl.col("also"),
        pl.col("about"),
        pl.col("is_complete"),
    ]


def _ruled(base: Frames, people: pl.DataFrame, year: int) -> dict[str, pl.DataFrame]:
    """Services whose applicants are of a certain kind: `is_firm`, `id`."""
    earning = people.join(
        base["incomes"].select("person_id").unique(), on="person_id", how="semi", maintain_order="left"
    )
    chosen = {
        "SINGLE_PARENT": _single_parents(base, earning, year),
        "DISABILITY_PENSION": _disabled(base, people),
        "HOUSING_SUBSCRIPTION": earning.filter(
            (pl.col("relation") == "본인") & pl.col("age").is_between(25, YOUNG_YEARS)
        ),
    }
    ruled = {s: p.select(is_firm=pl.lit(False), id=pl.col("person_id").cast(pl.Int64)) for s, p in chosen.items()}
    open_firms = base["corporations"].filter(pl.col("status") == "1")
    firms = open_firms.select(is_firm=pl.lit(True), id=pl.col("corporation_id").cast(pl.Int64))
    return ruled | {"NHIS_WORKPLACE": firms, "ECREG_PROPERTY": firms}


def _named_by(kind: str, base: Frames, adults: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    """Adults and open firms who have a number of this kind: `is_firm`, `id`, `identifier_kind`, `identifier`."""
    is_foreign = pl.col("nationality").is_not_null()
    grown = adults.filter((pl.col("age") >= MINOR_YEARS) & (is_foreign if kind == FOREIGNER else ~is_foreign))
    firms = base["corporations"].filter(pl.col("status") == "1")
    living = pl.concat(
        [
            grown.select(is_firm=pl.lit(False), id=pl.col("person_id").cast(pl.Int64)),
            firms.select(is_firm=pl.lit(True), id=pl.col("corporation_id").cast(pl.Int64)),
        ]
    )
    own = numbers.filter(pl.col("kind") == kind).join(living, on=["is_firm", "id"], how="semi", maintain_order="left")
    return own.rename({"kind": "identifier_kind"}).sort("is_firm", "id")


def _holding(
    service: Service, kind: str, who: pl.DataFrame, held: Mapping[str, pl.DataFrame], heirs: pl.DataFrame
) -> pl.DataFrame:
    """The applicants with the service, what its documents are about, and whether each that is data is held.

    Of documents of which one is enough the first is meant, as in what an applicant consents to when nothing is said.
    """
    who = who.join(heirs, on=["is_firm", "id"], how="left", maintain_order="left")
    things: dict[str, str] = {}
    marks: dict[str, str] = {}
    for need in service.needed_of(kind):
        group = need.one_of or need.document_type
        if not need.is_available or need.is_if_held or group in marks:
            continue
        marks[group] = f"has {need.document_type}"
        register = store.DOCUMENTS.get(need.document_type)
        if register is None:
            who = who.with_columns(pl.lit(False).alias(marks[group]))
            continue
        own = held[register].with_columns(pl.lit(True).alias(marks[group]))
        if need.about == DECEASED:
            own = own.select("identifier", marks[group]).rename({"identifier": "deceased"})
            who = who.join(own, on="deceased", how="left", maintain_order="left")
            continue
        if need.about == THING:
            thing = source(need.document_type).subject_identifier_kind
            if thing not in things:
                things[thing] = f"own {thing}"
                named = own.select("is_firm", "id", pl.col("identifier").alias(things[thing]))
                who = who.join(named, on=["is_firm", "id"], how="left", maintain_order="left")
        who = who.join(own.drop("identifier"), on=["is_firm", "id"], how="left", maintain_order="left")
    is_of_dead = any(need.about == DECEASED for need in service.needed_of(kind))
    about = [_struct(thing, column, pl.lit(None, pl.Date)) for thing, column in things.items()]
    about += [_struct(PERSON, "deceased", pl.col("died"))] if is_of_dead else []
    return who.select(
        "is_firm",
        "id",
        "identifier_kind",
        "identifier",
        service=pl.lit(service.id),
        about=_listed(about),
        is_complete=pl.all_horizontal(pl.lit(True), *(pl.col(m).fill_null(False) for m in marks.values())),
    )


def _struct(kind: str, column: str, died: pl.Expr) -> pl.Expr:
    made = pl.struct(kind=pl.lit(kind), identifier=pl.col(column), died_on=died)
    return pl.when(pl.col(column).is_not_null()).then(made)


def _listed(structs: list[pl.Expr]) -> pl.Expr:
    if not structs:
        return pl.lit([], ABOUT)
    return pl.concat_list(structs).list.drop_nulls()


def _heirs(base: Frames) -> pl.DataFrame:
    """Whose heir somebody is, of parents and spouse: `is_firm`, `id`, `deceased` (a resident number), `died`."""
    people = base["persons"]
    dead = people.filter(pl.col("died").is_not_null()).select(dead_id="person_id", deceased="rrn", died="died")
    kin = [
        people.select(id=pl.col("person_id").cast(pl.Int64), dead_id=pl.col(relative))
        for relative in ("spouse_id", "father_id", "mother_id")
    ]
    found = pl.concat(kin).drop_nulls().join(dead, on="dead_id", maintain_order="left")
    first = found.unique("id", keep="first", maintain_order=True)
    return first.select(pl.lit(False).alias("is_firm"), "id", "deceased", "died")


def _some(rows: pl.DataFrame) -> pl.DataFrame:
    return pl.concat(
        [rows.filter("is_complete").head(MOST_COMPLETE), rows.filter(~pl.col("is_complete")).head(MOST_LACKING)]
    )


def _representatives(base: Frames) -> pl.DataFrame:
    """Who acts for each firm: `is_firm`, `id`, `representative` (a resident number)."""
    heads = base["officers"].sort("corporation_id", pl.col("position") != "대표이사", "line_no")
    heads = heads.unique("corporation_id", keep="first", maintain_order=True)
    named = heads.join(base["persons"].select("person_id", representative="rrn"), on="person_id", maintain_order="left")
    return named.select(
        pl.lit(True).alias("is_firm"), pl.col("corporation_id").cast(pl.Int64).alias("id"), "representative"
    )


def _others(numbers: pl.DataFrame) -> pl.DataFrame:
    """Every number of a subject, as a list."""
    return numbers.group_by("is_firm", "id", maintain_order=True).agg(also=pl.struct("kind", "identifier"))


def _single_parents(base: Frames, earning: pl.DataFrame, year: int) -> pl.DataFrame:
    """Householders without a living spouse who live with a minor child of their own."""
    people = base["persons"]
    alive = people.filter(pl.col("died").is_null()).select(spouse_id="person_id")
    is_minor = year - pl.col("born").dt.year() < MINOR_YEARS
    minors = people.filter(pl.col("household_id").is_not_null() & is_minor)
    parents = pl.concat(
        [minors.select("household_id", person_id=parent).drop_nulls() for parent in ("father_id", "mother_id")]
    ).unique()
    alone = earning.filter(pl.col("relation") == "본인").join(alive, on="spouse_id", how="anti", maintain_order="left")
    return alone.join(parents, on=["person_id", "household_id"], how="semi", maintain_order="left")


def _disabled(base: Frames, people: pl.DataFrame) -> pl.DataFrame:
    registered = base["disabilities"].filter(~pl.col("is_cancelled")).select("person_id")
    adults = people.filter(pl.col("age") >= MINOR_YEARS)
    return adults.join(registered, on="person_id", how="semi", maintain_order="left")
