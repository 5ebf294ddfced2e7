"""Counts of P(cover) at whole n: where n* lies by exact binomial tests, and what they say of a claimed n*."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rssp.claims.significance import Tails, probability_tails, tails_of_sequence
from rssp.claims.statement import Claim, Sense
from rssp.inference import interpolated_crossing
from rssp.intervals import clopper_pearson
from rssp.schemas import IDENTITY

__all__ = ["Curves", "binomial", "curves_of", "thresholds_of_counts"]

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]
_ROUNDING = 1e-9


def _stopped_by_sight(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Rows whose interval is not the exact one of their counts: it is one that stays valid under optional stopping."""
    wider = np.zeros(len(rows), dtype=np.bool_)
    if not {"low", "high", "confidence"} <= set(rows.columns):
        return wider
    for level, part in rows.reset_index(drop=True).groupby("confidence"):
        undecided = part["undecided"] if "undecided" in part.columns else 0
        low, high = clopper_pearson(part["successes"], part["trials"], undecided, confidence=float(str(level)))
        # of the event counted or of its complement
        same = np.isclose(part["low"], low, atol=1e-6) & np.isclose(part["high"], high, atol=1e-6)
        other = np.isclose(part["low"], 1 - high, atol=1e-6) & np.isclose(part["high"], 1 - low, atol=1e-6)
        wider[part.index] = ~(same | other)
    return wider


def binomial(rows: pd.DataFrame, failures: bool, value: _Floats) -> Tails:
    """Tails of the probability of a failure, or of a success, from counts."""
    trials, successes = (rows[c].to_numpy(dtype=np.float64) for c in ("trials", "successes"))
    undecided = rows["undecided"].to_numpy(dtype=np.float64) if "undecided" in rows.columns else np.zeros(len(rows))
    events = trials - successes - undecided if failures else successes
    exact = probability_tails(events, trials, value, undecided)
    seen = _stopped_by_sight(rows)
    if not seen.any():
        return exact
    loose = tails_of_sequence(events, trials, value, undecided)
    return Tails(np.where(seen, loose.at_most, exact.at_most), np.where(seen, loose.at_least, exact.at_least))


@dataclass(frozen=True)
class Curves:
    """Counts along n, a curve for each combination of the other variables.

    Attributes
    ----------
    rows : DataFrame, sorted by curve and n
    points : DataFrame, the first row of each curve
    starts, ends : int64 arrays, where each curve's rows begin and end
    """

    rows: pd.DataFrame
    points: pd.DataFrame
    starts: _Ints
    ends: _Ints

    @property
    def n(self) -> _Floats:
        """The n of every row."""
        return self.rows["n"].to_numpy(dtype=np.float64)

    @property
    def delta(self) -> _Floats:
        """The failure probability of every curve."""
        return self.points["delta"].to_numpy(dtype=np.float64)

    def rows_at(self, wanted: _Floats) -> tuple[_Ints, _Ints]:
        """For each curve the row at the n wanted, or the next above and below where it was not measured; -1: none.

        P(fail) falls with n. Where it is above delta at a larger n, it is so at the n wanted, which speaks against the
        claim; where it is below delta at a smaller n, it is so at the n wanted, which speaks for it.
        """
        n, pairs = self.n, list(zip(self.starts, self.ends, wanted, strict=True))
        above = np.array([a + int(np.searchsorted(n[a:b], w, side="left")) for a, b, w in pairs], dtype=np.int64)
        below = np.array([a + int(np.searchsorted(n[a:b], w, side="right")) - 1 for a, b, w in pairs], dtype=np.int64)
        return np.where(above < self.ends, above, -1), np.where(below >= self.starts, below, -1)

    def p_values(self, at: _Ints, against: bool) -> _Floats:
        """Of P(fail) <= delta (`against`) or P(fail) >= delta at one row of each curve; 1 where there is none."""
        p, have = np.ones(len(at)), at >= 0
        if have.any():
            tails = binomial(self.rows.iloc[at[have]].reset_index(drop=True), True, self.delta[have])
            p[have] = tails.at_most if against else tails.at_least
        return p

    def shown(self, at: _Ints) -> list[str]:
        """P(fail) at one row of each curve, in words."""
        trials, successes = (self.rows[c].to_numpy(dtype=np.float64) for c in ("trials", "successes"))
        n, failures = self.n, trials - successes
        return [
            f"P(fail at n = {n[i]:g}) = {failures[i] / trials[i]:.3g} ({failures[i]:g} of {trials[i]:g})"
            if i >= 0
            else "no n measured there"
            for i in at
        ]

    def first_enough(self) -> _Floats:
        """The first n at which no more than a share delta of the trials failed; inf where none is."""
        failed = 1 - self.rows["successes"].to_numpy(dtype=np.float64) / self.rows["trials"].to_numpy(dtype=np.float64)
        n, found = self.n, []
        for a, b, d in zip(self.starts, self.ends, self.delta, strict=True):
            enough = failed[a:b] <= d + _ROUNDING
            found.append(n[a + int(enough.argmax())] if enough.any() else np.inf)
        return np.array(found)

    def between(self, tail: float) -> tuple[_Floats, _Floats]:
        """The smallest and the largest n* that the counts allow, each but for an error of `tail`.

        Where no n was seen to fail too often, the smallest is 0; where none was seen to be enough, the largest is inf.
        """
        delta = np.repeat(self.delta, self.ends - self.starts)
        tails = binomial(self.rows, True, delta)
        n, smallest, largest = self.n, [], []
        for a, b in zip(self.starts, self.ends, strict=True):
            fails, enough = np.flatnonzero(tails.at_most[a:b] <= tail), np.flatnonzero(tails.at_least[a:b] <= tail)
            smallest.append(n[a + fails[-1]] + 1 if len(fails) else 0.0)
            largest.append(n[a + enough[0]] if len(enough) else np.inf)
        return np.array(smallest), np.array(largest)

    def crossings(self, confidence: float) -> tuple[_Floats, _Floats, _Floats]:
        """Where the upper bounds of P(cover), the shares and the lower bounds cross 1 - delta, between whole n."""
        successes, trials = (self.rows[c].to_numpy(dtype=np.float64) for c in ("successes", "trials"))
        undecided = self.rows["undecided"].to_numpy() if "undecided" in self.rows.columns else np.zeros(len(trials))
        low, high = clopper_pearson(successes, trials, undecided, confidence=confidence)
        n, ends = self.n, []
        for a, b, delta in zip(self.starts, self.ends, self.delta, strict=True):
            grid = np.append(0.0, n[a:b]) if n[a] == 1 else n[a:b]  # without any number nothing is covered
            lower, share, upper = (
                np.maximum.accumulate(np.append(np.zeros(len(grid) - (b - a)), p[a:b]))
                for p in (low, successes / trials, high)
            )
            first = interpolated_crossing(grid, upper, 1 - delta)
            middle = interpolated_crossing(grid, share, 1 - delta, 0.5 / float(trials[a]))
            below = 0.0 if grid[0] > 0 and first <= grid[0] else min(first, float(grid[-1]))
            ends.append((below, middle, interpolated_crossing(grid, lower, 1 - delta)))
        lows, best, highs = np.array(ends).T
        return lows, best, highs


