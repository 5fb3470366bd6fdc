"""Standardise what one holder's pull brought: dbt, from bronze to staged gold tables.

In: an event of any bronze asset, partitioned by holder. Out: the asset `standardised` in the same partition; the tables
wait in the lake's staging folder for `publish`. Alone: `airflow dags test standardise`.

One holder's news starts it, and it takes whatever bronze holds by then. So it never waits for a holder that is down,
and a second run right after the first finds nothing to do.
"""

from airflow.sdk import DAG, task

from dags.wiring import RETRIES, STANDARDISED, START, after, bronze, event
from schemas.contract import sources

with DAG(
    dag_id="standardise",
    description="From bronze to standard tables, staged",
    doc_md=__doc__,
    schedule=after(*(bronze(contract) for contract in sources())),
    start_date=START,
    catchup=False,
    max_active_runs=1,  # two runs would stage into one folder
    default_args=RETRIES,
    tags=["standardise"],
) as dag:

    @task(outlets=[STANDARDISED])
    def standardise() -> None:
        from pipeline import verbs

        event(verbs.standardise, STANDARDISED)

    standardise()  # any bronze asset >> standardised
