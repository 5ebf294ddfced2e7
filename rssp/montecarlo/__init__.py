"""Many samples: experiments, seeds, batches, their execution and their results on disk."""

from rssp.montecarlo.experiment import Experiment
from rssp.montecarlo.fixed_size import FixedSizeHits
from rssp.montecarlo.fractions import CoveredFractions, RestrictedFractions
from rssp.montecarlo.measurements import Coverage, CoveringProfiles, HittingTimes, Measurement
from rssp.montecarlo.merging import merge, status
from rssp.montecarlo.rare_failures import OneSidedTilt, WeightedFailures, rare_failure, rare_failure_experiment
from rssp.montecarlo.runner import run
from rssp.montecarlo.seeds import rebuild_trial
from rssp.montecarlo.smallest import SmallestSubsets
from rssp.montecarlo.stopping import IntervalWidth, Seconds, StoppingRule

__all__ = [
    "Coverage",
    "CoveredFractions",
    "CoveringProfiles",
    "Experiment",
    "FixedSizeHits",
    "HittingTimes",
    "IntervalWidth",
    "Measurement",
    "OneSidedTilt",
    "RestrictedFractions",
    "Seconds",
    "SmallestSubsets",
    "StoppingRule",
    "WeightedFailures",
    "merge",
    "rare_failure",
    "rare_failure_experiment",
    "rebuild_trial",
    "run",
    "status",
]
