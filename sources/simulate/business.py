"""Registers of businesses: registration, turnover, closure, accounts, insured workers, size.

A corporation's trades are its purposes, a shop's the last word of its name. The halves of a year's turnover add up to
the sales that the accounts and the confirmation of size tell.
"""

import polars as pl

from sources.simulate.documents import day, numbered
from sources.simulate.draws import TODAY, below, day_before, pick, settled, share
from sources.simulate.parties import KEY, businesses, corporate_sales, firms, issued, keyed, workers
from sources.simulate.rates import REGISTERED
from sources.simulate.store import Frames, Instants

# Trade: kind of business, code of the standard industrial classification.
TRADES = {
    "소프트웨어 개발업": ("정보통신업", "58222"),
    "건축공사업": ("건설업", "41121"),
    "식료품 제조업": ("제조업", "10799"),
    "전자부품 제조업": ("제조업", "26299"),
    "화물자동차 운송업": ("운수업", "49301"),
    "의료기기 도매업": ("도매업", "46592"),
    "교육 서비스업": ("서비스업", "85699"),
    "부동산 임대업": ("부동산업", "68112"),
    "무역업": ("도매업", "46800"),
    "광고 대행업": ("서비스업", "71310"),
    "전자상거래 소매업": ("소매업", "47912"),
    "시설물 유지관리업": ("서비스업", "74100"),
    "태양광 발전업": ("전기업", "35114"),
    "출판업": ("정보통신업", "58111"),
    "분식점": ("음식점업", "56194"),
    "커피 전문점": ("음식점업", "56221"),
    "미용업": ("서비스업", "96112"),
    "세탁업": ("서비스업", "96912"),
    "철물 소매업": ("소매업", "47511"),
    "문구 소매업": ("소매업", "47611"),
    "화초 소매업": ("소매업", "47851"),
    "자동차 수리업": ("서비스업", "95211"),
    "학원업": ("교육서비스업", "85501"),
    "사진 촬영업": ("서비스업", "73301"),
    "기타 소매업": ("소매업", "47859"),
}
SHOPS = {
    "분식": "분식점",
    "카페": "커피 전문점",
    "미용실": "미용업",
    "세탁소": "세탁업",
    "철물점": "철물 소매업",
    "문구": "문구 소매업",
    "꽃집": "화초 소매업",
    "정비소": "자동차 수리업",
    "학원": "학원업",
    "사진관": "사진 촬영업",
}
OTHER_TRADE = "기타 소매업"
EXEMPT_TRADES = ("교육 서비스업", "출판업", "학원업")
HALVES = [(str(y), b, e) for y in (TODAY.year - 2, TODAY.year - 1) for b, e in (("0101", "0630"), ("0701", "1231"))]
CLOSING_REASONS = ("사업부진", "행정처분", "계절사업", "법인전환", "면세포기", "기타")
SMALLEST_STAFF, SMALL_STAFF, SME_STAFF = 5, 20, 50


def _main_trade(found: pl.DataFrame, base: Frames) -> pl.DataFrame:
    """Adds the main trade: a corporation's first purpose, or what the shop's name says."""
    first = base["purposes"].sort("corporation_id", "line_no").unique("corporation_id", keep="first")
    shop = pl.lit(OTHER_TRADE)
    for ending, trade in SHOPS.items():
        shop = pl.when(pl.col("name").str.ends_with(ending)).then(pl.lit(trade)).otherwise(shop)
    found = found.join(
        first.select("corporation_id", "purpose"), on="corporation_id", how="left", maintain_order="left"
    )
    known = pl.when(pl.col("purpose").is_in(list(TRADES))).then("purpose")
    return found.with_columns(trade=pl.when("is_firm").then(known.fill_null(OTHER_TRADE)).otherwise(shop))


def _sector(trade: str) -> pl.Expr:
    return pl.col(trade).replace_strict({t: k for t, (k, _) in TRADES.items()}, default="소매업")


def _code(trade: str) -> pl.Expr:
    return pl.col(trade).replace_strict({t: c for t, (_, c) in TRADES.items()}, default="47859")


def _is_exempt() -> pl.Expr:
    return pl.col("trade").is_in(list(EXEMPT_TRADES))


