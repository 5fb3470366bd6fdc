"""Who of the world could apply for which service, and would find its documents there: for checks and demos.

One row per service and subject: `service`, `identifier_kind`, `identifier`, `grantor_identifier` (NULL where a statute
and no person opens the record). The order is by service and running number, the same every time.
"""

from pathlib import Path

import polars as pl
import pyarrow as pa

from sources.simulate import store
from sources.simulate.store import Frames

MINOR_YEARS, YOUNG_YEARS = 19, 45


def candidates(home: Path) -> pa.Table:
    base = store.base(home)
    today = store.today(home)
    residents = base["persons"].filter(pl.col("household_id").is_not_null())
    people = residents.filter(pl.col("nationality").is_null()).with_columns(age=today.year - pl.col("born").dt.year())
    earning = people.join(
        base["incomes"].select("person_id").unique(), on="person_id", how="semi", maintain_order="left"
    )
    services = {
        "SINGLE_PARENT": _single_parents(base, earning, today.year),
        "DISABILITY_PENSION": _disabled(base, people),
        "HOUSING_SUBSCRIPTION": earning.filter(
            (pl.col("relation") == "본인") & pl.col("age").is_between(25, YOUNG_YEARS)
        ),
    }
    rows = [
        who.sort("person_id").select(
            service=pl.lit(service), identifier_kind=pl.lit("RRN"), identifier="rrn", grantor_identifier="rrn"
        )
        for service, who in services.items()
    ]
    for service in ("NHIS_WORKPLACE", "ECREG_PROPERTY"):
        firms = base["corporations"].filter(pl.col("status") == "1").sort("corporation_id")
        rows.append(
            firms.select(
                service=pl.lit(service),
                identifier_kind=pl.lit("CRN"),
                identifier="crn",
                grantor_identifier=pl.lit(None, pl.String),
            )
        )
    table = pl.concat(rows).to_arrow()
    return table.cast(pa.schema([pa.field(n, pa.string()) for n in table.schema.names]))


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
