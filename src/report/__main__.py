"""`python -m src.report [key=value ...]`: write the report, one page that needs no network."""

import sys

from src.errors import UserError
from src.figures.settings import read_settings
from src.report.content import gather
from src.report.page import page
from src.store.atomic import write_text
from src.tables.settings import RecordSettings

HELP = """Write the report from the records in <output_dir>/runs: one self-contained page.

Use:  python -m src.report [key=value ...]

  The paper's claims with verdicts, its four reporting errors before and after, the published curves behind ours with
  the distances, and every table and figure of each study. Point at a curve for its values, click a panel to enlarge
  it; a switch shows all figures as they were published.

  dataset, model, trainer, protocol, experiment, seed
                  which records; several with commas; default: all that there are
  output_dir      outputs; destination: <output_dir>/report
"""


def main(arguments: list[str]) -> int:
    """Write the page, print its path, and name on stderr what is missing."""
    if {"-h", "--help", "help"} & set(arguments):
        print(HELP)
        return 0
    try:
        settings = read_settings(RecordSettings, arguments)
        content = gather(settings)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(write_text(settings.folder("report") / "index.html", page(content)))
    for line in content.messages:
        print(line, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
