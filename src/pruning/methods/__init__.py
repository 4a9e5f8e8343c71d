"""Pruning methods, one file each: a frozen dataclass whose fields are the method's settings, limits and identity."""
