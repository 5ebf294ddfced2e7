"""Lueker (1998): exponentially small errors of one-dimensional random subset sums."""

from __future__ import annotations

import numpy as np

from rssp.claims.catalog.formulas import bits, joint
from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

_PAPER = (
    "G. S. Lueker, Exponentially small bounds on the expected optimum of the partition and subset sum problems, "
    "Random Structures & Algorithms 12(1):51-62, 1998"
)

CLAIMS = (
    Claim(
        id="lueker-1998",
        paper=_PAPER,
        number="Corollary 2.5",
        statement="There is a C such that of n >= C log(1/eps) independent uniform numbers in [-1, 1], with "
        "probability at least 1 - eps, every target in [-1, 1] is within eps of a subset sum. For a failure "
        "probability delta below eps, use it at delta in place of eps. C absorbs the base of the logarithm (here 2).",
        latex=r"n \geq C \log_2 \frac{1}{\min(\varepsilon, \delta)}",
        kind=Kind.SUFFICIENT,
        quantity="n*",
        formula=lambda eps, delta, C: C * bits(joint(eps, delta)),
        constants={"C": None},
        scope=Scope(laws=("uniform",), d=1, radius=1.0, targets="all", ranges={"eps": (0.0, 1.0), "delta": (0.0, 1.0)}),
        proved="C <= 9.9 where min(eps, delta) <= 1/8 (own-guarantee)",
        valid="X_i uniform on [-1, 1], targets in [-1, 1] (any interval by splitting), 0 < eps < 1; "
        "the field's form, with an error of eps; some papers lose a factor 2 in it",
        wording=Wording.RESTATED,
    ),
    Claim(
        id="lueker-1998-mixture",
        paper=_PAPER,
        number="Corollary 3.3",
        statement="The same for every law that contains the uniform one: a mixture that is uniform on [-1, 1] with a "
        "constant probability p. C depends on p: of n samples a constant fraction is uniform (Hoeffding), and the "
        "theorem is applied to these alone.",
        latex=r"n \geq C(p) \log_2 \frac{1}{\min(\varepsilon, \delta)}",
        kind=Kind.SUFFICIENT,
        quantity="n*",
        formula=lambda eps, delta, C: C * bits(joint(eps, delta)),
        constants={"C": None},
        scope=Scope(
            laws=("Mixture(law=Uniform(low=-1.0,high=1.0,dim=1)*",),
            d=1,
            radius=1.0,
            targets="all",
            ranges={"eps": (0.0, 1.0), "delta": (0.0, 1.0)},
        ),
        proved="an n for every p, eps and delta (own-guarantee)",
        valid="X_i = uniform on [-1, 1] with probability p > 0, any other law otherwise; targets in [-1, 1]",
        wording=Wording.RESTATED,
        unmeasured="no study draws such a mixture: it is measured by rssp.required_samples(rssp.Mixture(...), eps, "
        "delta)",
    ),
    Claim(
        id="lueker-1998-mean",
        paper=_PAPER,
        number="abstract",
        statement="The expected distance from a target to the nearest of the 2^n subset sums is exponentially small in "
        "n. Before, only its median was known to be, for targets near a typical value (Lueker, 1982); the median of "
        "partitions is Karmarkar, Karp, Lueker and Odlyzko (1986), which left the expectation open.",
        latex=r"\mathbf{E}\left[\min_S |z - \Sigma_S|\right] \leq A e^{-c n}",
        kind=Kind.SUFFICIENT,
        quantity="E[error] (one target)",
        formula=lambda n, A, c: A * np.exp(-c * np.asarray(n, dtype=np.float64)),
        constants={"A": None, "c": None},
        scope=Scope(laws=("uniform",), d=1, targets="one"),
        valid="suitable densities, the uniform law on [-1, 1] among them",
        wording=Wording.ABSTRACT,
    ),
)
