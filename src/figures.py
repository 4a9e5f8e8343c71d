"""`python -m src.figures figure=fig2,... [key=value ...]`: draw figures from stored records."""

import sys

from src.analysis.figures.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
