"""Who owns what: parcels, buildings and the register of real estate agree with each other and with their owners."""

from decimal import Decimal

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from schemas.column import Column
from schemas.contract import Contract, source
from schemas.rules import violations
from sources.simulate import store, world
from sources.simulate.court import DOCUMENTS as CERTIFICATES
from sources.simulate.court import certificate
from sources.simulate.pages import Asked
from sources.simulate.property import decimal
from sources.simulate.regions import legal_codes
from sources.simulate.registers import BUILDERS
from sources.simulate.shelf import stock
from sources.simulate.store import Frames, Instants

DOCUMENTS = ("LAND", "BLDR", "IOLP", "LUSE", "REGR")
KEY = ["record_id"]


@pytest.fixture(scope="module")
def tables(base: Frames) -> Frames:
    return {name: table.drop("changed_at") for name, table in base.items()}


@pytest.fixture(scope="module")
def everybody(base: Frames) -> Instants:
    nobody = pl.DataFrame(schema={"person_id": pl.Int32, "register": pl.String})
    return world.first_instants(base, nobody, "land_ledger")


@pytest.fixture(scope="module")
def made(tables: Frames, everybody: Instants) -> Frames:
    return {n: t for d in DOCUMENTS for n, t in BUILDERS[store.DOCUMENTS[d]](tables, everybody).items()}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_value_keeps_the_rules_of_its_contract(made: Frames, document: str) -> None:
    contract = source(document)
    assert len(made[contract.published]) > 0
    for table, columns in tables_of(contract):
        frame = made[table]
        assert len(frame) > 0
        assert [c for c in frame.columns if c.isupper()] == [c.publishes for c in columns]
        for column in columns:
            broken = {s for value in set(frame[str(column.publishes)]) for s in violations(column, value)}
            assert not broken, (table, column.publishes, broken)


def tables_of(contract: Contract) -> list[tuple[str, tuple[Column, ...]]]:
    return [
        (contract.published, contract.content),
        *((f"{contract.published}__{g.name}", g.content) for g in contract.groups),
    ]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_two_records_are_of_one_thing_and_lines_are_numbered(made: Frames, document: str) -> None:
    contract = source(document)
    header = made[contract.published]
    assert header["identifier"].is_unique().all()
    assert header["record_id"].is_unique().all()
    for group in contract.groups:
        numbers = made[f"{contract.published}__{group.name}"].group_by("record_id").agg(pl.col("line_no").sort())
        assert all(n == list(range(1, len(n) + 1)) for n in numbers["line_no"].to_list())
        assert set(numbers["record_id"]) <= set(header["record_id"])


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_same_row_is_rendered_alone_and_among_all(
    made: Frames, tables: Frames, everybody: Instants, document: str
) -> None:
    few = Instants(
        everybody.people.filter(pl.col("person_id") % 41 == 3),
        everybody.firms.filter(pl.col("corporation_id") % 7 == 1),
    )
    name = store.DOCUMENTS[document]
    alone = BUILDERS[name](tables, few)
    for table, frame in alone.items():
        order = ["record_id", "line_no"] if "__" in table else ["record_id"]
        among_all = made[table].join(alone[name], on="record_id", how="semi")
        assert_frame_equal(among_all.sort(order), frame.sort(order))


def test_a_parcel_s_number_is_made_of_its_own_columns(made: Frames) -> None:
    land = made["land_ledger"]
    parts = [pl.col(c).cast(pl.String).str.zfill(4) for c in ("MNO", "SNO")]
    assert (
        land["identifier"] == land.select(pl.col("STDG_CD") + pl.col("LDGR_SE_CD") + parts[0] + parts[1])["STDG_CD"]
    ).all()
    assert set(land["STDG_CD"]) <= set(legal_codes()["code"])
    assert (land["MNO"] > 0).all()


def test_a_building_stands_on_a_parcel_of_the_ledger(made: Frames) -> None:
    land = made["land_ledger"].select(number=pl.col("record_id").str.tail(11), pnu="identifier")
    both = made["building_ledger"].with_columns(number=pl.col("record_id").str.tail(11)).join(land, on="number")
    assert len(both) == len(made["building_ledger"])
    assert (both["identifier"].str.head(10) == both["pnu"].str.head(10)).all()
    assert (both["identifier"].str.slice(11, 8) == both["pnu"].str.slice(11, 8)).all()


