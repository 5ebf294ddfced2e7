"""An estimate carries its evidence, its quantity and its details wherever it goes."""

import copy
import dataclasses
import pickle
import re

import pytest

from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.estimates import Estimate, Evidence


def test_evidence_is_never_lost_and_never_hidden():
    seen = Estimate(2, 4, 6, 0.9, "predicted", "n*", {"samples": 100})
    assert seen.evidence is Evidence.PREDICTED
    half = seen / 2
    assert (half.low, half.evidence, half.quantity, half.details["samples"]) == (1, Evidence.PREDICTED, "n*", 100)
    assert str(seen) == "4 [2, 6] at 90 % predicted"
    assert "evidence='predicted', quantity='n*'" in repr(seen)
    assert eval(repr(seen)) == seen


def test_details_are_read_only_and_neither_shown_nor_compared():
    numbers = {"trials": 7.0}
    seen = Estimate(1, 2, 3, details=numbers)
    numbers["trials"] = 8.0
    assert seen.details["trials"] == 7.0
    with pytest.raises(TypeError):
        seen.details["trials"] = 9.0
    assert seen == Estimate(1, 2, 3)
    assert hash(seen) == hash(Estimate(1, 2, 3))
    assert "7" not in repr(seen) + str(seen)


def test_estimates_survive_the_way_to_a_worker_and_back():
    seen = Estimate(1, 2, 3, evidence=Evidence.COMPUTED, quantity="n*", details={"error": 0.5})
    for back in (copy.deepcopy(seen), pickle.loads(pickle.dumps(seen)), dataclasses.replace(seen)):
        assert back == seen
        assert dict(back.details) == {"error": 0.5}


def test_what_is_not_allowed_is_named():
    with pytest.raises(ArgumentError, match=re.escape("'guessed'")):
        Estimate(1, 2, 3, evidence="guessed")
    with pytest.raises(ArgumentTypeError, match="quantity"):
        Estimate(1, 2, 3, quantity=3)
    with pytest.raises(ArgumentTypeError, match="details"):
        Estimate(1, 2, 3, details=[1])
