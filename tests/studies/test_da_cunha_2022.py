"""The study of a LeNet5's weights: published medians that hold, and those that no subset reaches."""

import pytest

from rssp.claims import Status
from rssp.errors import ArgumentError
from rssp.study import find_study, run_study


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    out = tmp_path_factory.mktemp("da-cunha")
    return run_study(find_study("da_cunha_2022"), out=out, options={"n_max": "20"}, progress=False)


def test_medians_equal_the_published_ones_until_the_optimum_ends(outcome):
    medians = outcome.tables["medians"].set_index("n")
    assert (medians["weights"] == 2572).all()
    # the median of 2,572 errors has a standard error of 4 %
    assert medians.loc[10, "best"] == pytest.approx(1.14e-3, rel=0.2)
    assert medians.loc[15, "best"] == pytest.approx(4.4e-5, rel=0.2)
    assert medians.loc[20, "best"] == pytest.approx(1.7e-6, rel=0.2)
    assert medians.loc[20, "times too small"] > 40
    verdicts = {v.claim.id: v for v in outcome.verdicts}
    assert verdicts["da-cunha-2022-experiment-median"].status is Status.VIOLATED
    assert "at 1 of 3" in verdicts["da-cunha-2022-experiment-median"].text


def test_n_max_is_a_number(tmp_path):
    with pytest.raises(ArgumentError, match="n_max"):
        run_study(find_study("da_cunha_2022"), out=tmp_path, options={"n_max": "many"})
