"""Write the report from the records in <output_dir>/runs: one self-contained page.

Use:  python -m src.report [key=value ...]

  The paper's claims with verdicts, its four reporting errors before and after, the published curves behind ours with
  the distances, and every table and figure of each study. Point at a curve for its values, click a panel to enlarge
  it; a switch shows all figures as they were published.

  dataset, model, trainer, protocol, experiment, seed
                  which records; several with commas; default: all that there are
  output_dir      outputs; destination: <output_dir>/report
"""

import sys
from collections.abc import Sequence

from src.analysis.report.page import page
from src.analysis.settings import write_from_records


def main(arguments: Sequence[str]) -> int:
    """Write the page, print its path, and name on stderr what is missing."""
    return write_from_records(arguments, str(__doc__), "report", page)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
