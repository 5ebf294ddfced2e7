"""Natale, Ferre', Giambartolomei, Giroire, Mallmann-Trenn (NeurIPS 2024): subsets of a fixed size, sparse tickets."""

from __future__ import annotations

import math

import numpy as np

from rssp.claims.catalog.formulas import NOTES, bits, entropy, joint, self_consistent_n
from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

_PAPER = (
    "E. Natale, D. Ferre', G. Giambartolomei, F. Giroire, F. Mallmann-Trenn, On the Sparsity of the Strong Lottery "
    "Ticket Hypothesis, NeurIPS 2024, arXiv 2410.14754"
)
_ALL_TARGETS = (
    "all targets at once are not enumerated for subsets of a fixed size; one target is, see natale-2024-one-target"
)
_BOUNDED_LAWS = ("uniform", "normal")
_BOUNDED = "X_i of sum-bounded density (uniform on [-1, 1], normal), 1 <= k <= n/2, 0 < eps < 1"
_QUADRATURE = "nothing to measure: the density of a sum of uniform numbers is known; computed in the tests"


def _log(k, eps):
    return np.log2(np.asarray(k, dtype=np.float64)) + bits(eps)


def _layer(d_in, d_out, l, density, n, eps, C):  # noqa: E741
    return C * (np.log2(2.0 * np.asarray(l) * d_in * d_out * density * n) + bits(eps)) ** 2


def _samples(density, eps, C):
    density = np.asarray(density, dtype=np.float64)
    return self_consistent_n(C / entropy(density), density / eps)


