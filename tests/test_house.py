"""The house: which folder may import which, and what may stand in no file."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanbeon.settings import PROJECT

GROUND_FLOOR = {"hanbeon.settings", "hanbeon.errors", "hanbeon.clock", "hanbeon.postgres"}
MAY_IMPORT = {
    "schemas": set(),
    "consent": {"schemas"},
    "sources": {"schemas"},
    "lake": {"schemas", "consent"},
    "quality": {"schemas"},
    "pipeline": {"schemas", "consent", "sources", "lake", "quality"},
    "dags": {"pipeline", "schemas"},
    "exchange": {"schemas", "consent", "lake", "pipeline"},
    "verify": set(),
}
ROOMS = {*MAY_IMPORT, "hanbeon"}
LONGEST_DAG_FILE = 120

# Built from pieces, so that this file does not hold what it forbids.
SLASH = "/"
FORBIDDEN = {
    "a path of somebody's machine": [
        SLASH + "work" + SLASH,
        SLASH + "farm" + SLASH,
        SLASH + "root" + SLASH,
        r"\.libr" + "ary",
    ],
    "a registry's address": ["python" + "hosted", "npm" + r"js\.org", r"py" + r"pi\.org", r"deb\." + "debian"],
}


def files(*suffixes: str) -> list[Path]:
    """Files that git knows or would add, so that what runs leave behind does not count."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    paths = [PROJECT / name for name in listed]
    return [p for p in paths if p.is_file() and (not suffixes or p.suffix in suffixes)]


def imports(source: str) -> Iterator[str]:
    """Every module that the source imports, however deep inside; `from a import b` counts as a.b and as a."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in {"importlib.import_module", "import_module"}:
            yield from (a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str))


def broken_rules(room: str, source: str) -> list[str]:
    """Sentences, one for each import that the house does not allow in this room."""
    found = []
    for name in imports(source):
        top = name.split(".")[0]
        if top == "airflow" and room != "dags":
            found.append(f"{room} imports Airflow; only dags/ may")
        if room not in MAY_IMPORT or top not in ROOMS or top == room:
            continue
        on_ground_floor = any(name == g or name.startswith(g + ".") for g in GROUND_FLOOR)
        if not (top in MAY_IMPORT[room] or (on_ground_floor and room != "verify")):
            found.append(f"{room} imports {name}")
    return found


def room_of(path: Path) -> str:
    return path.relative_to(PROJECT).parts[0]


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_imports_only_what_the_house_allows(room: str) -> None:
    broken = {
        str(p.relative_to(PROJECT)): rules
        for p in files(".py")
        if room_of(p) == room and (rules := broken_rules(room, p.read_text(encoding="utf-8")))
    }
    assert not broken


def test_the_ground_floor_stands_on_nothing_but_itself() -> None:
    for module in GROUND_FLOOR:
        source = (PROJECT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
        own = [i for i in imports(source) if i.split(".")[0] in ROOMS]
        assert all(any(i == g or i.startswith(g + ".") for g in GROUND_FLOOR) for i in own), (module, own)


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("schemas", "from consent import gate"),
        ("consent", "import lake.tables"),
        ("sources", "def f():\n    from lake import layout"),
        ("lake", "import pipeline.commit"),
        ("pipeline", "from airflow.sdk import DAG"),
        ("dags", "from consent.ledger import grant"),
        ("verify", "from hanbeon.clock import now"),
        ("quality", "from hanbeon.cli import main"),
        ("pipeline", "import importlib\nimportlib.import_module('exchange.api')"),
        ("hanbeon", "import airflow"),
    ],
)
def test_a_forbidden_import_is_found(room: str, source: str) -> None:
    assert broken_rules(room, source)


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("pipeline", "from consent import gate"),
        ("dags", "from airflow.sdk import DAG"),
        ("schemas", "import hanbeon.errors"),
    ],
)
def test_an_allowed_import_is_not(room: str, source: str) -> None:
    assert not broken_rules(room, source)


def test_nothing_heavy_is_imported_with_a_room() -> None:
    """STYLE habit 10: nothing happens at import. The front door opens without the libraries that cost seconds."""
    heavy = ("airflow", "great_expectations", "dbt", "fastapi")
    modules = ["hanbeon.cli", "pipeline.verbs", "dags.run_in_process", "hanbeon.up", "hanbeon.dag_process"]
    present = [m for m in modules if (PROJECT / f"{m.replace('.', '/')}.py").exists()]
    code = f"""
import importlib, sys
for name in {present!r}:
    importlib.import_module(name)
print([h for h in {heavy!r} if h in sys.modules])
"""
    said = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"


def test_there_is_no_python_in_dbt() -> None:
    """A package named dbt at the root would shadow dbt itself."""
    assert [p for p in files(".py") if room_of(p) == "dbt"] == []


def test_no_module_is_named_as_if_it_were_a_plugin_of_dbt() -> None:
    assert [p for p in files(".py") if p.name.startswith("dbt_")] == []


def test_a_dag_file_only_wires() -> None:
    """STYLE habit 11: short enough to be read at once."""
    wired = [p for p in files(".py") if room_of(p) == "dags" and "with DAG(" in p.read_text(encoding="utf-8")]
    assert wired
    lengths = {p.name: len(p.read_text(encoding="utf-8").splitlines()) for p in wired}
    assert all(n <= LONGEST_DAG_FILE for n in lengths.values()), lengths


@pytest.mark.parametrize("what", sorted(FORBIDDEN))
def test_no_file_names(what: str) -> None:
    pattern = re.compile("|".join(FORBIDDEN[what]))
    found = []
    for path in files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(PROJECT)}:{n}" for n, line in enumerate(text.splitlines(), 1) if pattern.search(line)
        ]
    assert not found


@pytest.mark.parametrize(("file", "least"), [("requirements.lock", 100), ("requirements-lint.lock", 30)])
def test_the_lock_pins_every_package_with_hashes_and_names_no_index(file: str, least: int) -> None:
    lock = (PROJECT / file).read_text(encoding="utf-8")
    blocks = re.findall(r"^([a-z0-9._-]+)==\S+.*?(?=^[a-z0-9]|\Z)", lock, re.M | re.S | re.I)
    pinned = re.findall(r"^[^\s#].*$", lock, re.M)
    assert len(blocks) == len(pinned) > least
    assert all("==" in line and line.endswith("\\") for line in pinned)
    assert not re.search(r"--(extra-)?index-url|--find-links|https?://", lock)
