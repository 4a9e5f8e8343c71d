"""Reference reproduction of "Pruning Deep Neural Networks from a Sparsity Perspective" (ICLR 2023)."""
