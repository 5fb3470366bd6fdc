"""Recover: finish or sweep what a killed run left, and compare the lake's commits with the ledger's leaves.

In: the clock, every night before `erase_daily`. Out: nothing that others wait for; the run's summary is in `ops/runs`.
Alone: `airflow dags test recover`.

A task that was killed is tried again under the same run id and finishes its own work. This is for what nobody tries
again: a machine switched off, a run given up. When files and ledger disagree it fails at once, without
retries, and nothing flows until somebody has looked (F8, F10).
"""

from airflow.sdk import DAG, CronTriggerTimetable, task

from dags.wiring import RETRIES, START, event

with DAG(
    dag_id="recover",
    description="Finish or sweep what a killed run left",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("30 1 * * *", timezone="Asia/Seoul"),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args=RETRIES,
    tags=["recover"],
) as dag:

    @task
    def recover() -> None:
        from pipeline import verbs

        event(verbs.recover)

    recover()  # clock >> recovered
