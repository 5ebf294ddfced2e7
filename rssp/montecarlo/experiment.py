"""An experiment: everything that its results are a function of, as frozen data with a key."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rssp._arguments import integer
from rssp._identity import canonical_json, describe, rebuild, register, sha256_key
from rssp.balls import Ball
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.laws import Law
from rssp.montecarlo.measurements import Measurement

__all__ = ["Experiment"]

_BYTES_A_BATCH = 2**30  # a choice: each worker holds one batch


@register
@dataclass(frozen=True)
class Experiment:
    """A law, the ball of targets, what is measured, and the seed.

    The number of trials is not part of it: running more trials continues the same experiment.

    Parameters
    ----------
    law : Law, of the ball's dimension
    ball : Ball
    measurement : Measurement
    seed : int >= 0
    batch_size : int >= 1, trials a batch; by default the measurement chooses (hundredths of a second of work). The
        samples depend on it, so it is part of the key.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        If the dimensions differ, a type is wrong, a class was not registered, or one batch of samples would take more
        than 1 GiB.

    Examples
    --------
    >>> from rssp.laws import Uniform
    >>> from rssp.montecarlo import Coverage
    >>> experiment = Experiment(Uniform(), Ball(), Coverage(n=10, eps=0.1), seed=1)
    >>> experiment.batch_size
    128
    >>> Experiment.from_json(experiment.json) == experiment
    True
    >>> experiment.key[:12]
    '720bb618eb3e'
    """

    law: Law
    ball: Ball
    measurement: Measurement
    seed: int = 0
    batch_size: int | None = None

    def __post_init__(self) -> None:
        for name, kind in (("law", Law), ("ball", Ball), ("measurement", Measurement)):
            if not isinstance(getattr(self, name), kind):
                raise ArgumentTypeError(name, getattr(self, name), f"a {kind.__name__}")
            _require_registered(name, describe(getattr(self, name)))
        if self.law.dim != self.ball.dim:
            raise ArgumentError(
                "law",
                f"dimension {self.law.dim}",
                f"dimension {self.ball.dim}, that of the ball",
                f"Use Ball(dim={self.law.dim}, ...).",
            )
        size = self.measurement.default_batch_size(self.ball) if self.batch_size is None else self.batch_size
        object.__setattr__(self, "seed", integer("seed", self.seed, 0))
        object.__setattr__(self, "batch_size", integer("batch_size", size, 1))
        needs = self.trials_a_batch * self.measurement.sample_size * self.law.dim * 8
        if needs > _BYTES_A_BATCH:
            limit = max(1, self.trials_a_batch * _BYTES_A_BATCH // needs)
            raise ArgumentError("batch_size", size, f"at most {limit}: one batch of samples must fit in 1 GiB")

    @property
    def trials_a_batch(self) -> int:
        """`batch_size`, which is always a number once the experiment is made."""
        assert self.batch_size is not None
        return self.batch_size

    @cached_property
    def json(self) -> str:
        """Its canonical JSON: sorted keys, fields at their defaults left out."""
        return canonical_json(self)

    @cached_property
    def key(self) -> str:
        """The SHA-256 of its canonical JSON, in 64 hexadecimal digits."""
        return sha256_key(self)

    @classmethod
    def from_json(cls, text: str) -> Experiment:
        """The experiment that `json` describes. Only registered classes are made; nothing is ever imported."""
        try:
            result = rebuild(json.loads(text))
        except json.JSONDecodeError as cause:
            raise ArgumentError("text", f"{text[:60]!r}", "the JSON of an experiment") from cause
        except (TypeError, AttributeError) as cause:
            raise ArgumentError("text", f"{text[:60]!r} ({cause})", "the JSON of an experiment") from cause
        if not isinstance(result, cls):
            raise ArgumentError("text", f"{text[:60]!r}", "the JSON of an experiment")
        return result


def _require_registered(name: str, data: Any) -> None:
    if isinstance(data, dict):
        kind = data.get("type", "")
        if isinstance(kind, str) and ":" in kind:
            raise ArgumentError(name, kind, "registered classes", "Put @rssp.register above the class.")
        for value in data.values():
            _require_registered(name, value)
    elif isinstance(data, list):
        for value in data:
            _require_registered(name, value)
