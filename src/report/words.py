"""The page's sentences."""

SECTIONS = {
    "claims": "Claims",
    "errors": "Four reporting errors",
    "published": "Against the published curves",
    "results": "Results",
    "again": "Make it again",
}

LEAD = (
    "A reproduction of <em>Pruning Deep Neural Networks from a Sparsity Perspective</em> (ICLR 2023): what the PQ "
    "Index does along pruning, how SAP compares with lottery ticket and one-shot pruning, and which of the paper's "
    "statements survive on these records."
)

VERDICTS = (
    "Each statement is tested on every data set, model, scope and method that there are runs of. It holds or fails "
    "where the 95 % bootstrap interval over seeds lies on one side of the smallest effect that counts; everything "
    "else, and fewer than three seeds, is not enough data. Open a claim for the evidence."
)

ERROR_TITLES = {
    "running_mean": "Accuracies are means over the iterations so far",
    "exchanged_axes": "The axes of two scopes are exchanged",
    "mixed_pq": "Layers are measured with different p and q",
    "short_bars": "Error bars are a hundred times too short",
}

ERRORS = {
    "running_mean": (
        "The evaluation's averages were never reset between iterations: what the paper draws at iteration t is the "
        "mean accuracy of iterations 0 to t. A network that collapses at once seems to decay slowly, and differences "
        "at high sparsity are blurred. All figures with accuracies are affected; percent remaining, PQ Index and Gini"
        " index are not."
    ),
    "exchanged_axes": (
        "In Fig. 3a the neuron-wise panel has the percentages of global pruning on its x axis, and the global panel "
        "those of neuron-wise pruning. SAP prunes much faster globally, so the exchange flatters it neuron-wise and "
        "penalises it globally; the paper's comparison of scopes rests on this figure."
    ),
    "mixed_pq": (
        "Fig. 3c draws the first layer's PQ Index at (p, q) = (0.1, 1.0), the middle layer's at (0.5, 2.0) and the "
        "last one's at (1.0, 2.0). The heights of the three curves cannot be compared."
    ),
    "short_bars": (
        "Percent remaining is drawn in percent, its standard deviation as a fraction. The bars look like certainty."
    ),
}

OVERLAYS = (
    "The published curves were read off the authors' figures and are drawn pale behind ours. In the corrected reading"
    " their accuracies are un-averaged, with the error of reading them carried along, and exchanged axes are put "
    "right. <em>Within error</em> is the share of points that differ by at most the reading error plus two standard "
    "deviations over our seeds."
)

NO_OVERLAY = (
    "There are published curves for CIFAR-10 with the CNN (Figs. 2 to 5) and with ResNet-18 (the authors' README), "
    "and these records have neither. <code>python -m src.main dataset=cifar10 model=cnn trainer=paper "
    "prune=sap,sap_1_2,lottery_ticket,one_shot seed=0,1,2,3 -m</code> makes those of Fig. 2."
)

KIND_TITLES = {
    "prune": "Retrained networks",
    "pruned": "Pruned networks",
    "p": "Sweep of p",
    "q": "Sweep of q",
    "eta": "Sweep of η_r",
    "gamma": "Sweep of γ",
    "ratio": "Accuracy against remaining weights",
    "layer": "Remaining weights by layer",
    "si_layer": "PQ Index by layer",
    "pq": "PQ Index over p and q",
}
