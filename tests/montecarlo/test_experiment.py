"""What an experiment is, and that its key does not change by accident."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from cheap_measurements import Sums, cheap

from rssp._identity import differences
from rssp.balls import Ball
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.laws import Law, Mixture, Normal, Uniform
from rssp.montecarlo import Coverage, CoveringProfiles, Experiment, HittingTimes, rebuild_trial


def test_keys_and_samples_are_frozen():
    """Stored results are found by these keys and rebuilt from these streams: a change orphans every one of them."""
    experiment = Experiment(Uniform(), Ball(), HittingTimes(eps=(0.25, 0.0625), n_max=24), seed=7)
    assert experiment.json == (
        '{"ball":{"type":"Ball"},"batch_size":128,"law":{"type":"Uniform"},'
        '"measurement":{"eps":[0.25,0.0625],"n_max":24,"type":"HittingTimes"},"seed":7,"type":"Experiment"}'
    )
    assert experiment.key == "d2011267e80e14d671e34043d9ea0e9b84e3c0517373cfa9a5a140404ae65383"
    profiles = Experiment(Mixture(Normal(dim=2), 0.5, Uniform(dim=2)), Ball(2, norm=2), CoveringProfiles(n_max=12))
    assert profiles.batch_size == 32
    assert profiles.key == "36d4310de17e9d10ebf5f3e345860aef13bbce84c5709af6035183be91187ae3"
    assert rebuild_trial(experiment, 3, 5)[:2, 0].tolist() == [0.6402211759246921, -0.39911381256449885]


@pytest.mark.parametrize(
    "experiment",
    [
        cheap(),
        Experiment(Normal(dim=3), Ball(3, norm=1), Coverage(n=10, eps=0.1, error_norm=2), seed=2**70, batch_size=5),
        Experiment(Uniform(), Ball.interval(0, 1), CoveringProfiles(n_max=30, n_min=20)),
    ],
)
def test_json_comes_back(experiment):
    again = Experiment.from_json(experiment.json)
    assert again == experiment
    assert again.key == experiment.key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "[1]",
        '{"type": "Ball"}',
        '{"type": "Experiment"}',
        '{"type": "Experiment", "wings": 2}',
        '{"type": ["Ball"]}',
        '{"type": "os:system", "command": "true"}',
    ],
)
def test_other_json_is_refused(text):
    with pytest.raises(ArgumentError):
        Experiment.from_json(text)


def test_an_unknown_class_is_named():
    with pytest.raises(ArgumentError, match=r"'Cauchy'; allowed: a registered class: .*Uniform"):
        Experiment.from_json(cheap().json.replace("Uniform", "Cauchy"))


def test_unregistered_classes_are_refused():
    @dataclass(frozen=True)
    class Mine(Law):
        dim: int = 1

        def draw(self, n, rng):
            return np.zeros((n, 1))

    with pytest.raises(ArgumentError, match=r"@rssp\.register"):
        Experiment(Mixture(Uniform(), 0.5, Mine()), Ball(), Sums())


def test_bad_experiments():
    with pytest.raises(ArgumentError, match=r"law: got dimension 2; allowed: dimension 1.*Ball\(dim=2"):
        Experiment(Uniform(dim=2), Ball(), Sums())
    with pytest.raises(ArgumentTypeError, match="law"):
        Experiment("uniform", Ball(), Sums())
    with pytest.raises(ArgumentTypeError, match="measurement"):
        Experiment(Uniform(), Ball(), Ball())
    with pytest.raises(ArgumentError, match="seed"):
        Experiment(Uniform(), Ball(), Sums(), seed=-1)
    with pytest.raises(ArgumentError, match=r"batch_size: got 1000000000; allowed: at most 44739242"):
        Experiment(Uniform(), Ball(), Sums(), batch_size=10**9)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: CoveringProfiles(n_max=0), "n_max"),
        (lambda: CoveringProfiles(n_max=5, n_min=6), "n_min"),
        (lambda: CoveringProfiles(n_max=5, resolution=0), "resolution"),
        (lambda: CoveringProfiles(n_max=5, error_norm=1), "error_norm"),
        (lambda: HittingTimes(eps=(), n_max=5), "eps"),
        (lambda: HittingTimes(eps=(0.1, -0.1), n_max=5), "eps"),
        (lambda: HittingTimes(eps=(0.1, 0.1), n_max=5), "eps"),
        (lambda: Coverage(n=3, eps=0), "eps"),
        (lambda: Coverage(n=3, eps=math.nan), "eps"),
        (lambda: Coverage(n=3.5, eps=1), "n"),
    ],
)
def test_bad_measurements(make, name):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=f"^{name}: "):
        make()


def test_differences_name_the_fields():
    a = Experiment(Uniform(), Ball(), Coverage(n=3, eps=0.1))
    b = Experiment(Uniform(high=2.0), Ball(), Coverage(n=4, eps=0.1), seed=1)
    assert differences(a.json, b.json) == [
        "law.high: (default) != 2.0",
        "measurement.n: 3 != 4",
        "seed: (default) != 1",
    ]
