"""Regions from the project's code lists, and the mapping of 법정동 to 행정동 that the `addresskr` package ships.

Out: a pool of places that people can live in: 법정동 code and name, 행정동 code (KIKmix of 2026-03-01), postal code,
and, for a few, the code and name that an old record may still hold: Gangwon 42, Jeonbuk 45, Gunwi 47720, abolished.
`history` says which code a place had on a day.
"""

import importlib.util
import re
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from schemas import codes
from schemas.succession import FAR, successions

LONG_AGO = "20080101"  # before anybody moved to a present address
# First two digits of the postal codes of each province.
_POSTAL = {
    "11": 1,
    "26": 46,
    "27": 41,
    "28": 21,
    "29": 61,
    "30": 34,
    "31": 44,
    "36": 30,
    "41": 10,
    "43": 27,
    "44": 31,
    "46": 57,
    "47": 36,
    "48": 50,
    "50": 63,
    "51": 24,
    "52": 54,
}
# New code prefix to the abolished one.
RENAMED = {"51": "42", "52": "45", "27720": "47720"}
_CELL = re.compile(r'<c r="([A-H])\d+"(?: s="\d+")?( t="s")?>\s*<v>([^<]*)</v>')
_STRING = re.compile(r"<si>(.*?)</si>", re.DOTALL)
_TEXT = re.compile(r"<t[^>]*>([^<]*)</t>")


def _package() -> Path:
    spec = importlib.util.find_spec("addresskr")  # found, not imported: importing it reads its whole table
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("addresskr")
    return Path(spec.origin).parent


@cache
def legal_codes() -> pl.DataFrame:
    """Every 법정동 code ever: `code`, `name`, `is_live`."""
    known = codes.regions("stdg")
    return pl.DataFrame(
        {"code": [r.code for r in known], "name": [r.name_ko for r in known], "is_live": [r.is_live for r in known]}
    )


@cache
def history() -> pl.DataFrame:
    """Which code stood for one in force, and when: `code`, `code_then`, `prefix_then`, `since`, `until` (YYYYMMDD)."""
    known = {r.code: r for r in codes.regions("stdg")}
    own = [(c, c) for c, r in known.items() if r.is_live]
    former = [(s.successor, c) for c, several in successions("stdg").items() for s in several if s.until_day == FAR]
    pairs = [(code, known[then]) for code, then in own + former]
    return pl.DataFrame(
        {
            "code": [code for code, _ in pairs],
            "code_then": [r.code for _, r in pairs],
            "prefix_then": [_road_prefix(r.name_ko) for _, r in pairs],
            "since": [r.created_on for _, r in pairs],
            "until": [r.abolished_on or FAR for _, r in pairs],
        }
    )


def as_it_was(lines: pl.DataFrame, place: str, day: str) -> pl.DataFrame:
    """The lines with `code_then` and `prefix_then` of their place (a code in force) on their day; in their order."""
    numbered = lines.with_row_index("at").with_columns(_day=pl.col(day).dt.strftime("%Y%m%d"))
    dated = numbered.join(history(), left_on=place, right_on="code", how="left", maintain_order="left")
    held = dated.filter((pl.col("since") <= pl.col("_day")) & (pl.col("_day") < pl.col("until")))
    return held.unique("at", keep="first", maintain_order=True).drop("at", "_day", "since", "until")


@cache
def ancient() -> tuple[frozenset[str], frozenset[str]]:
    """Codes in force that stood for their place under some code ever since: as far as known, and since LONG_AGO."""
    first = history().group_by("code").agg(pl.col("since").min())
    ever, long = (first.filter(pl.col("since") <= day)["code"] for day in ("", LONG_AGO))
    return frozenset(ever), frozenset(long)


def _administrative() -> pl.DataFrame:
    """행정동 to 법정동 pairs of KIKmix, the first pair of each 법정동: `code`, `dong_cd`."""
    book = next(_package().glob("KIKmix.*.xlsx"))
    with zipfile.ZipFile(book) as archive:
        strings = ["".join(_TEXT.findall(s)) for s in _STRING.findall(archive.read("xl/sharedStrings.xml").decode())]
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    legal, administrative = [], []
    for row in sheet.split("<row ")[2:]:
        cells = {c: strings[int(v)] if shared else v for c, shared, v in _CELL.findall(row)}
        if "D" in cells and "H" not in cells:
            legal.append(cells["E"])
            administrative.append(cells["A"])
    return pl.DataFrame({"code": legal, "dong_cd": administrative}).unique("code", keep="first", maintain_order=True)


@cache
def places() -> pl.DataFrame:
    """Where people can live: `code`, `name`, `road_prefix`, `dong_cd`, `zip_prefix`, `old_code`, `old_name`.

    Only regions without a smaller one inside; `old_code` is null where no record of before a renaming can exist.
    """
    codes = legal_codes()
    live = codes.filter("is_live").join(_administrative(), on="code").filter(pl.col("code").str.slice(5, 3) != "000")
    parents = live.filter(~pl.col("code").str.ends_with("00")).select(pl.col("code").str.head(8) + "00").unique()
    live = live.join(parents, on="code", how="anti").sort("code")
    old = pl.lit(None, pl.String)
    for new, former in RENAMED.items():
        is_renamed = pl.col("code").str.starts_with(new)
        old = pl.when(is_renamed).then(pl.lit(former) + pl.col("code").str.slice(len(new))).otherwise(old)
    abolished = codes.filter(~pl.col("is_live")).select(old_code="code", old_name="name")
    postal = pl.col("code").str.head(2).replace_strict({k: f"{v:02}" for k, v in _POSTAL.items()})
    return (
        live.with_columns(old_code=old)
        .join(abolished, on="old_code", how="left", maintain_order="left")
        .select(
            "code",
            "name",
            road_prefix=pl.col("name").map_elements(_road_prefix, return_dtype=pl.String),
            dong_cd="dong_cd",
            zip_prefix=postal,
            old_code=pl.when(pl.col("old_name").is_not_null()).then("old_code"),
            old_name="old_name",
            old_road_prefix=pl.col("old_name").map_elements(_road_prefix, return_dtype=pl.String),
        )
    )


@cache
def long_standing() -> npt.NDArray[np.int64]:
    """For each place one that had a code since LONG_AGO: itself, or the one before it in the order of codes."""
    is_long = places()["code"].is_in(sorted(ancient()[1])).to_numpy()
    found: npt.NDArray[np.int64] = np.maximum.accumulate(np.where(is_long, np.arange(len(is_long)), 0))
    return found


def _road_prefix(name: str) -> str:
    """A road address names province, city or county and 읍/면, but neither 동 nor 리."""
    words = name.split(" ")
    kept = [w for i, w in enumerate(words) if i == 0 or w[-1] in "시군구" or (w[-1] in "읍면" and i == len(words) - 2)]
    return " ".join(kept)
