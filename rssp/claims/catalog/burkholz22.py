"""Burkholz (ICML 2022, NeurIPS 2022) and Burkholz et al. (ICLR 2022): depth L + 1, and published statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rssp.claims.catalog.formulas import bits, joint, lookup
from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

_ICML = (
    "R. Burkholz, Convolutional and Residual Networks Provably Contain Lottery Tickets, ICML 2022, PMLR 162:2414-2433, "
    "arXiv 2205.02343"
)
_NEURIPS = (
    "R. Burkholz, Most Activation Functions Can Win the Lottery Without Excessive Depth, NeurIPS 2022, arXiv 2205.02321"
)
_ICLR = (
    "R. Burkholz, N. Laha, R. Mukherjee, A. Gotovos, On the Existence of Universal Lottery Tickets, ICLR 2022, "
    "arXiv 2111.11146"
)
_STATISTICS = "raw statistics published with the code: n = 15, eps = 0.01, 100,000 runs"
_SHALLOW = (
    "no study draws tickets of depth L + 1 yet, pensia_2020 doubles the depth: "
    "rssp.tickets.prune(..., construction=rssp.tickets.SHALLOW) builds one; it takes their width against eps"
)
_UNIFORM = "uniform on [-1, 1]"
_PRODUCT = "a product of two uniform numbers on [-1, 1]"
_RUNS = 100_000
_SIZES_UNIFORM = (1033, 13713, 44922, 35783, 4101, 377, 54, 14, 2, 0, 1)
_SIZES_PRODUCT = (966, 12701, 43642, 31275, 7388, 2220, 1105, 470, 162, 52, 16, 2, 1)


def _parameter_error(eps, l, width, layer, lipschitz, activation, norm):  # noqa: E741
    eps, l, layer = (np.asarray(x, dtype=np.float64) for x in (eps, l, layer))  # noqa: E741
    growth = lipschitz ** (l - layer) * (1 + activation) * (1 + eps / l)
    growth = growth * (norm + eps / l) ** np.maximum(l - 1 - layer, 0)
    return eps / (width * l * growth)


def _count_error(share):
    """The standard error of a share of all runs; a share of none is uncertain by one run."""
    share = np.asarray(share, dtype=np.float64)
    return np.sqrt(np.maximum(share * (1 - share), 1 / _RUNS) / _RUNS)


def _mean_error(counts: Sequence[int]) -> float:
    """The standard error of the mean of a histogram of 0, 1, 2, ..."""
    size, weight = np.arange(len(counts)), np.asarray(counts) / sum(counts)
    variance = float(weight @ size**2 - (weight @ size) ** 2)
    return math.sqrt(variance / sum(counts))


def _statistic(
    id: str, quantity: str, latex: str, statement: str, formula, constants, law: str, error, sizes: int = 0
) -> Claim:
    return Claim(
        id=id,
        paper=_ICML,
        number=_STATISTICS,
        statement=statement,
        latex=latex,
        kind=Kind.PUBLISHED,
        quantity=quantity,
        formula=formula,
        constants=constants,
        scope=Scope(
            laws=("uniform" if law == _UNIFORM else "product",),
            values={"n": (15,), "eps": (0.01,)},
            ranges={"size": (0, sizes - 1)} if sizes else {},
            note="target uniform on [-1, 1]",
        ),
        valid=f"n = 15, eps = 0.01, X_i {law}, target uniform on [-1, 1], subsets tried by increasing size",
        wording=Wording.VERIFIED,
        standard_error=error,
    )


CLAIMS = (
    Claim(
        id="burkholz-2022-width",
        paper=_NEURIPS,
        number="Theorem (L + 1 construction)",
        statement="A random network with one layer more than the target's L, with C width log(1/min(eps_l, delta/rho)) "
        "units where the target has width, contains with probability 1 - delta a ticket within eps. eps_l is the error "
        "allowed to a parameter of layer l, rho the number of times a unit is used.",
        latex=r"n_{\ell+1} \geq C \, n_\ell \log_2 \frac{1}{\min(\varepsilon_\ell, \delta/\rho)}",
        kind=Kind.SUFFICIENT,
        quantity="width",
        formula=lambda width, eps, delta, rho, C: (
            C * np.asarray(width, dtype=np.float64) * bits(joint(eps, np.asarray(delta) / rho))
        ),
        constants={"C": None},
        scope=Scope(ranges={"eps": (0.0, 1.0), "delta": (0.0, 1.0)}, note="uniform weights"),
        proved="of the subset sums it stands on, for uniform numbers (lueker-1998), C <= 9.9 (own-guarantee)",
        valid="uniform weights, activation functions that are two half-lines near 0 (ReLU, leaky ReLU, tanh, sigmoid)",
        wording=Wording.AS_QUOTED,
        unmeasured=_SHALLOW,
    ),
    Claim(
        id="burkholz-2022-multiplicity",
        paper=_NEURIPS,
        number="Theorem (L + 1 construction), rho",
        statement="rho = C (m_t log(1/min(eps, delta)))^(1 + gamma), m_t the target's number of nonzero parameters.",
        latex=r"\rho = C N_t^{1+\gamma} \log_2^{1+\gamma} \frac{1}{\min(\varepsilon, \delta)}",
        kind=Kind.EQUALITY,
        quantity="multiplicity",
        formula=lambda m_t, eps, delta, C, gamma: (
            C * (np.asarray(m_t, dtype=np.float64) * bits(joint(eps, delta))) ** (1 + gamma)
        ),
        constants={"C": None, "gamma": None},
        scope=Scope(ranges={"eps": (0.0, 1.0), "delta": (0.0, 1.0)}, note="uniform weights"),
        valid="as burkholz-2022-width; eps here is the smallest eps_l",
        wording=Wording.AS_QUOTED,
        unmeasured=_SHALLOW,
    ),
    Claim(
        id="burkholz-2022-error",
        paper=_NEURIPS,
        number="error propagation",
        statement="Parameter errors of at most eps_l in layer l change the output by at most eps, where eps_l is eps "
        "over width l times the growth behind the layer: Lipschitz constants, largest activations (1-norm, layer "
        "before), and infinity norms of the layers in between, here all equal to norm.",
        latex=r"\varepsilon_\ell = \frac{\varepsilon}{n_L L} \left[T^{L-\ell} (1 + B_{\ell-1}) "
        r"\left(1 + \frac{\varepsilon}{L}\right) \prod_{k=\ell+1}^{L-1} "
        r"\left(\Vert W^{(k)} \Vert_\infty + \frac{\varepsilon}{L}\right)\right]^{-1}",
        kind=Kind.SUFFICIENT,
        quantity="parameter error",
        formula=_parameter_error,
        scope=Scope(ranges={"eps": (0.0, 1.0), "layer": (1.0, math.inf)}, conditions=("layer <= l",)),
        valid="l is the number of layers L and layer the one in question, 1 <= layer <= l; lipschitz = T, "
        "activation = B, width = n_L",
        wording=Wording.AS_QUOTED,
        unreachable="tickets are certified here by bounds computed for the network at hand, not by this worst case",
    ),
    Claim(
        id="burkholz-2022-convolutional",
        paper=_ICML,
        number="main theorem",
        statement="The same for convolutional and residual networks: each entry of a target's filter is a subset sum "
        "over copies of its channel, each target channel is built rho times, and skip connections carry the same "
        "multiplicity.",
        latex=r"n_{\ell+1} \geq C \, n_\ell \log_2 \frac{1}{\min(\varepsilon_\ell, \delta/\rho)}",
        kind=Kind.SUFFICIENT,
        quantity="width",
        formula=lambda c, eps, delta, rho, C: (
            C * np.asarray(c, dtype=np.float64) * bits(joint(eps, np.asarray(delta) / rho))
        ),
        constants={"C": None},
        scope=Scope(ranges={"eps": (0.0, 1.0), "delta": (0.0, 1.0)}, note="uniform weights"),
        proved="of the subset sums it stands on, for uniform numbers (lueker-1998), C <= 9.9 (own-guarantee)",
        valid="as burkholz-2022-width, channels in place of units",
        wording=Wording.AS_QUOTED,
        unmeasured=_SHALLOW,
    ),
    Claim(
        id="burkholz-2022-universal",
        paper=_ICLR,
        number="abstract",
        statement="Tickets exist that serve a whole family of tasks: random networks of logarithmic width contain "
        "bases such as polynomials and Fourier functions; subset sums of products and for larger ranges of targets.",
        latex=r"\Vert f - f_{LT} \Vert \leq \varepsilon",
        kind=Kind.SUFFICIENT,
        quantity="error",
        scope=Scope(note="the abstract only"),
        valid="the abstract only: the theorems' widths were not seen, so there is no formula to evaluate",
        wording=Wording.ABSTRACT,
        unreachable="networks that represent bases of functions are not built here",
    ),
    _statistic(
        "burkholz-2022-fail",
        "P(miss one target)",
        r"\frac{404}{100\,000}",
        "404 of 100,000 targets are farther than 0.01 from every subset sum (standard error 0.0002).",
        lambda value: value,
        {"value": 404 / _RUNS},
        _UNIFORM,
        _count_error,
    ),
    _statistic(
        "burkholz-2022-size",
        "mean size",
        "2.29242",
        "The smallest subset within 0.01 has 2.29242 members in the mean over the targets that have one "
        "(standard error 0.003).",
        lambda value: value,
        {"value": 2.29242},
        _UNIFORM,
        _mean_error(_SIZES_UNIFORM),
    ),
    _statistic(
        "burkholz-2022-sizes",
        "fraction",
        r"\frac{N_{\mathrm{size}}}{100\,000}",
        "Histogram of the sizes 0 to 10: " + ", ".join(map(str, _SIZES_UNIFORM)) + ". A target that was missed counts "
        "with the size of its nearest subset.",
        lambda size: lookup(dict(enumerate(np.divide(_SIZES_UNIFORM, _RUNS).tolist())))(size),
        {},
        _UNIFORM,
        _count_error,
        len(_SIZES_UNIFORM),
    ),
    _statistic(
        "burkholz-2022-mean-error",
        "mean error",
        "0.0050040",
        "The first subset found within 0.01 is off by 0.0050040 in the mean: about uniform on [0, 0.01].",
        lambda value: value,
        {"value": 0.0050040},
        _UNIFORM,
        0.01 / math.sqrt(12 * _RUNS),
    ),
    _statistic(
        "burkholz-2022-product-fail",
        "P(miss one target)",
        r"\frac{3552}{100\,000}",
        "3,552 of 100,000 targets are farther than 0.01 from every subset sum (standard error 0.0006).",
        lambda value: value,
        {"value": 3552 / _RUNS},
        _PRODUCT,
        _count_error,
    ),
    _statistic(
        "burkholz-2022-product-size",
        "mean size",
        "2.37325",
        "The smallest subset within 0.01 has 2.37325 members in the mean over the targets that have one.",
        lambda value: value,
        {"value": 2.37325},
        _PRODUCT,
        _mean_error(_SIZES_PRODUCT),
    ),
    _statistic(
        "burkholz-2022-product-sizes",
        "fraction",
        r"\frac{N_{\mathrm{size}}}{100\,000}",
        "Histogram of the sizes 0 to 12: " + ", ".join(map(str, _SIZES_PRODUCT)) + ". A target that was missed counts "
        "with the size of its nearest subset.",
        lambda size: lookup(dict(enumerate(np.divide(_SIZES_PRODUCT, _RUNS).tolist())))(size),
        {},
        _PRODUCT,
        _count_error,
        len(_SIZES_PRODUCT),
    ),
)
