"""Stored runs: what their files are, how they are read, selected and grouped. Imports neither PyTorch nor Hydra.

    library = load_library(Path("outputs"))              # every run in outputs/runs; UserError where there is none
    for problem in library.problems: ...                 # a line for each folder that could not be read
    for study in studies(library.runs, Selection(dataset=("cifar10",))):
        study.setting.dataset, study.setting.model       # what all its runs share
        for scope in study.scopes:                       # of neuron, layer, global
            for method in study.methods(scope):          # Method: kind, short, label, settings
                for run in study.series(scope, method):  # one finished Run per seed
                    run.table["retrained_accuracy"]      # iterations.csv: column -> [T+1], NaN where not defined
                    run.layers["percent_remaining"]      # layers.csv: column -> [T+1, L]; run.layers.names
                    run.grid("retrained", 0)             # PQ Index over (p, q), [10, 11]; run.grid_axes
                    run.layer_grids("pruned")            # of each layer, [T, L, 10, 11]
        missing_runs(study, [(scope, method)])           # runs that are missing, each with the command that makes it

`study.unfinished` holds running and failed runs, whose tables must not be read. `study.name` is unique among the
studies made together, for file names; `study.setting.text` is for people.
"""
