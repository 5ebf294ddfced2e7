"""What is claimed, and what measurements say of it: claims by paper, predictions, verdicts.

The claims are loaded at once, because ``claim`` is a function and the name of its file; the rest when first used.
"""

from __future__ import annotations

import importlib
from typing import Any

from rssp.theory.claim import Claim, Kind, Wording, add_claim, claim, claims

_HOMES = {
    "rssp.theory.verdict": ("Status", "Verdict", "check", "out_of_reach"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Claim",
    "Kind",
    "Status",
    "Verdict",
    "Wording",
    "add_claim",
    "check",
    "claim",
    "claims",
    "out_of_reach",
]


def __getattr__(name: str) -> Any:
    try:
        module = _HOME_OF[name]
    except KeyError:
        raise AttributeError(f"module 'rssp.theory' has no attribute {name!r}") from None
    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
