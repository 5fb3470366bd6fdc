"""The registers beyond the first six: complete, coherent with the base, the same for a row alone or among all."""

import re
from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from schemas.contract import gold, source
from schemas.documents import as_data
from schemas.identifiers import KINDS
from schemas.rules import violations
from sources.simulate import draws, rates, store, world
from sources.simulate.documents import INSTITUTIONS
from sources.simulate.populations import SUBJECTS
from sources.simulate.registers import BUILDERS
from sources.simulate.romanised import romanised
from sources.simulate.store import Frames, Instants

DOCUMENTS = {d: t for d, t in store.DOCUMENTS.items() if d not in ("RRT", "INCM", "DISB", "HINQ", "FAMR", "CORR")}
HEADING = ["record_id", "identifier", "changed_at", "is_deleted", "ISSU_NO", "ISSU_YMD", "ISSU_INST_CD"]
LINE = ["record_id", "changed_at", "line_no"]
MARKS = ("is_subject", "is_current", "general_no", "person_identifier")  # what a delivery needs beside official columns
TABLES = [table for name in DOCUMENTS.values() for table in store.register_tables(name)]
ADULT_BORN, GRADUATE_BORN = date(2007, 6, 1), date(2004, 6, 1)


@pytest.fixture(scope="module")
def tables(base: store.Frames) -> Frames:
    """Base tables as a rendering gets them."""
    return {name: table.drop("changed_at") for name, table in base.items()}


@pytest.fixture(scope="module")
def everybody(base: store.Frames) -> Instants:
    nobody = pl.DataFrame(schema={"person_id": pl.Int32, "register": pl.String})
    return world.first_instants(base, nobody, "income_certificate")


@pytest.fixture(scope="module")
def made(tables: Frames, everybody: Instants) -> Frames:
    """Every table of these registers."""
    return {
        n: t for build in map(BUILDERS.__getitem__, DOCUMENTS.values()) for n, t in build(tables, everybody).items()
    }


@pytest.fixture(scope="module")
def residents(tables: Frames) -> pl.DataFrame:
    return tables["persons"].filter(pl.col("household_id").is_not_null())


def names(table: str) -> list[str]:
    return [c.name for c in gold(table).columns]


