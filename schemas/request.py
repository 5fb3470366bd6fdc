"""The request set: what consent allows to be asked of one holder for one dataset, side by side with identifiers.

Made by `pipeline.pull` from the gate and the vault, taken to the holder by a connector. It lives in memory only.
"""

from dataclasses import dataclass

import pyarrow as pa

REQUEST_SCHEMA = pa.schema(
    [
        pa.field("identifier", pa.string(), nullable=False),  # in clear: memory only
        pa.field("_subject_key", pa.int64(), nullable=False),
        pa.field("variant", pa.string(), nullable=False),
        pa.field("column_set", pa.int32(), nullable=False),  # index into RequestSet.column_sets
        pa.field("is_new", pa.bool_(), nullable=False),  # whole history, not only what changed since the watermark
    ]
)


@dataclass(frozen=True)
class RequestSet:
    """Who may be asked about, which columns of each (official paths), and since when (`None`: everything).

    `watermark` is the holder's own change marker from the last complete delivery, as ISO 8601 text.
    """

    dataset: str
    table: pa.Table
    column_sets: tuple[frozenset[str], ...]
    watermark: str | None
