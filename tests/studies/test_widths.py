"""The study of whole networks' widths, for one network and one ticket."""

import math

import pytest

from rssp.errors import ArgumentError
from rssp.study import find_study, run_study


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    options = {"networks": "LeNet5", "tickets": "1"}
    outcome = run_study(find_study("widths"), out=tmp_path_factory.mktemp("widths"), options=options, progress=False)
    return outcome.tables["widths"].set_index("construction")


def test_counts_are_those_of_the_network(rows):
    weights = 6 * 25 + 6 * 16 * 25 + 400 * 120 + 120 * 84 + 84 * 10
    outputs = 6 + 16 + 120 + 84 + 10
    assert (rows["weights"] == weights).all()
    # one set an output; or one a weight and sign of its input, and images have no negative ones
    assert rows.loc["numbers", "sets"] == outputs
    assert rows.loc["products", "sets"] == weights + 6 * 25
    assert rows["delta of a set"].to_numpy() == pytest.approx(0.01 / rows["sets"].to_numpy())


def test_the_formula_is_that_of_the_papers(rows):
    largest = max(400 * 120, 6 * 16 * 25)  # da Cunha et al. 2022 for a kernel: c_in c_out d^2
    assert rows["formula over C"].to_numpy() == pytest.approx(math.log2(largest * 5 / 0.01), abs=1e-9)


def test_necessary_built_and_proved_come_in_this_order(rows):
    assert (rows["counting"] < rows["built"]).all()
    assert (rows["built"] < rows["guaranteed"]).all()
    assert (rows["guaranteed"] < 15 * rows["built"]).all()


def test_a_network_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ArgumentError, match=r"networks: got 'LeNet'.*Did you mean 'LeNet5'"):
        run_study(find_study("widths"), out=tmp_path, options={"networks": "LeNet"}, progress=False)
