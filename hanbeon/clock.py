"""What time it is: stored in UTC, shown in Asia/Seoul.

Every decision takes its instant as an argument; only entry points call `now`.
"""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

SEOUL = ZoneInfo("Asia/Seoul")


def now() -> datetime:
    """The present instant, in UTC with microseconds."""
    return datetime.now(UTC)


def seoul_date(instant: datetime) -> date:
    """The calendar day of an instant in Seoul, the day that Korean law counts."""
    return instant.astimezone(SEOUL).date()


def seoul_text(instant: datetime) -> str:
    """An instant as people read it: `2026-06-01 09:30:00 KST`."""
    return f"{instant.astimezone(SEOUL):%Y-%m-%d %H:%M:%S} KST"


def parse_instant(text: str) -> datetime:
    """An ISO 8601 instant; one without offset is read as Seoul time. Raises ValueError."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=SEOUL)
    return instant.astimezone(UTC)
