"""What the exact kernels cost, against what a user would take instead, as ratios in one run.

    python benchmarks/speed.py [PART ...] [--json]

The parts are the files of ``benchmarks/speed_parts``: line (covering in one dimension), space (in more), nearest
(nearest subsets, against mixed-integer solvers where they are installed). Every figure is a minimum or median after a
warm-up; machines are noisy, so read the ratios.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

import pandas as pd

from rssp.report import as_json, print_table

PARTS = {"line": ("line_rows",), "space": ("space_rows",), "nearest": ("nearest_rows", "mip_gap_rows")}


def rows(part: str) -> pd.DataFrame:
    """The table of one part."""
    sys.path.insert(0, str(Path(__file__).parent))
    module = importlib.import_module(f"speed_parts.{part}")
    return pd.DataFrame([row for name in PARTS[part] for row in getattr(module, name)()])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which parts; all by default")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    arguments = parser.parse_args()
    tables = {part: rows(part) for part in arguments.parts or PARTS}
    if arguments.json:
        print(as_json(pd.concat([t.assign(part=name) for name, t in tables.items()])))
        return
    for name, table in tables.items():
        print_table(table, name)
        print()


if __name__ == "__main__":
    main()
