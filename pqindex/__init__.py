"""The PQ Index of a network's weights, and Sparsity-informed Adaptive Pruning (SAP) in your own training loop.

    table = pqindex.measure(network)                # per layer: PQ Index, Gini, Hoyer, what SAP would prune
    masks = pqindex.Masks.of(network)               # all weights alive
    masks = pqindex.prune_step(network, masks, pqindex.Sap(p=0.5, q=1.0))
    handle = masks.hold(network, optimizer)         # pruned weights stay zero while you train on

On the command line: `pqindex model.safetensors`.
"""

from pathlib import Path

if not Path(__file__).with_name("library").is_dir():
    from ._clone import share

    share(__path__)

from .config.protocol import ProtocolConfig
from .errors import UserError
from .library.checkpoint import open_checkpoint
from .library.compressed import compress, decompress
from .library.masks import Flops, Masks
from .library.network import everything, no_embedding, weights_of
from .library.pruning import EXACT, measure, prune_step
from .library.table import Line, Table, selected, tabulate
from .pruning.amounts import Amount
from .pruning.method import Method
from .pruning.methods.at_initialisation import SnipPruning, SynflowPruning
from .pruning.methods.lottery_ticket import LotteryTicket
from .pruning.methods.one_shot import OneShot
from .pruning.methods.random_pruning import RandomPruning
from .pruning.methods.sap import Sap
from .pruning.methods.scheduled import Scheduled
from .sparsity import gini_index, pq_index, retained_lower_bound
from .sparsity.hoyer import hoyer_index

__all__ = [
    "EXACT",
    "Amount",
    "Flops",
    "Line",
    "LotteryTicket",
    "Masks",
    "Method",
    "OneShot",
    "ProtocolConfig",
    "RandomPruning",
    "Sap",
    "Scheduled",
    "SnipPruning",
    "SynflowPruning",
    "Table",
    "UserError",
    "compress",
    "decompress",
    "everything",
    "gini_index",
    "hoyer_index",
    "measure",
    "no_embedding",
    "open_checkpoint",
    "pq_index",
    "prune_step",
    "retained_lower_bound",
    "selected",
    "tabulate",
    "weights_of",
]
