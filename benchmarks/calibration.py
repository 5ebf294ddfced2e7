"""Do the estimators keep their promise? The stated confidence of each method against the actual, by simulation.

    python benchmarks/calibration.py [PART ...] [--simulations N] [--seed S] [--json | --markdown]

The parts are the files of ``benchmarks/calibration_parts``: counts (thresholds, probabilities), fits (forms of growth),
constants (the C of a bound), averages (means of few values, slopes, weighted failures) and covering (the covering law's
interval, against new measurements). A row says how often a method did what it should, with the exact 95 % interval of
that frequency, what is promised, and whether the promise is kept: "yes", "no", or "within chance" where the frequency
misses the promise and its interval does not. Seeds are fixed: a second run gives the same digits. With the simulations
that are the default it takes some four minutes on one core.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

import pandas as pd

from rssp.report import as_json, as_markdown, print_table

PARTS = ("counts", "fits", "constants", "averages", "covering")
SIMULATIONS = 1000


def rows(part: str, simulations: int, seed: int) -> pd.DataFrame:
    """The table of one part."""
    sys.path.insert(0, str(Path(__file__).parent))
    module = importlib.import_module(f"calibration_parts.{part}")
    return pd.DataFrame([row for make in module.ROWS for row in make(simulations, seed)])


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which parts; all by default")
    parser.add_argument("--simulations", type=int, default=SIMULATIONS, help="a row; at least 1")
    parser.add_argument("--seed", type=int, default=0, help="of the simulations")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--markdown", action="store_true", help="print Markdown instead of tables")
    given = parser.parse_args(arguments)
    if given.simulations < 1:
        parser.error(f"--simulations: got {given.simulations}; allowed: a whole number >= 1")
    tables = {part: rows(part, given.simulations, given.seed) for part in given.parts or PARTS}
    if given.json or given.markdown:
        joined = pd.concat([t.assign(part=name) for name, t in tables.items()])
        print(as_json(joined) if given.json else as_markdown(joined))
        return
    for name, table in tables.items():
        print_table(table, name)
        print()


if __name__ == "__main__":
    main()
