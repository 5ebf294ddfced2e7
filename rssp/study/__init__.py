"""Studies: what ties experiments, claims, tables and figures together; how they are found, run, stored and judged."""

from rssp.study.definition import GUISES, SCALES, Context, Study, Tables, Task
from rssp.study.finding import find_study, list_studies, measured_by, study_questions
from rssp.study.options import option
from rssp.study.rows import Exponents, Rows, exactly
from rssp.study.running import Failure, Outcome, draw, run_study
from rssp.study.tables import provenance, read_tables, stored_tables

__all__ = [
    "GUISES",
    "SCALES",
    "Context",
    "Exponents",
    "Failure",
    "Outcome",
    "Rows",
    "Study",
    "Tables",
    "Task",
    "draw",
    "exactly",
    "find_study",
    "list_studies",
    "measured_by",
    "option",
    "provenance",
    "read_tables",
    "run_study",
    "stored_tables",
    "study_questions",
]
