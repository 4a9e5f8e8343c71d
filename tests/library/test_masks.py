"""Masks and pruning steps of networks that are not ours."""

import copy
import importlib
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest
import torch
from torch import nn, tensor
from torch.nn.utils import parametrizations, prune

import pqindex
from pqindex import LotteryTicket, Masks, OneShot, Sap, UserError, everything, measure, prune_step
from src.pruning import amounts
from src.pruning.method import Method
from tests.support import ROOT


class Tiny(nn.Module):
    """A transformer whose output layer is its embedding, as in GPT-2."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(11, 8)
        self.block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.head = nn.Linear(8, 11, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.head(self.block(self.embed(tokens)))


def linear(weights: list[list[float]]) -> nn.Linear:
    layer = nn.Linear(len(weights[0]), len(weights), bias=False)
    with torch.no_grad():
        layer.weight.copy_(tensor(weights))
    return layer


def test_one_step_by_hand():
    layer = linear([[4, -3], [2, 1]])
    before = Masks.of(layer)
    after = prune_step(layer, before, LotteryTicket(ratio=0.5))
    assert after["weight"].tolist() == [[True, True], [False, False]]
    assert layer.weight.tolist() == [[4, -3], [0, 0]]
    assert (before.alive, after.alive, after.total) == (4, 2, 4)


def test_sap_prunes_what_the_table_says():
    torch.manual_seed(0)
    for scope in ("neuron", "layer", "global"):
        network = nn.Sequential(nn.Linear(40, 30), nn.ReLU(), nn.Linear(30, 20))
        masks = Masks.of(network)
        for _ in range(2):
            told = measure(network, Sap(scope=scope), masks)
            alive = masks.alive
            masks = prune_step(network, masks, Sap(scope=scope))
            assert alive - masks.alive == round(told.total.ratio * alive)
        assert masks.alive < 1800


@pytest.mark.parametrize("scope", ["neuron", "layer", "global"])
def test_a_weight_that_is_alive_counts_in_the_table_though_it_is_zero(scope):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(20, 20), nn.Linear(20, 20))
    with torch.no_grad():
        network[1].weight[:15] = 0
    masks = Masks.of(network)
    for _ in range(2):
        told, alive = measure(network, Sap(scope=scope), masks), masks.alive
        masks = prune_step(network, masks, Sap(scope=scope))
        assert alive - masks.alive == round(told.total.ratio * alive) > 0
        assert told.total.weights == 800


def test_embeddings_and_what_is_tied_to_them_stay_out_unless_they_are_asked_for():
    network = Tiny()
    assert list(Masks.of(network)) == [
        "block.self_attn.in_proj_weight", "block.self_attn.out_proj.weight",
        "block.linear1.weight", "block.linear2.weight",
    ]  # fmt: skip
    masks = Masks.of(network, everything)
    assert masks["embed.weight"].shape == (11, 8)
    assert "head.weight" not in masks
    assert Masks.of(network, lambda name, _: "linear" in name).total == 2 * 8 * 16
    assert prune_step(network, masks, LotteryTicket(ratio=0.3)).alive == masks.total - int(0.3 * masks.total)


def test_multiply_adds_of_a_transformer():
    network = Tiny()
    masks = Masks.of(network, everything)
    dense, sparse = masks.flops(network, torch.zeros(2, 5, dtype=torch.long))
    assert dense == sparse == 2 * 5 * (3 * 8 * 8 + 8 * 8 + 2 * 8 * 16 + 8 * 11)
    half = Masks({name: torch.zeros_like(mask).index_fill_(0, tensor([0]), True) for name, mask in masks.items()})
    assert half.flops(network, torch.zeros(2, 5, dtype=torch.long)).sparse == 2 * 5 * (8 + 8 + 8 + 16 + 8)


@pytest.mark.parametrize(
    ("layer", "image", "dense"),
    [
        (nn.Conv2d(4, 6, 3, groups=2), (1, 4, 5, 5), 9 * 6 * 2 * 9),
        (nn.Conv1d(4, 6, 3, padding=1), (2, 4, 5), 2 * 5 * 6 * 4 * 3),
        (nn.ConvTranspose2d(4, 6, 2, stride=2, groups=2), (1, 4, 5, 5), 25 * 4 * 3 * 4),
    ],
    ids=["grouped", "1d", "transposed"],
)
def test_multiply_adds_of_convolutions(layer, image, dense):
    assert Masks.of(layer).flops(layer, torch.zeros(image)) == (dense, dense)


@pytest.mark.parametrize(
    ("layer", "shapes", "dense"),
    [
        (nn.TransformerDecoderLayer(8, 2, 16, batch_first=True), [(1, 3, 8), (1, 50, 8)], 8320),
        (nn.MultiheadAttention(8, 2, kdim=4, vdim=6, batch_first=True), [(1, 3, 8), (1, 5, 4), (1, 5, 6)], 784),
        (nn.MultiheadAttention(8, 2), [(3, 8), (5, 8), (5, 8)], 3 * 64 + 2 * 5 * 64 + 3 * 64),
        (nn.LSTM(4, 5, bidirectional=True), [(7, 2, 4)], 14 * 2 * 4 * (4 * 5 + 5 * 5)),
        (nn.GRUCell(4, 5), [(2, 4)], 2 * 3 * (4 * 5 + 5 * 5)),
        (nn.Bilinear(3, 4, 5), [(2, 3), (2, 4)], 2 * 60),
    ],
    ids=["decoder", "widths", "unbatched", "recurrent", "cell", "bilinear"],
)
def test_multiply_adds_of_layers_with_several_inputs(layer, shapes, dense):
    masks, inputs = Masks.of(layer), [torch.zeros(shape) for shape in shapes]
    assert masks.flops(layer, *inputs) == (dense, dense)
    half = Masks({name: mask & (torch.arange(mask.shape[-1]) % 2 == 0) for name, mask in masks.items()})
    assert dense / 3 < half.flops(layer, *inputs).sparse < dense * 2 / 3


def test_attention_counts_the_rows_that_are_left_by_whose_they_are():
    layer = nn.MultiheadAttention(8, 2, batch_first=True)
    rows = torch.arange(24)[:, None].expand(24, 8) < 8  # of the queries alone
    masks = Masks({"in_proj_weight": rows})
    assert masks.flops(layer, query=torch.zeros(1, 3, 8), value=torch.zeros(1, 5, 8), key=torch.zeros(1, 5, 8)) == (
        13 * 64, 3 * 64,
    )  # fmt: skip


class Autoencoder(nn.Module):
    """A convolution and a transposed one of the same weight; takes a keyword and gives a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.encode, self.decode = nn.Conv2d(3, 8, 3), nn.ConvTranspose2d(8, 3, 3)
        self.decode.weight = self.encode.weight

    def forward(self, *, image: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"image": self.decode(input=self.encode(input=image))}


