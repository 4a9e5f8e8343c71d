"""`python -m src.tables [key=value ...]`: write all tables from stored records."""

import sys

from src.analysis.tables.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
