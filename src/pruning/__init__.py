"""Pruning along independent axes: groups of weights (scope), what goes first (score), how many (amount), and from where
the network is trained again (rewinding). A method combines them, one file each in `methods/`."""
