"""`python -m src.tables [key=value ...]`: write all tables from stored records."""

import sys
from pathlib import Path

from src.claims import examine
from src.errors import UserError
from src.figures.settings import read_settings
from src.store.atomic import write_text
from src.tables.formats import FORMATS
from src.tables.results import tables
from src.tables.settings import RecordSettings, choose
from src.tables.verdicts import verdict_table

HELP = """Write tables from the records in <output_dir>/runs as CSV, Markdown and LaTeX.

Use:  python -m src.tables [key=value ...]

  accuracy        dense, final and best accuracy, percent remaining and PQ Index per method and scope
  compression     the sparsest network at <= 1 point loss
  cost            sparse FLOPs and size on disk
  equal_sparsity  accuracy at equal percent remaining, area under the trade-off on a log axis
  claims          the paper's claims: holds, fails or not enough data, with the evidence

  dataset, model, trainer, protocol, experiment, seed
                  which records; several with commas; default: all that there are
  output_dir      outputs; destination: <output_dir>/tables
"""


def main(arguments: list[str]) -> int:
    """Write the tables, print their paths, and name on stderr what is missing."""
    if {"-h", "--help", "help"} & set(arguments):
        print(HELP)
        return 0
    try:
        settings = read_settings(RecordSettings, arguments)
        chosen = choose(settings)
        made = [*tables(chosen.studies), verdict_table(examine(chosen.studies))]
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    folder: Path = settings.folder("tables")
    for table in made:
        for suffix, convert in FORMATS.items():
            print(write_text(folder / f"{table.name}.{suffix}", convert(table)))
    for line in chosen.messages:
        print(line, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
