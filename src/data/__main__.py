"""Fetch and check one data set: python -m src.data NAME [root=FOLDER]"""

import logging
import sys
from pkgutil import resolve_name
from typing import cast

from omegaconf import DictConfig, OmegaConf

from src.config import CONF
from src.data.source import DataSource
from src.errors import UserError

DATASETS = CONF / "dataset"
NAMES = sorted(path.stem for path in DATASETS.glob("*.yaml"))
USAGE = f"usage: python -m src.data NAME [root=FOLDER]    with NAME one of {', '.join(NAMES)}; FOLDER is data"


def main(arguments: list[str]) -> int:
    """Print where the data set is and what it holds; 0, or 1 after one line that says why it cannot be had."""
    names = [argument for argument in arguments if "=" not in argument]
    options = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    root = options.pop("root", "data")
    if len(names) != 1 or options or names[0].startswith("-"):
        print(USAGE, file=sys.stdout if names in (["-h"], ["--help"]) else sys.stderr)
        return 0 if names in (["-h"], ["--help"]) else 2
    try:
        source = named(names[0], root)
        dataset = source.load()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    shape = "x".join(map(str, dataset.image_shape))
    print(
        f"{dataset.name}: {len(dataset.train_labels)} training and {len(dataset.test_labels)} test images "
        f"of {shape} in {dataset.classes} classes, in {source.place.format(root=root)}"
    )
    return 0


def named(name: str, root: str) -> DataSource:
    """The data set of `conf/dataset/NAME.yaml` with its files below `root`. Raises UserError where there is none."""
    if name not in NAMES:
        raise UserError(f"dataset={name} is not known; allowed are {', '.join(NAMES)}")
    node = cast(DictConfig, OmegaConf.load(DATASETS / f"{name}.yaml"))
    node = node.get("dataset", node)  # tiny_imagenet.yaml also sets the trainer's batch size
    target = resolve_name(node.pop("_target_"))
    return cast(DataSource, OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(target), node, {"root": root})))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(main(sys.argv[1:]))
