"""One population told by six registers: what one holder says, no other contradicts."""

from datetime import timedelta

import polars as pl

from schemas.codes import codes
from schemas.contract import source
from sources.simulate import store


def test_minors_at_home_are_children_of_the_householder_in_the_courts_register(registers: store.Frames) -> None:
    extracts, lines = registers["household_extract"], registers["household_extract__members"]
    family = registers["family_relation_certificate"].select("record_id", parent="identifier")
    children = registers["family_relation_certificate__relatives"].filter(pl.col("FAM_REL_CD") == "006")
    known = children.join(family, on="record_id").select("parent", child="person_identifier")
    heads = lines.filter(pl.col("HSHLDR_REL_NM") == "본인").select("record_id", parent="person_identifier")
    minors = (
        lines.filter((pl.col("HSHLDR_REL_NM") == "자녀") & pl.col("is_subject"))
        .join(extracts.select("record_id"), on="record_id")
        .join(heads, on="record_id")
        .select("parent", child="person_identifier")
    )
    nationals = minors.join(family, on="parent", how="semi")
    assert len(nationals) > 500
    assert len(nationals.join(known, on=["parent", "child"], how="anti")) == 0


def test_parents_are_18_years_older_and_spouses_name_each_other(base: store.Frames) -> None:
    people = base["persons"]
    born = people.select("person_id", parent_born="born")
    for parent in ("father_id", "mother_id"):
        pairs = people.join(born, left_on=parent, right_on="person_id")
        assert len(pairs) > 2_000
        assert (pairs["born"] - pairs["parent_born"] >= timedelta(days=18 * 365)).all()
    married = people.filter(pl.col("spouse_id").is_not_null())
    back = married.join(people.select("person_id", back="spouse_id"), left_on="spouse_id", right_on="person_id")
    assert (back["back"] == back["person_id"]).all()


def test_no_siblings_are_married(base: store.Frames) -> None:
    people = base["persons"]
    pairs = people.join(people.select("person_id", other="father_id"), left_on="spouse_id", right_on="person_id")
    assert not (pairs["father_id"] == pairs["other"]).any()


def test_children_bear_the_fathers_family_name(base: store.Frames) -> None:
    people = base["persons"]
    fathers = people.select("person_id", fathers="name", clan_of="clan")
    pairs = people.join(fathers, left_on="father_id", right_on="person_id")
    assert (pairs["name"].str.head(1) == pairs["fathers"].str.head(1)).all()
    assert (pairs["clan"] == pairs["clan_of"]).all()


def test_a_child_of_a_former_marriage_is_in_the_detailed_certificate_alone(
    base: store.Frames, registers: store.Frames
) -> None:
    lines = registers["family_relation_certificate__relatives"]
    people = base["persons"]
    step = people.filter(pl.col("relation") == "배우자의 자녀")["rrn"]
    told = lines.filter(pl.col("person_identifier").is_in(step.implode()) & (pl.col("FAM_REL_CD") == "006"))
    assert len(told) > 0
    assert told["general_no"].is_null().all()
    ours = lines.filter((pl.col("FAM_REL_CD") == "006") & pl.col("general_no").is_not_null())
    assert (ours["DTH_YN"] == "N").all()


def test_a_child_who_died_is_in_the_detailed_certificate_alone(registers: store.Frames) -> None:
    lines = registers["family_relation_certificate__relatives"]
    lost = lines.filter((pl.col("FAM_REL_CD") == "006") & (pl.col("DTH_YN") == "Y"))
    assert len(lost) > 0
    assert lost["general_no"].is_null().all()


def test_the_first_line_is_the_subject_and_the_general_lines_count_from_one(registers: store.Frames) -> None:
    lines = registers["family_relation_certificate__relatives"]
    first = lines.filter(pl.col("line_no") == 1)
    assert (first["FAM_REL_CD"] == "001").all()
    assert len(first) == len(registers["family_relation_certificate"])
    counted = lines.filter(pl.col("general_no").is_not_null()).group_by("record_id").agg(pl.col("general_no").sort())
    assert all(list(n) == list(range(1, len(n) + 1)) for n in counted["general_no"])


def test_a_foreigner_is_named_by_a_spouse_but_has_no_family_register(
    base: store.Frames, registers: store.Frames
) -> None:
    foreign = base["persons"].filter(pl.col("nationality").is_not_null())["rrn"]
    own = registers["family_relation_certificate"].filter(pl.col("identifier").is_in(foreign.implode()))
    named = registers["family_relation_certificate__relatives"].filter(
        pl.col("person_identifier").is_in(foreign.implode())
    )
    at_home = registers["household_extract__members"].filter(pl.col("person_identifier").is_in(foreign.implode()))
    assert len(own) == 0
    assert "002" in set(named["FAM_REL_CD"])
    assert set(at_home["RSDNC_STTS_CD"]) == {"04"}
    assert "대한민국" not in set(at_home["NTNLTY_NM"])


