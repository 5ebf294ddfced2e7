"""From tables of trials to estimates: probabilities, thresholds, scaling laws. Every estimate has low, best, high."""

from rssp.estimates import Estimate
from rssp.inference.constants import SmallestConstant, smallest_constant
from rssp.inference.scaling import ScalingFit, compare_scaling, exponent_of, fit_scaling
from rssp.inference.scaling_laws import SCALING_LAWS, ScalingLaw, power_law
from rssp.inference.thresholds import coverage, interpolated_crossing, required_n, threshold_covariance
from rssp.intervals import clopper_pearson, confidence_sequence, proportion, proportion_interval

__all__ = [
    "SCALING_LAWS",
    "Estimate",
    "ScalingFit",
    "ScalingLaw",
    "SmallestConstant",
    "clopper_pearson",
    "compare_scaling",
    "confidence_sequence",
    "coverage",
    "exponent_of",
    "fit_scaling",
    "interpolated_crossing",
    "power_law",
    "proportion",
    "proportion_interval",
    "required_n",
    "smallest_constant",
    "threshold_covariance",
]
