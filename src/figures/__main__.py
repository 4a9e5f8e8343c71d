"""`python -m src.figures figure=fig2,... [key=value ...]`: draw figures from stored records."""

import sys

from src.errors import UserError
from src.figures.command import HELP, draw_figures
from src.figures.settings import FigureSettings, read_settings


def main(arguments: list[str]) -> int:
    """Draw what is asked for and print the files' paths; the status is 1 where something asked for is missing."""
    if {"-h", "--help", "help"} & set(arguments):
        print(HELP)
        return 0
    try:
        outcome = draw_figures(read_settings(FigureSettings, arguments))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for path in outcome.paths:
        print(path)
    for line in outcome.messages:
        print(line, file=sys.stderr)
    return 0 if outcome.complete else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
