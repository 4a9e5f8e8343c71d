"""Write tables from the records in <output_dir>/runs as CSV, Markdown and LaTeX.

Use:  python -m src.tables [key=value ...]

  accuracy        dense, final and best accuracy, percent remaining and PQ Index per method and scope
  compression     the sparsest network at <= 1 point loss
  cost            sparse FLOPs and size on disk
  equal_sparsity  accuracy at equal percent remaining, area under the trade-off on a log axis
  claims          the paper's claims: holds, fails, inconclusive or not enough seeds, with the evidence

  dataset, model, trainer, protocol, experiment, seed
                  which records; several with commas; default: all that there are
  output_dir      outputs; destination: <output_dir>/tables
"""

import sys
from collections.abc import Sequence

from src.analysis.claims.catalogue import examine
from src.analysis.settings import RecordSettings, choose
from src.analysis.tables.results import tables, verdict_table
from src.analysis.tables.table import FORMATS
from src.config.command_line import read_settings, run_command
from src.store.files import write_text


def main(arguments: Sequence[str]) -> int:
    """Write the tables, print their paths, and name on stderr what is missing."""
    return run_command(arguments, str(__doc__), _write)


def _write(words: list[str]) -> int:
    settings = read_settings(RecordSettings, words)
    studies, _, messages = choose(settings)
    for table in [*tables(studies), verdict_table(examine(studies))]:
        for suffix, convert in FORMATS.items():
            print(write_text(settings.folder("tables") / f"{table.name}.{suffix}", convert(table)))
    print(*messages, sep="\n", end="\n" * bool(messages), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
