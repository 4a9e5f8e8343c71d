"""`python -m src.report [key=value ...]`: write the report, one page that needs no network."""

import sys

from src.analysis.report.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
