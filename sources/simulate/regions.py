"""Regions from the real code tables that the `addresskr` package ships.

Out: a pool of places that people can live in: 법정동 code and name, 행정동 code (KIKmix of 2026-03-01), postal code,
and, for a few, the code and name that an old record may still hold: Gangwon 42, Jeonbuk 45, Gunwi 47720, abolished.
"""

import importlib.util
import re
import zipfile
from functools import cache
from pathlib import Path

import polars as pl

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
    text = (_package() / "법정동코드 전체자료.txt").read_bytes().decode("cp949")
    rows = [line.split("\t") for line in text.splitlines()[1:] if line]
    return pl.DataFrame(
        {"code": [r[0] for r in rows], "name": [r[1] for r in rows], "is_live": [r[2] == "존재" for r in rows]}
    )


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


def _road_prefix(name: str) -> str:
    """A road address names province, city or county and 읍/면, but neither 동 nor 리."""
    words = name.split(" ")
    kept = [w for i, w in enumerate(words) if i == 0 or w[-1] in "시군구" or (w[-1] in "읍면" and i == len(words) - 2)]
    return " ".join(kept)
