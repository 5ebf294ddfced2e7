"""The study of dense tickets: small networks, every table, figure and verdict."""

import shutil
import sys
from pathlib import Path

import pytest

from rssp.claims import Status
from rssp.cli import main
from rssp.errors import ArgumentError
from rssp.study import Context, find_study, run_study
from rssp.study.options import make_options

pytest.importorskip("torch", reason="needs the extra nets")
MNIST = Path(__file__).parents[1] / "tickets" / "mnist_sample"
SMALL = {"shape": (40, 30, 10), "widths": "8,16", "depths": "1,2", "seconds": "0.05"}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    return run_study(find_study("pensia_2020"), out=tmp_path_factory.mktemp("pensia"), options=SMALL, progress=False)


def test_the_published_experiment(outcome):
    table = outcome.tables["experiment"]
    assert (table["over-parameterization"] == 21).all()
    trained = table[table["accuracy"].notna()]
    assert (trained["missed"] == 0).all()
    assert (trained["largest error"] <= 0.01).all()
    assert ((trained["accuracy"] - trained["accuracy after"]).abs() < 0.02).all()
    assert table.loc[table["subset"] == "nearest", "kept ratio"].between(8.5, 11).all()
    assert table.loc[table["subset"] == "smallest", "kept ratio"].max() < 3


def test_networks_and_kept_weights(outcome):
    network = outcome.tables["network"]
    assert (network["adversarial"] <= network["certified"] * (1 + 1e-9)).all()
    kept = outcome.tables["kept"]
    assert (kept["certified"] <= 0.01).all()
    assert (kept["parameters"] == 4 * kept["width"] ** 2 * kept["n"]).all()
    assert (kept["lower bound"] < kept["parameters"]).all()


def test_every_claim_of_the_study_has_a_verdict(outcome):
    status = {v.claim.id: v.status for v in outcome.verdicts}
    assert set(status) == set(outcome.study.claims)
    assert status["pensia-2020"] is Status.OPEN  # medians of a few networks carry no error
    assert status["pensia-2020-experiment-within"] is Status.HOLDS
    assert status["pensia-2020-experiment-n"] is Status.HOLDS
    assert status["pensia-2020-parameters"] is Status.HOLDS
    assert status["pensia-2020-lower"] is Status.HOLDS
    assert status["pensia-2020-experiment-accuracy"] is Status.NOT_MEASURED
    accuracy = next(v for v in outcome.verdicts if v.claim.id == "pensia-2020-experiment-accuracy")
    assert "--data mnist" in accuracy.text


def test_mnist_takes_the_stored_download(tmp_path, monkeypatch):
    shutil.copytree(MNIST, tmp_path / "home")
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "home"))
    study = find_study("pensia_2020")
    targets = sys.modules["rssp_study_pensia_2020"]._targets
    name, target, data = next(targets(Context(workers=1, options=make_options(study.options, {"data": "mnist"}))))
    assert name == "mnist 784-500-10"
    assert target.widths == (784, 500, 10)
    assert data.name == "mnist"


def test_the_command_line_passes_data_on(tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        main(["run", "pensia_2020", "--data", "letters", "--out", str(tmp_path)])
    assert end.value.code == 2
    assert "digits or mnist" in capsys.readouterr().err


def test_unknown_data_are_refused(tmp_path):
    with pytest.raises(ArgumentError, match="digits or mnist"):
        run_study(find_study("pensia_2020"), out=tmp_path, options={"data": "letters"})
    with pytest.raises(ArgumentError, match="widths"):
        run_study(find_study("pensia_2020"), out=tmp_path, options={**SMALL, "widths": "a"})
