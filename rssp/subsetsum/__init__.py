"""One sample against its targets, exactly: pure functions on arrays."""

from rssp.subsetsum.results import CoveringProfile, CoveringRadius

__all__ = ["CoveringProfile", "CoveringRadius"]
