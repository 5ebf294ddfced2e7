"""Pensia, Rajput, Nagle, Vishwakarma, Papailiopoulos (NeurIPS 2020): logarithmic over-parameterization is enough."""

from __future__ import annotations

import math

import numpy as np

from rssp.claims.catalog.formulas import bits, joint
from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

_PAPER = (
    "A. Pensia, S. Rajput, A. Nagle, H. Vishwakarma, D. Papailiopoulos, Optimal Lottery Tickets via SubsetSum: "
    "Logarithmic Over-Parameterization is Sufficient, NeurIPS 2020, arXiv 2006.07990"
)


def _width_factor(d_in, d_out, l, eps, delta, C):  # noqa: E741
    return C * (np.log2(np.asarray(d_in, dtype=np.float64) * d_out * l) + bits(joint(eps, delta)))


def _lower(width, eps):
    return np.maximum(np.asarray(width, dtype=np.float64) ** 2 * (bits(eps) - 1) - 1, 0.0)


def _wide(parameters, d_in, d_out, hidden_layers):
    a = np.asarray(hidden_layers, dtype=np.float64) - 1
    b = np.asarray(d_in, dtype=np.float64) + d_out
    # the root of a w^2 + b w = parameters, in the form that a = 0 does not break
    return 2 * parameters / (b + np.sqrt(b**2 + 4 * a * parameters))


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="pensia-2020",
        paper=_PAPER,
        number="Theorem 1",
        statement="A random network of twice the depth, weights uniform on [-1, 1], with 2 d_in n units between a "
        "target's layers of widths d_in and d_out, n = C log(d_in d_out l / min(eps, delta)), can with probability "
        "1 - delta be pruned to within eps of every target network of depth l whose layers have spectral norm at most "
        "1, on the unit ball. C comes from Lueker's theorem and is not given.",
        latex=r"n_i = C \log_2 \frac{d_{i-1} d_i \ell}{\min(\varepsilon, \delta)}",
        kind=Kind.SUFFICIENT,
        quantity="width factor",
        formula=_width_factor,
        constants={"C": None},
        scope=Scope(
            ranges={"eps": (0.0, 1.0), "delta": (0.0, 1.0)},
            note="ReLU, no biases, spectral norms at most 1, inputs of norm at most 1",
        ),
        valid="ReLU, no biases, spectral norms at most 1, inputs of norm at most 1; the shapes and the logarithm's "
        "argument are confirmed by papers that restate them",
        wording=Wording.RESTATED,
    ),
    Claim(
        id="pensia-2020-weight",
        paper=_PAPER,
        number="Lemma 1 and Corollary 2",
        statement="n >= C log(2/eps) products of two uniform numbers, the wrong-sign half of them removed beforehand, "
        "reach with probability 1 - eps every weight in [-1, 1] within eps; a weight takes a positive and a negative "
        "half, 4 n links in all.",
        latex=r"n \geq C \log_2 \frac{2}{\min(\varepsilon, \delta)}",
        kind=Kind.SUFFICIENT,
        quantity="n*",
        formula=lambda eps, delta, C: C * (1 + bits(joint(eps, delta))),
        constants={"C": None},
        scope=Scope(
            laws=("gated-product",), d=1, radius=1.0, targets="all", ranges={"eps": (0.0, 1.0), "delta": (0.0, 1.0)}
        ),
        valid="X_i = 0 with probability 1/2, else a product of two independent uniform numbers in [-1, 1]; targets in "
        "[-1, 1]",
        wording=Wording.RESTATED,
    ),
    Claim(
        id="pensia-2020-mixture",
        paper=_PAPER,
        number="Corollary 1",
        statement="The gated product contains the uniform law on [-1/2, 1/2] with mass (log 2)/4: the product of two "
        "uniform numbers has density log(1/|t|)/2, which falls in |t| and is (log 2)/2 at 1/2; gating halves it, and "
        "the uniform part has length 1.",
        latex=r"p = \frac{\ln 2}{4}",
        kind=Kind.EQUALITY,
        quantity="constant",
        formula=lambda p: p,
        constants={"p": math.log(2) / 4},
        scope=Scope(laws=("gated-product",), d=1),
        valid="the law (delta_0 + law of U U')/2",
        wording=Wording.RESTATED,
        unreachable="nothing to measure: the statement is a line of calculation, repeated by quadrature in the tests",
    ),
    Claim(
        id="pensia-2020-lower",
        paper=_PAPER,
        number="Theorem 2",
        statement="A random network that can with probability 1/2 be pruned to within eps of any one linear map of "
        "norm at most 1 on R^width has at least width^2 log2(1/(2 eps)) - 1 parameters: the unit ball of such maps "
        "has (1/(2 eps))^(width^2) points farther than 2 eps apart, half of them must be reached by pruned networks, "
        "and there are 2^m of these. The paper calls the bound essentially optimal for networks of constant depth.",
        latex=r"m \geq d^2 \log_2 \frac{1}{2 \varepsilon} - 1",
        kind=Kind.NECESSARY,
        quantity="parameters",
        formula=_lower,
        scope=Scope(ranges={"eps": (0.0, 0.5)}),
        valid="any random network, eps < 1/2; d in the formula is the width",
        wording=Wording.RESTATED,
    ),
    Claim(
        id="pensia-2020-lower-width",
        paper=_PAPER,
        number="Theorem 2, two layers",
        statement="A network of two layers with h hidden units on R^width has 2 width h parameters, so that the "
        "hidden layer needs at least (width^2 log2(1/(2 eps)) - 1)/(2 width) units, of order width log(1/eps).",
        latex=r"h \geq \frac{d^2 \log_2 (1/(2 \varepsilon)) - 1}{2 d}",
        kind=Kind.NECESSARY,
        quantity="width",
        formula=lambda width, eps: _lower(width, eps) / (2 * np.asarray(width, dtype=np.float64)),
        scope=Scope(ranges={"eps": (0.0, 0.5)}, note="two layers"),
        valid="as Theorem 2; the paper states the order, the constant is the parameter count divided by 2 width",
        wording=Wording.RESTATED,
    ),
    Claim(
        id="pensia-2020-parameters",
        paper=_PAPER,
        number="Theorem 1, source network",
        statement="One layer of the target costs 2 d_in^2 n + 2 d_in d_out n parameters of the random network.",
        latex=r"m = 2 d_{i-1}^2 n_i + 2 d_{i-1} d_i n_i",
        kind=Kind.EQUALITY,
        quantity="parameters",
        formula=lambda d_in, d_out, n: (
            2.0 * np.asarray(d_in, dtype=np.float64) * n * (np.asarray(d_in, dtype=np.float64) + d_out)
        ),
        scope=Scope(),
        valid="one layer; the layers add up",
        wording=Wording.RESTATED,
    ),
    Claim(
        id="pensia-2020-experiment-n",
        paper=_PAPER,
        number="Experiment 1",
        statement="eps = 0.01 and c = 3 give n = int(c round(log2(1/eps))) = 21 samples a weight.",
        latex=r"n = \lfloor c \, \mathrm{round}(\log_2 (1/\varepsilon)) \rfloor",
        kind=Kind.PUBLISHED,
        quantity="over-parameterization",
        formula=lambda eps, c: np.floor(c * np.round(bits(eps))),
        constants={"c": 3.0},
        scope=Scope(values={"eps": (0.01,)}),
        valid="as in the published code; its documentation's round(c log2(1/eps)) would give 20",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="pensia-2020-experiment-kept",
        paper=_PAPER,
        number="Experiment 1",
        statement="Of 8,337,000 random weights (21.00 for each of the 397,000 of a 784-500-10 network) the subset sums "
        "keep 3,725,871: 9.385 a weight.",
        latex=r"\frac{3\,725\,871}{397\,000} = 9.385",
        kind=Kind.PUBLISHED,
        quantity="kept ratio",
        formula=lambda value: value,
        constants={"value": 3_725_871 / 397_000},
        scope=Scope(values={"n": (21,), "eps": (0.01,)}),
        standard_error=0.030,  # between sets of samples: one sample of 21 numbers serves a whole row
        valid="n = 21, eps = 0.01, samples uniform on [-0.46423155, 0.54070216], one sample a row. The solver stops at "
        "any subset within its tolerance of 1e-6; nearest subsets of the published network are larger: 9.854 a weight, "
        "with a standard deviation of 0.030 between sets of samples, and 9.821 with the published samples",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="pensia-2020-experiment-within",
        paper=_PAPER,
        number="Experiment 1",
        statement="Every one of the 397,000 weights is within 0.01 of the subset sum that replaces it.",
        latex=r"\max_i |w_i - \Sigma_{S_i}| \leq 0.01",
        kind=Kind.PUBLISHED,
        quantity="missed",
        formula=lambda value: value,
        constants={"value": 0.0},
        scope=Scope(values={"n": (21,), "eps": (0.01,)}),
        valid="the published log, for trained weights; 68 % of these are smaller than 0.01 themselves. Weights uniform "
        "on the whole range are another matter: some near its ends are out of reach of a one-sided sample",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="pensia-2020-experiment-accuracy",
        paper=_PAPER,
        number="Experiment 1",
        statement="The accuracy on MNIST's test set is 97.19 % before and after. The accuracy after was computed on "
        "the "
        "unpruned model, as the authors' own documentation acknowledges: it says nothing of the pruned one.",
        latex=r"97.19\,\%",
        kind=Kind.PUBLISHED,
        quantity="accuracy",
        formula=lambda value: value,
        constants={"value": 0.9719},
        scope=Scope(note="the published network, MNIST"),
        standard_error=math.sqrt(0.9719 * (1 - 0.9719) / 10_000),  # of 10,000 test images
        valid="the published network; another training gives another accuracy",
        wording=Wording.VERIFIED,
        error=5e-5,
    ),
    Claim(
        id="pensia-2020-experiment-seconds",
        paper=_PAPER,
        number="Experiment 1",
        statement="Replacing the 397,000 weights took a commercial mixed-integer solver 77,266 seconds on 36 cores.",
        latex=r"77\,266\ \mathrm{s}",
        kind=Kind.PUBLISHED,
        quantity="seconds",
        formula=lambda value: value,
        constants={"value": 77_266.02},
        scope=Scope(note="Gurobi 9.0.2, c5.18xlarge"),
        valid="Gurobi 9.0.2, c5.18xlarge",
        wording=Wording.VERIFIED,
        unreachable="a time on one machine; pensia_2020 stores how long exact search takes (table timing), Gurobi on "
        "36 cores was not run again",
    ),
    Claim(
        id="pensia-2020-redundant",
        paper=_PAPER,
        number="Experiment 2, redundant network",
        statement="A layer d_in x d_out becomes r units an input, each read by every output: r d_in (1 + d_out) "
        "parameters.",
        latex=r"m = r \, d_{in} (1 + d_{out})",
        kind=Kind.PUBLISHED,
        quantity="parameters",
        formula=lambda d_in, d_out, r: r * np.asarray(d_in, dtype=np.float64) * (1 + np.asarray(d_out)),
        constants={"r": 5.0},
        scope=Scope(),
        valid="one layer; the layers add up",
        wording=Wording.VERIFIED,
        unreachable="pruning by training scores (edge-popup) is not done here: subsets are searched for, not learned",
    ),
    Claim(
        id="pensia-2020-wide",
        paper=_PAPER,
        number="Experiment 2, wide network",
        statement="The fully-connected network of the same number of parameters: its hidden width w solves "
        "(hidden_layers - 1) w^2 + (d_in + d_out) w = m. That is 2508 for 784-500-10, 1314 for "
        "784-500-500-500-10 and 378 for LeNet5's 400-120-84-10.",
        latex=r"(h - 1) w^2 + (d_{in} + d_{out}) w = m",
        kind=Kind.PUBLISHED,
        quantity="width",
        formula=_wide,
        scope=Scope(),
        valid="before rounding to a whole number",
        wording=Wording.VERIFIED,
        unreachable="pruning by training scores (edge-popup) is not done here: subsets are searched for, not learned",
    ),
)