def business_registration(base: Frames, instants: Instants) -> Frames:
    """BIZR: all corporations and all shops, closed ones too."""
    found = keyed("BIZR", _main_trade(businesses(base, instants), base))
    kind = (
        pl.when(_is_exempt())
        .then(pl.lit("03"))
        .when("is_firm")
        .then(pl.lit("01"))
        .when(pl.col("sales") < 48_000_000)
        .then(pl.lit("02"))
        .when(pl.col("sales") < 104_000_000)
        .then(pl.lit("05"))
        .otherwise(pl.lit("01"))
    )
    header = issued(
        "BIZR",
        found,
        "brn",
        BRNO="brn",
        CONM="name",
        RPRSV_NM="representative",
        CRNO="crn",
        OPBIZ_YMD=day("opened"),
        BZMN_REG_YMD=pl.col("opened").dt.offset_by("12d").dt.strftime("%Y%m%d"),
        BPLC_ADDR="address",
        STDG_CD="stdg_cd",
        TXTN_TYPE_CD=kind,
        BZMN_STTS_CD="state",
    )
    return {
        "business_registration": header,
        "business_registration__items": _items(found, base),
        "business_registration__partners": _partners(found, base),
    }


def _items(found: pl.DataFrame, base: Frames) -> pl.DataFrame:
    purposes = base["purposes"].select("corporation_id", "purpose", order="line_no")
    several = found.filter("is_firm").drop("purpose").join(purposes, on="corporation_id")
    lines = pl.concat(
        [
            several.select("record_id", "changed_at", "order", item="purpose"),
            found.filter(~pl.col("is_firm")).select("record_id", "changed_at", order=pl.lit(1, pl.Int32), item="trade"),
        ]
    )
    return numbered(lines, "order", "item").select(
        "record_id", "changed_at", "line_no", BZSTAT_NM=_sector("item"), CLS_NM="item", KSIC_CD=_code("item")
    )


def _partners(found: pl.DataFrame, base: Frames) -> pl.DataFrame:
    living = base["persons"].filter(pl.col("died").is_null()).select(spouse_id="person_id", CO_BZMN_NM="name")
    partnered = found.filter(share(KEY, "partner") < REGISTERED["partner"]).join(living, on="spouse_id")
    return numbered(partnered).select("record_id", "changed_at", "line_no", "CO_BZMN_NM")


def vat_base_certificate(base: Frames, instants: Instants) -> Frames:
    """VATB: all businesses, the half years of the last two years in which each was open."""
    found = keyed("VATB", _main_trade(businesses(base, instants), base))
    header = issued("VATB", found, "brn", BRNO="brn", CONM="name", RPRSV_NM="representative")
    first_half = pl.col("sales") * (400 + below(KEY, "half", 200)) // 1_000
    lines = []
    for year, begin, end in HALVES:
        sold = first_half if begin == "0101" else pl.col("sales") - first_half
        if year == str(TODAY.year - 2):
            sold = sold * 95 // 100
        lines.append(
            found.with_columns(
                begin=pl.lit(year + begin), end=pl.lit(year + end), sold=pl.max_horizontal(sold, pl.lit(0, pl.Int64))
            )
        )
    is_open = day("closed").is_null() | (day("closed") >= pl.col("begin"))
    shown = pl.concat(lines).filter((day("opened") <= pl.col("end")) & is_open)
    taxable = pl.when(_is_exempt()).then(0).otherwise("sold")
    periods = numbered(shown, "begin").select(
        "record_id",
        "changed_at",
        "line_no",
        TXTN_BGNG_YMD="begin",
        TXTN_END_YMD="end",
        TXBS_AMT=taxable,
        TXFR_INCM_AMT=pl.col("sold") - taxable,
        SLS_AMT="sold",
        PAY_TXAMT=taxable * (15 + below(KEY, "margin", 30)) // 1_000,
    )
    return {"vat_base_certificate": header, "vat_base_certificate__periods": periods}


def business_closure_certificate(base: Frames, instants: Instants) -> Frames:
    """CLSB: corporations that are no longer in existence, and shops that are closed or suspended."""
    found = _main_trade(businesses(base, instants), base).filter(pl.col("state") != "01")
    is_closed = pl.col("state") == "03"
    begun = day_before(settled(), KEY, "suspended", 10, 300)
    until = pl.lit(TODAY).dt.offset_by("1y").dt.strftime("%Y%m%d")
    header = issued(
        "CLSB",
        found,
        "brn",
        BRNO="brn",
        CONM="name",
        RPRSV_NM="representative",
        TCBIZ_BGNG_YMD=pl.when(~is_closed).then(begun.dt.strftime("%Y%m%d")),
        TCBIZ_END_YMD=pl.when(~is_closed).then(until),
        CLSBIZ_YMD=day("closed"),
        CLSBIZ_DCLR_YMD=pl.col("closed").dt.offset_by("5d").dt.strftime("%Y%m%d"),
        CLSBIZ_RSN=pl.when(is_closed).then(pick(KEY, "closing reason", CLOSING_REASONS)),
        TPBIZ_NM="trade",
    )
    return {"business_closure_certificate": header}


