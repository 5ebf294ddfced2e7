"""``rssp list``: the studies that come with rssp."""

from __future__ import annotations

from rssp.cli.common import Json

__all__ = ["list_"]


def list_(json: Json = False) -> None:
    """The studies that can be run by name, with the question each answers."""
    import pandas as pd

    from rssp.report import as_json, print_table
    from rssp.study import study_questions

    table = pd.DataFrame(list(study_questions().items()), columns=["study", "question"])
    print(as_json(table)) if json else print_table(table)
