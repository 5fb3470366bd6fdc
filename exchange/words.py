"""States and reasons as a case worker, a citizen or an auditor reads them: Korean first, English second."""

from consent.model import (
    ApplicationState,
    ApprovalState,
    Capacity,
    Event,
    Kind,
    Mode,
    Reason,
    State,
    Unasked,
)

Words = tuple[str, str]

DOCUMENT_STATES: dict[str, Words] = {
    "data": ("자료로 확인", "as data"),
    "paper": ("서류로 제출", "brought on paper"),
    "missing": ("확인 불가", "missing"),
    "not_needed": ("필요 없음", "not needed"),
}

REASONS: dict[str, Words] = {
    Reason.NEVER_SHAREABLE: ("법령상 공동이용할 수 없는 정보입니다", "the law never lets this be shared"),
    Reason.DISCLOSURE_BLOCKED: (
        "공개가 제한된 사람의 정보입니다",
        "a disclosure block protects this person",
    ),
    Reason.INCOMPLETE: ("동의 기록이 불완전합니다", "the authorisation's record is incomplete"),
    Reason.NO_EVIDENCE: ("본인이 동의했다는 증거가 없습니다", "nothing proves that the citizen consented"),
    Reason.WITHDRAWN: ("동의가 철회되었습니다", "the consent was withdrawn"),
    Reason.CONSUMED: ("1회용 동의가 이미 사용되었습니다", "the one-time consent was used up"),
    Reason.EXPIRED: ("동의의 유효기간이 지났습니다", "the consent has expired"),
    Reason.PAUSED: ("동의가 일시 정지되었습니다", "the consent is paused"),
    Reason.NOT_YET_VALID: ("동의의 효력이 아직 시작되지 않았습니다", "the consent is not yet valid"),
    Reason.DATA_LIFE_OVER: ("보유기간이 지났습니다", "the time for which the data may be kept is over"),
    Reason.GRANTOR_DECEASED: ("동의한 사람이 사망하였습니다", "the person who consented has died"),
    Reason.UNDER_AGE: (
        "14세 미만 아동은 법정대리인이 동의하여야 합니다",
        "a child under 14 consents through her guardian",
    ),
    Reason.GUARDIANSHIP_ENDED: (
        "법정대리 또는 후견이 끝났습니다. 본인이 동의를 갱신하여야 합니다",
        "the guardianship has ended; suspended until the person renews the consent herself",
    ),
    Reason.NO_CAPACITY: (
        "동의한 사람에게 대리할 자격이 확인되지 않습니다",
        "nothing shows that who consented may consent for this person",
    ),
    Reason.NO_IDENTIFIER_STATUTE: (
        "주민등록번호를 처리할 법령의 근거가 적혀 있지 않습니다",
        "it names no statute under which the resident number may be processed",
    ),
    Unasked.FREQUENCY_EXCEEDED: (
        "허용된 이용 횟수를 다 썼습니다. 받은 자료는 유효기간까지 남습니다",
        "asked as often as allowed; what was received stands until its end",
    ),
    Unasked.NOT_DUE: (
        "이번 주기에 이미 받았습니다",
        "received already in this cycle",
    ),
    Reason.UNKNOWN_DOCUMENT_TYPE: ("제공 계약이 없는 서류입니다", "no contract offers this document"),
    Reason.WRONG_HOLDER: ("보유기관이 맞지 않습니다", "the consent names another holder"),
    Reason.COLUMN_OUTSIDE_CONTRACT: (
        "계약에 없는 항목이 포함되어 있습니다",
        "the consent names a column outside the contract",
    ),
    Reason.OUTSIDE_SERVICE: ("이 서비스에 필요하지 않은 정보입니다", "the service does not need this"),
    Reason.WRONG_GROUND: (
        "동의 없이 법령만으로 열 수 없는 정보입니다",
        "no statute opens this without consent",
    ),
    Reason.WIDER_VARIANT: ("서비스에 필요한 것보다 넓은 종류입니다", "a wider variant than the service needs"),
    Reason.NO_APPROVAL: ("보유기관의 이용 승인이 없습니다", "the holder has not approved the sharing"),
    Reason.APPROVAL_SUSPENDED: ("보유기관이 이용 승인을 정지하였습니다", "the holder's approval is suspended"),
    Reason.APPROVAL_ENDED: ("보유기관의 이용 승인이 끝났습니다", "the holder's approval has ended"),
    Reason.APPROVAL_NOT_YET_VALID: (
        "보유기관의 이용 승인이 아직 시작되지 않았습니다",
        "the holder's approval is not yet valid",
    ),
    "no_authorisation": (
        "동의하지 않은 서류입니다. 서류로 제출할 수 있습니다",
        "no consent was given; it can come on paper",
    ),
    "columns_outside": (
        "동의한 항목이 서비스에 필요한 것보다 적습니다. 다시 동의하거나 서류로 제출하십시오",
        "the consent covers only some of what the service needs; consent again, or bring it on paper",
    ),
    "not_available_as_data": (
        "아직 자료로 제공되지 않습니다. 서류로 제출하십시오",
        "not offered as data yet; bring it on paper",
    ),
    "nothing_received": (
        "받은 자료가 없습니다. 다음 실행을 기다리거나 서류로 제출하십시오",
        "nothing received; wait for the next run, or bring it on paper",
    ),
    "nothing_then": (
        "그때의 상태로 남아 있는 자료가 없습니다",
        "no state of that moment is held: it was not pulled, or its record was deleted since",
    ),
    "not_held": ("보유기관에 해당 자료가 없습니다", "the holder was asked and has none"),
    "quarantined": (
        "보유기관이 보낸 자료가 기준에 맞지 않아 따로 두었습니다",
        "what the holder gave fails its contract and is kept apart",
    ),
    "stale": (
        "자료의 유효기간이 지났습니다. 서류로 제출하거나 다시 받아야 합니다",
        "the evidence may not stand for the paper any more: bring it on paper, or pull it anew",
    ),
    "nothing_named": (
        "어느 차량·부동산 또는 누구에 관한 서류인지 밝히지 않았습니다",
        "nobody has named the thing or person that it is about",
    ),
    "not_applicable": ("해당 사항이 없습니다", "the holder has none, and only those bring it whom it concerns"),
    "not_concerned": ("신청인이 해당 사항이 없다고 밝혔습니다", "who applies says that it does not concern her"),
    "another_document": ("다른 서류가 확인되어 필요하지 않습니다", "another document is there, which is enough"),
    "application_decided": ("이미 결정된 신청입니다", "the application is already decided"),
    "unknown_application": ("없는 신청번호입니다", "there is no such application"),
}
SHADOW_REASONS: dict[str, Words] = {
    **REASONS,
    "already_compared": ("이미 비교한 서류입니다", "this paper was compared before, and counts once"),
    "several_subjects": (
        "서류가 여러 대상에 관한 것입니다",
        "the document is about several subjects, and the paper names none",
    ),
    "no_common_field": ("비교할 수 있는 항목이 없습니다", "the paper has no field that the consent covers"),
}