class Bare(nn.Module):
    """A weight of its own, and a dictionary as its output."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 4))

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"y": x @ self.weight}


def test_multiply_adds_are_those_of_the_layer_that_is_called():
    network = Autoencoder()
    assert Masks.of(network).flops(network, image=torch.zeros(1, 3, 6, 6)).dense == 2 * 16 * 216
    assert Masks.of(Bare()).flops(Bare(), torch.zeros(2, 4)).dense == 2 * 16
    bag = nn.Sequential(nn.EmbeddingBag(10, 4), nn.Linear(4, 2))
    assert Masks.of(bag, everything).flops(bag, torch.zeros(2, 3, dtype=torch.long)).dense == 2 * 8


def test_counting_multiply_adds_leaves_the_network_as_it_is():
    network = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    network[2].eval()
    modes, buffers = [m.training for m in network.modules()], [b.clone() for b in network.buffers()]
    before = torch.get_rng_state()
    assert Masks.of(network).flops(network, torch.ones(1, 4)).dense == 16
    assert [m.training for m in network.modules()] == modes
    assert all(map(torch.equal, network.buffers(), buffers))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    "layer", [nn.ConvTranspose2d(4, 6, 2, groups=2), nn.Conv2d(6, 4, 2, groups=2), nn.Linear(3, 5)]
)
def test_a_neuron_is_what_makes_one_channel(layer):
    """Where all weights of output o but one are pruned, the gradient of output o reaches that one weight."""
    torch.manual_seed(0)
    masks = prune_step(layer, Masks.of(layer), LotteryTicket(ratio=0.999, scope="neuron"))
    channels = layer.bias.numel()
    per_neuron = layer.weight.numel() // channels
    kept = per_neuron - int(0.999 * per_neuron)
    output = layer(torch.ones(1, 3) if isinstance(layer, nn.Linear) else torch.ones(1, layer.in_channels, 5, 5))
    for o in range(channels):
        (gradient,) = torch.autograd.grad(output[:, o].sum(), layer.weight, retain_graph=True)
        assert int(((gradient != 0) & masks["weight"]).sum()) == kept


def test_pruned_weights_stay_zero_while_they_are_held():
    torch.manual_seed(0)
    layer = nn.Linear(8, 4)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9)
    masks = prune_step(layer, Masks.of(layer), LotteryTicket(ratio=0.5))
    handle = masks.hold(layer, optimizer)
    for step in range(4):
        if step == 3:
            handle.remove()
        optimizer.zero_grad()
        layer(torch.randn(16, 8)).square().sum().backward()
        optimizer.step()
        assert bool((layer.weight[~masks["weight"]] == 0).all()) == (step < 3)


def test_masks_outlive_the_process(tmp_path):
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4, 2))
    masks = prune_step(network, Masks.of(network), OneShot(ratio=0.4))
    masks.save(tmp_path / "masks.safetensors")
    again = Masks.load(tmp_path / "masks.safetensors")
    assert list(again) == ["0.weight", "2.weight"]
    assert all(torch.equal(again[name], masks[name]) for name in masks)
    from safetensors.torch import load_file

    assert load_file(tmp_path / "masks.safetensors")["0.weight"].dtype == torch.bool
    assert all(torch.equal(masks[name], mask) for name, mask in Masks.of_zeros(network).items())


def test_layers_may_be_left_out_and_others_scores_used():
    network = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    masks = prune_step(network, Masks.of(network), LotteryTicket(ratio=0.5, exclude=["0.*"]))
    assert [int(mask.sum()) for mask in masks.values()] == [16, 8]
    snip = pqindex.SnipPruning(ratio=0.25)
    batches = [(torch.randn(8, 4), torch.arange(8) % 4)]
    assert prune_step(network, masks, snip, batches=batches).alive == 24 - 6


@pytest.mark.parametrize("method", [pqindex.SnipPruning(ratio=0.5), pqindex.SynflowPruning(ratio=0.5)])
def test_a_network_in_training_is_scored_in_evaluation_and_stays_as_it_is(method):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 4))
    evaluated, buffers = copy.deepcopy(network).eval(), [buffer.clone() for buffer in network.buffers()]
    batches = [(3 * torch.randn(50, 8) + 1, torch.arange(50) % 4)]
    before = torch.get_rng_state()
    masks, expected = (prune_step(net, Masks.of(net), method, batches=batches) for net in (network, evaluated))
    assert all(torch.equal(masks[name], mask) for name, mask in expected.items())
    assert all(map(torch.equal, network.buffers(), buffers))
    assert torch.equal(torch.get_rng_state(), before)
    assert network.training


@pytest.mark.parametrize("method", [pqindex.SnipPruning(ratio=0.5), pqindex.SynflowPruning(ratio=0.5)])
def test_other_layers_may_have_weights_that_are_computed(method):
    network = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    prune.l1_unstructured(network[1], "weight", 1)
    masks = Masks({"0.weight": torch.ones(4, 4, dtype=torch.bool)})
    assert prune_step(network, masks, method, batches=[(torch.randn(8, 4), torch.arange(8) % 4)]).alive == 8


class Tied(nn.Module):
    """A weight and a bias that have two names each; the weight's first is not what weights are called."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
        self.shared, self.layers[2].bias = self.layers[0].weight, self.layers[0].bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x) @ self.shared


