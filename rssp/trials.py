"""What a run gave, with all that it knows of itself: its table, its experiment, and how it was stopped."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from rssp._arguments import integer
from rssp._identity import differences
from rssp.errors import ArgumentError, ArgumentTypeError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ExperimentLike", "MeasurementLike", "Trials", "as_trials"]

_ID = ["batch", "trial"]


class MeasurementLike(Protocol):
    """What `Trials` needs to know of a measurement; some have an `n_max` too."""

    @property
    def sample_size(self) -> int: ...


class ExperimentLike(Protocol):
    """What `Trials` needs to know of an experiment."""

    @property
    def law(self) -> Any: ...
    @property
    def ball(self) -> Any: ...
    @property
    def measurement(self) -> Any: ...
    @property
    def key(self) -> str: ...
    @property
    def json(self) -> str: ...


@dataclass(frozen=True, eq=False, repr=False)
class Trials:
    """What a run gave: the same for any number of workers, any order of batches and however often it was interrupted.

    Made by `rssp.run`; for a table made by hand there is `Trials.of`. Two Trials of the same experiment can be added.

    Attributes
    ----------
    table : DataFrame with columns batch, trial (its index in the batch), those of the measurement, and error; ordered
        by batch and trial. error is None, or the message of a trial that failed, which has one row without values
        (then whole numbers are float64 with NaN and booleans nullable)
    experiment : Experiment, or None where the table was made by hand
    trials : int, how many there are, failed ones included
    optional_stopping : whether the number of trials may depend on what was measured: intervals are then those that
        stay valid under optional stopping
    reason : why the run ended
    seconds : float, time spent on the computation of its batches, added up over the workers (now or when stored)
    directory : where it is stored, or None
    stop : the rule that might have ended the run early, or None
    """

    table: pd.DataFrame
    experiment: ExperimentLike | None
    trials: int
    optional_stopping: bool = False
    reason: str = ""
    seconds: float = 0.0
    directory: Path | None = None
    stop: Any = None
    _n_max: int | None = field(default=None, kw_only=True)
    _measurement: Any = field(default=None, kw_only=True)

    @classmethod
    def of(
        cls,
        table: pd.DataFrame,
        *,
        n_max: int | None = None,
        measurement: MeasurementLike | None = None,
        optional_stopping: bool = False,
        reason: str = "made by hand",
    ) -> Trials:
        """Trials from a table made by hand: simulated data, or another program's.

        Parameters
        ----------
        table : DataFrame with a column trial, perhaps batch, and those of a measurement
        n_max : int, where hitting times were cut off; that of `measurement`, or the largest n seen unless given
        measurement : what was measured, such as ``HittingTimes(...)``
        optional_stopping : whether what was seen decided how many trials there are
        reason : why there are no more

        Examples
        --------
        >>> import pandas as pd
        >>> table = pd.DataFrame({"trial": [0, 1, 2], "eps": 0.1, "n": [5, 6, -1]})
        >>> Trials.of(table, n_max=20)
        Trials(3 trials made by hand
               table of 3 rows: trial, eps, n)
        """
        import pandas as pd

        if not isinstance(table, pd.DataFrame):
            raise ArgumentTypeError("table", table, "a DataFrame of trials")
        if "trial" not in table.columns:
            raise ArgumentError("table", "no column trial", "a column that tells the trials apart", "Add one.")
        count = len(_ids(table).drop_duplicates())
        return cls(
            table,
            None,
            count,
            bool(optional_stopping),
            reason,
            _n_max=None if n_max is None else integer("n_max", n_max, 0),
            _measurement=measurement,
        )

    @property
    def measurement(self) -> Any:
        """What was measured on each sample; None where that is not known."""
        return self._measurement if self.experiment is None else self.experiment.measurement

    @property
    def n_max(self) -> int | None:
        """How many vectors each sample was followed to: the measurement's n_max, else its sample_size.

        None for a table made by hand that does not say.
        """
        if self._n_max is not None or self.measurement is None:
            return self._n_max
        return int(getattr(self.measurement, "n_max", self.measurement.sample_size))

    @property
    def label(self) -> str:
        """Which trials these are, in a word: tables have it in their column `experiment`.

        The first twelve digits of the experiment's key; of a table made by hand, a digest of its rows. Estimates with
        the same label come from the same trials and share their errors.
        """
        if self.experiment is not None:
            return self.experiment.key[:12]
        import pandas as pd

        rows = pd.util.hash_pandas_object(self.table, index=False).to_numpy()
        return "by hand " + hashlib.sha256(rows.tobytes()).hexdigest()[:8]

    @property
    def law(self) -> Any:
        """The law of the samples; None where the table was made by hand."""
        return None if self.experiment is None else self.experiment.law

    @property
    def ball(self) -> Any:
        """The ball of targets; None where the table was made by hand."""
        return None if self.experiment is None else self.experiment.ball

    @property
    def failures(self) -> pd.DataFrame:
        """The trials that failed: columns batch, trial, error."""
        if "error" not in self.table.columns:
            return self.table.iloc[:0].reindex(columns=[*_ID, "error"])
        return self.table.loc[self.table["error"].notna(), [*_ID, "error"]].reset_index(drop=True)

    @property
    def succeeded(self) -> pd.DataFrame:
        """The rows of the trials that did not fail; ArgumentError where all did."""
        if "error" not in self.table.columns:
            return self.table
        good = self.table[self.table["error"].isna()]
        if good.empty and len(self.table):
            first = self.table["error"].iloc[0]
            raise ArgumentError("trials", f"{self.trials} that all failed", "one that does not", f"First: {first}")
        return good

    def __add__(self, other: Trials) -> Trials:
        """Both together; trials that both have count once.

        Raises
        ------
        ArgumentError
            Where the experiments differ (the message names the fields) or are not known, or the same trial gave
            different results.
        """
        if not isinstance(other, Trials):
            return NotImplemented
        if self.experiment is None or other.experiment is None:
            raise ArgumentError(
                "trials", "a table made by hand", "trials of one experiment", "Join the tables, then use Trials.of."
            )
        if self.experiment.key != other.experiment.key:
            lines = "; ".join(differences(self.experiment.json, other.experiment.json))
            raise ArgumentError("trials", f"different experiments ({lines})", "trials of one experiment")
        table, shared = _joined(self.table, other.table)
        new = 1 - shared / other.trials if other.trials else 0.0
        reasons = dict.fromkeys((self.reason, other.reason))
        return Trials(
            table,
            self.experiment,
            self.trials + other.trials - shared,
            self.optional_stopping or other.optional_stopping,
            "; ".join(r for r in reasons if r),
            self.seconds + new * other.seconds,
            self.directory if self.directory == other.directory else None,
            self.stop if self.stop == other.stop else None,
        )

    def __repr__(self) -> str:
        stopped = ", stopped by what was seen" if self.optional_stopping else ""
        columns = f"table of {len(self.table)} rows: {', '.join(map(str, self.table.columns))}"
        if self.experiment is None:
            return f"Trials({self.trials} trials {self.reason}{stopped}\n{_line(columns)})"
        first = f"Trials({self.trials} trials of {self.measurement!r}, {self.law!r}, {self.ball!r}"
        second = f"key {self.experiment.key[:12]}, {self.reason}{stopped}"
        return f"{_line(first, 0)}\n{_line(second)}\n{_line(columns)})"


def _line(text: str, indent: int = 7, width: int = 119) -> str:
    line = " " * indent + " ".join(text.split())
    return line if len(line) <= width else line[: width - 3] + "..."


def _ids(table: pd.DataFrame) -> pd.DataFrame:
    return table[[c for c in _ID if c in table.columns]]


def _joined(first: pd.DataFrame, second: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The rows of both, ordered by batch and trial, those of trials in both once; and how many trials both have."""
    import pandas as pd

    if set(first.columns) != set(second.columns):
        raise ArgumentError("trials", "tables with different columns", "the same columns in both")
    both = pd.concat([first, second[first.columns]], ignore_index=True)  # one dtype a column, also where trials failed
    place = both.groupby(_ID, sort=False).ngroup().to_numpy()
    known, added = np.unique(place[: len(first)]), place[len(first) :]
    again = np.isin(added, known)
    mine, theirs = both[: len(first)], both[len(first) :]
    same = mine[np.isin(place[: len(first)], added)].reset_index(drop=True)
    if not same.equals(theirs[again].reset_index(drop=True)):
        raise ArgumentError(
            "trials",
            "different results of the same trial",
            "equal results of what both have",
            "One of the two was computed by other code: compute it again.",
        )
    table = pd.concat([mine, theirs[~again]], ignore_index=True)
    return table.sort_values(_ID, kind="stable", ignore_index=True), int(np.unique(added[again]).size)


def as_trials(value: Any, name: str = "trials") -> Trials:
    """The value if it is `Trials`; ArgumentTypeError that says how to make them of a table."""
    if not isinstance(value, Trials):
        import pandas as pd

        remedy = "Make them of the table: Trials.of(table, n_max=...)." if isinstance(value, pd.DataFrame) else ""
        raise ArgumentTypeError(name, value, "Trials, such as run(...) returns", remedy)
    return value
