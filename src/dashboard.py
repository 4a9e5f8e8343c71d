"""`python -m src.dashboard [--spec] [project=... entity=...]`: dashboards in Weights & Biases."""

import sys

from src.tracking.dashboard import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
