"""Write tables from the records in <output_dir>/runs as CSV, Markdown and LaTeX.

Use:  python -m src.tables [key=value ...]

  accuracy        dense, final and best accuracy, percent remaining and PQ Index per method and scope
  compression     the sparsest network at <= 1 point loss
  cost            sparse FLOPs and size on disk
  equal_sparsity  accuracy at equal percent remaining, area under the trade-off on a log axis
  given_back      what a pruning takes from the PQ Index, and what the next training gives back
  compared        what another protocol, longer trainings or a method (against the lottery ticket) change in that
  claims          the paper's claims: holds, fails, inconclusive or not enough seeds, with the evidence

  dataset, model, trainer, protocol, experiment, seed
                  which records; several with commas; default: all that there are
  output_dir      outputs; destination: <output_dir>/tables
"""

import sys
from collections.abc import Sequence

from src.analysis.claims import examine
from src.analysis.settings import RecordSettings, choose, write_from_records
from src.analysis.tables.compared import compared
from src.analysis.tables.results import tables, verdict_table
from src.analysis.tables.table import FORMATS


def main(arguments: Sequence[str]) -> int:
    """Write the tables, print their paths, and name on stderr what is missing."""
    return write_from_records(arguments, str(__doc__), "tables", _texts)


def _texts(settings: RecordSettings) -> tuple[dict[str, str], list[str]]:
    studies, _, messages = choose(settings)
    made = [*tables(studies), *filter(None, [compared(studies)]), verdict_table(examine(studies))]
    return {f"{table.name}.{suffix}": as_text(table) for table in made for suffix, as_text in FORMATS.items()}, messages


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
