"""Otsuka et al. (2025): tickets in multi-head attention."""

from __future__ import annotations

import numpy as np

from rssp.claims.catalog.formulas import bits
from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

_PAPER = (
    "H. Otsuka, D. Chijiwa, Y. Okoshi, D. Fujiki, S. Takeuchi, M. Motomura, The Strong Lottery Ticket Hypothesis for "
    "Multi-Head Attention Mechanisms, 2025, arXiv 2511.04217"
)
_ATTENTION = "attention tickets are not built here"


def _keys(d_in, heads, alpha, eps, C):
    d_in = np.asarray(d_in, dtype=np.float64)
    return d_in * C * (np.log2(8 * np.asarray(heads) * np.asarray(alpha) ** 3.0 * d_in**1.5) + bits(eps))


def _values(d_in, d_out, heads, alpha, eps, C):
    d_in = np.asarray(d_in, dtype=np.float64)
    return d_in * C * (np.log2(2.0 * np.asarray(heads) * alpha * d_in * np.sqrt(d_out)) + bits(eps))


CLAIMS = (
    Claim(
        id="otsuka-2025-keys",
        paper=_PAPER,
        number="Theorem 3, keys and queries",
        statement="Key and query dimension C d_in log(8 heads alpha^3 d_in^(3/2)/eps) is enough for an error of eps "
        "with probability 1 - eps, inputs of norm at most alpha.",
        latex=r"n_K \geq d_1 C \log_2 \frac{8 H \alpha^3 d_1^{3/2}}{\varepsilon}",
        kind=Kind.SUFFICIENT,
        quantity="width",
        formula=_keys,
        constants={"C": None},
        scope=Scope(ranges={"eps": (0.0, 1.0)}, note="inputs of norm at most alpha"),
        valid="key and query weights uniform on [-n^(1/4), n^(1/4)]; d_in is d_1",
        wording=Wording.VERIFIED,
        unreachable=_ATTENTION,
    ),
    Claim(
        id="otsuka-2025-values",
        paper=_PAPER,
        number="Theorem 3, values",
        statement="Value dimension C d_in log(2 heads alpha d_in sqrt(d_out)/eps) is enough.",
        latex=r"n_V \geq d_1 C \log_2 \frac{2 H \alpha d_1 \sqrt{d_2}}{\varepsilon}",
        kind=Kind.SUFFICIENT,
        quantity="width",
        formula=_values,
        constants={"C": None},
        scope=Scope(ranges={"eps": (0.0, 1.0)}, note="inputs of norm at most alpha"),
        valid="as otsuka-2025-keys; d_in is d_1, d_out is d_2",
        wording=Wording.VERIFIED,
        unreachable=_ATTENTION,
    ),
    Claim(
        id="otsuka-2025-softmax",
        paper=_PAPER,
        number="softmax lemma",
        statement="An error of at most e in the products of keys and queries moves the attention's output by at most "
        "4 sqrt(d_in) alpha e, whatever the length of the sequence.",
        latex=r"4 \sqrt{d_1} \, \alpha \, \varepsilon_{\max}",
        kind=Kind.SUFFICIENT,
        quantity="error",
        formula=lambda d_in, alpha, eps: 4 * np.sqrt(np.asarray(d_in, dtype=np.float64)) * alpha * eps,
        scope=Scope(note="inputs of norm at most alpha"),
        valid="inputs of norm at most alpha; eps is the largest error of a product",
        wording=Wording.VERIFIED,
        unreachable=_ATTENTION,
    ),
    Claim(
        id="otsuka-2025-dense",
        paper=_PAPER,
        number="Theorem 10, dense networks",
        statement="For dense networks with n units C log(4 l d_in d_out/eps) for each unit, the difference on "
        "||x|| <= alpha is at most exp(alpha eps/2) - 1.",
        latex=r"e^{\alpha \varepsilon / 2} - 1",
        kind=Kind.SUFFICIENT,
        quantity="error",
        formula=lambda alpha, eps: np.expm1(np.asarray(alpha, dtype=np.float64) * eps / 2),
        scope=Scope(ranges={"eps": (0.0, 1.0)}, note="inputs of norm at most alpha"),
        valid="as pensia-2020, which it restates",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="otsuka-2025-experiment",
        paper=_PAPER,
        number="Figure 4",
        statement="Over 100 random networks the error of the attention ticket falls like 0.8 exp(-0.06 n) with the key "
        "dimension n.",
        latex=r"\varepsilon = 0.8 \, e^{-0.06 n_K}",
        kind=Kind.PUBLISHED,
        quantity="error",
        formula=lambda n, a, rate: a * np.exp(-rate * np.asarray(n, dtype=np.float64)),
        constants={"a": 0.8, "rate": 0.06},
        scope=Scope(ranges={"n": (0.0, 100.0)}, note="synthetic angular-velocity task"),
        valid="0 < n <= 100, synthetic angular-velocity task",
        wording=Wording.VERIFIED,
        unreachable=_ATTENTION,
    ),
)