@pytest.mark.parametrize("method", [pqindex.SnipPruning(ratio=0.25), pqindex.SynflowPruning(ratio=0.25)])
def test_weights_that_layers_share_are_scored_and_pruned_once(method):
    network = Tied()
    masks = prune_step(network, Masks.of(network), method, batches=[(torch.randn(8, 4), torch.arange(8) % 4)])
    assert list(masks) == ["layers.0.weight", "layers.2.weight"]
    assert masks.alive == 32 - 8
    assert torch.equal(network.shared != 0, masks["layers.0.weight"])
    assert len(network.state_dict()) == 5


@pytest.mark.parametrize(
    "computes",
    [
        parametrizations.weight_norm,
        parametrizations.spectral_norm,
        nn.utils.spectral_norm,
        lambda layer: prune.l1_unstructured(layer, "weight", 0.5),
    ],
    ids=["weight norm", "spectral norm", "older norm", "pruned"],
)
def test_a_weight_that_is_computed_is_not_passed_over_in_silence(computes):
    network = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    computes(network[1])
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    for look in (measure, Masks.of, Masks.of_zeros):
        with pytest.raises(UserError, match=r"^1\.weight: computed from other parameters"):
            look(network)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    masks = Masks.of(network, lambda name, _: name != "1.weight")
    assert prune_step(network, masks, LotteryTicket(ratio=0.5)).alive == 8


