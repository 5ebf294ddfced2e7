"""Every public function that takes a confidence uses it, and refuses what is none.

The functions are found in the source: one that is added with a parameter `confidence` and not here is named by a test.
"""

from __future__ import annotations

import ast
import itertools
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rssp
from rssp import inference, intervals
from rssp.claims import claim
from rssp.claims.counted import curves_of, thresholds_of_counts
from rssp.claims.significance import interval_tails, whole_tails
from rssp.errors import ArgumentError
from rssp.inference import comparison, growth, points, scaling
from rssp.montecarlo.rare_failures import rare_failure
from rssp.montecarlo.stopping import IntervalWidth, interval_width
from rssp.prediction import covering_law, model_error
from rssp.tickets import random_target
from rssp.tickets.least import least_samples

PACKAGE = Path(rssp.__file__).parent
RNG = np.random.default_rng(0)
TIMES = pd.DataFrame({"trial": np.repeat(np.arange(200), 3), "eps": np.tile([0.1, 0.05, 0.02], 200)})
TIMES = TIMES.assign(n=np.ceil(RNG.gumbel(-2 * np.log(TIMES.eps), 1.0)).clip(1).astype(int))
TRIALS = rssp.trials.Trials.of(TIMES, n_max=60)
BITS = np.array([4.0, 6, 8, 10, 12])
NO_LEVEL = pd.DataFrame({"eps": 2**-BITS, "best": 3 + 1.25 * BITS + [0.02, -0.03, 0.01, 0.02, -0.02]})
NO_LEVEL = NO_LEVEL.assign(low=NO_LEVEL.best - 0.1, high=NO_LEVEL.best + 0.1)
STATED = NO_LEVEL.assign(confidence=0.95)
FAILURES = pd.DataFrame({"n": [10, 12, 14], "best": [2**-4.0, 2**-5.0, 2**-6.0], "relative_error": 0.1})
FAILURES = FAILURES.assign(low=FAILURES.best, high=FAILURES.best)
WEIGHTED = pd.DataFrame({"trial": range(50), "failed": [True, False] * 25, "undecided": False, "log_weight": 0.0})
WEIGHTED = rssp.trials.Trials.of(WEIGHTED.assign(log_weight=np.linspace(-1, 1, 50)))
COUNTS = pd.DataFrame({"n": [4, 5, 6], "trials": 1000, "successes": [300, 490, 900], "eps": 0.1, "delta": 0.5})
HALF, LITTLE = np.array([0.5]), np.array([0.01])
LAW, BALL = rssp.Uniform(), rssp.Ball(1)


def ends(found):
    """All lower and all upper ends of an estimate, a table, or a pair of arrays."""
    if isinstance(found, tuple):
        return tuple(np.atleast_1d(np.asarray(end, dtype=float)) for end in found)
    low, high = (np.atleast_1d(np.asarray(getattr(found, end), dtype=float)) for end in ("low", "high"))
    said = np.atleast_1d(np.asarray(found.confidence, dtype=float))
    assert (said == said[0]).all()
    return low, high, said


def parameters(fit):
    return np.array([e.low for e in fit.parameters.values()]), np.array([e.high for e in fit.parameters.values()])


def around(half):
    return -np.atleast_1d(half), np.atleast_1d(half)


def tables(pair):
    return np.append(pair[0].low, pair[1].low), np.append(pair[0].high, pair[1].high)