def test_the_parts_of_joint_owners_add_up_to_the_whole(made: Frames) -> None:
    parts = made["land_ledger__owners"].group_by("record_id").agg(pl.col("SHR_RT").sum(), owners=pl.len())
    assert set(parts["SHR_RT"]) == {Decimal("100.00")}
    assert set(parts["owners"]) == {1, 2}


def test_owners_are_persons_by_number_and_firms_without_one(made: Frames) -> None:
    owners = made["land_ledger__owners"].join(
        made["land_ledger"].select("record_id", "PSN_SE_CD"), on="record_id", how="left"
    )
    by_kind = {k: owners.filter(pl.col("PSN_SE_CD") == k)["person_identifier"] for k in ("1", "6")}
    assert by_kind["1"].null_count() == 0
    assert by_kind["6"].null_count() == len(by_kind["6"]) > 0


def test_the_ledger_and_the_register_name_the_same_owners(made: Frames) -> None:
    ledger = made["land_ledger__owners"].select(pl.col("record_id").str.tail(11), "OWNR_NM", "SHR_RT")
    entries = made["real_estate_register__gap_eul"].filter(pl.col("RG_PRPS") == "소유권이전")
    entries = entries.select(pl.col("record_id").str.tail(11), "RTHDR_NM", "SHR_RT").rename({"RTHDR_NM": "OWNR_NM"})
    assert_frame_equal(ledger.sort(ledger.columns), entries.sort(ledger.columns))


def test_every_hard_case_is_there(made: Frames) -> None:
    entries = made["real_estate_register__gap_eul"]
    assert set(made["land_ledger"]["LDGR_SE_CD"]) == {"1", "2"}
    assert set(made["real_estate_register"]["REST_SE_CD"]) == {"1", "2", "3"}
    assert "Y" in set(made["building_ledger"]["VIOL_BDST_YN"])
    assert set(entries["ERSR_YN"]) == {"Y", "N"}
    assert entries["BND_HGHST_AMT"].drop_nulls().is_between(24_000_000, 744_000_000).all()
    assert set(made["land_ledger__moves"]["AOCR_RSN_CD"]) == {"01", "20", "40"}
    described = made["real_estate_register__pyojebu"].group_by("record_id").agg(pl.col("LDCG_NM"))
    assert any(len(set(names)) == 2 for names in described["LDCG_NM"].to_list())


def test_ratios_are_cut_off_after_nine_digits_and_areas_are_exact(made: Frames) -> None:
    for row in made["building_ledger"].filter(pl.col("SIAR").is_not_null()).to_dicts():
        exact = row["BDAR"] * 100 / row["SIAR"]
        assert 0 <= exact - row["BDCVRT"] < Decimal("0.000000001")


def test_a_number_of_units_is_an_exact_decimal() -> None:
    found = pl.DataFrame({"n": [0, 1, 33_050, None]}).select(decimal(pl.col("n"), 2, pl.Decimal(19, 9)))["n"]
    assert found.to_list() == [Decimal(0), Decimal("0.01"), Decimal("330.5"), None]


def test_a_certificate_of_what_is_in_force_shows_no_cancelled_entry(made: Frames) -> None:
    document = CERTIFICATES["/registers/real-estate"]
    register = stock(made, "real_estate_register")
    entries = made["real_estate_register__gap_eul"]
    cancelled = entries.filter(pl.col("ERSR_YN") == "Y")["record_id"][0]
    header = made["real_estate_register"].filter(pl.col("record_id") == cancelled)
    (record,) = register.find(header["identifier"].to_list())
    items = frozenset(f"권리사항/등기/{place}" for place in ("순위", "목적", "말소"))
    shown = {
        variant: certificate(document, record | {"place": 0}, Asked(record["identifier"], items, variant, None), {})
        for variant in source("REGR").variants
    }
    assert "말소>Y" in shown["with_cancelled"]
    assert "말소>Y" not in shown["current"]
    assert "소유권이전" in shown["current"]
