"""The jobs that a command line stands for."""

from dataclasses import dataclass

import pytest
import torch

from src.data.dataset import Images
from src.data.source import DataSource
from src.errors import UserError
from src.sweeps.jobs import BadJob, Job, jobs_of


def test_equal_runs_are_one_and_bad_ones_are_told():
    found = jobs_of(["prune=sap,sap_1_2", "prune.p=0.5,1,3", "prune.q=2"])
    assert [job.run.config.prune.p for job in found if isinstance(job, Job)] == [0.5, 1]
    (bad, other) = [job for job in found if isinstance(job, BadJob)]
    assert bad.reason == other.reason
    assert "prune.p=3" in bad.reason
    assert "prune=sap" in bad.words


def test_several_experiments_are_their_union():
    found = [job.run.identity for job in jobs_of(["experiment=fig2,fig4", "trainer=smoke", "seed=0"])]
    apart = [
        job.run.identity
        for name in ("fig2", "fig4")
        for job in jobs_of([f"experiment={name}", "trainer=smoke", "seed=0"])
    ]
    assert len(found) == 4 + 10 - 2
    assert set(found) == set(apart)


def test_a_key_belongs_to_each_method_that_has_it():
    lt, one_shot, dense = jobs_of(["prune=lottery_ticket,one_shot,dense", "prune.ratio=0.3,0.3"])
    assert (lt.run.config.prune.ratio, one_shot.run.config.prune.ratio) == (0.3, 0.3)
    assert dense.words == ("prune=dense",)


def test_a_key_of_a_part_s_part_too():
    sgd, adam = jobs_of(["trainer/optimizer=sgd,adam", "trainer.optimizer.momentum=0.5"])
    assert sgd.run.config.trainer.optimizer.momentum == 0.5
    assert adam.words == ("trainer/optimizer=adam",)


def test_a_key_that_no_method_has_is_a_mistake():
    for job in jobs_of(["prune=sap,dense", "prune.ratio=0.3"]):
        assert isinstance(job, BadJob)
        assert "prune.ratio" in job.reason


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["output_dir=a,b"], r"output_dir=a,b: a sweep has one output_dir.*\"output_dir='a,b'\""),
        (["output_dir=lr=0.1/x"], r"output_dir=lr=0.1/x cannot be read.*src.main \"output_dir='lr=0.1/x'\""),
        (["prune=null"], r"prune=null is not allowed: choose one of dense, lottery_ticket, .*, or leave it out"),
        (["prune.p=interval(0,1)"], r"prune.p=interval\(0,1\): a sweep goes over single values.*prune.p=A,B,C"),
    ],
)
def test_words_that_make_no_sweep(words, told):
    with pytest.raises(UserError, match=told):
        jobs_of(words)


@dataclass(frozen=True)
class Drawn(DataSource):
    def read(self, root, download):
        images, labels = torch.zeros(4, 1, 2, 2, dtype=torch.uint8), torch.arange(4) % 2
        return Images(images, labels, images, labels, 2)


def test_data_without_files_are_known_by_their_content():
    (job,) = jobs_of(["dataset=digits", f"dataset._target_={__name__}.Drawn", "model=linear"])
    assert job.run.config.dataset.content_digest() is not None


def test_choices_of_one_s_own_folder(tmp_path):
    (tmp_path / "prune").mkdir()
    (tmp_path / "prune" / "mine.yaml").write_text("_target_: src.pruning.methods.sap.Sap\np: 0.3\n")
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "default.yaml").write_text("# @package _global_\noutput_dir: ~/scratch\n")
    mine, sap = jobs_of(["prune=mine,sap"], str(tmp_path))
    assert (mine.run.config.prune.p, sap.run.config.prune.p) == (0.3, 0.5)
    assert mine.run.config.config_dir == str(tmp_path)
    assert mine.run.output_dir.name == "scratch"
    assert mine.run.output_dir.is_absolute()
    with pytest.raises(UserError, match="--config-dir nowhere"):
        jobs_of([], "nowhere")
