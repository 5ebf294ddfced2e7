"""Running an experiment: what is stored is read, what is missing is computed, and the whole comes back as one table."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from rssp._arguments import integer
from rssp._compiling import clock
from rssp._progress import progress_bar
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.montecarlo.execution import Batch, compute_batch, compute_batches
from rssp.montecarlo.experiment import Experiment
from rssp.montecarlo.stopping import StoppingRule
from rssp.montecarlo.store import Store
from rssp.trials import Trials

__all__ = ["run"]

_FIRST_WRITE, _WRITE_SHARE, _LAST_WRITE = 2.0, 0.02, 60.0  # seconds between parts: 2, then 2 % of the time so far
_PENDING_BYTES = 2**26  # results that wait to be written: beyond, a part is written before its time
_HOPELESS_TRIALS = 4  # a choice: all refused, and the experiment is given up


class _Prefix:
    """The batches 0, 1, ... without a gap, as far as they are known, and whether the run may end there."""

    def __init__(self, experiment: Experiment, trials: int, stop: StoppingRule | None):
        self.experiment, self.stop, self.trials = experiment, stop, trials
        self.length = 0
        self.reason: str | None = None
        self._total: tuple[float, ...] | None = None

    def advance(self, done: dict[int, Batch]) -> None:
        size = self.experiment.trials_a_batch
        while self.reason is None and self.length in done:
            batch = done[self.length]
            self.length += 1
            if self.length * size >= self.trials:
                self.reason = f"{self.trials} trials done"
            elif self.stop is not None:
                seen = self.stop.observe(self.experiment, batch)
                self._total = seen if self._total is None else tuple(map(sum, zip(self._total, seen, strict=True)))
                self.reason = self.stop.reason(self._total)
                if self.reason is not None:
                    self.trials = self.length * size


class _Writer:
    """Collects batches and stores them as parts: every two seconds at first, then less often; and at the end."""

    def __init__(self, store: Store | None):
        self.store = store
        self._pending: list[Batch] = []
        self._bytes = 0
        self._start = self._last = time.monotonic()

    def add(self, batch: Batch) -> None:
        if self.store is None:
            return
        self._pending.append(batch)
        self._bytes += sum(v.nbytes for v in batch.columns.values())
        now = time.monotonic()
        wait = min(max(_FIRST_WRITE, _WRITE_SHARE * (now - self._start)), _LAST_WRITE)
        if now - self._last >= wait or self._bytes >= _PENDING_BYTES:
            self.flush()

    def flush(self) -> None:
        if self.store is not None and self._pending:
            self.store.write(self._pending)
            self._pending, self._bytes = [], 0
            self._last = time.monotonic()


def run(
    experiment: Experiment,
    trials: int,
    *,
    stop: StoppingRule | None = None,
    out: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    progress: bool = True,
    label: str | None = None,
) -> Trials:
    """Run an experiment up to a total of `trials`.

    Whatever `out` holds of this experiment is used, so an interrupted run is resumed and a longer one continues a
    shorter one. Batches are computed and stored whole; where `trials` ends inside the last batch, the table ends there.

    Parameters
    ----------
    experiment : Experiment
    trials : int >= 1, in all (with `stop`: at most)
    stop : StoppingRule, ends the run earlier
    out : directory of results, made if need be; None keeps them in memory only
    workers : int >= 1, threads; None means all cores. Inside ``joblib.parallel_config(backend="dask")`` the cluster's.
    progress : show a progress bar with the time left, or one final line where the output is not a terminal; and say
        so when kernels are compiled for more than a few seconds
    label : name of the run in the progress bar

    Returns
    -------
    Trials

    Raises
    ------
    ArgumentError, ArgumentTypeError
        For what is not allowed; also if the measurement refuses every trial of the first batch.
    InfeasibleError
        If it refuses them because they need too much memory or time. (A single trial that does is recorded as failed,
        and tried again when the run is resumed.)
    StoreError
        If `out` cannot be written or is not a directory of results, or two parts contradict each other.

    Examples
    --------
    >>> from rssp.balls import Ball
    >>> from rssp.laws import Uniform
    >>> from rssp.montecarlo import Coverage
    >>> experiment = Experiment(Uniform(), Ball(), Coverage(n=10, eps=0.1))
    >>> result = run(experiment, trials=1000, progress=False)
    >>> result.table.columns.tolist(), len(result.table), result.reason
    (['batch', 'trial', 'covered', 'error'], 1000, '1000 trials done')
    """
    if not isinstance(experiment, Experiment):
        raise ArgumentTypeError("experiment", experiment, "an Experiment")
    trials = integer("trials", trials, 1)
    workers = None if workers is None else integer("workers", workers, 1)
    if stop is not None:
        if not isinstance(stop, StoppingRule):
            raise ArgumentTypeError("stop", stop, "a StoppingRule such as Seconds(60), or None")
        stop.check(experiment)
    count = -(-trials // experiment.trials_a_batch)
    store = None if out is None else Store(out, experiment.json)
    done = {} if store is None else store.load(count)
    prefix = _Prefix(experiment, trials, stop)
    prefix.advance(done)
    writer = _Writer(store)
    with _progress(progress, label, len(done), count, prefix) as show:
        try:
            if prefix.reason is None:
                _compute(experiment, count, done, prefix, writer, workers, show)
        except BaseException as error:
            writer.flush()
            if store is not None:
                reason = "interrupted" if isinstance(error, KeyboardInterrupt) else f"{type(error).__name__}: {error}"
                _summarise(store, prefix, prefix.length * experiment.trials_a_batch, reason)
            raise
        writer.flush()
        assert prefix.reason is not None
        if store is not None:
            _summarise(store, prefix, prefix.trials, prefix.reason)
    return _result(experiment, done, prefix, None if store is None else store.root)


def _compute(
    experiment: Experiment,
    count: int,
    done: dict[int, Batch],
    prefix: _Prefix,
    writer: _Writer,
    workers: int | None,
    show: Callable[[int], None],
) -> None:
    stored = frozenset(done)

    def missing() -> Iterator[int]:
        for number in range(count):
            if prefix.reason is not None:
                return
            if number not in stored:
                yield number

    # read to the end even when the rule is content: what was begun is finished and stored
    results = compute_batches(experiment, missing(), workers)
    with closing(results):
        for batch in results:
            if batch.number == 0 and batch.hopeless is not None:
                _raise_if_refused(experiment, batch.hopeless)
            done[batch.number] = batch
            if batch.storable:
                writer.add(batch)
            prefix.advance(done)
            show(len(done))


def _raise_if_refused(experiment: Experiment, error: Exception) -> None:
    """All trials of batch 0 were refused; where these are few, the next batches must be refused too."""
    more = range(1, -(-_HOPELESS_TRIALS // experiment.trials_a_batch))
    if all(compute_batch(experiment, number).hopeless is not None for number in more):
        raise error


def _summarise(store: Store, prefix: _Prefix, trials: int, reason: str) -> None:
    optional = prefix.stop is not None and prefix.stop.optional_stopping
    store.write_summary(
        {"trials": trials, "reason": reason, "stop": None if prefix.stop is None else repr(prefix.stop)}
        | {"optional_stopping": optional}
    )


def _result(experiment: Experiment, done: dict[int, Batch], prefix: _Prefix, directory: Path | None) -> Trials:
    assert prefix.reason is not None
    batches = [done[number] for number in range(prefix.length)]
    last_size = prefix.trials - (prefix.length - 1) * experiment.trials_a_batch
    return Trials(
        experiment=experiment,
        table=_table(batches, last_size),
        trials=prefix.trials,
        seconds=float(sum(b.seconds for b in batches)),
        reason=prefix.reason,
        optional_stopping=prefix.stop is not None and prefix.stop.optional_stopping,
        directory=directory,
        stop=prefix.stop,
    )


def _table(batches: list[Batch], last_size: int) -> pd.DataFrame:
    measured = _measured_rows(batches, last_size)
    failed = [
        (b.number, trial, message)
        for b in batches
        for trial, message in sorted(b.errors.items())
        if b is not batches[-1] or trial < last_size
    ]
    measured["error"] = np.full(len(measured), None, dtype=object)
    if not failed:
        return measured
    nullable = measured.astype({c: "boolean" for c in measured if measured[c].dtype == np.bool_})
    extra = pd.DataFrame(failed, columns=["batch", "trial", "error"]).astype({"error": object})
    table = (
        pd.concat([nullable, extra], ignore_index=True) if len(measured) else extra.reindex(columns=measured.columns)
    )
    return table.sort_values(["batch", "trial"], kind="stable", ignore_index=True)


def _measured_rows(batches: list[Batch], last_size: int) -> pd.DataFrame:
    full = [b for b in batches if b.rows]
    if not full:
        return pd.DataFrame({"batch": np.empty(0, np.int64), "trial": np.empty(0, np.int64)})
    names = ["trial", *(c for c in full[0].columns if c != "trial")]
    if any(set(b.columns) != set(names) for b in full):
        raise ArgumentError("measurement", "different columns in different batches", "the same columns in all")
    # the last batch is cut at the trials asked for; its trials ascend
    stop = [b.rows if b is not batches[-1] else int(np.searchsorted(b.columns["trial"], last_size)) for b in full]
    columns = {"batch": np.repeat(np.array([b.number for b in full], dtype=np.int64), stop)}
    for name in names:
        columns[name] = np.concatenate([b.columns[name][:s] for b, s in zip(full, stop, strict=True)])
    return pd.DataFrame(columns)


@contextmanager
def _progress(
    wanted: bool, label: str | None, done: int, count: int, prefix: _Prefix
) -> Iterator[Callable[[int], None]]:
    """A function that is told how many batches are done."""
    if not wanted:
        yield lambda done: None
        return
    name = label or f"{type(prefix.experiment.measurement).__name__} {prefix.experiment.key[:12]}"
    start = time.monotonic()
    with progress_bar(name, count, "batches", done) as (update, say), clock.told_to(say):
        yield update
    print(f"{name}: {prefix.reason}, {time.monotonic() - start:.1f} s", file=sys.stderr)
