"""The studies of equivariant tickets, small: what they say of accuracy, symmetry and width."""

import numpy as np
import pytest

from rssp.claims import Status
from rssp.errors import ArgumentError
from rssp.study import find_study, run_study


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    options = {"networks": "graphs of order 2, karate club", "seeds": "2", "epochs": "1"}
    return run_study(
        find_study("ferbach_2023"), out=tmp_path_factory.mktemp("ferbach"), options=options, progress=False
    )


def test_tickets_keep_coefficients_symmetry_and_certificates(trained):
    tickets = trained.tables["tickets"]
    assert (tickets["missed"] == 0).all()
    assert (tickets["largest error"] <= tickets["tolerance"]).all()
    assert (tickets["attacked"] <= tickets["certified"]).all()
    assert (tickets.loc[tickets["bounded"] == "output", "certified"] <= 0.01).all()
    assert (tickets["equivariance"] < 1e-12).all()
    assert (tickets["equivariance after"] < 1e-12).all()
    assert set(tickets["basis"]) == {15, 2}
    lost = trained.tables["lost"]
    assert (lost["best"].abs() <= 0.5).all()


def test_the_dense_control_is_larger_and_loses_the_symmetry(trained):
    control = trained.tables["control"]
    assert set(control["network"]) == {"graphs of order 2", "karate club"}
    assert (control["times more"] > 5).all()
    assert (control["equivariance after dense"] > 1e-8).all()
    assert (control["equivariance after"] < 1e-12).all()


def test_networks_are_named(tmp_path):
    with pytest.raises(ArgumentError, match=r"networks: got 'p5'.*'p4'"):
        run_study(find_study("ferbach_2023"), out=tmp_path, options={"networks": "p5"}, progress=False)


def test_width_grows_with_bits_and_with_the_basis(tmp_path):
    study = find_study("equivariant_width")
    outcome = run_study(study, out=tmp_path, options={"networks": "6"}, progress=False)
    rows = outcome.tables["needed"]
    width = rows[rows["quantity"] == "width"]
    for _, kind in width.groupby("network"):
        ordered = kind.sort_values("eps", ascending=False)
        assert (np.diff(ordered["predicted"]) >= 0).all()
    assert ((width["best"] - width["predicted"]).abs() <= 8 * 2 * width["d_in"]).all()
    verdicts = {v.claim.id: v for v in outcome.verdicts}
    assert verdicts["ferbach-2023"].status in (Status.CONSISTENT, Status.OPEN)