def test_what_only_is_called_as_if_it_were_a_source():
    network = nn.Sequential(linear([[4, 3], [2, 1]]), nn.BatchNorm2d(3))
    network.weight_v = nn.Parameter(torch.ones(2, 2))
    prune.l1_unstructured(network[1], "weight", 1)
    assert list(Masks.of(network)) == ["0.weight"]


def test_weights_of_recurrent_layers_are_weights():
    network = nn.ModuleDict({"rnn": nn.LSTM(4, 5, proj_size=3), "head": nn.Linear(3, 2)})
    names = ["rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.weight_hr_l0", "head.weight"]
    assert list(Masks.of(network)) == names
    prune.l1_unstructured(network["rnn"], "weight_hh_l0", 0.5)
    with pytest.raises(UserError, match=r"^rnn\.weight_hh_l0: computed"):
        Masks.of(network)


def test_normalisations_stay_out_unless_they_are_asked_for():
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.LayerNorm([8, 6, 6]), nn.RMSNorm([6, 6]))
    assert list(Masks.of(network)) == ["0.weight"]
    assert list(Masks.of(network, everything)) == ["0.weight", "1.weight", "2.weight"]


def test_parameters_of_whole_numbers_are_no_weights():
    network = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    network[0].weight = nn.Parameter(torch.ones(8, 1, dtype=torch.uint8), requires_grad=False)
    assert list(Masks.of(network)) == ["1.weight"]


def test_a_neuron_of_transformers_own_convolution_is_a_column_and_of_no_other_class_of_that_name():
    class Conv1D(nn.Linear):
        pass

    class Theirs(nn.Module):
        __module__, __qualname__ = "transformers.pytorch_utils", "Conv1D"

        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(6, 2))

    Theirs.__name__ = "Conv1D"
    masks = [prune_step(n, Masks.of(n), LotteryTicket(ratio=0.25, scope="neuron")) for n in (Conv1D(6, 2), Theirs())]
    assert masks[0]["weight"].sum(1).tolist() == masks[1]["weight"].sum(0).tolist() == [5, 5]


