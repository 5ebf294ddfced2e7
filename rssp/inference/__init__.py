"""From trials to estimates: probabilities, thresholds, tails, averages, scaling forms, constants."""

from rssp.estimates import Estimate
from rssp.inference.averages import mean, median, moment_ratio
from rssp.inference.comparison import attempt_comparison, compare_scaling, scaling_answer
from rssp.inference.constants import SmallestConstant, smallest_constant
from rssp.inference.scaling import ScalingFit, Unfit, attempt_scaling, exponent_of, fit_scaling
from rssp.inference.scaling_forms import SCALING_FORMS, ScalingForm, power_form
from rssp.inference.tails import tail_crossing, tail_slopes, weighted_failure
from rssp.inference.thresholds import (
    coverage,
    interpolated_crossing,
    points_covariance,
    required_n,
    threshold_covariance,
)
from rssp.intervals import clopper_pearson, confidence_sequence, proportion, proportion_interval

__all__ = [
    "SCALING_FORMS",
    "Estimate",
    "ScalingFit",
    "ScalingForm",
    "SmallestConstant",
    "Unfit",
    "attempt_comparison",
    "attempt_scaling",
    "clopper_pearson",
    "compare_scaling",
    "confidence_sequence",
    "coverage",
    "exponent_of",
    "fit_scaling",
    "interpolated_crossing",
    "mean",
    "median",
    "moment_ratio",
    "points_covariance",
    "power_form",
    "proportion",
    "proportion_interval",
    "required_n",
    "scaling_answer",
    "smallest_constant",
    "tail_crossing",
    "tail_slopes",
    "threshold_covariance",
    "weighted_failure",
]
