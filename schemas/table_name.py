"""The name of a published document's table: which document, which major version, which group of lines.

A name means one major version for good: `<document>` is the first, `<document>_v2` the second, and the lines of a group
stand in `<document>_v2__<group>`. So no reader meets other columns under a name that it knows, and no Delta table has
to become another one.

Try it: `python -c "from schemas.table_name import TableName; print(TableName.of('income_certificate_v2__lines'))"`
"""

import re
from dataclasses import dataclass

_VERSIONED = re.compile(r"(.+)_v([0-9]+)")


@dataclass(frozen=True)
class TableName:
    document: str
    major: int
    group: str | None

    @classmethod
    def of(cls, name: str) -> "TableName":
        table, _, group = name.partition("__")
        said = _VERSIONED.fullmatch(table)
        return cls(said[1], int(said[2]), group or None) if said else cls(table, 1, group or None)

    def __str__(self) -> str:
        table = self.document if self.major == 1 else f"{self.document}_v{self.major}"
        return f"{table}__{self.group}" if self.group else table