INTERVALS = {
    "intervals.clopper_pearson": lambda c: intervals.clopper_pearson([0, 5, 10], 10, confidence=c),
    "intervals.confidence_sequence": lambda c: intervals.confidence_sequence([0, 5, 10], 10, confidence=c),
    "intervals.proportion_interval": lambda c: intervals.proportion_interval([3, 5], 10, confidence=c),
    "intervals.proportion": lambda c: intervals.proportion(95, 100, confidence=c),
    "intervals.z_value": lambda c: around(intervals.z_value(c)),
    "intervals.normal_reach": lambda c: around(intervals.normal_reach(c)),
    "intervals.student_reach": lambda c: around(intervals.student_reach(c, 3)),
    "inference.averages.mean": lambda c: inference.mean([1.0, 2.0, 4.0], confidence=c),
    "inference.averages.median": lambda c: inference.median(np.arange(40.0) ** 2, confidence=c),
    "inference.averages.moment_ratio": lambda c: inference.moment_ratio([0, 1, 2, 1], confidence=c),
    "inference.constants.smallest_constant": lambda c: (
        inference.smallest_constant(NO_LEVEL.assign(confidence=c), lambda t: np.log2(1 / t.eps), confidence=c).drift
    ),
    "inference.growth.covered_growth": lambda c: growth.covered_growth(
        [[0.1, 0.2, 0.4], [0.1, 0.15, 0.3], [0.2, 0.25, 0.5]], bins=1, confidence=c
    ),
    "inference.scaling.fit_scaling": lambda c: parameters(inference.fit_scaling(STATED, "log", confidence=c)),
    "inference.scaling.attempt_scaling": lambda c: parameters(scaling.attempt_scaling(STATED, "log", confidence=c)),
    "inference.scaling.exponent_of": lambda c: parameters(inference.exponent_of(STATED, "log2(1/eps)", confidence=c)),
    "inference.tails.tail_crossing": lambda c: inference.tail_crossing(FAILURES, 2**-5.5, confidence=c),
    "inference.tails.tail_slopes": lambda c: inference.tail_slopes(FAILURES, confidence=c),
    "inference.tails.weighted_failure": lambda c: inference.weighted_failure(WEIGHTED, confidence=c),
    "inference.thresholds.coverage": lambda c: inference.coverage(TRIALS, confidence=c),
    "inference.thresholds.required_n": lambda c: inference.required_n(TRIALS, interpolated=True, confidence=c),
    "claims.counted.thresholds_of_counts": lambda c: tables(
        thresholds_of_counts(claim("lueker-1998"), COUNTS, confidence=c)
    ),
    "claims.counted.Curves.crossings": lambda c: curves_of(claim("lueker-1998"), COUNTS).crossings(c)[::2],
    "montecarlo.rare_failures.rare_failure": lambda c: rare_failure(LAW, 16, 0.01, trials=200, confidence=c),
    "montecarlo.questions.covering_probability": lambda c: rssp.covering_probability(
        LAW, 8, 0.1, trials=50, confidence=c
    ),
    "montecarlo.questions.required_samples": lambda c: rssp.required_samples(LAW, 0.02, 0.1, trials=300, confidence=c),
    "prediction.covering_law.predicted_coverage": lambda c: covering_law.predicted_coverage(
        LAW, 12, [0.01, 0.02], BALL, samples=5, confidence=c
    ),
    "prediction.covering_law.predicted_target_failure": lambda c: covering_law.predicted_target_failure(
        LAW, 12, [0.01, 0.02], 0.3, samples=5, confidence=c
    ),
    "prediction.covering_law.predicted_required_samples": lambda c: covering_law.predicted_required_samples(
        LAW, 0.01, 0.1, BALL, samples=10, confidence=c
    ),
    "tickets.least.least_samples": lambda c: least_samples(
        [random_target((2, 2), -0.5, 0.5, rng=np.random.default_rng(seed)) for seed in range(12)],
        0.1,
        confidence=c,
        rng=np.random.default_rng(0),
    ),
    "prediction.model_error.cover_interval": lambda c: model_error.cover_interval(HALF, LITTLE, 9, c, "uniform", 1),
    "prediction.model_error.miss_interval": lambda c: model_error.miss_interval(HALF, LITTLE, 9, c, "uniform", 1),
}
"""an interval of the confidence asked for, of the same data"""

ROW = (9.8, 10.0, 10.2)
STATEMENTS = {
    "inference.points.checked_levels": lambda c: -float(points.checked_levels(c)),
    # the same interval of more confidence leaves smaller errors: what lies beyond it is less likely
    "claims.significance.interval_tails": lambda c: float(interval_tails(*ROW, c, 9.9).at_most),
    "claims.significance.whole_tails": lambda c: float(whole_tails(9, 10, 11, c, 9, 9).at_most),
    "inference.points.side_errors": lambda c: float(points.side_errors(*map(np.array, ROW), c)[0]),
    "inference.comparison.compare_scaling": lambda c: float(
        comparison.compare_scaling(NO_LEVEL, "log", confidence=c)["p_value"].iloc[0]
    ),
    "inference.comparison.attempt_comparison": lambda c: float(
        comparison.attempt_comparison(NO_LEVEL, "log", confidence=c)["p_value"].iloc[0]
    ),
    "inference.points.confidences": lambda c: -float(points.confidences(NO_LEVEL, c)[0]),
    # a rule that wants more confidence goes on for longer
    "montecarlo.stopping.interval_width": lambda c: -interval_width(3, 100, c),
    "montecarlo.stopping.IntervalWidth": lambda c: float(
        IntervalWidth(0.1, confidence=c).stops(np.arange(40.0), 100.0).sum()
    ),
    "estimates.Estimate": lambda c: -rssp.Estimate(1, 2, 3, confidence=c).confidence,
}
"""a number that falls as the confidence of the same interval, or the one asked for, grows"""