def test_pruned_places_become_zero_whatever_they_hold():
    layer = linear([[torch.inf, -3], [torch.nan, 1]])
    Masks({"weight": tensor([[False, True], [False, True]])}).apply(layer)
    assert layer.weight.tolist() == [[0, -3], [0, 1]]


def test_masks_are_equal_where_all_their_numbers_are():
    layer = linear([[4, -3], [2, 1]])
    masks = Masks.of(layer)
    assert masks == Masks.of(layer)
    assert masks != prune_step(layer, masks, LotteryTicket(ratio=0.5))
    assert masks != Masks({})


@pytest.mark.parametrize("method", [pqindex.SnipPruning(ratio=0.5), pqindex.SynflowPruning(ratio=0.5)])
def test_modules_may_keep_more_than_tensors_in_their_state(method):
    class Counted(nn.Linear):
        def get_extra_state(self) -> dict[str, int]:
            return {"calls": 1}

        def set_extra_state(self, state: dict[str, int]) -> None:
            pass

    network = nn.Sequential(Counted(4, 4))
    assert prune_step(network, Masks.of(network), method, batches=[(torch.ones(3, 4), torch.arange(3))]).alive == 8


def test_what_is_excluded_is_neither_pruned_nor_in_the_table():
    torch.manual_seed(0)
    network, sap = nn.Sequential(nn.Linear(20, 30), nn.Linear(30, 10)), Sap(exclude=["0.*"])
    table = measure(network, sap)
    assert [line.name for line in table.layers] == ["1.weight"]
    assert prune_step(network, Masks.of(network), sap).alive == 900 - round(300 * table.total.ratio)


def test_keep_chooses_among_the_weights_that_have_masks():
    network = nn.Sequential(nn.Embedding(4, 4), nn.Linear(4, 2), nn.Linear(2, 2))
    masks = Masks.of(network, everything)
    assert measure(network, masks=masks).total.weights == 28
    assert measure(network, masks=masks, keep=lambda name, _: name == "1.weight").total.weights == 8


def test_where_there_is_nothing_to_prune_nothing_is():
    layer = linear([[4, -3], [2, 1]])
    for scope in ("neuron", "layer", "global"):
        masks = Masks.of(layer)
        assert prune_step(layer, masks, LotteryTicket(scope=scope, exclude=["*"])) == masks
        assert len(prune_step(layer, Masks({}), Sap(scope=scope))) == 0
        empty = nn.Sequential(linear([[4, -3], [2, 1]]), nn.Linear(0, 3))
        assert prune_step(empty, Masks.of(empty), LotteryTicket(scope=scope, ratio=0.5)).alive == 2


def test_weights_of_eight_bits():
    layer = linear([[4, -3], [2, 1]])
    layer.weight = nn.Parameter(layer.weight.detach().to(torch.float8_e4m3fn), requires_grad=False)
    masks = prune_step(layer, Masks.of(layer), LotteryTicket(ratio=0.5))
    assert layer.weight.float().tolist() == [[4, -3], [0, 0]]
    assert measure(layer, masks=masks).total.weights - measure(layer, masks=masks).total.zeros == 2


def test_random_pruning_differs_by_seed_and_iteration():
    layer = nn.Linear(10, 10)

    def drawn(**given: int) -> Masks:
        return prune_step(layer, Masks.of(layer), pqindex.RandomPruning(ratio=0.5), **given)

    assert drawn() == drawn() != drawn(iteration=1)
    assert drawn(seed=1) == drawn(seed=1) != drawn(seed=2)
    assert drawn(seed=1) != drawn()