def test_every_register_is_rendered(made: Frames) -> None:
    assert set(store.DOCUMENTS) == as_data()
    assert set(BUILDERS) == set(SUBJECTS) == set(store.REGISTERS)
    assert set(made) == set(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_columns_stand_in_the_contract_s_order_and_every_value_keeps_to_it(made: Frames, table: str) -> None:
    frame, contract = made[table], gold(table)
    heading = LINE if contract.group else HEADING
    marks = [m for m in frame.columns if m in MARKS]
    assert frame.columns == [*heading, *marks, *(n for n in names(table) if n not in heading)]
    assert len(frame) > 0
    for column in contract.columns:
        values = frame[column.name].unique().to_list()
        assert [(column.name, v) for v in values if violations(column, v)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_one_record_a_subject_with_an_identifier_of_its_own(made: Frames, document: str) -> None:
    header = made[DOCUMENTS[document]]
    assert header["record_id"].is_unique().all()
    assert header["ISSU_NO"].is_unique().all()
    assert (header["ISSU_NO"].str.len_chars() <= 20).all()
    assert header["identifier"].is_unique().all()
    assert set(header["ISSU_INST_CD"]) == {INSTITUTIONS[document]}
    kinds = [KINDS[kind] for kind in source(document).subject_identifier_kinds]
    assert all(any(kind.is_form_of(i) for kind in kinds) for i in header["identifier"])


@pytest.mark.parametrize("table", [t for t in TABLES if "__" in t])
def test_lines_are_numbered_within_records_that_exist(made: Frames, table: str) -> None:
    lines = made[table]
    header = made[table.partition("__")[0]].select("record_id", "changed_at")
    assert len(lines.join(header, on=["record_id", "changed_at"], how="semi")) == len(lines)
    numbers = lines.group_by("record_id").agg(pl.col("line_no").sort())
    assert all(n == list(range(1, len(n) + 1)) for n in numbers["line_no"].to_list())
    assert lines["line_no"].dtype == pl.Int32


@pytest.mark.parametrize("table", DOCUMENTS.values())
def test_the_same_row_is_rendered_alone_and_among_all(
    made: Frames, tables: Frames, everybody: Instants, table: str
) -> None:
    again = BUILDERS[table](tables, everybody)
    few = Instants(
        everybody.people.filter(pl.col("person_id") % 41 == 3),
        everybody.firms.filter(pl.col("corporation_id") % 7 == 1),
    )
    alone = BUILDERS[table](tables, few)
    chosen = alone[table].select("record_id")
    for name in again:
        order = ["record_id", "line_no"] if "__" in name else ["record_id"]
        assert_frame_equal(made[name].sort(order), again[name].sort(order))
        among_all = made[name].join(chosen, on="record_id", how="semi")
        assert_frame_equal(among_all.sort(order), alone[name].sort(order))


def share_of(made: Frames, table: str, of: int) -> float:
    return len(made[table]) / of


def test_registers_hold_the_shares_that_rates_state(made: Frames, tables: Frames, residents: pl.DataFrame) -> None:
    rate = rates.REGISTERED
    adults = residents.filter(pl.col("born") <= ADULT_BORN)
    nationals = adults.filter(pl.col("nationality").is_null())
    grown = residents.filter(pl.col("born") <= GRADUATE_BORN)
    homes = len(tables["households"])
    for table, key, of, slack in (
        ("passport_record", "passport", len(nationals), 0.03),
        ("driving_record", "driving_licence", len(adults), 0.03),
        ("graduation_certificate", "graduation", len(grown), 0.03),
        ("national_qualification_certificate", "qualification", len(adults), 0.03),
        ("veteran_confirmation", "veteran", len(nationals), 0.006),
        ("basic_livelihood_certificate", "basic_livelihood", homes, 0.015),
        ("near_poverty_certificate", "near_poverty", homes, 0.01),
    ):
        assert share_of(made, table, of) == pytest.approx(rate[key], abs=slack), table
    for table in ("local_tax_clearance", "national_tax_clearance"):
        owing = (made[table]["NPMNT_YN"] == "Y").mean()
        assert owing == pytest.approx(rate["tax_arrears"], abs=0.012)
    travelled = made["entry_departure_certificate__trips"]["record_id"].n_unique()
    assert travelled / len(residents) == pytest.approx(1 - rate["no_trip"], abs=0.05)


def test_registers_of_residents_hold_residents_alone(made: Frames, tables: Frames, residents: pl.DataFrame) -> None:
    nationals = residents.filter(pl.col("nationality").is_null())
    corporations = tables["corporations"]
    adults = residents.filter(pl.col("born") <= ADULT_BORN)
    assert set(made["individual_abstract"]["identifier"]) == set(residents["rrn"])
    assert set(made["entry_departure_certificate"]["identifier"]) == set(residents["rrn"])
    assert set(made["local_tax_clearance"]["identifier"]) == {*adults["rrn"], *corporations["crn"]}
    assert set(made["national_tax_clearance"]["identifier"]) == {*adults["rrn"], *corporations["brn"]}
    aliens = residents.filter(pl.col("nationality").is_not_null())
    assert len(made["alien_registration_certificate"]) == len(aliens)
    for table in ("military_service_certificate", "marriage_relation_certificate", "guardianship_certificate"):
        assert set(made[table]["identifier"]) <= set(nationals["rrn"])
    everyone = tables["persons"].filter(pl.col("nationality").is_null())
    assert set(made["basic_certificate"]["identifier"]) == set(everyone["rrn"])


def test_names_agree_with_the_persons(made: Frames, tables: Frames) -> None:
    people = tables["persons"].select(identifier="rrn", name="name", spouse_id="spouse_id", died="died")
    for table, column in (
        ("individual_abstract", "FLNM"),
        ("pension_coverage_certificate", "SBSR_NM"),
        ("basic_certificate", "SELF_FLNM"),
        ("guardianship_certificate", "WARD_NM"),
    ):
        joined = made[table].join(people, on="identifier")
        assert (joined[column] == joined["name"]).all()
        assert len(joined) == len(made[table])
    spouses = tables["persons"].select(spouse_id="person_id", spouse="name", spouse_died="died")
    married = made["marriage_relation_certificate"].join(people, on="identifier")
    married = married.join(spouses, on="spouse_id", how="left")
    assert married["SPS_NM"].eq_missing(married["spouse"]).all()
    assert (married["MRG_DCLR_YMD"].is_null() == married["spouse"].is_null()).all()
    widowed = married.filter(pl.col("spouse_died").is_not_null())
    assert set(widowed["MRG_REL_SE_CD"]) == {"3"}


def test_a_couple_tells_one_day_of_marriage_after_both_were_grown_up_and_any_divorce(
    made: Frames, tables: Frames
) -> None:
    people = tables["persons"].select("person_id", "spouse_id", "born", identifier="rrn")
    told = made["marriage_relation_certificate"].join(people, on="identifier")
    both = told.join(told.select(spouse_id="person_id", other="MRG_DCLR_YMD"), on="spouse_id")
    assert len(both) > 1_000
    assert (both["MRG_DCLR_YMD"] == both["other"]).all()
    assert (told.drop_nulls("MRG_DCLR_YMD")["MRG_DCLR_YMD"].str.to_date("%Y%m%d") > pl.Series([date(1900, 1, 1)])).all()
    grown = told.drop_nulls("MRG_DCLR_YMD").select(
        pl.col("MRG_DCLR_YMD").str.to_date("%Y%m%d") >= pl.col("born").dt.offset_by("18y")
    )
    assert grown.to_series().all()
    parted = made["marriage_relation_certificate__history"].join(told, on="record_id")
    assert len(parted) > 20
    again = parted.drop_nulls("MRG_DCLR_YMD")
    assert (again["MRG_DCLR_YMD"] > again["DVRC_DCLR_YMD"]).all()
    assert made["marriage_relation_certificate__history"]["general_no"].is_null().all()


def test_a_minor_has_a_custodian_who_lives_or_a_guardian(made: Frames, tables: Frames) -> None:
    minors = tables["persons"].filter((pl.col("born") > ADULT_BORN) & pl.col("died").is_null())
    shown = made["basic_certificate"].join(minors.select(identifier="rrn"), on="identifier")
    assert shown.select(pl.coalesce("PTRP_NM", "MNR_GRDN_NM").is_not_null()).to_series().all()
    grown = made["basic_certificate"].join(minors.select(identifier="rrn"), on="identifier", how="anti")
    assert grown["PTRP_NM"].is_null().all()
    assert made["basic_certificate"]["DTH_YMD"].is_not_null().any()


def test_businesses_agree_with_corporations_and_incomes(made: Frames, tables: Frames) -> None:
    corporations = tables["corporations"]
    shops = tables["incomes"].filter(pl.col("kind") == "20")
    known = {*corporations["brn"], *shops["payer_brn"]}
    for table in ("business_registration", "vat_base_certificate", "business_closure_certificate", "sme_confirmation"):
        assert set(made[table]["BRNO"]) <= known
        assert (made[table]["BRNO"] == made[table]["identifier"]).all()
    registered = made["business_registration"].join(corporations.rename({"brn": "identifier"}), on="identifier")
    assert len(registered) == len(corporations)
    assert (registered["CRNO"] == registered["crn"]).all()
    assert (registered["CONM"] == registered["name"]).all()
    assert ((registered["status"] == "1") == (registered["BZMN_STTS_CD"] == "01")).all()
    closed = made["business_registration"].filter(pl.col("BZMN_STTS_CD") != "01")
    assert set(closed["identifier"]) == set(made["business_closure_certificate"]["identifier"])


def test_a_years_halves_add_up_to_the_sales_that_the_accounts_tell(made: Frames, tables: Frames) -> None:
    founded = tables["corporations"].filter((pl.col("founded") < date(2025, 1, 1)) & (pl.col("status") == "1"))
    periods = made["vat_base_certificate__periods"].filter(pl.col("TXTN_BGNG_YMD") >= "20250101")
    sums = periods.group_by("record_id").agg(pl.col("SLS_AMT").sum(), pl.len())
    told = made["vat_base_certificate"].join(sums, on="record_id").select("identifier", sold="SLS_AMT")
    accounts = made["financial_statement_certificate"]
    both = accounts.join(told, on="identifier").join(founded.select(identifier="brn"), on="identifier")
    assert len(both) > 50
    assert (both["SLS_AMT"] == both["sold"]).all()
    parts = periods["TXBS_AMT"] + periods["TXFR_INCM_AMT"]
    assert (parts == periods["SLS_AMT"]).all()
    lines = made["financial_statement_certificate__accounts"]
    assets = lines.filter(pl.col("ACNT_SBJT_NM").is_in(["유동자산", "비유동자산"]))
    total = assets.group_by("record_id").agg(pl.col("AMT").sum()).join(accounts, on="record_id")
    assert (total["AMT"] == total["AST_TAMT"]).all()


def test_a_roster_lists_those_insured_there_now(made: Frames, tables: Frames) -> None:
    running = tables["insurance"].filter((pl.col("kind") == "1") & pl.col("lost").is_null())
    assert len(made["social_insurance_roster__workers"]) == len(running)
    assert made["social_insurance_roster"]["WRKR_CNT"].sum() == len(running)
    assert set(made["social_insurance_roster"]["identifier"]) == set(tables["corporations"]["brn"])
    listed = made["social_insurance_roster__workers"].group_by("record_id").len()
    joined = made["social_insurance_roster"].join(listed, on="record_id")
    assert (joined["len"] == joined["WRKR_CNT"]).all()


def test_what_is_unpaid_is_the_same_in_both_local_tax_registers(made: Frames) -> None:
    cleared, assessed = made["local_tax_clearance"], made["local_tax_assessment"]
    joined = cleared.join(assessed, on="identifier", suffix="_assessed")
    assert len(joined) == len(cleared)
    assert (joined["NPMNT_AMT"] == joined["NPMNT_AMT_assessed"]).all()
    assert (assessed["LEVY_AMT"] == assessed["PAY_AMT"] + assessed["NPMNT_AMT"]).all()
    assert (assessed["PAY_YMD"].is_null() == (assessed["NPMNT_AMT"] > 0)).all()


def test_a_clearance_is_good_for_thirty_days(made: Frames) -> None:
    for table in ("local_tax_clearance", "national_tax_clearance"):
        issued, until = (made[table][c].str.to_date("%Y%m%d") for c in ("ISSU_YMD", "VLD_PRD_EXPRY_YMD"))
        assert set((until - issued).dt.total_days()) == {30}


def test_an_abstract_ends_at_the_present_address_and_never_begins_before_birth(made: Frames, tables: Frames) -> None:
    lines = made["individual_abstract__addr_history"]
    assert (lines.group_by("record_id").agg(pl.col("is_current").sum())["is_current"] == 1).all()
    last = lines.sort("record_id", "line_no").group_by("record_id", maintain_order=True).last()
    assert last["is_current"].all()
    homes = tables["persons"].join(tables["households"], on="household_id")
    homes = homes.select("road_addr", "stdg_cd", identifier="rrn")
    told = made["individual_abstract"].join(last, on="record_id").join(homes, on="identifier")
    road = r"(\S+ \d+)$"  # the region has the code and name of the day of moving in
    assert (told["ROAD_NM_ADDR"].str.extract(road) == told["road_addr"].str.extract(road)).all()
    same = told.filter(pl.col("STDG_CD") == pl.col("stdg_cd"))
    assert (same["ROAD_NM_ADDR"] == same["road_addr"]).all()
    assert 0 < len(told) - len(same) < len(told) * 0.25
    born = tables["persons"].select(identifier="rrn", born=pl.col("born").dt.strftime("%Y%m%d"))
    dated = lines.join(made["individual_abstract"].select("record_id", "identifier"), on="record_id")
    assert dated.join(born, on="identifier").select(pl.col("MVIN_YMD") >= pl.col("born")).to_series().all()
    ordered = lines.sort("record_id", "line_no").select(
        (pl.col("MVIN_YMD") >= pl.col("MVIN_YMD").shift(1).over("record_id")).fill_null(True)
    )
    assert ordered.to_series().all()
    assert lines["STDG_CD"].str.contains("^(42|45|4772)").any()


def test_premiums_owed_are_the_months_unpaid(made: Frames) -> None:
    months = made["health_insurance_premiums__months"].filter(pl.col("PAY_YN") == "N")
    owed = months.group_by("record_id").agg(owed=(pl.col("HLTH_ISPM") + pl.col("LTC_ISPM")).sum())
    header = made["health_insurance_premiums"].join(owed, on="record_id", how="left")
    assert (header["NPMNT_AMT"] == header["owed"].fill_null(0)).all()
    assert (header["NPMNT_AMT"] > 0).any()


def test_a_ward_has_one_adult_guardian_and_an_absent_record_nothing(made: Frames, tables: Frames) -> None:
    header, lines = made["guardianship_certificate"], made["guardianship_certificate__guardians"]
    wards = header.filter(pl.col("RCRD_ABSN_YN") == "N")
    assert set(lines["record_id"]) == set(wards["record_id"])
    assert lines["record_id"].is_unique().all()
    both = lines.join(wards, on="record_id")
    assert (both["person_identifier"] != both["identifier"]).all()
    named = both.join(tables["persons"].select(person_identifier="rrn", name="name"), on="person_identifier")
    assert (named["GRDN_NM"] == named["name"]).all()
    absent = header.filter(pl.col("RCRD_ABSN_YN") == "Y")
    assert len(absent) > 0
    assert (
        absent.select("GRDNSP_KND_CD", "CT_NM", "INCDNT_NO", "TRIL_CFMTN_YMD").null_count().row(0) == (len(absent),) * 4
    )


def test_nothing_drawn_is_told_of_a_day_after_the_record_changed(made: Frames) -> None:
    to_come = re.compile("EXPRY|TCBIZ_END|LSCT_END|ISSU|INQ_END")
    for table, frame in made.items():
        for name in (c for c in names(table) if c.endswith("_YMD") and not to_come.search(c)):
            day = frame["changed_at"].dt.convert_time_zone("Asia/Seoul").dt.strftime("%Y%m%d")
            assert (frame[name].drop_nulls() <= day.filter(frame[name].is_not_null())).all(), (table, name)


def test_draws_are_even_and_depend_on_key_and_word_alone() -> None:
    keys = pl.DataFrame({"k": range(50_000)})
    drawn = keys.select(one=draws.share(pl.col("k"), "one"), other=draws.share(pl.col("k"), "other"))
    assert drawn["one"].is_between(0, 1, closed="left").all()
    for tenth in range(10):
        inside = ((drawn["one"] * 10).floor() == tenth).mean()
        assert inside == pytest.approx(0.1, abs=0.01)
    assert abs(drawn.select(pl.corr("one", "other")).item()) < 0.02
    assert abs(drawn.select(pl.corr("one", pl.col("one").shift(1))).item()) < 0.02
    alone = keys.filter(pl.col("k") == 7).select(one=draws.share(pl.col("k"), "one"))["one"][0]
    assert alone == drawn["one"][7] == pytest.approx(0.0, abs=1)
    weighed = keys.select(v=draws.pick(pl.col("k"), "w", {"a": 0.7, "b": 0.2, "c": 0.1}))["v"]
    assert (weighed == "a").mean() == pytest.approx(0.7, abs=0.01)
    assert (weighed == "c").mean() == pytest.approx(0.1, abs=0.01)
    assert keys.select(d=draws.scattered(pl.col("k"), 7))["d"].is_unique().all()
    assert set(keys.select(d=draws.digits(pl.col("k"), "d", 14))["d"].str.len_chars()) == {14}


def test_names_in_latin_letters() -> None:
    told = pl.DataFrame({"n": ["김하나", "박현솔", "마리아 산토스"]}).select(romanised("n")).to_series().to_list()
    assert told == ["KIM HANA", "PARK HYEONSOL", "MARIA SANTOS"]
