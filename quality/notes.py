"""What is worth knowing of a batch and no reason to refuse it: counts in `ops/verdicts`, never a failing row.

A region's code that was abolished and that nobody can translate for certain stays as it was delivered; here it is
counted. So is a corporate number whose check digit does not fit, of corporations that have one.
"""

from collections.abc import Iterator

from quality.frames import Frame
from quality.regions import LEFT_OPEN
from quality.verdict import ExpectationResult
from schemas.check_digits import corporate_fits
from schemas.contract import Contract
from schemas.rules import CORPORATE_NUMBER_DOMAIN
from schemas.standard import official

FOUNDED = "FNDN_YMD"


def notes(contract: Contract, found: tuple[Frame, ...]) -> tuple[ExpectationResult, ...]:
    """The frames have their helper columns."""
    return tuple(note for frame in found for note in (*_regions(contract, frame), *_corporate(contract, frame)))


def _regions(contract: Contract, frame: Frame) -> Iterator[ExpectationResult]:
    for name in (n for n in frame.data if n.startswith(LEFT_OPEN)):
        column = name.removeprefix(LEFT_OPEN)
        sentence = "is in force on its day, or has one successor that is"
        counted, remarked = int(frame.data[column].notna().sum()), int(frame.data[name].sum())
        yield note(contract, frame.group, column, sentence, counted, remarked)


def _corporate(contract: Contract, frame: Frame) -> Iterator[ExpectationResult]:
    """Where the register says beside the number when the corporation was founded."""
    if FOUNDED not in frame.data:
        return
    columns = contract.columns if frame.group in (None, contract.group) else ()
    for column in (c for c in columns if c.domain == CORPORATE_NUMBER_DOMAIN and not c.is_identifier):
        name = official(column)
        pairs = zip(frame.data[name], frame.data[FOUNDED], strict=True)
        judged = [corporate_fits(n, d if isinstance(d, str) else None) for n, d in pairs if isinstance(n, str)]
        sentence = "has the check digit of a number given before 2025-01-31"
        yield note(contract, frame.group, name, sentence, len(judged) - judged.count(None), judged.count(False))


def note(
    contract: Contract, group: str | None, column: str, sentence: str, counted: int, remarked: int
) -> ExpectationResult:
    """Of `counted` values, `remarked` ones are not as the sentence says; nothing fails."""
    return ExpectationResult(
        suite=f"{contract.id}:{group}" if group else contract.id,
        contract=contract,
        expectation=sentence,
        column=column,
        group=group,
        element_count=counted,
        unexpected_count=remarked,
        success=True,
    )
