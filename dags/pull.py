"""One DAG for each source contract: pull what is authorised now, from one holder, into bronze.

In: `schemas/contracts/source/`. Out: `pull__<holder>__<dataset>`, each with the asset of its bronze table, whose events
belong to the holder's partition. A new contract is a new DAG without a line here. Alone: `airflow dags test <dag id>`.

There is no interval to fill: a run asks for what changed since the dataset's watermark and for what is newly
authorised, at the ledger's newest position. A late or repeated run brings nothing that consent no longer covers (P5).
"""

from functools import partial

from airflow.sdk import DAG, CronTriggerTimetable, task

from dags.wiring import RETRIES, START, bronze, event
from schemas.contract import Contract, sources

# A holder that answers questions is asked every hour; a nightly file is fetched after the night.
HOURLY, MORNING = "0 * * * *", "30 5 * * *"


def pull(contract: Contract) -> DAG:
    asset, delivery = bronze(contract), contract.delivery["form"]
    with DAG(
        dag_id=f"pull__{contract.slug}",
        description=contract.description,
        doc_md=__doc__,
        schedule=CronTriggerTimetable(MORNING if delivery == "file" else HOURLY, timezone="Asia/Seoul"),
        start_date=START,
        catchup=False,
        max_active_runs=1,
        default_args=RETRIES,
        tags=["pull", contract.holder, contract.document_type, delivery],
    ) as dag:

        @task(task_id="pull", outlets=[asset])
        def pull_dataset() -> None:
            from pipeline import verbs

            event(partial(verbs.pull, contract.dataset), asset, partition=contract.holder)

        pull_dataset()
    return dag


for each in sources():
    globals()[f"pull__{each.slug}"] = pull(each)  # holder >> bronze
