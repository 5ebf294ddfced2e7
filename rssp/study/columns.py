"""Columns that the tables of several studies have, for their schemas."""

from __future__ import annotations

from rssp.schemas import COUNTS, EXPERIMENT, IDENTITY, INTERVAL, Column, Schema

__all__ = [
    "COVERAGE",
    "DELTA",
    "ENDS",
    "EPS",
    "PROVED",
    "REQUIRED",
    "RESTS",
    "TRIALS",
    "D",
    "K",
    "N",
    "Z",
]

EPS = Column("eps", "float", meaning="error allowed, in the max norm")
DELTA = Column("delta", "float", meaning="failure probability")
N = Column("n", "int", meaning="vectors a sample")
K = Column("k", "int", meaning="size of the subsets")
D = Column("d", "int", meaning="dimension of the vectors")
Z = Column("z", "float", meaning="the target")
TRIALS = Column("trials", "int", meaning="samples")
ENDS = Schema(*(column for column in INTERVAL if column.name in ("low", "best", "high")))
"""an interval; alone where it is a spread and no confidence interval"""
RESTS = Schema(*(column for column in INTERVAL if column.name in ("confidence", "evidence")))
"""what an interval rests on"""

COVERAGE = Schema(N, EPS) + COUNTS + INTERVAL + IDENTITY
"""what `rssp.inference.coverage` gives"""
REQUIRED = Schema(EPS, DELTA, TRIALS, *(c for c in COUNTS if c.name == "failed")) + INTERVAL + IDENTITY
REQUIRED += Schema(EXPERIMENT)
"""what `rssp.inference.required_n` gives"""
PROVED = Schema(
    Column("claim", "text", meaning="whose constant it is"),
    Column("constant", "text", meaning="its name"),
    Column("value", "float", meaning="proved to be enough"),
    Column("where", "text", meaning="the range of eps and delta, and what else is assumed"),
    Column("how", "text", meaning="where the largest need is"),
    *(column for column in INTERVAL if column.name == "evidence"),
)
"""constants of claims that papers leave open and a study proves"""
