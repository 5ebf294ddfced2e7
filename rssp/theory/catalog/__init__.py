"""The catalogue: every claim by its id, paper by paper in the order of years, this project's derivations last.

The words that the claims share (a study labels its estimates with the same ones).

Quantities

==============================  =====================================================================================
``n*``                          smallest n with P(every target of the ball within eps) >= 1 - delta
``n* (one target)``             smallest n with P(one fixed target within eps) >= 1 - delta
``n H2(k/n)``                   that, times the binary entropy of the fraction k/n chosen (fixed-size subsets)
``P(fail)``                     P(some target of the ball is farther than eps from every sum)
``P(miss one target)``          the same for one target
``E[error] (one target)``       mean distance from one target to the nearest sum
``E[dv]``                       mean growth, by one more sample, of the fraction v of the targets that are within eps
``log2 P(fail) per sample``     slope of log2 P(fail) in n at fixed eps
``E[Y^2]/E[Y]^2``               second-moment ratio of Y, the number of k-subsets within eps of a target
``subset size``                 size k of the subsets that do it
``width``                       units of a hidden layer of the random network
``width factor``                units of the random hidden layer for each unit it stands in for (and each sign)
``parameters``                  weights of the random network, before pruning
``over-parameterization``       weights of the random network over those of the target network
``kept ratio``                  weights that are kept over those of the target network
``units per weight``            random units for one weight of the target network
``error``, ``parameter error``  of the pruned network's output; of one of its parameters
``fraction``, ``mean size``, ``median error``, ``accuracy``, ``seconds``  figures of published experiments
``constant``                    a number of a proof
==============================  =====================================================================================

Variables: ``eps`` error; ``delta`` failure probability; ``n`` samples; ``k`` subset size; ``d`` dimension of the
vectors; ``z`` a target (2-norm of it where d > 1); ``v`` covered fraction; ``density`` fraction kept; ``size`` a
subset's size; for networks ``l`` depth of the target, ``width`` of its (square) layers, ``d_in`` and ``d_out`` widths
of one of its layers, ``kernel`` side of a kernel, ``c`` channels, ``c_in`` and ``c_out`` of one layer, ``m_t`` its
number of weights, ``step`` of a quantization, ``basis`` and ``basis_norm`` of an equivariant basis.

Constants: ``C``, ``kappa``, ... are None where the paper leaves them open. A setting with a usual value, such as the
ball's ``radius = 1``, is a constant too: another value is passed to ``bound`` or ``check``. Exponents whose wording was
not seen are constants ``exp_*`` with the quoted value, in claims marked "as quoted". A logarithm behind an open factor
is taken to base 2, so that the C of every theorem on n compares with the counting bound's 1.
"""

from __future__ import annotations

import importlib

from rssp.errors import ArgumentError
from rssp.theory.claim import Claim

__all__ = ["CATALOGUE"]

_FILES = (
    "lueker_1998",
    "borgs_2001",
    "bcmn_2005",
    "malach_2020",
    "orseau_2020",
    "pensia_2020",
    "turner_2020",
    "becchetti_2022",
    "burkholz_2022",
    "da_cunha_2022",
    "da_cunha_2023",
    "esa_2023",
    "ferbach_2023",
    "gadhikar_2023",
    "xiong_2023",
    "natale_2024",
    "kumar_2025",
    "otsuka_2025",
    "ferre_2026",
    "kumar_2026",
    "counting",
    "derivations",
)


def _collect() -> dict[str, Claim]:
    found: dict[str, Claim] = {}
    for name in _FILES:
        for claim in importlib.import_module(f"rssp.theory.catalog.{name}").CLAIMS:
            if claim.id in found:
                raise ArgumentError("id", claim.id, "an id that no other claim has")
            found[claim.id] = claim
    return found


CATALOGUE: dict[str, Claim] = _collect()
