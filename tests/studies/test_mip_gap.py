"""The study of mixed-integer solvers: on small instances "optimal" is the optimum."""

import pytest

from rssp.errors import ArgumentError
from rssp.study import find_study, run_study


def test_small_instances_are_solved_to_the_optimum(tmp_path):
    options = {"n_max": "10", "solvers": "HiGHS"}
    outcome = run_study(find_study("mip_gap"), out=tmp_path, options=options, progress=False)
    summary = outcome.tables["summary"]
    assert list(summary["n"]) == [8, 10]
    assert (summary["said optimal"] == 5).all()
    assert summary["high"].to_list() == pytest.approx([1, 1], abs=1e-6)
    # no subset is nearer than the nearest one
    instances = outcome.tables["instances"]
    assert (instances["subset"] >= instances["optimum"] - 1e-12).all()
    assert len(outcome.files) == 5


@pytest.mark.parametrize("options", [{"n_max": "ten"}, {"solvers": "abacus"}])
def test_bad_options_are_refused(options, tmp_path):
    with pytest.raises(ArgumentError, match=next(iter(options))):
        run_study(find_study("mip_gap"), out=tmp_path, options=options)
