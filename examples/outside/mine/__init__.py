"""Parts of one's own: a pruning method, a model and a data set."""
