"""Names in Latin letters, as a passport shows them: surname, then the given name in one word."""

from functools import cache

import polars as pl

from sources.simulate import names

# The parts of a syllable, in the order of its code.
_FIRST = ("G", "KK", "N", "D", "TT", "R", "M", "B", "PP", "S", "SS", "", "J", "JJ", "CH", "K", "T", "P", "H")
_MIDDLE = (
    *("A", "AE", "YA", "YAE", "EO", "E", "YEO", "YE", "O", "WA", "WAE"),
    *("OE", "YO", "U", "WO", "WE", "WI", "YU", "EU", "UI", "I"),
)
_LAST = (
    *("", "K", "K", "K", "N", "N", "N", "T", "L", "K", "M", "L", "L", "L"),
    *("P", "L", "M", "P", "P", "T", "T", "NG", "T", "T", "K", "T", "P", "T"),
)
_SYLLABLES = range(ord("가"), ord("힣") + 1)
_SURNAMES = {
    "김": "KIM",
    "이": "LEE",
    "박": "PARK",
    "최": "CHOI",
    "정": "JUNG",
    "조": "CHO",
    "윤": "YOON",
    "임": "LIM",
    "오": "OH",
    "신": "SHIN",
    "권": "KWON",
    "안": "AHN",
    "류": "RYU",
    "백": "BAEK",
    "유": "YOO",
    "노": "ROH",
    "우": "WOO",
}
_FOREIGN = (
    ("NGUYEN THI LINH", "TRAN THI HOA", "PHAM THU HA"),
    ("WANG LINA", "ZHANG MEI", "LIU XUE"),
    ("MARIA SANTOS", "ANGELA CRUZ"),
    ("SOPHIA CHAN", "SOK LINDA"),
    ("SATO YUKI", "SUZUKI AI"),
    ("SUDA BUNMI", "NARIN THONG"),
    ("DILNORA KARIMOVA", "GULNORA RASHIDOVA"),
)
LONGEST_GIVEN = 4


@cache
def _tables() -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Surnames, other syllables, foreign names."""
    syllables = {chr(c): _syllable(c - _SYLLABLES.start) for c in _SYLLABLES}
    written = [n for nation in names.FOREIGN_NAMES for n in nation]
    latin = [n for nation in _FOREIGN for n in nation]
    return syllables | _SURNAMES, syllables, dict(zip(written, latin, strict=True))


def _syllable(index: int) -> str:
    return _FIRST[index // 588] + _MIDDLE[index // 28 % 21] + _LAST[index % 28]


def romanised(name: str) -> pl.Expr:
    """The name in Latin letters; never empty."""
    surnames, syllables, foreign = _tables()
    letters = [
        pl.col(name).str.slice(i, 1).replace_strict(syllables, default="", return_dtype=pl.String)
        for i in range(1, LONGEST_GIVEN + 1)
    ]
    surname = pl.col(name).str.slice(0, 1).replace_strict(surnames, default="X", return_dtype=pl.String)
    korean = pl.concat_str([surname, pl.lit(" "), *letters]).str.strip_chars_end()
    return pl.col(name).replace_strict(foreign, default=korean, return_dtype=pl.String)
