"""`python -m src.measure PATH_OR_NAME`: how compressible is each layer of a checkpoint."""

import sys

from src.library.command import main

if __name__ == "__main__":
    sys.exit(main())