def financial_statement_certificate(base: Frames, instants: Instants) -> Frames:
    """FINS: every corporation's accounts of last year; what it owns is what it owes and what is its own."""
    found = keyed("FINS", firms(base, instants)).with_columns(sales=corporate_sales())
    gross = pl.col("sales") * (15 + below(KEY, "gross", 35)) // 100
    operating = gross - pl.col("sales") * (10 + below(KEY, "costs", 30)) // 100
    found = found.with_columns(gross=gross, operating=operating, net=operating * 78 // 100)
    earned = pl.col("sales") * below(KEY, "retained", 60) // 100
    debts = (pl.col("capital") + pl.col("sales")) * (10 + below(KEY, "debts", 120)) // 100
    found = found.with_columns(retained=earned, debts=debts)
    found = found.with_columns(assets=pl.col("debts") + pl.col("capital") + pl.col("retained"))
    header = issued(
        "FINS",
        found,
        "brn",
        BIZ_YR=pl.lit(str(TODAY.year - 1)),
        AST_TAMT="assets",
        LBLT_AMT="debts",
        CPTL="capital",
        SLS_AMT="sales",
        SLS_TPRF="gross",
        SALS_PRF="operating",
        CRTR_NPRF="net",
    )
    current, loans = pl.col("assets") * 45 // 100, pl.col("debts") * 60 // 100
    accounts = {
        "유동자산": current,
        "비유동자산": pl.col("assets") - current,
        "차입금": loans,
        "매입채무": pl.col("debts") - loans,
        "자본금": pl.col("capital"),
        "이익잉여금": pl.col("retained"),
    }
    lines = pl.concat(
        [
            found.select("record_id", "changed_at", pl.lit(n, pl.Int32).alias("order"), ACNT_SBJT_NM=pl.lit(a), AMT=v)
            for n, (a, v) in enumerate(accounts.items())
        ]
    )
    lines = numbered(lines, "order").select("record_id", "changed_at", "line_no", "ACNT_SBJT_NM", "AMT")
    return {"financial_statement_certificate": header, "financial_statement_certificate__accounts": lines}


def social_insurance_roster(base: Frames, instants: Instants) -> Frames:
    """SI4: every corporation and whom it employs now. From 60 on no pension is joined, from 65 on no unemployment."""
    found = keyed("SI4", firms(base, instants))
    header = issued(
        "SI4",
        found,
        "brn",
        BPLC_MNG_NO=pl.col("brn") + "0",
        BPLC_NM="name",
        BRNO="brn",
        WRKR_CNT="staff",
    )
    people = base["persons"].select("person_id", "born", WRKR_NM="name")
    lines = (
        found.select("record_id", "changed_at", "corporation_id")
        .join(workers(base), on="corporation_id")
        .join(people, on="person_id")
    )
    age = pl.col("acquired").dt.year() - pl.col("born").dt.year()
    joined = pl.max_horizontal("acquired", pl.col("born").dt.offset_by("18y")).dt.strftime("%Y%m%d")
    lines = numbered(lines, "acquired", "person_id").select(
        "record_id",
        "changed_at",
        "line_no",
        "WRKR_NM",
        BRDT=day("born"),
        NPN_ACQS_YMD=pl.when(age < 60).then(joined),
        HLTH_INSRNC_ACQS_YMD=day("acquired"),
        EPIS_ACQS_YMD=pl.when(age < 65).then(day("acquired")),
        IA_INSRNC_JOIN_YN=pl.lit("Y"),
    )
    return {"social_insurance_roster": header, "social_insurance_roster__workers": lines}


def sme_confirmation(base: Frames, instants: Instants) -> Frames:
    """SMEC: businesses that are not closed and employ fewer than 50; good for a year."""
    found = _main_trade(businesses(base, instants), base)
    found = found.filter((pl.col("state") != "03") & (pl.col("staff") < SME_STAFF))
    size = (
        pl.when(pl.col("staff") < SMALLEST_STAFF)
        .then(pl.lit("1"))
        .when(pl.col("staff") < SMALL_STAFF)
        .then(pl.lit("2"))
        .otherwise(pl.lit("3"))
    )
    found = found.with_columns(since=day_before(settled(), KEY, "confirmed", 0, 330))
    header = issued(
        "SMEC",
        found,
        "brn",
        BRNO="brn",
        CONM="name",
        RPRSV_NM="representative",
        ENT_SCL_CD=size,
        FULL_WRKR_CNT="staff",
        SLS_AMT="sales",
        KSIC_CD=_code("trade"),
        VLD_PRD_BGNG_YMD=day("since"),
        VLD_PRD_EXPRY_YMD=pl.col("since").dt.offset_by("1y").dt.strftime("%Y%m%d"),
    )
    return {"sme_confirmation": header}
