"""All claims by id: the catalogue's, and those that a user adds."""

from __future__ import annotations

from rssp._arguments import did_you_mean
from rssp.claims.catalog import CATALOGUE
from rssp.claims.statement import Claim
from rssp.errors import ArgumentError

__all__ = ["add_claim", "all_claims", "claim"]

_CLAIMS: dict[str, Claim] = {}


def add_claim(new: Claim) -> Claim:
    """Let a claim take part in ``rssp claims`` and ``rssp check``; returns it. The same id again replaces it.

    Only a claim that was itself added by hand may be replaced: the catalogue's own stay what they are.
    """
    if new.id in CATALOGUE:
        raise ArgumentError("id", new.id, "an id that the catalogue does not use", "Choose another id.")
    _CLAIMS[new.id] = new
    return new


def all_claims() -> dict[str, Claim]:
    """Every claim by its id: the catalogue's, paper by paper, then those added."""
    return CATALOGUE | _CLAIMS


def claim(id: str) -> Claim:
    """One claim by its id; ArgumentError names the near misses."""
    known = all_claims()
    if id not in known:
        hint = did_you_mean(id, known, 3) or "`rssp claims` lists them."
        raise ArgumentError("claim", repr(id), f"one of {len(known)} ids", hint)
    return known[id]
