"""Stored runs: reading, selecting and grouping them. Nothing here knows of drawing or needs PyTorch.

    library = load_library(Path("outputs"))              # every run in outputs/runs; UserError where there is none
    for problem in library.problems: ...                 # a line for each folder that could not be read
    for study in studies(library.runs, Selection(dataset=("cifar10",))):
        study.setting.dataset, study.setting.model       # what all its runs share
        for scope in study.scopes:                       # of neuron, layer, global
            for method in study.methods(scope):          # Method: name, p, q, eta_r, gamma, beta, ratio; key, label
                for run in study.series(scope, method):  # one finished Run per seed
                    run.table["retrained_accuracy"]      # iterations.csv: column -> [T+1], NaN where not defined
                    run.layers["percent_remaining"]      # layers.csv: column -> [T+1, L]; run.layers.names
                    run.grid("retrained", 0)             # PQ Index over (p, q), [10, 11]; run.grid_axes
                    run.layer_grids("pruned")            # of each layer, [T, L, 10, 11]
        missing(study, [(scope, method)])                # runs that lack, each with the command that makes it

`study.unfinished` holds running and failed runs, whose tables must not be read. `study.name` is unique among the
studies made together, for file names; `study.setting.text` is for people. Tables and grids are read when they are first
asked for; a damaged one raises UserError then.
"""

from src.figures.records.completeness import Missing, Want, missing
from src.figures.records.library import Library, load_library, load_run
from src.figures.records.method import Method
from src.figures.records.run import LayerTable, Run, Side
from src.figures.records.study import Selection, Setting, Study, studies

__all__ = [
    "LayerTable",
    "Library",
    "Method",
    "Missing",
    "Run",
    "Selection",
    "Setting",
    "Side",
    "Study",
    "Want",
    "load_library",
    "load_run",
    "missing",
    "studies",
]