def curves_of(claim: Claim, rows: pd.DataFrame) -> Curves:
    """The rows of counts by the variables of a claim, its settings and what identifies sums and targets."""
    names = dict.fromkeys((*IDENTITY.names, *claim.variables, *claim.settings, "eps", "delta"))
    keys = [name for name in names if name in rows.columns and name != "n"]
    group = rows.groupby(keys, sort=False, dropna=False).ngroup().to_numpy()
    order = np.lexsort((rows["n"].to_numpy(), group))
    rows, group = rows.iloc[order].reset_index(drop=True), group[order]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    return Curves(rows, rows.iloc[starts].reset_index(drop=True), starts, np.append(starts[1:], len(rows)))


def thresholds_of_counts(
    claim: Claim, rows: pd.DataFrame, confidence: float = 0.95, all_at_once: Sense | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """n* of every curve, whole and interpolated, a row each, with the intervals that the counts leave.

    The whole n* by exact binomial tests at every n; the interpolated one where the curves of pointwise bounds cross, as
    `rssp.inference.required_n` reads it. With the sense of a bound in `all_at_once` the end of the whole n* that its
    constant leans on, lower for a bound from above, holds at all curves at once (Bonferroni), and the column
    `confidence` says so.

    >>> from rssp.claims import claim
    >>> seen = pd.DataFrame({"n": [4, 5, 6], "trials": 1000, "successes": [300, 490, 900], "eps": 0.1, "delta": 0.5})
    >>> whole, smooth = thresholds_of_counts(claim("lueker-1998"), seen)
    >>> whole[["low", "best", "high"]].to_numpy().tolist(), smooth[["low", "best", "high"]].to_numpy().round(2).tolist()
    ([[5.0, 6.0, 6.0]], [[4.88, 5.02, 5.07]])
    """
    curves = curves_of(claim, rows)
    tail, count = (1 - confidence) / 2, len(curves.starts)
    low, _ = curves.between(tail / count if all_at_once is Sense.AT_MOST else tail)
    _, high = curves.between(tail / count if all_at_once is Sense.AT_LEAST else tail)
    best = curves.first_enough()
    drop = [c for c in ("n", "trials", "successes", "undecided", "failed") if c in rows]
    points = curves.points.drop(columns=drop).assign(confidence=confidence)
    lower, middle, upper = curves.crossings(confidence)
    whole = points if all_at_once is None else points.assign(confidence=1 - (1 - confidence) / count)
    return (
        whole.assign(low=np.minimum(low, best), best=best, high=np.maximum(high, best)),
        points.assign(low=np.minimum(lower, middle), best=middle, high=np.maximum(upper, middle)),
    )
