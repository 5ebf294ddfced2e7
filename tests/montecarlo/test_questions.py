"""The two questions: confidence is honoured by every method, and evidence says what stands behind the number."""

import pytest

from rssp import ArgumentError, Uniform, covering_probability, required_samples


@pytest.mark.parametrize("method", ["measured", "covering law"])
def test_confidence_is_honoured(method):
    seen, wide = (
        covering_probability(Uniform(), 12, 0.02, trials=100, confidence=c, method=method) for c in (0.9, 0.999)
    )
    assert (seen.confidence, wide.confidence) == (0.9, 0.999)
    assert wide.low < seen.low < seen.best == wide.best < seen.high < wide.high
    n, more = (required_samples(Uniform(), 0.02, 0.3, trials=40, confidence=c, method=method) for c in (0.5, 0.9999))
    assert (n.confidence, more.confidence) == (0.5, 0.9999)
    assert more.low < n.low <= n.best == more.best <= n.high < more.high


def test_evidence_and_quantity_travel_with_the_number():
    measured = covering_probability(Uniform(), 10, 0.05, trials=64)
    predicted = covering_probability(Uniform(), 10, 0.05, trials=64, method="covering law")
    assert (measured.evidence, predicted.evidence) == ("measured", "predicted")
    assert measured.quantity == predicted.quantity == "P(cover)"
    assert measured.details["trials"] == predicted.details["samples"] == 64
    assert required_samples(Uniform(), 0.05, 0.5, trials=64).quantity == "n*"
    assert "predicted" in str(required_samples(Uniform(), 0.05, 0.5, trials=64, method="covering law"))


def test_an_own_n_max_cuts_off():
    seen = required_samples(Uniform(), 0.01, 0.5, trials=32, n_max=4)
    assert (seen.low, seen.best) == (5, float("inf"))
    with pytest.raises(ArgumentError, match="error_norm"):
        covering_probability(Uniform(), 8, 0.1, method="covering law", error_norm=2)
