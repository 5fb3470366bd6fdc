"""What is worth knowing of a batch and no reason to refuse it: counts in `ops/verdicts`, never a failing row.

A region's code that was abolished and that nobody can translate for certain stays as it was delivered; here it is
counted.
"""

from collections.abc import Iterator

from quality.frames import Frame
from quality.regions import LEFT_OPEN
from quality.verdict import ExpectationResult
from schemas.contract import Contract


def notes(contract: Contract, found: tuple[Frame, ...]) -> tuple[ExpectationResult, ...]:
    """The frames have their helper columns."""
    return tuple(note for frame in found for note in _regions(contract, frame))


def _regions(contract: Contract, frame: Frame) -> Iterator[ExpectationResult]:
    for name in (n for n in frame.data if n.startswith(LEFT_OPEN)):
        column = name.removeprefix(LEFT_OPEN)
        sentence = "is in force on its day, or has one successor that is"
        yield _note(contract, frame, column, sentence, frame.data[column].notna().sum(), frame.data[name].sum())


def _note(
    contract: Contract, frame: Frame, column: str, sentence: str, counted: int, remarked: int
) -> ExpectationResult:
    return ExpectationResult(
        suite=f"{contract.id}:{frame.group}" if frame.group else contract.id,
        contract=contract,
        expectation=sentence,
        column=column,
        group=frame.group,
        element_count=int(counted),
        unexpected_count=int(remarked),
        success=True,
    )
