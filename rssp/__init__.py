"""Random subset sums and strong lottery tickets, verified by experiment.

Names are loaded when they are first used, so that ``import rssp`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

from rssp._version import __version__ as __version__

_HOMES = {
    "rssp._identity": ("register",),
    "rssp.balls": ("Ball",),
    "rssp.errors": ("ArgumentError", "ArgumentTypeError", "InfeasibleError", "RsspError", "StoreError", "StoreWarning"),
    "rssp.laws": (
        "ConvolutionBlocks",
        "FromScipy",
        "GatedProduct",
        "GroupScaledNormal",
        "IndependentNormalProduct",
        "Law",
        "Mixture",
        "Normal",
        "NormallyScaledNormal",
        "NormallyScaledUniform",
        "Product",
        "Uniform",
    ),
    "rssp.subsetsum": (
        "CoveringProfile",
        "CoveringRadius",
        "covering_profile",
        "covering_profiles",
        "covering_radius",
        "covers",
        "hitting_time",
        "hitting_times",
    ),
    "rssp.subsetsum.coverage": ("covers_each",),
    "rssp.subsetsum.nearest": ("hits", "nearest_subset"),
    "rssp.montecarlo": (
        "Coverage",
        "CoveringProfiles",
        "Experiment",
        "HittingTimes",
        "Measurement",
        "OneSidedTilt",
        "rare_failure",
        "run",
    ),
    "rssp.inference": (
        "Estimate",
        "ScalingLaw",
        "compare_scaling",
        "coverage",
        "fit_scaling",
        "required_n",
        "smallest_constant",
    ),
    "rssp.claims": ("Claim", "Kind", "Verdict", "Wording", "add_claim", "all_claims", "check", "claim"),
    "rssp.montecarlo.questions": ("covering_probability", "required_samples"),
    "rssp.trials": ("Trials",),
    "rssp.study": ("Study", "Task", "run_study"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted([*_HOME_OF, "__version__"])


def __getattr__(name: str) -> Any:
    try:
        module = _HOME_OF[name]
    except KeyError:
        raise AttributeError(f"module 'rssp' has no attribute {name!r}") from None
    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
