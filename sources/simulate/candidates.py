"""Who of the world could apply for which service, and would find its documents there: for checks and demos.

One row per service and subject: `service`, `identifier_kind`, `identifier`, `grantor_identifier` (who consents, for a
firm its representative), `also` (every number of the subject: a list of kind and identifier), `about` (what documents
are about besides her: things that she owns, and the dead whose heir she is, with the day of death), `members` (the
others of her household whom the service looks at, and the guardian of a child), `victims` (whose lines a disclosure
block keeps from her), `chosen` (of documents of which one is
enough, those that she has), `is_complete` (whether every document that comes as data is held). The order is by service,
kind of applicant and running number, the same every time. Of most services some apply whose documents are all held, and
a few who lack some.
"""

from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pyarrow as pa

from schemas.contract import source
from schemas.services import DECEASED, HOUSEHOLD, THING, Requirement, Service, services
from sources.simulate import store
from sources.simulate.identities import holders, identities
from sources.simulate.relatives import heirs, members, representatives, victims
from sources.simulate.store import Frames

MINOR_YEARS, STUDENT_YEARS, YOUNG_YEARS, PENSION_YEARS = 19, 29, 45, 65
MOST_COMPLETE, MOST_LACKING = 40, 10  # of a service, but of these everybody whom the rule finds
ALL_APPLY = ("SINGLE_PARENT", "DISABILITY_PENSION", "HOUSING_SUBSCRIPTION", "NHIS_WORKPLACE")
FOREIGNER, PERSON = "FRN", "RRN"
MEMBERS = pl.List(pl.Struct({"identifier": pl.String, "guardian": pl.String}))
ABOUT = pl.List(pl.Struct({"kind": pl.String, "identifier": pl.String, "died_on": pl.Date}))
Held = Mapping[str, pl.DataFrame]  # of each register, whose records it holds
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
        pa.field(
            "members",
            pa.list_(pa.struct([pa.field("identifier", pa.string()), pa.field("guardian", pa.string())])),
        ),
        pa.field("victims", pa.list_(pa.string())),
        pa.field("chosen", pa.list_(pa.string())),
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
    inherited = heirs(base)
    households = {who: members(base, who, today.year) for who in {s.household for s in services()} if who is not None}
    parts = []
    for service in services():
        named: list[pl.DataFrame] = []  # nobody applies twice, once by each of her numbers
        for kind in service.applicants:
            everybody = _named_by(kind, base, adults, numbers)
            chosen = ruled.get(service.id) if kind == service.applicants[0] else None
            if chosen is not None:
                everybody = everybody.join(chosen, on=["is_firm", "id"], how="semi", maintain_order="left")
            for earlier in named:
                everybody = everybody.join(earlier, on=["is_firm", "id"], how="anti", maintain_order="left")
            rows = _holding(service, kind, everybody, held, inherited, households.get(service.household or ""))
            named.append(rows if chosen is not None and service.id in ALL_APPLY else _some(rows))
        parts += named
    return (
        pl.concat(parts)
        .join(_others(numbers), on=["is_firm", "id"], how="left", maintain_order="left")
        .join(representatives(base), on=["is_firm", "id"], how="left", maintain_order="left")
        .join(victims(base), on=["is_firm", "id"], how="left", maintain_order="left")
        .select(_row())
        .to_arrow()
        .cast(SCHEMA)
    )


def _row() -> list[pl.Expr | str]:
    """A person consents herself; a firm through its representative, as the corporate register names it."""
    return [
        pl.col("service"),
        pl.col("identifier_kind"),
        pl.col("identifier"),
        pl.when("is_firm").then("representative").otherwise("identifier").alias("grantor_identifier"),
        pl.col("also"),
        "about",
        "members",
        pl.col("victims").fill_null(pl.lit([], pl.List(pl.String))),
        "chosen",
        "is_complete",
    ]