STATES: dict[str, Words] = {
    State.GRANTED: ("유효", "granted"),
    State.PAUSED: ("일시 정지", "paused"),
    State.WITHDRAWN: ("철회", "withdrawn"),
    State.EXPIRED: ("만료", "expired"),
    State.CONSUMED: ("사용 완료", "consumed"),
    ApprovalState.ACTIVE: ("승인", "active"),
    ApprovalState.SUSPENDED: ("정지", "suspended"),
    ApprovalState.ENDED: ("종료", "ended"),
    ApplicationState.OPEN: ("접수", "open"),
    ApplicationState.DECIDED: ("결정", "decided"),
}

EVENTS: dict[str, Words] = {
    Event.GRANTED: ("동의함", "granted"),
    Event.PAUSED: ("일시 정지함", "paused"),
    Event.RESUMED: ("다시 시작함", "resumed"),
    Event.RENEWED: ("연장함", "renewed"),
    Event.WITHDRAWN: ("철회함", "withdrawn"),
    Event.EXPIRED: ("만료됨", "expired"),
    Event.CONSUMED: ("사용 완료됨", "consumed"),
    Event.USED: ("이용됨", "used"),
    "application_opened": ("신청 접수", "application opened"),
    "paper_brought": ("서류 제출", "paper brought"),
    "application_decided": ("신청 결정", "application decided"),
    "approval_granted": ("승인함", "approval granted"),
    "approval_suspended": ("승인 정지", "approval suspended"),
    "approval_resumed": ("승인 재개", "approval resumed"),
    "approval_ended": ("승인 종료", "approval ended"),
    "representation_recorded": ("대리 자격 등록", "representation recorded"),
    "representation_ended": ("대리 자격 종료", "representation ended"),
    "death_recorded": ("사망 등록", "death recorded"),
    "hold_placed": ("보존 시작", "hold placed"),
    "hold_lifted": ("보존 해제", "hold lifted"),
    "dispute_opened": ("정정 요구", "correction demanded"),
    "dispute_answered": ("정정 요구 답변", "demand for correction answered"),
    "dispute_corrected": ("정정 확인", "correction seen"),
    "death_corrected": ("사망 등록 정정", "death record corrected"),
}

CAPACITIES: dict[str, Words] = {
    Capacity.SELF: ("본인", "self"),
    Capacity.GUARDIAN_OF_CHILD: ("14세 미만 아동의 법정대리인", "guardian of a child under 14"),
    Capacity.GUARDIAN_OF_WARD: ("후견인", "guardian of a ward"),
    Capacity.HEIR: ("상속인", "heir"),
    Capacity.REPRESENTATIVE: ("대표자", "representative of a business or corporation"),
    Capacity.OWNER: ("소유자", "owner"),
}

KINDS: dict[str, Words] = {
    Kind.CONSENT: ("사전동의", "consent"),
    Kind.DEMAND: ("본인정보 제공요구", "demand by the citizen"),
    Kind.STATUTE: ("법령에 따른 이용", "statutory ground"),
}

MODES: dict[str, Words] = {
    Mode.ONE_TIME: ("1회", "one time"),
    Mode.STANDING: ("지속", "standing"),
}


def korean(words: dict[str, Words], key: str | None) -> str:
    """The Korean word, or the key itself where there is none."""
    return words[key][0] if key in words else (key or "")


def both(words: dict[str, Words], key: str | None) -> str:
    """`한국어 · English`."""
    return " · ".join(words[key]) if key in words else (key or "")
