"""Names that nobody was given: small hand-made syllable lists, put together at random.

`RARE` syllables exist in CP949 but not in EUC-KR, as in real registers that declare one and hold the other.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Texts = npt.NDArray[np.object_]
Ints = npt.NDArray[np.int64]

SURNAMES = tuple("김이박최정강조윤장임한오서신권황안송류홍전고문양손배백허남심")
_WEIGHTS = np.array([21, 15, 8, 5, 5, 2.5, 2.2, 2.2, 2.1, 1.8, 1.6, 1.6, 1.6, 1.6, 1.5] + [1.0] * 15)
SURNAME_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
CLANS = ("김해", "경주", "밀양", "전주", "진주", "안동", "해주", "파평", "남양", "청주", "광산", "여흥")
RARE = tuple("똠펲쀍햏뷁믜쌰뙇챱홨")
_FIRST = {
    "M": "가강건규남다도동라마민범병상서석선성세수승시영예우원윤은인재정종주준지진찬창태하한해혁현호희",
    "F": "가경고나다도라미민보빛새서선세소솔수슬시아연영예윤은인재정주지진채초하한해현혜효희",
}
_SECOND = {
    "M": "강건결경곤광국규근기길도동람록명민범빈산상석섭성솔수승식안열영완용우욱원윤일재정종주준중진찬철태혁현호훈희",
    "F": "결경나늘라란람령린림미민별비빈빛선솔수숙순슬아안애연영온옥원윤은율이인임정주지진하한해현혜화희",
}
NATIONALITIES = ("베트남", "중국", "필리핀", "캄보디아", "일본", "태국", "우즈베키스탄")
FOREIGN_NAMES = (
    ("응우옌 티 린", "쩐 티 화", "팜 투이 하"),
    ("왕 리나", "장 메이", "류 슈에"),
    ("마리아 산토스", "안젤라 크루즈"),
    ("소피아 찬", "속 린다"),
    ("사토 유키", "스즈키 아이"),
    ("수다 분미", "나린 통"),
    ("딜노라 카리모바", "굴노라 라시도바"),
)
_TRADE_FIRST = "가나다라마바사아자차카타파하한새큰온참빛솔들샘별늘"
_TRADE_SECOND = "결람울빛솔터길들샘누리봄찬율담온길해강산"
_TRADES = (
    "상사",
    "건설",
    "물산",
    "테크",
    "식품",
    "운수",
    "전자",
    "화학",
    "의료",
    "교육",
    "정보",
    "디자인",
    "유통",
    "에너지",
)
PURPOSES = (
    "소프트웨어 개발업",
    "건축공사업",
    "식료품 제조업",
    "전자부품 제조업",
    "화물자동차 운송업",
    "의료기기 도매업",
    "교육 서비스업",
    "부동산 임대업",
    "무역업",
    "광고 대행업",
    "전자상거래 소매업",
    "시설물 유지관리업",
    "태양광 발전업",
    "출판업",
)
POSITIONS = ("대표이사", "사내이사", "사외이사", "감사")
_SHOPS = ("분식", "카페", "미용실", "세탁소", "철물점", "문구", "꽃집", "정비소", "학원", "사진관")
_ROADS = (
    "한솔",
    "은행나무",
    "단풍",
    "느티",
    "소나무",
    "햇살",
    "푸른솔",
    "새벽",
    "강변",
    "들꽃",
    "별빛",
    "달맞이",
    "중앙",
    "문화",
    "향교",
    "시장",
    "학동",
    "샘터",
    "온누리",
    "다솜",
)


def series(values: Texts) -> pl.Series:
    """An array of texts and None as a polars column."""
    return pl.Series(values.tolist(), dtype=pl.String)


def only(values: npt.NDArray[Any], is_kept: npt.NDArray[np.bool_]) -> Texts:
    """The values where they are kept, None elsewhere."""
    made = values.astype(object)
    made[~is_kept] = None
    return made


def given_names(rng: np.random.Generator, is_male: npt.NDArray[np.bool_], rare_share: float) -> Texts:
    """Two-syllable given names; `rare_share` of them carry a syllable that EUC-KR lacks."""
    n = len(is_male)
    parts = []
    for place in (_FIRST, _SECOND):
        male, female = np.array(list(place["M"]), object), np.array(list(place["F"]), object)
        drawn_male, drawn_female = male[rng.integers(0, len(male), n)], female[rng.integers(0, len(female), n)]
        parts.append(np.where(is_male, drawn_male, drawn_female))
    rare = np.array(RARE, object)[rng.integers(0, len(RARE), n)]
    first = np.where(rng.random(n) < rare_share, rare, parts[0])
    second = np.where(first == parts[1], "윤", parts[1])
    return np.asarray(first + second, object)


def trade_names(rng: np.random.Generator, n: int, rare_share: float) -> Texts:
    first, second = np.array(list(_TRADE_FIRST), object), np.array(list(_TRADE_SECOND), object)
    trades, rare = np.array(_TRADES, object), np.array(RARE, object)
    head = first[rng.integers(0, len(first), n)]
    head = np.where(rng.random(n) < rare_share, rare[rng.integers(0, len(rare), n)], head)
    return np.asarray(head + second[rng.integers(0, len(second), n)] + trades[rng.integers(0, len(trades), n)], object)


def shop_names(rng: np.random.Generator, n: int) -> Texts:
    first, second = np.array(list(_TRADE_FIRST), object), np.array(list(_TRADE_SECOND), object)
    shops = np.array(_SHOPS, object)
    return np.asarray(
        first[rng.integers(0, len(first), n)]
        + second[rng.integers(0, len(second), n)]
        + shops[rng.integers(0, len(shops), n)],
        object,
    )


def road_names(rng: np.random.Generator, n: int) -> Texts:
    """A road and a building number, such as `한솔로 12`."""
    words, kinds = np.array(_ROADS, object), np.array(["로", "길", "대로"], object)
    roads = words[rng.integers(0, len(words), n)]
    numbers = np.array([f" {i}" for i in range(1, 300)], object)
    return np.asarray(roads + kinds[rng.integers(0, 3, n)] + numbers[rng.integers(0, len(numbers), n)], object)
