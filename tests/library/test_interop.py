"""Masks and SAP among PyTorch's pruning, Lightning and Transformers; the last two where they are installed."""

import pytest
import torch
from torch import nn
from torch.nn.utils import prune
from torch.utils.data import DataLoader, TensorDataset

from src.errors import UserError
from src.interop.loop import Pruner
from src.interop.torch_prune import SapPruning, hand_over, take_over
from src.library.masks import Masks
from src.library.pruning import prune_step
from src.pruning.methods.at_initialisation import SnipPruning, SynflowPruning
from src.pruning.methods.lottery_ticket import LotteryTicket
from src.pruning.methods.one_shot import OneShot
from src.pruning.methods.random_pruning import RandomPruning
from src.pruning.methods.sap import Sap


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 4))


def dataset() -> TensorDataset:
    torch.manual_seed(1)
    return TensorDataset(torch.randn(32, 20), torch.arange(32) % 4)


def train(pruned: nn.Module, steps: int = 3) -> None:
    optimizer = torch.optim.SGD(pruned.parameters(), 0.1, momentum=0.9)
    for _ in range(steps):
        optimizer.zero_grad()
        pruned(dataset().tensors[0]).square().mean().backward()
        optimizer.step()


def test_sap_as_a_method_of_pytorchs():
    ours, theirs = network(), network()
    masks = prune_step(ours, Masks.of(ours), Sap(scope="layer"))
    for layer in (theirs[0], theirs[2]):
        SapPruning.apply(layer, "weight", p=0.5, q=1.0)
    assert torch.equal(theirs[0].weight, ours[0].weight)
    masks = prune_step(ours, masks, Sap(scope="layer"))
    SapPruning.apply(theirs[2], "weight")
    assert torch.equal(theirs[2].weight_mask.bool(), masks["2.weight"])


def test_sap_of_all_layers_as_one_group():
    ours, theirs = network(), network()
    masks = prune_step(ours, Masks.of(ours), Sap(gamma=2))
    layers = [(theirs[0], "weight"), (theirs[2], "weight")]
    prune.global_unstructured(layers, pruning_method=SapPruning, gamma=2)
    assert torch.equal(theirs[0].weight_mask.bool(), masks["0.weight"])
    assert torch.equal(theirs[2].weight_mask.bool(), masks["2.weight"])


def test_of_a_tensor_that_is_wholly_pruned_nothing_more_is():
    layer = prune.custom_from_mask(nn.Linear(4, 4), "weight", torch.zeros(4, 4))
    assert int(SapPruning.apply(layer, "weight").weight_mask.sum()) == 0


def test_masks_there_and_back():
    pruned = network()
    masks = prune_step(pruned, Masks.of(pruned), LotteryTicket(ratio=0.5))
    hand_over(pruned, masks)
    train(pruned)
    assert bool((pruned[0].weight[~masks["0.weight"]] == 0).all())
    back = take_over(pruned)
    assert not prune.is_pruned(pruned)
    assert {name: mask.tolist() for name, mask in back.items()} == {name: m.tolist() for name, m in masks.items()}
    assert prune_step(pruned, back, LotteryTicket(ratio=0.5)).alive == masks.alive // 2


def test_a_weight_that_layers_share_stays_zero_in_all_of_them():
    tied = nn.Sequential(nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 20))
    tied[2].weight = tied[0].weight
    masks = prune_step(tied, Masks.of(tied), LotteryTicket(ratio=0.5))
    hand_over(tied, masks)
    train(tied)
    tied(dataset().tensors[0])
    assert all(bool((layer.weight[~masks["0.weight"]] == 0).all()) for layer in (tied[0], tied[2]))
    assert take_over(tied) == masks
    assert tied[0].weight is tied[2].weight


def test_what_pytorchs_pruning_cannot_keep_or_masks_cannot_hold_is_refused_before_anything_changes():
    attention = nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16))
    with pytest.raises(UserError, match=r"^0\.self_attn\.out_proj\.weight: attention .* masks\.hold"):
        hand_over(attention, Masks.of(attention))
    assert not prune.is_pruned(attention)
    pruned = network()
    prune.l1_unstructured(pruned[0], "weight", 5)
    prune.l1_unstructured(pruned[2], "bias", 1)
    with pytest.raises(UserError, match=r"^2\.bias is pruned and no weight .* prune\.remove\(layer, 'bias'\)"):
        take_over(pruned)
    assert "weight_orig" in dict(pruned[0].named_parameters())


def test_the_weights_of_a_recurrent_layer_there_and_back():
    layer = nn.LSTM(4, 5)
    masks = prune_step(layer, Masks.of(layer), LotteryTicket(ratio=0.5))
    hand_over(layer, masks)
    layer(torch.ones(3, 4))
    assert take_over(layer) == masks


@pytest.mark.parametrize(
    "method", [OneShot(), SnipPruning(), SynflowPruning(), LotteryTicket(score=SnipPruning().score)]
)
def test_a_method_that_each_epochs_weights_do_not_decide_is_refused_at_once(method):
    with pytest.raises(UserError, match=r"not decided by each epoch's weights alone: take LotteryTicket, .*prune_step"):
        Pruner(network(), method)


