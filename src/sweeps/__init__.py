"""Experiments: the runs a sweep stands for, what they share, and what is left to do. Imports no PyTorch."""
