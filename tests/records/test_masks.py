"""Masks come back the same, a byte or a bit each; bits take an eighth."""

import pytest
import torch
from safetensors.torch import load_file

from src.records.masks import read_masks
from tests.support import command_line, folder_of

RUN = ["dataset=digits", "model=mlp", "prune.iterations=2", "trainer=smoke", "threads=1"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    found = {}
    for kept in ("full", "bits", "none"):
        done = command_line(*RUN, f"record.masks={kept}", f"output_dir={tmp_path_factory.mktemp(kept)}")
        found[kept] = folder_of(done)
    return found


def test_both_ways_say_the_same(folders):
    full, bits = read_masks(folders["full"]), read_masks(folders["bits"])
    assert full.keys() == bits.keys()
    assert all(torch.equal(full[name], bits[name]) for name in full)
    assert all(torch.equal(full[name], mask) for name, mask in load_file(folders["full"] / "masks.safetensors").items())


def test_the_folder_takes_little_more_than_the_bits(folders):
    weights = sum(mask.numel() for mask in read_masks(folders["bits"]).values())
    assert (folders["bits"] / "masks.safetensors").stat().st_size <= 1.2 * weights / 8 + 2000
    assert not (folders["none"] / "masks.safetensors").exists()


def test_the_run_is_the_same_run(folders):
    assert len({folder.name for folder in folders.values()}) == 1
    assert len({(folder / "iterations.csv").read_bytes() for folder in folders.values()}) == 1
