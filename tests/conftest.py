"""Shared by all tests. That this file stands here puts tests/ on the path: `from statistical_helpers import ...`.

No outcome may depend on what else the machine is doing: other test runs take its memory and its time.
"""

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from rssp import _costs

HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)

# hypothesis fails an example that takes 200 ms, and a test whose examples are made slowly; and it draws other examples
# in each run: here a test always has the same ones (those follow from its code)
settings.register_profile("any_machine", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any_machine")


@pytest.fixture(autouse=True)
def memory(monkeypatch):
    """What is refused or planned for want of memory does not depend on how much there is at the moment."""
    monkeypatch.setattr(_costs, "available_memory", lambda: 8 * 10**9)
    _costs._available.cache_clear()
