"""Sources that are frozen in part, or serve several targets at once."""

from __future__ import annotations

import math

import numpy as np

from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

CLAIMS = (
    Claim(
        id="otsuka-2024",
        paper="H. Otsuka et al., Partially Frozen Random Networks Contain Compact Strong Lottery Tickets, TMLR 2025, "
        "arXiv "
        "2402.14029",
        number="abstract and random subset sum with frozen variables",
        statement="Tickets exist in networks of which a random part is frozen: some weights pruned beforehand, some "
        "kept "
        "whatever the mask says. The subset sum keeps a logarithmic number of free samples, and the target is shifted "
        "by "
        "those that are locked.",
        latex=r"n \geq C \log_2 \frac{1}{\varepsilon}",
        kind=Kind.SUFFICIENT,
        quantity="n*",
        formula=lambda eps, C: -C * np.log2(np.asarray(eps, dtype=np.float64)),
        constants={"C": None},
        scope=Scope(d=1, targets="all", ranges={"eps": (0.0, 1.0), "frozen": (0.0, 1.0)}),
        valid="C depends on the frozen share, in a way that was not seen",
        wording=Wording.ABSTRACT,
        unreachable="samples that are locked or removed beforehand are not drawn here; it takes a law that marks them",
    ),
    Claim(
        id="sharing-2025",
        paper="Memory savings by sharing one source, ICLR 2025 submission (withdrawn)",
        number="abstract",
        statement="m targets can be tickets of one random source that is no wider than for one target: only the masks "
        "differ, "
        "and the union of what they keep is the cost.",
        latex=r"\frac{n(m)}{n(1)} \leq 1",
        kind=Kind.SUFFICIENT,
        quantity="width over that for one target",
        formula=lambda targets_sharing: np.ones(np.shape(targets_sharing)),
        scope=Scope(ranges={"targets_sharing": (1, math.inf)}),
        valid="every target's own failure probability; authors not seen",
        wording=Wording.ABSTRACT,
        unreachable="tickets of several targets on one source are not built here; it takes the union of their masks",
    ),
)
