"""The catalogue: its form, and how its formulas move."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from rssp.claims import Kind, Scope, catalog
from rssp.claims.catalog import CATALOGUE
from rssp.claims.catalog.formulas import NOTES
from rssp.errors import ArgumentError
from rssp.study import measured_by

# values inside the range of every claim that uses the name, in rising order
GRID = {
    "M": [15, 255, 4095],
    "activation": [1.0, 2.0, 4.0],
    "arc": [0.05, 0.1, 0.5],
    "alpha": [0.5, 1.0, 2.0],
    "basis": [2, 4, 8],
    "basis_norm": [1.0, 4.0, 16.0],
    "budget": [0.0, 0.5, 1.0],
    "c": [1, 3, 16],
    "c_in": [1, 3, 16],
    "c_out": [4, 8, 64],
    "d": [1, 2, 4],
    "d_in": [4, 16, 784],
    "d_out": [2, 10, 500],
    "delta": [0.001, 0.01, 0.1],
    "density": [0.05, 0.2, 0.45],
    "eps": [0.001, 0.01, 0.05],
    "gap": [0, 1, 7],
    "heads": [1, 4, 8],
    "hidden_layers": [1, 2, 3],
    "intensity": [10.0, 50.0, 100.0],
    "k": [2, 4, 6],
    "kernel": [1, 3, 5],
    "l": [3, 4, 8],
    "lam": [-1.0, 0.0, 1.0],
    "layer": [1, 2, 3],
    "lipschitz": [1.0, 1.5, 2.0],
    "m": [1, 2, 3],
    "m_t": [100, 1000, 10000],
    "n": [20, 25, 30],
    "norm": [1.0, 1.5, 2.0],
    "order": [101, 1009, 10007],
    "parameters": [1e5, 1e6, 1e7],
    "rho": [1.0, 10.0, 100.0],
    "side": [0.3, 0.5, 0.7],
    "size": [0, 1, 2],
    "sparsity": [0.1, 0.5, 0.9],
    "step": [0.01, 0.1, 0.25],
    "targets_sharing": [1, 2, 8],
    "v": [0.1, 0.5, 0.9],
    "width": [2, 16, 64],
    "z": [0.1, 0.5, 0.9],
}
# how a quantity moves with a variable, where it is not "more of everything, and more for a smaller error"
FALLING = {"eps", "delta", "step", "gap", "budget"}
EXCEPTIONS = {
    ("P(fail)", "n"): -1,
    ("P(fail)", "M"): 1,
    ("P(miss one target)", "n"): -1,
    ("P(miss one target)", "z"): 1,
    ("P(cover)", "eps"): 1,
    ("P(perfect)", "lam"): -1,
    ("E[error] (one target)", "n"): -1,
    ("E[Y^2]/E[Y]^2", "n"): -1,
    ("discrepancy", "n"): -1,
    ("density of a sum of k", "k"): -1,
    ("density", "eps"): 1,
    ("density", "m_t"): -1,
    ("error", "eps"): 1,
    ("error", "n"): -1,
    ("error", "l"): -1,
    ("parameter error", "eps"): 1,
    **{("parameter error", name): -1 for name in ("l", "width", "activation", "lipschitz", "norm")},
    ("log2 P(fail) per sample", "n"): -1,
    ("log2 P(fail) per sample", "eps"): -1,
    ("median error", "n"): -1,
    ("n* (one target)", "density"): 0,  # falls as there are more subsets, rises with the targets' interval
    ("width", "d_in"): 0,  # a wide net of the same number of parameters is narrower for a wider input
    ("width", "d_out"): 0,
    ("width", "hidden_layers"): -1,
    ("subset size", "d"): 0,  # of all n it is a falling share; with n free it grows
    ("E[Y^2]/E[Y]^2", "k"): 0,  # more pairs overlap, but the mean grows
    ("discrepancy found in polynomial time", "n"): -1,
    ("integrality gap", "n"): -1,
    ("mean number of perfect partitions", "lam"): -1,
    ("P(group covered)", "m"): -1,
    ("P(region covered)", "d"): 0,  # depends on the side
    ("P(region covered)", "intensity"): 0,  # few and small cubes: below the range of the limit
    ("P(region covered)", "side"): 0,
    ("E[Y^2]/E[Y]^2", "eps"): 0,
    ("E[Y^2]/E[Y]^2", "d"): 0,
    ("E[dv]", "v"): 0,  # logistic
    ("fraction", "size"): 0,  # a histogram
}
ONES = {"C": 1.5, "kappa": 2.0, "gamma": 0.1, "A": 1.0, "c": 0.5}
ALL = list(CATALOGUE.values())
BY_ID = pytest.mark.parametrize("this", ALL, ids=[c.id for c in ALL])


def _unknown(this):
    return {name: ONES[name] for name in this.unknown}


def test_ids_are_plain_and_complete():
    assert all(id == c.id and re.fullmatch(r"[a-z0-9-]+", id) for id, c in CATALOGUE.items())
    own = [i for i, c in enumerate(ALL) if c.paper == NOTES]
    assert len(ALL) > 80
    assert len(own) >= 15


def test_every_word_is_explained():
    text = " ".join((catalog.__doc__ or "").split())
    for c in ALL:
        assert f"``{c.quantity}``" in text or c.id.startswith(("borgs", "bcmn")), c.id
        assert all(f"``{name}``" in text for name in c.variables), c.id


def test_papers_are_ordered_by_year():
    years = [int(c.id.split("-")[1]) for c in ALL if re.match(r"[a-z]+-(19|20)\d\d", c.id)]
    assert years == sorted(years)


@BY_ID
def test_every_claim_is_fully_described(this):
    assert this.paper
    assert this.number
    assert this.statement.endswith(".")
    assert this.valid
    assert this.quantity
    assert this.formula is not None or this.unreachable or this.unmeasured


def test_every_claim_is_measured_by_a_study_or_says_why_none_does():
    studies = measured_by()
    assert set(studies) <= set(CATALOGUE)
    assert [c.id for c in ALL if (c.id in studies) == bool(c.unreachable or c.unmeasured)] == []
    assert not any(c.unreachable and c.unmeasured for c in ALL)


@BY_ID
def test_every_claim_says_where_it_holds_as_data(this):
    assert isinstance(this.scope, Scope)
    assert not set(this.scope.columns) & set(this.unknown)


def test_what_is_not_proved_is_not_called_a_theorem():
    for id in ("growth-samples", "poisson-one-target", "poisson-cover", "normal-threshold", "covering-law"):
        assert CATALOGUE[id].kind is Kind.HEURISTIC
    assert CATALOGUE["edge-slope"].kind is Kind.CONJECTURE


def test_derivations_cite_a_section_of_the_theory_that_exists():
    theory = (Path(__file__).parents[2] / "docs" / "theory.md").read_text(encoding="utf-8")
    sections = set(re.findall(r"^## (\d+)\. ", theory, re.MULTILINE))
    for c in ALL:
        if c.paper == NOTES:
            number = re.match(r"section (\d+): ", c.number)
            assert number, c.id
            assert number[1] in sections, c.id
            assert f"`{c.id}`" in theory, c.id


@BY_ID
def test_latex_can_be_drawn(this):
    from matplotlib.mathtext import MathTextParser

    bare = re.sub(r"\\[{}]", "", this.latex)
    depth = list(itertools.accumulate((ch == "{") - (ch == "}") for ch in bare))
    assert min(depth, default=0) >= 0
    assert depth[-1] == 0
    MathTextParser("path").parse(f"${this.latex}$")


@BY_ID
def test_unknown_constants_are_never_assumed(this):
    if this.formula is None:
        with pytest.raises(ArgumentError, match="with a formula"):
            this.bound()
        return
    values = {name: GRID[name][1] for name in this.variables}
    if this.unknown:
        with pytest.raises(ArgumentError, match="leaves open"):
            this.bound(**values)
    assert np.isfinite(this.bound(**values, **_unknown(this))).all()


@BY_ID
def test_formula_takes_arrays(this):
    if not this.variables:
        return
    columns = {name: np.array(GRID[name]) for name in this.variables}
    together = this.bound(**columns, **_unknown(this))
    single = [this.bound(**{k: v[i] for k, v in columns.items()}, **_unknown(this)) for i in range(3)]
    assert together.shape == (3,)
    np.testing.assert_allclose(together, single, rtol=1e-12)


@BY_ID
def test_formula_moves_as_it_should(this):
    for name in this.variables:
        sign = EXCEPTIONS.get((this.quantity, name), -1 if name in FALLING else 1)
        if sign == 0 or "experiment" in this.id:
            continue
        others = {other: GRID[other][1] for other in this.variables if other != name}
        value = this.bound(**others, **_unknown(this), **{name: np.array(GRID[name])})
        steps = np.diff(np.broadcast_to(value, (3,)))
        assert (sign * steps >= -1e-12 * np.abs(value).max()).all(), (name, value)


@BY_ID
def test_upper_and_lower_bounds_are_not_negative(this):
    if this.formula and this.kind in (Kind.SUFFICIENT, Kind.NECESSARY):
        values = {name: np.array(GRID[name]) for name in this.variables}
        assert (this.bound(**values, **_unknown(this)) >= 0).all()