def _ruled(base: Frames, people: pl.DataFrame, year: int) -> dict[str, pl.DataFrame]:
    """Services whose applicants are of a certain kind: `is_firm`, `id`."""
    earning = people.join(
        base["incomes"].select("person_id").unique(), on="person_id", how="semi", maintain_order="left"
    )
    is_head = pl.col("relation") == "본인"
    chosen = {
        "SINGLE_PARENT": _single_parents(base, earning, year),
        "DISABILITY_PENSION": _disabled(base, people),
        "HOUSING_SUBSCRIPTION": earning.filter(is_head & pl.col("age").is_between(25, YOUNG_YEARS)),
        "BASIC_PENSION": people.filter(pl.col("age") > PENSION_YEARS),
        "BASIC_LIVELIHOOD": people.filter(is_head),
        "INFERTILITY": people.filter((pl.col("age") <= YOUNG_YEARS) & pl.col("spouse_id").is_not_null()),
        "SCHOLARSHIP": people.filter(pl.col("age").is_between(MINOR_YEARS, STUDENT_YEARS)),
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
    service: Service,
    kind: str,
    who: pl.DataFrame,
    held: Held,
    inherited: pl.DataFrame,
    household: pl.DataFrame | None,
) -> pl.DataFrame:
    """The applicants with the service, what its documents are about, and whether each that is data is held.

    Of documents of which one is enough the first that is held is meant. What only some bring need not be held; whoever
    owns the thing that it is about names it.
    """
    who = who.join(inherited, on=["is_firm", "id"], how="left", maintain_order="left")
    things: dict[str, str] = {}
    groups: dict[str, dict[str, str]] = {}  # of documents of which one is enough: each with its mark
    for need in service.needed_of(kind):
        register = store.DOCUMENTS.get(need.document_type)
        mark = f"has {need.document_type}"
        if not need.is_available:
            continue
        if register is None:
            who = who.with_columns(pl.lit(False).alias(mark))
        else:
            who = _marked(who, need, held[register].with_columns(pl.lit(True).alias(mark)), mark, things, household)
        if not need.is_if_held:
            groups.setdefault(need.one_of or need.document_type, {})[need.document_type] = mark
    is_of_dead = any(need.about == DECEASED for need in service.needed_of(kind))
    about = [_struct(thing, column, pl.lit(None, pl.Date)) for thing, column in things.items()]
    about += [_struct(PERSON, "deceased", pl.col("died"))] if is_of_dead else []
    return _with_members(who, household).select(
        "is_firm",
        "id",
        "identifier_kind",
        "identifier",
        "members",
        service=pl.lit(service.id),
        about=_listed(about, ABOUT),
        chosen=_listed([_first_held(marks) for marks in groups.values() if len(marks) > 1], pl.List(pl.String)),
        is_complete=pl.all_horizontal(
            pl.lit(True),
            *(pl.any_horizontal(pl.col(m).fill_null(False) for m in marks.values()) for marks in groups.values()),
        ),
    )


def _marked(
    who: pl.DataFrame,
    need: Requirement,
    own: pl.DataFrame,
    mark: str,
    things: dict[str, str],
    household: pl.DataFrame | None,
) -> pl.DataFrame:
    """With the mark of who holds the document; with the number of the thing where it is about one (`things`)."""
    if need.about == DECEASED:
        dead = own.select("identifier", mark).rename({"identifier": "deceased"})
        return who.join(dead, on="deceased", how="left", maintain_order="left")
    thing = source(need.document_type).subject_identifier_kind
    if need.about == THING and thing not in things:
        things[thing] = f"own {thing}"
        named = own.select("is_firm", "id", pl.col("identifier").alias(things[thing]))
        who = who.join(named, on=["is_firm", "id"], how="left", maintain_order="left")
    who = who.join(own.drop("identifier"), on=["is_firm", "id"], how="left", maintain_order="left")
    if need.about == HOUSEHOLD and household is not None and not need.is_if_held:
        lacking = household.join(own.filter(~pl.col("is_firm")), left_on="member_id", right_on="id", how="anti")
        is_lacking = pl.col("id").is_in(lacking["id"].implode()) & ~pl.col("is_firm")
        who = who.with_columns(pl.when(~is_lacking).then(mark).alias(mark))
    return who


def _with_members(who: pl.DataFrame, household: pl.DataFrame | None) -> pl.DataFrame:
    if household is None:
        return who.with_columns(members=pl.lit([], MEMBERS))
    others = household.group_by("id", maintain_order=True).agg(
        members=pl.struct(identifier="member", guardian="guardian")
    )
    return who.join(others, on="id", how="left", maintain_order="left").with_columns(
        pl.col("members").fill_null(pl.lit([], MEMBERS))
    )


def _first_held(marks: Mapping[str, str]) -> pl.Expr:
    """The first document of a group that is held, the first of all where none is."""
    first = pl.lit(next(iter(marks)))
    return pl.coalesce(*(pl.when(mark).then(pl.lit(document)) for document, mark in marks.items()), first)


def _struct(kind: str, column: str, died: pl.Expr) -> pl.Expr:
    made = pl.struct(kind=pl.lit(kind), identifier=pl.col(column), died_on=died)
    return pl.when(pl.col(column).is_not_null()).then(made)


def _listed(parts: list[pl.Expr], kind: pl.List) -> pl.Expr:
    return pl.concat_list(parts).list.drop_nulls() if parts else pl.lit([], kind)


def _some(rows: pl.DataFrame) -> pl.DataFrame:
    return pl.concat(
        [rows.filter("is_complete").head(MOST_COMPLETE), rows.filter(~pl.col("is_complete")).head(MOST_LACKING)]
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
