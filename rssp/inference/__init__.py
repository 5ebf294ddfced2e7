"""From tables of trials to estimates: probabilities, thresholds, scaling laws. Every estimate has low, best, high."""

from rssp.inference.constants import SmallestConstant, smallest_constant
from rssp.inference.estimate import Estimate
from rssp.inference.proportions import clopper_pearson, confidence_sequence, proportion, proportion_interval
from rssp.inference.thresholds import coverage, interpolated_crossing, required_n, threshold_covariance

__all__ = [
    "Estimate",
    "SmallestConstant",
    "clopper_pearson",
    "confidence_sequence",
    "coverage",
    "interpolated_crossing",
    "proportion",
    "proportion_interval",
    "required_n",
    "smallest_constant",
    "threshold_covariance",
]
