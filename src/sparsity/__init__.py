"""Sparsity measures: tensors in, tensors out."""

from .bound import retained_lower_bound
from .gini import gini_index
from .measures import P_GRID, Q_GRID, Measures, grid_index, measure
from .pqi import pq_index

__all__ = ["P_GRID", "Q_GRID", "Measures", "gini_index", "grid_index", "measure", "pq_index", "retained_lower_bound"]
