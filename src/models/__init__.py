"""The paper's models, built and initialised as PROTOCOL 3.3 and 3.4 say."""

from src.models.build import MODELS, build_model
from src.models.prunable import prunable_names

__all__ = ["MODELS", "build_model", "prunable_names"]
