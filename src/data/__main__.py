"""Fetch and check one data set: python -m src.data NAME [root=FOLDER]"""

import logging
import sys

from src.data.load import DATASETS, load_dataset
from src.data.traits import TRAITS
from src.errors import UserError

USAGE = f"usage: python -m src.data NAME [root=FOLDER]    with NAME one of {', '.join(DATASETS)}; FOLDER is data"


def main(arguments: list[str]) -> int:
    """Print where the data set is and what it holds; 0, or 1 after one line that says why it cannot be had."""
    names = [argument for argument in arguments if "=" not in argument]
    options = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    root = options.pop("root", "data")
    if len(names) != 1 or options or names[0].startswith("-"):
        print(USAGE, file=sys.stdout if names in (["-h"], ["--help"]) else sys.stderr)
        return 0 if names in (["-h"], ["--help"]) else 2
    try:
        dataset = load_dataset(names[0], root)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    shape = "x".join(map(str, dataset.image_shape))
    where = TRAITS[dataset.name].place.format(root=root)
    print(
        f"{dataset.name}: {len(dataset.train_labels)} training and {len(dataset.test_labels)} test images "
        f"of {shape} in {dataset.classes} classes, in {where}"
    )
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(main(sys.argv[1:]))
