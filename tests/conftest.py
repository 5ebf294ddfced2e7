"""Shared by all tests. That this file stands here puts tests/ on the path: `from statistical_helpers import ...`."""

import sys
from pathlib import Path

HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)
