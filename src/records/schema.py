"""What a run's folder holds: names of files and columns that its writer and its reader share."""

SCHEMA = 2
"""Version of the records' files and columns; readers refuse others."""

RUN = "run.json"
CONFIG = "config.yaml"
ITERATIONS = "iterations.csv"
LAYERS = "layers.csv"
EPOCHS = "epochs.csv"
MEASURES = "measures.safetensors"
MASKS = "masks.safetensors"
WEIGHTS = "weights.safetensors"
TIMINGS = "timings.csv"
CURVES = "curves.png"

REQUIRED_COLUMNS = {
    ITERATIONS: (
        "iteration", "remaining", "total", "percent_remaining", "retrained_accuracy", "retrained_pqi",
        "retrained_gini", "pruned_accuracy", "pruned_pqi",
    ),
    LAYERS: ("iteration", "layer", "remaining", "total", "percent_remaining", "retrained_pqi"),
}  # fmt: skip
"""Columns that readers need; others may be added."""

HEADLINE = (0.5, 1.0)
"""(p, q) of the PQ Index in the tables: the pair that the paper's curves show."""
SCOPES = ("neuron", "layer", "global")
METADATA_KEY = "json"
"""Key of the JSON in the metadata of safetensors files."""
