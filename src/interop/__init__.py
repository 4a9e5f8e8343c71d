"""The library among others: PyTorch's own pruning, Lightning's trainer, Transformers' trainer."""
