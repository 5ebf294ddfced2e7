"""Random subset sums and strong lottery tickets, verified by experiment.

Names are loaded when they are first used, so that ``import rssp`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

from rssp._version import __version__ as __version__

_HOMES = {
    "rssp._describe": ("register",),
    "rssp.balls": ("Ball",),
    "rssp.errors": ("ArgumentError", "ArgumentTypeError", "InfeasibleError", "RsspError", "StoreError", "StoreWarning"),
    "rssp.laws": ("FromScipy", "GatedProduct", "Law", "Mixture", "Normal", "Product", "Uniform"),
    "rssp.subsetsum": ("CoveringProfile", "CoveringRadius"),
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
