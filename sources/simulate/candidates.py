"""Who of the world could apply for which service, and would find its documents there: for checks and demos.

One row per service and subject: `service`, `identifier_kind`, `identifier`, `grantor_identifier` (NULL where a statute
and no person opens the record), `also` (every number of the subject: a list of kind and identifier), `is_complete`
(whether every document that comes as data is held of her). The order is by service and running number, the same every
time. Of a service without a rule of its own some adults apply whose documents are all held, and a few who lack some.
"""

from pathlib import Path

import polars as pl
import pyarrow as pa

from schemas.services import Service, services
from sources.simulate import store
from sources.simulate.identities import holders, identities
from sources.simulate.store import Frames

MINOR_YEARS, YOUNG_YEARS = 19, 45
MOST_COMPLETE, MOST_LACKING = 40, 10  # of a service without a rule of its own
FOREIGNER = "FRN"
SCHEMA = pa.schema(
    [
        *(pa.field(n, pa.string()) for n in ("service", "identifier_kind", "identifier", "grantor_identifier")),
        pa.field("also", pa.list_(pa.struct([pa.field("kind", pa.string()), pa.field("identifier", pa.string())]))),
        pa.field("is_complete", pa.bool_()),
    ]
)


def candidates(home: Path) -> pa.Table:
    base, today = store.base(home), store.today(home)
    residents = base["persons"].filter(pl.col("household_id").is_not_null())
    adults = residents.with_columns(age=today.year - pl.col("born").dt.year())
    ruled = _ruled(base, adults.filter(pl.col("nationality").is_null()), today.year)
    numbers = identities(home, base)
    held = {name: holders(home, name).select("is_firm", "id") for name in store.REGISTERS}
    parts = []
    for service in services():
        if not service.data_requirements:
            continue
        for kind in service.applicants:
            everybody = _named_by(kind, base, adults, numbers)
            chosen = ruled.get(service.id)
            if chosen is not None:
                everybody = everybody.join(chosen, on=["is_firm", "id"], how="semi", maintain_order="left")
            rows = _holding(service, everybody, held)
            parts.append(rows if chosen is not None else _some(rows))
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
    is_person = pl.col("authorisation") != "statute"
    return [
        pl.col("service"),
        pl.col("identifier_kind"),
        pl.col("identifier"),
        pl.when(is_person)
        .then(pl.when("is_firm").then("representative").otherwise("identifier"))
        .alias("grantor_identifier"),
        pl.col("also"),
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


def _holding(service: Service, who: pl.DataFrame, held: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """The applicants with the service, and whether each document that comes as data is held of them."""
    is_complete = pl.lit(True)
    for need in service.data_requirements:
        register = store.DOCUMENTS.get(need.document_type)
        if register is None:
            is_complete = pl.lit(False)
            continue
        mark = f"has {need.document_type}"
        who = who.join(
            held[register].with_columns(pl.lit(True).alias(mark)),
            on=["is_firm", "id"],
            how="left",
            maintain_order="left",
        )
        is_complete = is_complete & pl.col(mark).fill_null(False)
    return who.select(
        "is_firm",
        "id",
        "identifier_kind",
        "identifier",
        service=pl.lit(service.id),
        authorisation=pl.lit(service.authorisation),
        is_complete=is_complete,
    )


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
