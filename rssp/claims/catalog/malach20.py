"""Malach, Yehudai, Shalev-Shwartz, Shamir (ICML 2020): the first proof, with polynomial over-parameterization."""

from __future__ import annotations

import numpy as np

from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

_PAPER = (
    "E. Malach, G. Yehudai, S. Shalev-Shwartz, O. Shamir, Proving the Lottery Ticket Hypothesis: Pruning is All You "
    "Need, ICML 2020, arXiv 2002.00585"
)

CLAIMS = (
    Claim(
        id="malach-2020",
        paper=_PAPER,
        number="main theorem",
        statement="A random network of twice the depth, wider by a factor of order width^4 l^2 at fixed eps, contains "
        "a subnetwork within eps of every bounded target network of depth l. Quoted as a factor d^4 l^2, and as a "
        "width d^5 l^2, by papers that improve on it.",
        latex=r"\frac{d_{\mathrm{source}}}{d} = C d^4 \ell^2",
        kind=Kind.SUFFICIENT,
        quantity="width factor",
        formula=lambda width, l, C: C * np.asarray(width, dtype=np.float64) ** 4 * np.asarray(l, dtype=np.float64) ** 2,  # noqa: E741
        constants={"C": None},
        scope=Scope(values={"eps": (0.1,)}, note="spectral norms at most 1, entries at most 1/sqrt(d_in)"),
        valid="spectral norms at most 1, entries at most 1/sqrt(d_in), uniform weights; eps fixed",
        wording=Wording.RESTATED,
    ),
    Claim(
        id="malach-2020-per-weight",
        paper=_PAPER,
        number="main theorem, one weight",
        statement="About 1/eps^2 random units serve one weight: they are drawn until one of them is right by itself.",
        latex=r"\frac{C}{\varepsilon^2}",
        kind=Kind.SUFFICIENT,
        quantity="units per weight",
        formula=lambda eps, C: C / np.asarray(eps, dtype=np.float64) ** 2,
        constants={"C": None},
        scope=Scope(ranges={"eps": (0.0, 1.0)}),
        valid="0 < eps < 1; from a summary of Orseau et al. (2020)",
        wording=Wording.AS_QUOTED,
    ),
    Claim(
        id="malach-2020-overparameterization",
        paper=_PAPER,
        number="main theorem, in parameters",
        statement="The random network has of order (m_t^2/eps^2) log(m_t/eps) times the m_t parameters of the target.",
        latex=r"\frac{m}{m_t} = C \frac{m_t^2}{\varepsilon^2} \log_2 \frac{m_t}{\varepsilon}",
        kind=Kind.SUFFICIENT,
        quantity="over-parameterization",
        formula=lambda m_t, eps, C: (
            C * (np.asarray(m_t, dtype=np.float64) / eps) ** 2 * np.log2(np.asarray(m_t, dtype=np.float64) / eps)
        ),
        constants={"C": None},
        scope=Scope(ranges={"eps": (0.0, 1.0)}),
        valid="as restated by Natale et al. (2024)",
        wording=Wording.RESTATED,
        unreachable="such a network is too large to be drawn: 10^8 times the parameters at m_t = 100 and eps = 0.01",
    ),
    Claim(
        id="malach-2020-density",
        paper=_PAPER,
        number="main theorem, density of the ticket",
        statement="The fraction of its weights that the pruned network keeps is of order eps^2/m_t^2.",
        latex=r"\gamma = C \frac{\varepsilon^2}{m_t^2}",
        kind=Kind.EQUALITY,
        quantity="density",
        formula=lambda m_t, eps, C: C * (np.asarray(eps, dtype=np.float64) / m_t) ** 2,
        constants={"C": None},
        scope=Scope(ranges={"eps": (0.0, 1.0)}),
        valid="as restated by Natale et al. (2024)",
        wording=Wording.RESTATED,
        unreachable="such a network is too large to be drawn: 10^8 times the parameters at m_t = 100 and eps = 0.01",
    ),
)
