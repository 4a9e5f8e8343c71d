"""`python -m src.measure PATH_OR_NAME`: how compressible is each layer of a checkpoint."""

import sys

if __name__ == "pqindex.measure":
    raise ModuleNotFoundError("pqindex.measure is a function: from pqindex import measure", name=__name__)

from src.library.command import main

if __name__ == "__main__":
    sys.exit(main())
