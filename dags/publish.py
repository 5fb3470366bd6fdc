"""Publish what waits: the second quality gate, consent asked again, then gold and the recipients' shares.

In: an event of `standardised`, partitioned by holder. Out: the asset `published` in the same partition, whose event
carries run id, counts, table versions and verdict. Alone: `airflow dags test publish`.

A batch that the quality gate refuses fails the task at once, without retries: the same rows would be refused again, and
published tables stay as they are (P7). A database or disk that is down is tried again.
"""

from airflow.sdk import DAG, task

from dags.wiring import PUBLISHED, RETRIES, STANDARDISED, START, after, event

with DAG(
    dag_id="publish",
    description="From staged tables to gold and shares",
    doc_md=__doc__,
    schedule=after(STANDARDISED),
    start_date=START,
    catchup=False,
    max_active_runs=1,  # one writer for gold
    default_args=RETRIES,
    tags=["publish"],
) as dag:

    @task(outlets=[PUBLISHED])
    def publish() -> None:
        from pipeline import verbs

        event(verbs.publish, PUBLISHED)

    publish()  # standardised >> published
