"""What is claimed, and what measurements say of it: claims by paper, and verdicts."""

from rssp.claims.registry import add_claim, all_claims, claim
from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Sense, Wording
from rssp.claims.verdict import Status, Verdict, check, not_measured, out_of_reach

__all__ = [
    "Claim",
    "Kind",
    "Scope",
    "Sense",
    "Status",
    "Verdict",
    "Wording",
    "add_claim",
    "all_claims",
    "check",
    "claim",
    "not_measured",
    "out_of_reach",
]
