"""``rssp claims``: the catalogue, and which study measures a claim."""

from __future__ import annotations

from typing import Annotated

import typer

from rssp.cli.common import ClaimsFile, Json

__all__ = ["claims"]


def claims(
    id: Annotated[str | None, typer.Argument(help="One claim; all of them by default.")] = None,
    claims_file: ClaimsFile = None,
    json: Json = False,
) -> None:
    """The theorems, lemmas, formulas and published figures that rssp knows, or one of them in full."""
    from rssp.report import as_json, print_table
    from rssp.report.verdicts import claim_table, claim_text
    from rssp.study import measured_by
    from rssp.study.checking import load_claims

    if claims_file is not None:
        load_claims(claims_file)
    if id is not None and not json:
        print(claim_text(id, measured_by().get(id, ())))
        return
    table = claim_table(id, measured_by())
    print(as_json(table)) if json else print_table(table[["id", "number", "kind", "quantity", "wording", "study"]])