class Auxiliary(nn.Module):
    """A layer that takes part in training only."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.auxiliary = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) + self.auxiliary(x) if self.training else self.layer(x)


def test_bad_input_has_one_message():
    layer = linear([[4, -3], [2, 1]])
    with pytest.raises(UserError, match=r"mask weight has shape \[2, 2\], the network has \[3, 2\]"):
        Masks.of(layer).apply(nn.Linear(2, 3))
    with pytest.raises(UserError, match=r"mask 0\.weight has shape .* no such weight"):
        prune_step(layer, Masks.of(nn.Sequential(layer)), Sap())
    with pytest.raises(UserError, match=r"smaller than Sap\.q"):
        prune_step(layer, Masks.of(layer), Sap(p=1, q=1))
    with pytest.raises(UserError, match="weight holds NaN"):
        prune_step(linear([[torch.nan, 1]]), Masks.of(linear([[1, 1]])), Sap())
    with pytest.raises(UserError, match=r"BatchNorm2d has no weights to prune.*weight, bias"):
        measure(nn.BatchNorm2d(3))
    with pytest.raises(UserError, match="give batches"):
        prune_step(layer, Masks.of(layer), pqindex.SnipPruning())
    for method in (pqindex.SnipPruning(), pqindex.SynflowPruning()):
        with pytest.raises(UserError, match=r"batches=\.\.\. are none: give one at least"):
            prune_step(layer, Masks.of(layer), method, batches=[])
    with pytest.raises(UserError, match=r"mask weight is of torch\.float32; masks are booleans"):
        measure(layer, masks={"weight": torch.ones(2, 2)})
    for exclude, message in (("weight", r"is one string: give a list of patterns, \['weight'\]"), (["x*"], "none of")):
        for look in (lambda m: measure(layer, m), lambda m: prune_step(layer, Masks.of(layer), m)):
            with pytest.raises(UserError, match=message):
                look(Sap(exclude=exclude))
    network, batches = Auxiliary(), [(torch.ones(3, 4), torch.arange(3))]
    for method in (pqindex.SnipPruning(), pqindex.SynflowPruning()):
        with pytest.raises(UserError, match="takes no part in its output in evaluation mode"):
            prune_step(network, Masks.of(network), method, batches=batches)
    complex_, meta = nn.Linear(2, 2, dtype=torch.complex64), nn.Linear(2, 2, device="meta")
    with pytest.raises(UserError, match="weight is complex, and cannot be measured or pruned"):
        prune_step(complex_, Masks.of(complex_), Sap())
    with pytest.raises(UserError, match="weight is on the meta device"):
        prune_step(meta, Masks.of(meta), Sap())
    with pytest.raises(UserError, match="there are no masks"):
        Masks.load("nowhere.safetensors")


def test_the_public_names_are_there():
    assert [name for name in pqindex.__all__ if not hasattr(pqindex, name)] == []


def test_in_a_clone_every_class_is_there_once():
    for name in ("errors", "library.masks", "interop.loop"):
        assert importlib.import_module(f"pqindex.{name}") is importlib.import_module(f"src.{name}")

    @dataclass(frozen=True)
    class Half(Method):
        def amount(self, weights, alive, iteration, protocol):
            return amounts.Amount(alive.sum(1) // 2)

    layer = linear([[4, -3], [2, 1]])
    assert pqindex.Amount is amounts.Amount
    assert prune_step(layer, Masks.of(layer), Half()).alive == 2


def test_a_clone_is_used_beside_a_src_of_another(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "__init__.py").touch()
    code = "import pqindex, src, pqindex.interop.loop; print(pqindex.Masks.__module__, src.__path__)"
    where = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    told = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=where, capture_output=True, text=True)
    assert told.stdout.split() == ["pqindex.library.masks", f"['{tmp_path / 'src'}']"]


def test_the_command_does_not_take_the_name_of_the_function():
    with pytest.raises(ModuleNotFoundError, match=r"pqindex\.measure is a function"):
        importlib.import_module("pqindex.measure")
    assert pqindex.measure(linear([[4, 3], [2, 1]])).total.weights == 4
