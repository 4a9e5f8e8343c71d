"""The disk used, and what can go."""

from contextlib import ExitStack
from dataclasses import replace

from src.status import unneeded
from src.store.locks import acquire, run_lock
from src.sweeps.report import report
from src.sweeps.standing import stored
from tests.sweeps.synthetic import RECORDS, jobs, standings, write_run, write_training


def test_records_and_trainings(tmp_path):
    (job,) = jobs(tmp_path, "seed=0")
    write_run(job)
    training = write_training(tmp_path, job, 0, "a" * 32)
    used = report(standings(job), tmp_path).disk
    texts = sum((job.run.folder / name).stat().st_size for name in ("run.json", "config.yaml"))
    assert used["records"] == len(RECORDS) * 1000 + texts
    assert used["trainings"] == training.stat().st_size


def test_finished_runs_need_no_trainings(tmp_path):
    (job,) = jobs(tmp_path, "seed=0")
    write_run(job)
    trainings = [write_training(tmp_path, job, t, str(t) * 32) for t in (0, 1)]
    assert unneeded(tmp_path, standings(job)) == trainings


def test_unfinished_runs_need_what_they_have_not_recorded(tmp_path):
    one, other = jobs(tmp_path, "seed=0,1", "prune=sap")
    write_run(one, 1, "running")
    write_run(other)
    first, second = (write_training(tmp_path, one, t, f"0{t}" * 16) for t in (0, 1))
    partial = write_training(tmp_path, one, 3, "03" * 16 + ".partial")
    theirs = write_training(tmp_path, other, 1, "11" * 16)
    assert unneeded(tmp_path, standings(one, other)) == [theirs]
    assert first.exists(), "later masks and starting states may come from it"
    assert second.exists()
    assert partial.exists()


def test_what_a_run_has_recorded_it_needs_no_more_but_for_iteration_0(tmp_path):
    (job,) = jobs(tmp_path, "prune=one_shot")
    write_run(job, 5, "running")
    trainings = {t: write_training(tmp_path, job, t, f"0{t}" * 16) for t in (0, 1, 4, 5)}
    assert unneeded(tmp_path, standings(job)) == [trainings[1], trainings[4]]


def test_a_run_known_from_its_folder_alone_needs_the_same(tmp_path):
    (job,) = jobs(tmp_path, "prune=sap", "seed=0")
    (other,) = jobs(tmp_path, "prune=sap", "seed=1")
    write_run(job, 2, "running")
    trainings = [
        write_training(tmp_path, run, t, f"{run.run.config.seed}{t}" * 16) for run in (job, other) for t in (1, 2)
    ]
    (own,) = stored(tmp_path)
    assert own.spec == job.run.spec_digest
    assert unneeded(tmp_path, [own]) == [trainings[0], *trainings[2:]]
    assert unneeded(tmp_path, [replace(own, spec=None)]) == []


def test_a_missing_run_that_is_asked_for_needs_all(tmp_path):
    done, missing = jobs(tmp_path, "prune=sap,sap_1_2")
    write_run(done)
    first, second = (write_training(tmp_path, done, t, f"0{t}" * 16) for t in (0, 1))
    assert unneeded(tmp_path, standings(done, missing)) == []
    assert unneeded(tmp_path, standings(done)) == [first, second]


def test_a_training_that_does_not_tell_what_it_is_stays_while_any_run_is_unfinished(tmp_path):
    one, other = jobs(tmp_path, "seed=0,1")
    write_run(one)
    write_run(other, 2, "failed", "no memory")
    path = tmp_path / "trainings" / "ab" / ("ab" * 16 + ".safetensors")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"damaged")
    assert unneeded(tmp_path, standings(one, other)) == []
    assert unneeded(tmp_path, standings(one)) == [path]


def test_parts_of_interrupted_writes_go_when_nobody_writes(tmp_path):
    (job,) = jobs(tmp_path, "seed=0")
    write_run(job, 1, "running")
    part = job.run.folder / ".iterations.csv.123.part"
    part.touch()
    with ExitStack() as until:
        acquire(run_lock(job.run.folder), until)
        assert unneeded(tmp_path, standings(job)) == []
    assert unneeded(tmp_path, standings(job)) == [part]
