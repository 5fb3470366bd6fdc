"""Fixtures that every room may use."""

pytest_plugins = ["tests.postgres_fixtures", "tests.small_lake"]
