"""Fixtures that every room may use, and the order in which modules run."""

import pytest

pytest_plugins = ["tests.postgres_fixtures", "tests.small_lake"]

# Minutes each: whoever begins one of these last lets the other worker wait for it.
LONG = (
    "tests/main_job/test_law_machine.py",
    "tests/main_job/",
    "tests/dags/",
    "tests/test_pages.py",
    "tests/pipeline/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        return next((i for i, start in enumerate(LONG) if item.nodeid.startswith(start)), len(LONG))

    items.sort(key=place)  # stable: within a place as they were
