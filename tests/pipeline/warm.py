"""What the fork server of the kill tests loads once, so that each killed process starts in milliseconds."""

import pandas  # noqa: F401 - pyarrow loads it at the first list that it is given
import pytest  # noqa: F401 - every child of a test process would import it

from schemas.contract import sources
from schemas.services import services
from tests.pipeline import committing  # noqa: F401

sources(), services()