NOT_ASKED = {
    "inference.scaling.ScalingFit": "made by fit_scaling alone, which has checked it",
    "cli.estimate.estimate": "the command line of covering_probability and required_samples",
}
CALLS = INTERVALS | STATEMENTS


def _takes_confidence(node) -> bool:
    if isinstance(node, ast.ClassDef):
        return any(isinstance(n, ast.AnnAssign) and getattr(n.target, "id", "") == "confidence" for n in node.body)
    a = node.args
    return any(x.arg == "confidence" for x in (*a.posonlyargs, *a.args, *a.kwonlyargs))


def public_functions():
    """The dotted names of public functions, methods and classes with a `confidence`, from the source."""
    for file in sorted(PACKAGE.rglob("*.py")):
        place = file.relative_to(PACKAGE).with_suffix("").parts
        if any(part.startswith("_") for part in place):
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        lists = [
            n.value for n in tree.body if isinstance(n, ast.Assign) and getattr(n.targets[0], "id", "") == "__all__"
        ]
        public = set().union(*(ast.literal_eval(value) for value in lists if isinstance(value, ast.List)))
        for node in tree.body:
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                continue
            if node.name not in public and not (lists == [] and not node.name.startswith("_")):
                continue
            inner = [n for n in getattr(node, "body", []) if isinstance(n, ast.FunctionDef)]
            if _takes_confidence(node):
                yield ".".join((*place, node.name))
            if isinstance(node, ast.ClassDef):
                methods = (m.name for m in inner if _takes_confidence(m) and not m.name.startswith("_"))
                yield from (".".join((*place, node.name, name)) for name in methods)


def test_every_public_function_with_a_confidence_is_asked():
    found = set(public_functions())
    assert len(found) > 30
    assert sorted(found - set(CALLS) - set(NOT_ASKED)) == []
    assert sorted((set(CALLS) | set(NOT_ASKED)) - found) == []


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("bad", [7, 1.0, 0.0, -0.5, math.nan])
def test_what_is_no_confidence_is_refused(name, bad):
    with pytest.raises(ArgumentError, match="confidence"):
        CALLS[name](bad)


@pytest.mark.parametrize("name", INTERVALS)
def test_more_confidence_gives_a_wider_interval(name):
    seen = [ends(INTERVALS[name](c)) for c in (0.5, 0.9, 0.999)]
    for (low, high, *_), (lower, higher, *_) in itertools.pairwise(seen):
        assert (lower <= low).all()
        assert (higher >= high).all()
    widest = seen[-1][1] - seen[-1][0] > seen[0][1] - seen[0][0]
    assert widest.any()
    for (*_, said), asked in zip((s for s in seen if len(s) == 3), (0.5, 0.9, 0.999), strict=False):
        assert (said == asked).all()


@pytest.mark.parametrize("name", STATEMENTS)
def test_more_confidence_in_the_same_interval_says_more(name):
    values = [STATEMENTS[name](c) for c in (0.5, 0.9, 0.999)]
    assert values[0] > values[1] > values[2]


def test_a_table_s_own_confidence_is_used_in_place_of_the_one_asked_for():
    """The same errors as intervals of 68 % and of 95 %: the same fit, whatever confidence is asked for."""
    seen = []
    for level in (0.68, 0.95):
        half = 0.05 * intervals.z_value(level)
        table = NO_LEVEL.assign(low=NO_LEVEL.best - half, high=NO_LEVEL.best + half, confidence=level)
        seen.append(comparison.compare_scaling(table, "log", confidence=0.9)["p_value"].iloc[0])
    assert seen[0] == pytest.approx(seen[1], rel=1e-9)


@pytest.mark.parametrize(("level", "text"), [(0.995, "99.5 %"), (0.9999, "99.99 %"), (0.5, "50 %")])
def test_a_confidence_is_printed_as_it_is(level, text):
    assert f"at {text}" in str(rssp.Estimate(11.7, 12.3, 12.9, confidence=level))
