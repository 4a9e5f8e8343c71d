"""How compressible is each layer of a checkpoint? As `pqindex model.pt`, for what you want to do with the numbers."""

import sys

import torch
from torch import nn

import pqindex

if len(sys.argv) > 1:
    checkpoint = sys.argv[1]
else:
    checkpoint = "model.pt"
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.Flatten(), nn.Linear(32, 10))
    torch.save({"epoch": 1, "state_dict": network.state_dict()}, checkpoint)

weights = pqindex.selected(pqindex.open_checkpoint(checkpoint), exclude=[])
table = pqindex.tabulate(weights, pqindex.Sap(p=0.5, q=1.0, scope="layer"))
for line in sorted(table.layers, key=lambda line: -line.ratio):
    print(
        f"{line.name:20} {line.weights:8,} weights, PQ Index {line.pqi:.4f}: SAP would prune {100 * line.ratio:.1f} %"
    )
print(f"all: {table.total.weights:,} weights, PQ Index {table.total.pqi:.4f}, SAP {100 * table.total.ratio:.1f} %")
