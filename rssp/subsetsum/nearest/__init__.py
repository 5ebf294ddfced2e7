"""One target, or many: the nearest subset, and how many subsets are near."""

from rssp.subsetsum.nearest.verbs import NearestSubset, hits, nearest_subset

__all__ = ["NearestSubset", "hits", "nearest_subset"]
