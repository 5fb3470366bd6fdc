"""Reconcile: tell again whoever did not answer, and hold what holders signed against what pulls recorded.

In: the clock, every morning after the night's pulls and erasures. Out: acknowledgements and findings in the log; the
run's counts are in `ops/runs`. Alone: `airflow dags test reconcile`.
"""

from airflow.sdk import DAG, CronTriggerTimetable, task

from dags.wiring import RETRIES, START, event

with DAG(
    dag_id="reconcile",
    description="Carry the outbox, and compare signed deliveries with what was recorded",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 7 * * *", timezone="Asia/Seoul"),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args=RETRIES,
    tags=["reconcile"],
) as dag:

    @task
    def reconcile() -> None:
        from pipeline import verbs

        event(verbs.reconcile)

    reconcile()  # clock >> told and compared
