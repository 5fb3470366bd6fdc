"""Erase what nothing covers any more: rows, old versions, quarantine, staging.

In: an event of `published`, or the clock. Out: nothing that others wait for; the run's summary is in `ops/runs`.
Alone: `airflow dags test erase`.

Two DAGs of one make. `erase` ends the walk of a record, so that superseded versions do not outlive a publication.
`erase_daily` follows the clock alone, so that a refused batch or a holder that is down never delays an erasure (P7);
its hour leaves the whole day for retries before the legal deadline (P4).
"""

from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, task

from dags.wiring import PUBLISHED, RETRIES, START, after, event


def erase_dag(dag_id: str, description: str, schedule: Any) -> DAG:
    with DAG(
        dag_id=dag_id,
        description=description,
        doc_md=__doc__,
        schedule=schedule,
        start_date=START,
        catchup=False,
        max_active_runs=1,
        default_args=RETRIES,
        tags=["erase"],
    ) as dag:

        @task
        def erase() -> None:
            from pipeline import verbs

            event(verbs.erase)

        erase()
    return dag


night = CronTriggerTimetable("0 2 * * *", timezone="Asia/Seoul")
erase = erase_dag("erase", "After each publication, what is no longer covered goes", after(PUBLISHED))  # published >>
erase_daily = erase_dag("erase_daily", "Every night, whatever happened to the walk", night)  # clock >>
