"""A document of the project with a second major version beside the first, made in a copy of the contracts.

The documents of the project have one version each. `second_version` does to a copy what a person would do: the
published contracts once more under `<document>_v2`, the old ones deprecated with their last day, the source contract
raised. `pretend` lets a test's code see the copy as the project's own.
"""

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.contract import FOLDER, Contract, load_all

LAST_DAY = "2027-03-31"
Content = dict[str, Any]


def copy_of(folder: Path) -> Path:
    """The project's contracts and code lists, to change."""
    shutil.copytree(FOLDER.parent / "codes", folder / "codes")
    shutil.copytree(FOLDER, folder / "contracts")
    return folder / "contracts"


def second_version(
    contracts: Path, document: str, source: str, renamed: Mapping[str, tuple[str, str]], last_day: str = LAST_DAY
) -> None:
    """`renamed`: a column's name in the first version -> its name and Korean name in the second."""
    for file in sorted((contracts / "published").glob(f"{document}*.yaml")):
        text = file.read_text(encoding="utf-8")
        name = re.sub(rf"^{document}", f"{document}_v2", file.stem)
        new = yaml.safe_load(text.replace(f"{file.stem}\n", f"{name}\n"))
        new["version"] = "2.0.0"
        for column in new["schema"][0]["properties"]:
            if column["name"] in renamed:
                _say(column, "consentedAs", column["name"])
                column["name"], column["businessName"] = renamed[column["name"]]
        put(contracts / "published" / f"{name}.yaml", new)
        old = yaml.safe_load(text)
        put(file, old | {"status": "deprecated", "slaProperties": [{"property": "endOfLife", "value": last_day}]})
    file = contracts / "source" / f"{source}.yaml"
    raised = yaml.safe_load(file.read_text(encoding="utf-8")) | {"version": "2.0.0"}
    _say(raised, "published", f"{document}_v2")
    for column in raised["schema"][0]["properties"]:
        official = next((p["value"] for p in column.get("customProperties", []) if p["property"] == "publishes"), None)
        if official in renamed:
            _say(column, "publishes", renamed[official][0])
            _say(column, "consentedAs", official)
    put(file, raised)


def put(file: Path, content: Content) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")


def pretend(monkeypatch: pytest.MonkeyPatch, contracts: Sequence[Contract]) -> None:
    monkeypatch.setattr("schemas.contract.load_all", lambda folder=FOLDER: tuple(contracts))


def loaded(contracts: Path) -> tuple[Contract, ...]:
    """The contracts of a folder as it is now."""
    return load_all.__wrapped__(contracts)


def _say(holder: Content, name: str, value: Any) -> None:
    others = [p for p in holder["customProperties"] if p["property"] != name]
    holder["customProperties"] = [*others, {"property": name, "value": value}]
