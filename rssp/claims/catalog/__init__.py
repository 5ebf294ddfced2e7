"""The catalogue: every claim by its id, paper by paper in the order of years, this project's derivations last.

The words that the claims share (estimates are labelled with the same ones).

Quantities

==================================  ==================================================================================
``n*``                              smallest n with P(every target of the ball within eps) >= 1 - delta
``n* less its prediction``          measured n* less the covering law's, both interpolated
``n* (one target)``                 smallest n with P(one fixed target within eps) >= 1 - delta
``n H2(k/n)``                       n times the binary entropy, in bits, of the fraction k/n (subsets of fixed size)
``log2 C(n, k)``                    bits in the choice of k of n
``n* with budget over n* without``  for samples that may be moved by up to budget first
``P(cover)``, ``P(fail)``           P(every target of the ball within eps of a sum), and 1 minus it
``P(miss one target)``              P(one target is farther than eps from every sum)
``P(perfect)``                      P(a partition of integers has difference 0 or 1)
``log2 P(fail) per sample``         slope of log2 P(fail) in n at fixed eps
``E[error] (one target)``           mean distance from one target to the nearest sum
``E[dv]``                           mean growth, by one more sample, of the fraction v of targets that are within eps
``E[Y^2]/E[Y]^2``                   second-moment ratio of Y, the number of k-subsets within eps of a target
``n with E[Y^2]/E[Y]^2 <= 2``       smallest n for which some k has that ratio
``n with 1 - v <= eps``             smallest n at which the median of the covered fraction v is at least 1 - eps
``subset size``                     size k of the subsets that do it
``density of a sum of k``           the probability density of k samples' sum
``discrepancy``                     smallest max norm of a signed sum of all samples
``width``                           units of a hidden layer of the random network
``width factor``                    units of the random hidden layer for each unit it stands in for (and each sign)
``units per weight``                random units for one weight of the target network
``multiplicity``                    how often a unit of the target network is built
``parameters``                      weights of the random network, before pruning
``over-parameterization``           weights of the random network over those of the target network
``density``                         weights kept over weights of the random network
``kept ratio``                      weights kept over weights of the target network
``error``                           largest difference between the outputs of pruned and target network
``parameter error``                 the same for one of their parameters
``accuracy``, ``seconds``           of a published experiment
``median error``, ``mean error``    distance of weights or targets to the sums chosen for them
``mean size``, ``fraction``         mean size of the subsets chosen; fraction of runs that chose that size
``constant``                        a number of a proof
``missed``                          how many weights are farther than eps from every sum
``mean number of perfect partitions``  of those with difference 0 or 1
``P(circle covered)``, ``P(region covered)``, ``P(group covered)``  by arcs, by cubes or balls, by subset sums
``k* (group)``                      least k with P(the subset sums of k elements are the whole group) >= 1/2
``discrepancy found in polynomial time``  smallest signed sum that an algorithm finds
``integrality gap``                 of a binary program, to its linear relaxation
``width over that for one target``  units of a source that serves several targets
==================================  ==================================================================================

Variables: ``eps`` error; ``delta`` failure probability; ``n`` samples; ``k`` subset size; ``d`` dimension of the
vectors; ``z`` a target (its 2-norm where d > 1); ``v`` covered fraction; ``size`` of a subset; ``density`` fraction
kept; ``sparsity`` fraction lost beforehand; ``budget`` by which a sample may be moved. Integers: largest value ``M``,
error allowed ``gap``, place in the window ``lam``. Networks: depth ``l`` of the target, ``layer`` one of its layers,
``width`` of square layers, ``d_in`` and ``d_out`` of one layer, side ``kernel`` of a kernel, channels ``c`` or ``c_in``
and ``c_out``, number ``m_t`` of weights of the target, ``parameters`` and ``hidden_layers`` of a network to match,
``step`` of a quantization, ``arc`` and ``side`` of what covers,
``intensity`` of a Poisson process, ``order`` of a group, ``m`` its dimension, ``targets_sharing`` one source,
``outputs`` of a layer, ``basis`` and ``basis_norm`` of an equivariant basis, ``rho`` multiplicity, ``lipschitz``
constant, ``activation`` and ``norm`` bounds of a layer, ``heads`` and input norm ``alpha`` of attention.

Constants: ``C``, ``kappa``, ... are None where the paper leaves them open. A setting with a usual value, such as the
ball's ``radius = 1``, is a constant too: another value is passed to ``bound`` or ``check``. Exponents whose wording was
not seen are constants ``exp_*`` with the quoted value, in claims marked "as quoted". A logarithm behind an open factor
is taken to base 2, so that the C of every theorem on n compares with the counting bound's 1.
"""

from __future__ import annotations

import importlib

from rssp.claims.statement import Claim
from rssp.errors import ArgumentError

__all__ = ["CATALOGUE"]

_FILES = (
    "lueker98",
    "borgs01",
    "bcmn05",
    "malach20",
    "orseau20",
    "pensia20",
    "turner20",
    "becchetti22",
    "burkholz22",
    "da_cunha22",
    "da_cunha23",
    "esa23",
    "ferbach23",
    "gadhikar23",
    "xiong23",
    "natale24",
    "kumar25",
    "otsuka25",
    "ferre26",
    "kumar26",
    "barriers",
    "programs",
    "sharing",
    "processes",
    "groups",
    "counting",
    "one_sided",
    "own_guarantees",
    "derivations",
)


def _collect() -> dict[str, Claim]:
    found: dict[str, Claim] = {}
    for name in _FILES:
        for claim in importlib.import_module(f"rssp.claims.catalog.{name}").CLAIMS:
            if claim.id in found:
                raise ArgumentError("id", claim.id, "an id that no other claim has")
            found[claim.id] = claim
    return dict(sorted(found.items(), key=lambda item: _year(item[0])))


def _year(id: str) -> int:
    """The year of the paper in an id; what has none is derived here and comes last."""
    parts = id.split("-")
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() and len(parts[1]) == 4 else 9999


CATALOGUE: dict[str, Claim] = _collect()
