"""What is claimed, and what measurements say of it: claims by paper, and verdicts."""

from rssp.claims.registry import add_claim, all_claims, claim
from rssp.claims.statement import Claim, Kind, Wording
from rssp.claims.verdict import Status, Verdict, check, out_of_reach

__all__ = [
    "Claim",
    "Kind",
    "Status",
    "Verdict",
    "Wording",
    "add_claim",
    "all_claims",
    "check",
    "claim",
    "out_of_reach",
]