def test_those_who_earn_are_named_as_in_the_resident_register(registers: store.Frames) -> None:
    residents = registers["household_extract__members"].filter("is_subject").select("person_identifier", "FMBR_NM")
    earners = registers["income_certificate"].join(residents, left_on="identifier", right_on="person_identifier")
    assert len(earners) == len(registers["income_certificate"])
    assert (earners["INERN_NM"] == earners["FMBR_NM"]).all()
    insured = registers["health_insurance_history"].join(residents, left_on="identifier", right_on="person_identifier")
    assert (insured["SBSR_NM"] == insured["FMBR_NM"]).all()


def test_employers_are_corporations_of_the_world(base: store.Frames, registers: store.Frames) -> None:
    firms = base["corporations"].select(BPLC_NM="name", BRNO="brn", BPLC_MNG_NO=pl.col("brn") + "0")
    insured = registers["health_insurance_history__history"].filter(pl.col("BPLC_NM").is_not_null())
    paid = registers["income_certificate__lines"].filter(pl.col("EARN_SE_CD") == "10")
    assert len(insured) > 1_000
    assert len(insured.join(firms, on=["BPLC_NM", "BPLC_MNG_NO"], how="anti")) == 0
    assert len(paid.join(firms, on=["BPLC_NM", "BRNO"], how="anti")) == 0


def test_workplace_insurance_names_an_employer_and_dependants_are_insured_by_it(registers: store.Frames) -> None:
    history = registers["health_insurance_history__history"]
    assert history.filter(pl.col("SBSR_SE_CD").is_in(["1", "2"]))["BPLC_NM"].is_not_null().all()
    assert history.filter(pl.col("SBSR_SE_CD").is_in(["5", "6"]))["BPLC_NM"].is_null().all()
    header = registers["health_insurance_history"].select("record_id", "identifier")
    running = history.filter(pl.col("HLTH_INSRNC_LOSE_YMD").is_null() & (pl.col("SBSR_SE_CD") == "2"))
    dependants = running.join(header, on="record_id")["identifier"]
    named = registers["health_insurance_history__dependants"]["person_identifier"]
    assert sorted(dependants) == sorted(named)


def test_officers_are_residents_and_a_changed_name_is_still_the_former_one(
    base: store.Frames, registers: store.Frames
) -> None:
    residents = base["persons"].filter(pl.col("household_id").is_not_null())
    officers = registers["corporate_registration__officers"].join(
        residents.select("rrn", "name", "former_name"), left_on="person_identifier", right_on="rrn"
    )
    assert len(officers) == len(registers["corporate_registration__officers"])
    assert (officers["EXC_NM"] == officers.select(pl.coalesce("former_name", "name")).to_series()).all()


def test_a_household_is_listed_whole_in_each_members_extract(base: store.Frames, registers: store.Frames) -> None:
    lines = registers["household_extract__members"]
    sizes = base["persons"].drop_nulls("household_id").group_by("household_id").len()
    assert len(lines) == (sizes["len"] ** 2).sum()
    assert lines.filter("is_subject")["record_id"].is_unique().all()
    heads = lines.filter(pl.col("line_no") == 1)
    assert (heads["HSHLDR_REL_NM"] == "본인").all()


def test_incomes_cover_the_three_years_and_about_one_in_twenty_is_disabled(registers: store.Frames) -> None:
    assert set(registers["income_certificate__lines"]["EARN_BLN_YR"]) == {"2023", "2024", "2025"}
    assert set(registers["income_certificate__lines"]["EARN_SE_CD"]) == {"10", "20", "40"}
    assert 0.04 < len(registers["disability_certificate"]) / 5_000 < 0.06


def test_nothing_that_a_record_tells_is_later_than_the_record(registers: store.Frames) -> None:
    header = registers["health_insurance_history"].select(
        "record_id", changed=pl.col("changed_at").dt.strftime("%Y%m%d")
    )
    history = registers["health_insurance_history__history"].join(header, on="record_id")
    assert (history["HLTH_INSRNC_ACQS_YMD"] <= history["changed"]).all()
    extracts = registers["household_extract"]
    assert (extracts["MVIN_YMD"] <= extracts["changed_at"].dt.strftime("%Y%m%d")).all()


def test_every_code_is_in_its_list_and_every_required_value_is_there(registers: store.Frames) -> None:
    for document, name in store.DOCUMENTS.items():
        contract = source(document)
        for table, columns in [
            (registers[name], contract.content),
            *((registers[f"{name}__{g.name}"], g.content) for g in contract.groups),
        ]:
            for column in columns:
                values = table[column.publishes or column.name]
                assert not column.is_required or values.null_count() == 0, (document, column.name)
                if column.code_list:
                    assert set(values.drop_nulls()) <= codes(column.code_list), (document, column.name)
                if column.pattern:
                    assert values.drop_nulls().cast(pl.String).str.contains(column.pattern).all(), column.name
                if column.max_length and values.dtype == pl.String:
                    assert (values.drop_nulls().str.len_chars() <= column.max_length).all(), column.name
