"""One sample against its targets, exactly: pure functions on arrays."""

from rssp.subsetsum.covering import (
    covered_fractions,
    covering_profile,
    covering_profiles,
    covering_radius,
    covers,
    covers_each,
    hitting_time,
    hitting_times,
)
from rssp.subsetsum.results import CoveringProfile, CoveringRadius

__all__ = [
    "CoveringProfile",
    "CoveringRadius",
    "covered_fractions",
    "covering_profile",
    "covering_profiles",
    "covering_radius",
    "covers",
    "covers_each",
    "hitting_time",
    "hitting_times",
]
