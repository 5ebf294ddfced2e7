"""Where randomness comes from: a batch's streams are a function of the experiment's key and the batch's number only.

The key contains the seed. A batch is always drawn whole, because a law may draw all its vectors in one call; a run that
ends inside a batch uses its first trials. So a trial's sample depends on (seed, key, batch, index) and on nothing else.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rssp._arguments import integer
from rssp.montecarlo.experiment import Experiment

__all__ = ["batch_samples", "measure_rng", "rebuild_trial"]

_SAMPLES, _MEASURE, _MEASURE_ALONE = 0, 1, 2


def _generator(experiment: Experiment, *place: int) -> np.random.Generator:
    # the bit generator is named: numpy may change the one that default_rng takes
    sequence = np.random.SeedSequence(int(experiment.key, 16), spawn_key=place)
    return np.random.Generator(np.random.PCG64DXSM(sequence))


def batch_samples(experiment: Experiment, batch: int) -> NDArray[np.float64]:
    """All samples of a batch, as a float64 array (batch_size, n, dim)."""
    rng = _generator(experiment, batch, _SAMPLES)
    size = experiment.measurement.sample_size
    samples = experiment.law.draw_many(experiment.trials_a_batch, size, rng)
    return np.ascontiguousarray(samples, dtype=np.float64)


def measure_rng(experiment: Experiment, batch: int, index: int | None = None) -> np.random.Generator:
    """The generator handed to the measurement: of a batch, or of one trial that is measured alone."""
    if index is None:
        return _generator(experiment, batch, _MEASURE)
    return _generator(experiment, batch, _MEASURE_ALONE, index)


def rebuild_trial(experiment: Experiment, batch: int, index: int) -> NDArray[np.float64]:
    """The sample (n, dim) of one trial of a run, again; `batch` and `index` are its columns "batch" and "trial".

    >>> from rssp.balls import Ball
    >>> from rssp.laws import Uniform
    >>> from rssp.montecarlo import Coverage
    >>> rebuild_trial(Experiment(Uniform(), Ball(), Coverage(n=3, eps=0.1)), batch=7, index=127).shape
    (3, 1)
    """
    batch = integer("batch", batch, 0)
    index = integer("index", index, 0, experiment.trials_a_batch - 1)
    return batch_samples(experiment, batch)[index].copy()
