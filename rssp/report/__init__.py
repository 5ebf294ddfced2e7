"""Tables of verdicts and estimates, for the terminal, for papers and for other programs."""

from rssp.report.tables import as_json, as_latex, as_markdown, print_table, records

__all__ = ["as_json", "as_latex", "as_markdown", "print_table", "records"]
