"""Many samples: experiments, seeds, batches, their execution and their results on disk."""

from rssp.montecarlo.experiment import Experiment
from rssp.montecarlo.measurements import Coverage, CoveringProfiles, HittingTimes, Measurement
from rssp.montecarlo.runner import Run, run
from rssp.montecarlo.seeds import rebuild_trial
from rssp.montecarlo.stopping import IntervalWidth, Seconds, StoppingRule

__all__ = [
    "Coverage",
    "CoveringProfiles",
    "Experiment",
    "HittingTimes",
    "IntervalWidth",
    "Measurement",
    "Run",
    "Seconds",
    "StoppingRule",
    "rebuild_trial",
    "run",
]
