"""The PQ Index of a small transformer's layers while it learns to continue a text, character by character."""

import torch
from torch import nn

import pqindex

CONTEXT, WIDTH = 32, 64
numbers = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
text = "".join(f"{a} sheep and {b} sheep are many sheep. " for a in numbers for b in numbers)
letters = sorted(set(text))
tokens = torch.tensor([letters.index(letter) for letter in text])


class Transformer(nn.Module):
    """Two blocks that see the letters before; the embedding is the output layer as well, and is not measured."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(len(letters), WIDTH)
        nn.init.normal_(self.embed.weight, std=0.1)
        self.position = nn.Parameter(torch.randn(CONTEXT, WIDTH) / 10)
        block = nn.TransformerEncoderLayer(WIDTH, 4, 4 * WIDTH, dropout=0, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(block, 2, enable_nested_tensor=False)
        self.head = nn.Linear(WIDTH, len(letters), bias=False)
        self.head.weight = self.embed.weight

    def forward(self, context: torch.Tensor) -> torch.Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(context.shape[1])
        return self.head(self.blocks(self.embed(context) + self.position[: context.shape[1]], mask, is_causal=True))


torch.manual_seed(0)
network = Transformer()
optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
method = pqindex.Sap(p=0.5, q=1.0, scope="layer")
names = [name.removeprefix("blocks.layers.").removesuffix("weight") for name in pqindex.weights_of(network)]
print("step   loss" + "".join(f"{name:>22}" for name in names))
for step in range(101):
    starts = torch.randint(len(tokens) - CONTEXT - 1, (32,))
    windows = torch.stack([tokens[start : start + CONTEXT + 1] for start in starts])
    loss = nn.functional.cross_entropy(network(windows[:, :-1]).flatten(0, 1), windows[:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 25 == 0:
        table = pqindex.measure(network, method)
        print(f"{step:4}  {loss:5.2f}" + "".join(f"{line.pqi:22.4f}" for line in table.layers))
