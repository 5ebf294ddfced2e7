"""Computing batches: what one batch gives, and many of them by joblib.

What a batch gives is a function of the experiment and the batch's number; joblib only decides where and when.
"""

from __future__ import annotations

import hashlib
import time
import warnings
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

from rssp.errors import ArgumentError, ArgumentTypeError, InfeasibleError
from rssp.montecarlo.experiment import Experiment
from rssp.montecarlo.measurements import Columns
from rssp.montecarlo.seeds import batch_samples, measure_rng

__all__ = ["Batch", "compute_batch", "compute_batches"]

_KINDS = {"b": np.bool_, "i": np.int64, "u": np.uint64, "f": np.float64}
_MESSAGE_LENGTH = 500
_REFUSALS = (ArgumentError, ArgumentTypeError, InfeasibleError)
_PASSING = (InfeasibleError, MemoryError)


@dataclass(frozen=True)
class Batch:
    """What one batch gave.

    Attributes
    ----------
    number : int >= 0
    columns : arrays of equal length, "trial" among them and ascending; trials that failed have no rows
    errors : message of each trial that failed
    seconds : wall-clock time of the computation
    storable : False where a trial failed for a reason that may be gone tomorrow: want of memory or time, or code that
        cannot even draw; such a batch is computed again when the run is resumed
    hopeless : the first error, where all trials were refused for the same kind of reason
    """

    number: int
    columns: Columns
    errors: dict[int, str] = field(default_factory=dict)
    seconds: float = 0.0
    storable: bool = True
    hopeless: Exception | None = None

    @property
    def rows(self) -> int:
        return len(self.columns["trial"]) if self.columns else 0

    def digest(self) -> str:
        """A hash of columns and errors, down to the last bit; of the seconds it knows nothing."""
        state = hashlib.sha256(repr(sorted(self.errors.items())).encode())
        for name in sorted(self.columns) if self.rows else ():
            values = self.columns[name]
            state.update(f"|{name}|{values.dtype.str}|{values.size}|".encode())
            state.update(np.ascontiguousarray(values).data)
        return state.hexdigest()


class _BrokenMeasurement(ArgumentError):
    """The measurement's answer has the wrong form: a mistake in its code, not a failure of one trial."""


def _measured(experiment: Experiment, samples: NDArray[np.float64], rng: np.random.Generator) -> Columns:
    answer: Any = experiment.measurement.measure(samples, experiment.ball, rng)
    name = f"{type(experiment.measurement).__name__}.measure"
    if not isinstance(answer, dict) or "trial" not in answer or {"batch", "error"} & set(answer):
        raise _BrokenMeasurement(
            name, f"{answer!r:.60}", 'a dict of columns, "trial" among them, "batch" and "error" not'
        )
    columns: Columns = {}
    for column, values in answer.items():
        array = np.asarray(values)
        if array.ndim != 1 or array.dtype.kind not in _KINDS:
            received = f"column {column!r} of shape {array.shape} and type {array.dtype}"
            raise _BrokenMeasurement(name, received, "1-d columns of booleans, whole numbers or floats")
        columns[str(column)] = array.astype(_KINDS[array.dtype.kind], copy=False)
    trial = columns["trial"] = columns["trial"].astype(np.int64, copy=False)
    if any(len(v) != len(trial) for v in columns.values()):
        lengths = ", ".join(f"{k}: {len(v)}" for k, v in columns.items())
        raise _BrokenMeasurement(name, f"lengths {lengths}", "columns of equal length")
    if trial.size and (trial.min() < 0 or trial.max() >= len(samples)):
        raise _BrokenMeasurement(name, f"trials up to {trial.max()}", f"trials 0 to {len(samples) - 1}")
    if trial.size and (np.diff(trial) < 0).any():
        order = np.argsort(trial, kind="stable")
        columns = {k: v[order] for k, v in columns.items()}
    return columns


def _alone(experiment: Experiment, batch: int, samples: NDArray[np.float64]) -> tuple[Columns, dict[int, Exception]]:
    """Each trial by itself, for a batch that failed as a whole."""
    parts: list[Columns] = []
    errors: dict[int, Exception] = {}
    for index in range(len(samples)):
        try:
            part = _measured(experiment, samples[index : index + 1], measure_rng(experiment, batch, index))
        except _BrokenMeasurement:
            raise
        except Exception as error:
            errors[index] = error
        else:
            parts.append(part | {"trial": np.full_like(part["trial"], index)})
    return {k: np.concatenate([p[k] for p in parts]) for k in parts[0]} if parts else {}, errors


def _message(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:_MESSAGE_LENGTH]


def compute_batch(experiment: Experiment, number: int) -> Batch:
    """Draw and measure one whole batch.

    If the measurement fails on the batch, each trial is measured alone and those that fail are recorded; if the
    samples cannot be drawn, all have failed. A measurement whose answer has the wrong form is an ArgumentError.
    """
    start = time.perf_counter()
    trials = experiment.trials_a_batch
    columns: Columns = {}
    errors: dict[int, Exception] = {}
    drawn = False
    try:
        samples = batch_samples(experiment, number)
        drawn = True
        columns = _measured(experiment, samples, measure_rng(experiment, number))
    except _BrokenMeasurement:
        raise
    except Exception as error:
        if drawn:
            columns, errors = _alone(experiment, number, samples)
        else:
            errors = dict.fromkeys(range(trials), error)
    all_failed = len(errors) == trials
    refused = all_failed and len(set(map(type, errors.values()))) == 1 and isinstance(errors[0], _REFUSALS)
    return Batch(
        number,
        columns,
        {index: _message(error) for index, error in errors.items()},
        time.perf_counter() - start,
        storable=drawn and not any(isinstance(e, _PASSING) for e in errors.values()),
        hopeless=errors[0] if refused or not drawn else None,
    )


def compute_batches(
    experiment: Experiment, numbers: Iterable[int], workers: int | None = None
) -> Generator[Batch, None, None]:
    """Batches in the order in which they are ready. `numbers` is consumed as workers become free.

    Threads by default; inside ``joblib.parallel_config(backend=...)`` that backend. `workers` None means all cores.
    """
    _ = experiment.key  # cached and sent along: a worker process may not have registered the classes of a script
    parallel = joblib.Parallel(
        n_jobs=-1 if workers is None else workers, prefer="threads", return_as="generator_unordered"
    )
    results = parallel(joblib.delayed(compute_batch)(experiment, number) for number in numbers)
    try:
        for batch in results:  # noqa: UP028 - "yield from" would close the inner generator before what follows
            yield batch
    finally:
        with warnings.catch_warnings():  # that the consumer left early is meant
            warnings.simplefilter("ignore")
            results.close()
