"""Sweeps: the runs that a command stands for, where they stand, and what is left to do. Imports no PyTorch."""