@pytest.mark.parametrize(("key", "value"), [("every", 1.5), ("every", 0), ("every", None), ("seed", 0.5), ("seed", -1)])
def test_counts_are_whole_numbers(key, value):
    with pytest.raises(UserError, match=rf"^{key}=.* is not allowed: it must be a whole number of \d or more"):
        Pruner(network(), RandomPruning(), **{key: value})


def test_the_number_of_prunings_is_whole():
    with pytest.raises(UserError, match=r"^iterations=2\.5 is not allowed"):
        Pruner(network(), Sap(iterations=2.5))


def test_random_pruning_differs_by_the_seed():
    def masks(seed):
        pruner = Pruner(network(), RandomPruning(ratio=0.5), seed=seed)
        pruner.after_epoch()
        return pruner.masks

    assert masks(1) == masks(1) != masks(2)


def test_settings_are_checked():
    with pytest.raises(UserError, match=r"pattern 'typo\*' matches none of 0\.weight, 2\.weight"):
        Pruner(network(), LotteryTicket(exclude=["typo*"]))
    with pytest.raises(UserError, match=r"smaller than SAP\.q"):
        SapPruning.apply(nn.Linear(2, 2), "weight", p=2)
    with pytest.raises(UserError, match="every=0 is not allowed"):
        Pruner(network(), every=0)


def test_a_plain_loop():
    pruned = network()
    pruner = Pruner(pruned, LotteryTicket(ratio=0.5, iterations=2), every=2)
    alive = []
    for _ in range(8):
        train(pruned, 1)
        pruner.after_step()
        pruner.after_epoch()
        alive.append(pruner.masks.alive)
        assert sum(int((layer.weight != 0).sum()) for layer in (pruned[0], pruned[2])) == pruner.masks.alive
    assert alive == [384, 192, 192, 96, 96, 96, 96, 96]


def test_lightning(tmp_path):
    lightning = pytest.importorskip("lightning.pytorch")
    from src.interop.lightning import PruningCallback

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.network = network()

        def training_step(self, batch, index):
            return nn.functional.cross_entropy(self.network(batch[0]), batch[1])

        def validation_step(self, batch, index):
            self.training_step(batch, index)

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1, momentum=0.9)

    def trainer_for(epochs):
        callback = PruningCallback(LotteryTicket(ratio=0.5), every=2)
        quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
        return lightning.Trainer(max_epochs=epochs, callbacks=[callback], default_root_dir=tmp_path, **quiet), callback

    def fit(epochs, checkpoint=None):
        module, (trainer, callback) = Module(), trainer_for(epochs)
        trainer.fit(module, DataLoader(dataset(), 8), ckpt_path=checkpoint)
        trainer.save_checkpoint(tmp_path / "last.ckpt")
        return module, callback.pruner

    module, pruner = fit(5)
    assert list(pruner.masks) == ["network.0.weight", "network.2.weight"]
    assert (pruner.masks.alive, Masks.of_zeros(module).alive) == (96, 96)
    module, pruner = fit(6, tmp_path / "last.ckpt")
    assert (pruner.masks.alive, Masks.of_zeros(module).alive) == (48, 48)

    module, (trainer, callback) = Module(), trainer_for(2)
    trainer.validate(module, DataLoader(dataset(), 8), verbose=False)
    trainer.save_checkpoint(tmp_path / "untrained.ckpt")
    trainer.fit(module, DataLoader(dataset(), 8), ckpt_path=tmp_path / "untrained.ckpt")
    trainer.fit_loop.max_epochs = 3
    trainer.fit(module, DataLoader(dataset(), 8))
    assert (callback.pruner.masks.alive, Masks.of_zeros(module).alive) == (192, 192)


def test_transformers(tmp_path):
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    from src.interop.transformers import PruningCallback

    config = transformers.GPT2Config(vocab_size=11, n_positions=8, n_embd=16, n_layer=1, n_head=2)
    tokens = [{"input_ids": torch.arange(8) % 11, "labels": torch.arange(8) % 11}] * 8

    def trainer_for(epochs, every=1):
        callback = PruningCallback(LotteryTicket(ratio=0.5, scope="neuron"), every=every)
        settings = {"report_to": [], "disable_tqdm": True, "save_strategy": "epoch", "use_cpu": True}
        arguments = transformers.TrainingArguments(str(tmp_path), num_train_epochs=epochs, **settings)
        model = transformers.GPT2LMHeadModel(config)
        return transformers.Trainer(model, arguments, train_dataset=tokens, callbacks=[callback]), callback

    trainer, callback = trainer_for(2)
    trainer.train()
    masks, model = callback.pruner.masks, trainer.model
    assert sorted(masks) == [
        f"transformer.h.0.{name}.weight" for name in ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
    ]
    assert masks.alive == masks.total // 4
    assert {int(count) for count in masks["transformer.h.0.mlp.c_fc.weight"].sum(0)} == {4}
    assert Masks.of_zeros(model).alive == masks.alive
    assert not bool((model.lm_head.weight == 0).any())

    trainer, callback = trainer_for(3, every=3)
    trainer.train(resume_from_checkpoint=True)
    masks = callback.pruner.masks
    assert (masks.alive, callback.pruner.epochs) == (masks.total // 8, 3)
    assert Masks.of_zeros(trainer.model).alive == masks.alive

    trainer.train()
    assert (callback.pruner.masks.alive, callback.pruner.epochs) == (masks.total // 16, 6)
    assert Masks.of_zeros(trainer.model).alive == masks.total // 16
