"""What work on the weights that are left would save: `python -m benchmarks.thin RUN_FOLDER ...`.

From the recorded masks of whole trajectories of networks of linear layers. Counted are the operations of a training
step's matrix products and a sixth of a step's forward pass for the test, K members sharing a batch. Left out are inputs
of a layer whose weights are all pruned, and units without a weight before or after them. The clip norm needs the full
gradient: it comes from Gram matrices, ||X'G||^2 = <XX', GG'>, XX' of the images shared by all members, or from the full
product where that is less. An epoch's other work, REST of it, stays as it is: the last column is what would be seen.
"""

import argparse
from pathlib import Path

import numpy as np

from src.records.masks import read_masks

BATCH = 250
MEMBERS = 16
TEST = 1 / 6
REST = {1: 0.45, 3: 0.27}
"""Share of an epoch outside matrix products by the number of layers: linear's and mlp's, measured in a stack of 16."""

Step = list[np.ndarray]
"""Masks [outputs, inputs] of layer after layer."""


def operations(masks: Step) -> tuple[float, float]:
    """Of a training step and its share of the test: dense, and of what is left."""
    dense = left = 0.0
    for layer, mask in enumerate(masks):
        outputs, inputs = mask.shape
        rows, columns = mask.any(1), mask.any(0)
        if layer:  # a unit below that nothing reaches is a constant
            columns &= masks[layer - 1].any(1)
        if layer + 1 < len(masks):  # one that nothing reads has no gradient
            rows &= masks[layer + 1].any(0)
        whole, part = 2 * BATCH * outputs * inputs, 2 * BATCH * int(rows.sum()) * int(columns.sum())
        below = layer > 0  # the gradient by the layer's inputs
        dense += whole * (2 + below + TEST)
        gram = BATCH**2 * (int(rows.sum()) + inputs / (1 if below else MEMBERS))
        left += part * (1 + below + TEST) + min(whole, part + gram)
    return dense, left


def trajectory(folder: Path) -> list[Step]:
    """The masks of all iterations."""
    found: dict[int, Step] = {}
    for name, mask in read_masks(folder).items():
        found.setdefault(int(name.split("/")[0].removeprefix("iteration_")), []).append(mask.numpy())
    return [_in_order(found[t]) for t in sorted(found)]


def _in_order(masks: Step) -> Step:
    """Each layer after that which it reads: the file has them by name."""
    outputs = {mask.shape[0]: mask for mask in masks}
    inputs = {mask.shape[1]: mask for mask in masks}
    (first,) = (mask for mask in masks if mask.shape[1] not in outputs)
    chain = [first]
    while len(chain) < len(masks):
        chain.append(inputs[chain[-1].shape[0]])
    return chain


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    print("| run | weights left at the end | products, last iteration | products, whole trajectory | epochs |")
    print("|---|--:|--:|--:|--:|")
    for folder in parser.parse_args().folders:
        steps = trajectory(folder)
        counts = [operations(step) for step in steps]
        dense, left = (sum(column) for column in zip(*counts, strict=True))
        weights = 100 * sum(m.sum() for m in steps[-1]) / sum(m.size for m in steps[-1])
        rest = REST.get(len(steps[0]), 0)
        ratio = 1 / (rest + (1 - rest) * left / dense)
        print(
            f"| {folder.name} | {weights:.2g} % | {counts[-1][0] / max(counts[-1][1], 1):.2f}x "
            f"| {dense / left:.2f}x | {ratio:.2f}x |"
        )


if __name__ == "__main__":
    main()
