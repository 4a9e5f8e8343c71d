"""Sparsity measures: tensors in, tensors out."""

from src.sparsity.bound import retained_lower_bound
from src.sparsity.gini import gini_index
from src.sparsity.measures import P_GRID, Q_GRID, Measures, grid_index, measure
from src.sparsity.pqi import pq_index

__all__ = [
    "P_GRID",
    "Q_GRID",
    "Measures",
    "gini_index",
    "grid_index",
    "measure",
    "pq_index",
    "retained_lower_bound",
]
