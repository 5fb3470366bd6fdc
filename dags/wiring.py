"""What every DAG file wires with: its asset, its run id, its retries, and errors that say nothing personal.

In: contracts and the verbs of `pipeline`. Out: assets by name, default arguments, and `event(...)`, which runs a verb,
attaches what it reports to the asset event, and keeps every other word of a failure out of Airflow's logs (P8).
"""

import hashlib
import re
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import AllowedKeyMapper, Asset, AssetAny, Context, PartitionedAssetTimetable, get_current_context
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from hanbeon.errors import HanbeonError
from pipeline.summary import Summary
from schemas.contract import Contract, sources

START = datetime(2026, 1, 1, tzinfo=UTC)
RETRIES: dict[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(hours=2),
}
STANDARDISED = Asset(name="standardised", uri="hanbeon://staging/standardised")
PUBLISHED = Asset(name="published", uri="hanbeon://gold/published")


def bronze(contract: Contract) -> Asset:
    """The asset that a pull of this dataset brings up to date; its partition is the holder."""
    return Asset(name=f"bronze/{contract.dataset}", uri=f"hanbeon://bronze/{contract.dataset}")


def holders() -> list[str]:
    """The partitions: every agency that a source contract names."""
    return sorted({c.holder for c in sources()})


def after(*assets: Asset) -> PartitionedAssetTimetable:
    """One run for each holder, as soon as any of the assets has news of that holder; the others wait for nobody."""
    return PartitionedAssetTimetable(assets=AssetAny(*assets), default_partition_mapper=AllowedKeyMapper(holders()))


def run_id(context: Context) -> str:
    """One id for all tries of one DAG run, safe in a path: `<dag>.<instant>.<digest>`."""
    run = context["dag_run"]
    digest = hashlib.sha256(f"{run.dag_id}/{run.run_id}".encode()).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9_]', '_', run.dag_id)}.{run.run_after:%Y%m%dT%H%M%S}.{digest}"


def event(verb: Callable[[str], Summary], outlet: Asset | None = None, partition: str = "") -> None:
    """Run a verb under this run's id; its summary goes with the outlet's event and nowhere else.

    Raises AirflowFailException when a retry cannot mend it (consent, quality or a contract said no), AirflowException
    when it may (a holder or a database is down). Neither carries a cause: its text may hold a value (P8).
    """
    context = get_current_context()
    try:
        summary = verb(run_id(context))
    except HanbeonError as error:
        failure = AirflowException if error.exit_code == 3 else AirflowFailException
        raise failure(str(error)) from None
    except Exception as error:
        raise AirflowException(_where(error)) from None
    if outlet is not None:
        accessor = context["outlet_events"][outlet]
        accessor.extra = dict(summary.as_event())
        if partition:
            accessor.add_partitions(partition)


def _where(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    path = " < ".join(f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno} {f.name}" for f in reversed(frames))
    return f"{type(error).__name__} in {path}. Its text is withheld, since it may hold a personal value (P8)."