CLAIMS = (
    Claim(
        id="natale-2024-one-target",
        paper=_PAPER,
        number="Theorem 2",
        statement="If n >= C log2(k/eps)/H2(k/n), a fixed target in [-sqrt(k), sqrt(k)] is with at least a constant "
        "probability within eps of the sum of exactly k of n numbers.",
        latex=r"n H_2\left(\frac{k}{n}\right) \geq C \log_2 \frac{k}{\varepsilon}",
        kind=Kind.SUFFICIENT,
        quantity="n H2(k/n)",
        formula=lambda k, eps, C: C * _log(k, eps),
        constants={"C": None},
        scope=Scope(laws=_BOUNDED_LAWS, d=1, targets="one", ranges={"eps": (0.0, 1.0), "density": (0.0, 0.5)}),
        valid=_BOUNDED + "; the probability c_thm > 0 is not given",
        wording=Wording.RESTATED,
    ),
    Claim(
        id="natale-2024-n",
        paper=_PAPER,
        number="Theorem 2, solved for n",
        statement="The same at a fixed fraction k/n = density: the n that solves n = C log2(density "
        "n/eps)/H2(density).",
        latex=r"n = \frac{C}{H_2(\gamma)} \log_2 \frac{\gamma n}{\varepsilon}",
        kind=Kind.SUFFICIENT,
        quantity="n* (one target)",
        formula=_samples,
        constants={"C": None},
        scope=Scope(laws=_BOUNDED_LAWS, d=1, targets="one", ranges={"eps": (0.0, 1.0), "density": (0.0, 0.5)}),
        valid=_BOUNDED + ", density = k/n <= 1/2",
        wording=Wording.RESTATED,
    ),
    Claim(
        id="natale-2024-all-targets",
        paper=_PAPER,
        number="Corollary 1",
        statement="For every target in [-sqrt(k), sqrt(k)] at once, with probability 1 - eps: the square of the "
        "logarithm. The paper's C is 8 c_hyp/c_thm, both open.",
        latex=r"n H_2\left(\frac{k}{n}\right) \geq C \log_2^2 \frac{k}{\min(\varepsilon, \delta)}",
        kind=Kind.SUFFICIENT,
        quantity="n H2(k/n)",
        formula=lambda k, eps, delta, C: C * _log(k, joint(eps, delta)) ** 2,
        constants={"C": None},
        scope=Scope(laws=_BOUNDED_LAWS, d=1, targets="all", ranges={"eps": (0.0, 1.0)}, conditions=("k <= n / 2",)),
        valid=_BOUNDED + "; also mixtures with a uniform law",
        wording=Wording.RESTATED,
        unreachable=_ALL_TARGETS,
    ),
    Claim(
        id="natale-2024-all-targets-large-k",
        paper=_PAPER,
        number="Corollary 2",
        statement="For k at least 2 C (log2(k)^2 + 2 log2(k) log2(1/eps)), the k under the logarithm can be left out "
        "at the price of a factor 2.",
        latex=r"n H_2\left(\frac{k}{n}\right) \geq 2 C \log_2^2 \frac{1}{\varepsilon}",
        kind=Kind.SUFFICIENT,
        quantity="n H2(k/n)",
        formula=lambda eps, C: 2 * C * bits(eps) ** 2,
        constants={"C": None},
        scope=Scope(laws=_BOUNDED_LAWS, d=1, targets="all", ranges={"eps": (0.0, 1.0)}, conditions=("k <= n / 2",)),
        valid=_BOUNDED + ", k >= 2 C (log2(k)^2 + 2 log2(k) log2(1/eps))",
        wording=Wording.RESTATED,
        unreachable=_ALL_TARGETS,
    ),
    Claim(
        id="natale-2024-second-moment",
        paper=_PAPER,
        number="proof of Theorem 2",
        statement="Under the theorem's condition the second moment of the number of k-subsets within eps is at most a "
        "constant times the square of its mean.",
        latex=r"\frac{\mathbf{E}[Y^2]}{\mathbf{E}[Y]^2} \leq C",
        kind=Kind.SUFFICIENT,
        quantity="E[Y^2]/E[Y]^2",
        formula=lambda C: C,
        constants={"C": None},
        scope=Scope(laws=_BOUNDED_LAWS, d=1, targets="one", ranges={"eps": (0.0, 1.0)}, conditions=("k <= n / 2",)),
        valid=_BOUNDED + ", n H2(k/n) >= c log2(k/eps)",
        wording=Wording.RESTATED,
    ),
    Claim(
        id="natale-2024-width",
        paper=_PAPER,
        number="Theorem 3",
        statement="n units for each unit and sign, with n H2(density) >= C log2(2 l d_in d_out density n/eps)^2, give "
        "a ticket that keeps a fraction of about `density` of the random weights.",
        latex=r"n_i H_2(\gamma) \geq C \log_2^2 \frac{2 \ell d_{i-1} d_i \gamma n_i}{\varepsilon}",
        kind=Kind.SUFFICIENT,
        quantity="n H2(k/n)",
        formula=_layer,
        constants={"C": None},
        scope=Scope(ranges={"eps": (0.0, 1.0), "density": (0.0, 0.5)}),
        valid="ReLU, no biases, layers of norm at most 1; density of the whole ticket: times the largest ratio of "
        "neighbouring widths",
        wording=Wording.RESTATED,
        unreachable="tickets of a prescribed sparsity are not built here; their subset sums are measured in "
        "second_moments",
    ),
    Claim(
        id="natale-2024-lower",
        paper=_PAPER,
        number="Theorem 5",
        statement="To approximate with probability 1/2 every linear map of norm at most sqrt(k) on R^width by tickets "
        "of exactly k of n parameters, n H2(k/n) must be at least (width^2/2) log2(k/eps).",
        latex=r"n H_2\left(\frac{k}{n}\right) \geq \frac{d^2}{2} \log_2 \frac{k}{\varepsilon}",
        kind=Kind.NECESSARY,
        quantity="n H2(k/n)",
        formula=lambda width, k, eps: np.asarray(width, dtype=np.float64) ** 2 / 2 * _log(k, eps),
        scope=Scope(targets="all", ranges={"eps": (0.0, 0.0625)}, conditions=("k <= 0.8408 * n",)),
        valid="eps < 1/16, k <= (1 - 1/(2 pi)) n; n counts the parameters of the random network, d in the formula is "
        "the width. With width = 1 it bounds, by counting, k-subsets that serve all of [-sqrt(k), sqrt(k)]",
        wording=Wording.RESTATED,
        unreachable=_ALL_TARGETS,
    ),
    Claim(
        id="natale-2024-density",
        paper=_PAPER,
        number="comparison with Malach et al.",
        statement="At the over-parameterization m_t^2/eps^2 of Malach et al. the ticket keeps a fraction of order "
        "eps/m_t of the weights, where theirs keeps eps^2/m_t^2.",
        latex=r"\gamma = C \frac{\varepsilon}{m_t}",
        kind=Kind.EQUALITY,
        quantity="density",
        formula=lambda m_t, eps, C: C * np.asarray(eps, dtype=np.float64) / m_t,
        constants={"C": None},
        scope=Scope(ranges={"eps": (0.0, 1.0)}, note="an order of magnitude"),
        valid="order of magnitude",
        wording=Wording.RESTATED,
        unreachable="such a network is too large to be drawn: 10^8 times the parameters at m_t = 100 and eps = 0.01",
    ),
    Claim(
        id="natale-2024-sum-bounded-above",
        paper=NOTES,
        number="section 8: densities of sums of uniform numbers",
        statement="The density of a sum of k uniform numbers on [-1, 1] is at most c/sqrt(k): it is largest at 0, and "
        "sqrt(k) times it is largest at k = 2, where it is sqrt(2)/2. The limit is sqrt(3/(2 pi)) = 0.691.",
        latex=r"f_{\Sigma_k}(x) \leq \frac{1}{\sqrt{2}} \frac{1}{\sqrt{k}}",
        kind=Kind.SUFFICIENT,
        quantity="density of a sum of k",
        formula=lambda k, c: c / np.sqrt(np.asarray(k, dtype=np.float64)),
        constants={"c": math.sqrt(0.5)},
        scope=Scope(laws=("uniform",), d=1, ranges={"k": (1, math.inf)}),
        valid="X_i uniform on [-1, 1], all x, k >= 1",
        wording=Wording.VERIFIED,
        unreachable=_QUADRATURE,
    ),
    Claim(
        id="natale-2024-sum-bounded-below",
        paper=NOTES,
        number="section 8: densities of sums of uniform numbers",
        statement="For |x| <= sqrt(k) it is at least c/sqrt(k): it is smallest at x = sqrt(k), where sqrt(k) times it "
        "falls with k (0.5, 0.207, 0.174, 0.167, ...) to the normal limit sqrt(3/(2 pi)) exp(-3/2).",
        latex=r"f_{\Sigma_k}(x) \geq \sqrt{\frac{3}{2\pi}} e^{-3/2} \frac{1}{\sqrt{k}}",
        kind=Kind.NECESSARY,
        quantity="density of a sum of k",
        formula=lambda k, c: c / np.sqrt(np.asarray(k, dtype=np.float64)),
        constants={"c": math.sqrt(1.5 / math.pi) * math.exp(-1.5)},
        scope=Scope(laws=("uniform",), d=1, ranges={"k": (1, math.inf)}),
        valid="X_i uniform on [-1, 1], |x| <= sqrt(k), k >= 1",
        wording=Wording.VERIFIED,
        unreachable=_QUADRATURE,
    ),
)
