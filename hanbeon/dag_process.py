"""The DAGs of the walk, run in one process of their own: started early, told to go, heard line by line.

In: settings. Out: progress as it happens and one result for each DAG. Airflow loads in that process while this one
builds the world, and prints to `home/logs/dags.log` only. The process never outlives this one.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dags.run_in_process import DagResult, OnProgress
from hanbeon.airflow_home import airflow_path, environment, logs_path
from hanbeon.errors import DependencyDown
from hanbeon.settings import Settings


@dataclass(frozen=True)
class DagProcess:
    """A process that is loading Airflow, or waits for its word. `log_file` holds whatever Airflow says."""

    process: subprocess.Popen[str]
    log_file: Path

    def run(self, on_progress: OnProgress) -> list[DagResult]:
        """Run the walk once; `on_progress(dag_id, state, seconds)` hears running, then the final state.

        Raises DependencyDown when the process ends without results.
        """
        if self.process.stdin is None or self.process.stdout is None:
            raise DependencyDown("The DAG process has no pipes.")
        with suppress(BrokenPipeError):  # it has ended; what it said is still to be read
            self.process.stdin.write("go\n")
            self.process.stdin.flush()
        for line in self.process.stdout:
            said = json.loads(line)
            if said["step"] == "dag":
                on_progress(said["dag_id"], said["state"], said["seconds"])
            elif said["step"] == "finished":
                return [DagResult(**r) for r in said["results"]]
        raise DependencyDown(f"The DAG process ended without a result. Its last words are in {self.log_file}.")


@contextmanager
def dag_process(settings: Settings) -> Iterator[DagProcess]:
    """Start loading Airflow now; stop the process on leaving, whatever it is doing."""
    log_file = logs_path(settings) / "dags.log"
    for folder in (airflow_path(settings), log_file.parent):
        folder.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "dags.run_in_process", str(log_file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=environment(settings),
        start_new_session=True,
    )
    try:
        yield DagProcess(process, log_file)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # a word that nobody is left to read
                    pipe.close()
