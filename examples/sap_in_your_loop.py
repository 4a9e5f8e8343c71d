"""SAP in your own training loop: train, prune what the PQ Index says, rewind, train again (Algorithm 1)."""

import copy

import torch
from torch import nn

import pqindex

torch.manual_seed(0)
inputs = torch.rand(2000, 2) * 2 - 1
labels = (inputs[:, 0] * inputs[:, 1] > 0).long()  # which quadrants a point lies in
network = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
initial = copy.deepcopy(network.state_dict())
masks = pqindex.Masks.of(network)
sap = pqindex.Sap(p=0.5, q=1.0, scope="global")

for iteration in range(8):
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    held = masks.hold(network, optimizer)  # pruned weights are zero after every step
    for _ in range(15):
        for batch in torch.randperm(len(inputs)).split(200):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(inputs[batch]), labels[batch]).backward()
            optimizer.step()
    held.remove()

    accuracy = 100 * (network(inputs).argmax(1) == labels).double().mean().item()
    pqi = pqindex.measure(network, sap, masks).total.pqi
    print(f"{iteration}: {masks.alive:5} of {masks.total} weights, accuracy {accuracy:5.1f} %, PQ Index {pqi:.3f}")

    masks = pqindex.prune_step(network, masks, sap, iteration=iteration)
    network.load_state_dict(initial)  # rewound to its initial weights; leave this out to train on from here
    masks.apply(network)
