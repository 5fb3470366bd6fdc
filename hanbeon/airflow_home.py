"""Where Airflow lives and how it behaves, as environment variables; Airflow itself is not imported here.

In: settings. Out: the environment for every Airflow process of this home: metadata database, logs and password under
`home`, nothing sent anywhere, nothing heard from outside this machine.
"""

import json
import os
import secrets
from pathlib import Path

from hanbeon.settings import PROJECT, Settings, load

ADMIN = "admin"


def airflow_path(settings: Settings) -> Path:
    return settings.home_path / "airflow"


def logs_path(settings: Settings) -> Path:
    return settings.home_path / "logs"


def password_path(settings: Settings) -> Path:
    return settings.keys_path / "airflow_admin.json"


def environment(settings: Settings, port: int = 8080) -> dict[str, str]:
    """The whole environment of an Airflow process. Keeps what the caller's environment sets for Airflow itself."""
    home = airflow_path(settings)
    ours = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(password_path(settings)),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(logs_path(settings) / "airflow"),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(logs_path(settings) / "airflow" / "dags"),
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "60",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "DO_NOT_TRACK": "1",
        "GX_ANALYTICS_ENABLED": "False",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "HANBEON_HOME__PATH": str(settings.home_path),
        "PYTHONPATH": str(PROJECT),
    }
    return {**ours, **os.environ, **{k: ours[k] for k in ("AIRFLOW_HOME", "HANBEON_HOME__PATH", "PYTHONPATH")}}


def ensure_password(settings: Settings) -> Path:
    """The file with the administrator's password, made at first use, readable by its owner alone."""
    path = password_path(settings)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({ADMIN: secrets.token_urlsafe(18)}, file)
    return path


def main() -> None:
    """What a server needs before Airflow's first start; see `migrate` in docker-compose.yml."""
    settings = load()
    for path in (airflow_path(settings), logs_path(settings)):
        path.mkdir(parents=True, exist_ok=True)
    print(f"The password of {ADMIN} lies in {ensure_password(settings)}.")


if __name__ == "__main__":
    main()
