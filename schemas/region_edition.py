"""A new edition of the region lists: the ministry's tables in, `codes/stdg.csv` and `codes/hdong.csv` out.

The tables are those of 행정표준코드 (KIKcd_B, KIKmix and 법정동코드 전체자료), as the package `addresskr` ships them;
they say which codes live and since when. What a list knew before stays: a code that has left the tables is abolished.
Days of abolition before 2022-09 come from the tables of PublicDataReader 1.1.1.post2 (`--dates FOLDER`, read once for
the first edition). Which code follows an abolished one no table says; `schemas.region_succession` finds it.

Run it: `python -m schemas.region_edition PACKAGE_FOLDER`, then look at what git shows as changed.
"""

import argparse
import csv
import json
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from schemas.codes import FOLDER, REGION_HEADER, Region, regions
from schemas.region_succession import succeeded

_CELL = re.compile(r'<c r="([A-Z]+)\d+"(?: s="\d+")?( t="s")?>\s*<v>([^<]*)</v>')
_STRING = re.compile(r"<si>(.*?)</si>", re.DOTALL)
_TEXT = re.compile(r"<t[^>]*>([^<]*)</t>")
# The register of codes was filled in its first year: what bears a day of it existed before, nobody states since when.
BEGINNING = "1988"
FIRST_EDITION = "KIK 2022-09-01"
# In no dated table, so nobody states its days.
UNDATED = "법정동코드 전체자료, not in KIK 2022-09-01"
Known = dict[str, Region]


def legal(package: Path, known: Known) -> Known:
    """법정동: the codes of the edition, what was known before, and codes that only the full list names."""
    [book] = package.glob("KIKcd_B.*.xlsx")
    edition = _edition(book)
    found = {r["A"]: _live(r["A"], [r.get(c, "") for c in "BCDE"], r["F"], edition) for r in _rows(book)}
    for line in (package / "법정동코드 전체자료.txt").read_text(encoding="cp949").splitlines()[1:]:
        code, name, state = line.split("\t")
        is_live = state == "존재"  # the full list may be some weeks ahead of the dated tables
        if code in found:
            found[code] = replace(found[code], is_live=is_live)
        elif is_live or code not in known:
            found[code] = replace(
                known.get(code, Region(code, name.strip(), "", "", True, "", UNDATED)), is_live=is_live
            )
    return _merged(found, known)


def administrative(package: Path, known: Known) -> Known:
    """행정동, which the edition names beside each 법정동 of theirs; the oldest pair dates the code."""
    [book] = package.glob("KIKmix.*.xlsx")
    found: Known = {}
    for row in _rows(book):
        code = row["A"]
        since = min(row["G"], found[code].created_on or row["G"]) if code in found else row["G"]
        dated = known[code].created_on if code in known else since
        found[code] = _live(code, [row.get(c, "") for c in "BCD"], dated or BEGINNING, _edition(book))
    return _merged(found, known)


def first_known(folder: Path, table: str, code: str, names: tuple[str, ...]) -> Known:
    """Codes with both days from a table of PublicDataReader, as of its edition."""
    columns = json.loads((folder / table).read_text(encoding="utf-8"))
    found = {}
    for at, value in columns[code].items():
        texts = [_text(columns[n][at]) for n in names]
        gone = _text(columns["말소일자"][at])
        row = _live(value, texts, _text(columns["생성일자"][at]), FIRST_EDITION)
        found[value] = replace(row, abolished_on=gone, is_live=not gone)
    return found


def _live(code: str, words: list[str], since: str, source: str) -> Region:
    name = " ".join(w.strip() for w in words if w.strip())
    return Region(code, name, "" if since.startswith(BEGINNING) else since, "", True, "", source)


def _merged(found: Known, known: Known) -> Known:
    """The edition's codes as they are; those that it lacks, as they were, abolished."""
    gone = {code: replace(r, is_live=False) for code, r in known.items() if code not in found}
    return dict(sorted({**gone, **found}.items()))


def _edition(book: Path) -> str:
    day = book.name.split(".")[1]
    return f"KIK {day[:4]}-{day[4:6]}-{day[6:]}"


def _rows(book: Path) -> Iterator[Mapping[str, str]]:
    """The rows of a workbook's first sheet by column letter, without the heading."""
    with zipfile.ZipFile(book) as archive:
        strings = ["".join(_TEXT.findall(s)) for s in _STRING.findall(archive.read("xl/sharedStrings.xml").decode())]
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    for row in sheet.split("<row ")[2:]:
        cells = {c: strings[int(v)] if shared else v for c, shared, v in _CELL.findall(row)}
        if "A" in cells:
            yield cells


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def write(name: str, known: Known, folder: Path = FOLDER) -> None:
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as lines:
        rows = csv.writer(lines, lineterminator="\n")
        rows.writerow(REGION_HEADER)
        for r in succeeded(known).values():
            state = "live" if r.is_live else "abolished"
            rows.writerow((r.code, r.name_ko, r.created_on, r.abolished_on, state, r.successor, r.source))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m schemas.region_edition")
    parser.add_argument("package", type=Path, help="folder with KIKcd_B.*.xlsx, KIKmix.*.xlsx and the full list")
    parser.add_argument("--dates", type=Path, help="folder with code_bdong.json and code_hdong.json")
    chosen = parser.parse_args(arguments)
    if chosen.dates:
        words = ("시도명", "시군구명", "읍면동명")
        districts = first_known(chosen.dates, "code_bdong.json", "법정동코드", (*words, "동리명"))
        dongs = first_known(chosen.dates, "code_hdong.json", "행정동코드", words)
    else:
        districts, dongs = ({r.code: r for r in regions(name)} for name in ("stdg", "hdong"))
    write("stdg", legal(chosen.package, districts))
    write("hdong", administrative(chosen.package, dongs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
