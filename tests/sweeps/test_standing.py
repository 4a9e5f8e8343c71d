"""Where runs stand, as their folders tell."""

from contextlib import ExitStack

from src.status.standing import Status, by_status, standings, stored
from src.store.claims import claim, run_lock
from tests.status.synthetic import jobs, write_run


def test_each_state(tmp_path):
    done, begun, held, bad, absent = jobs(tmp_path, "seed=0,1,2,3,4")
    write_run(done)
    write_run(begun, 3, "running")
    write_run(held, 5, "running")
    write_run(bad, 2, "failed", "the loss became nan")
    with ExitStack() as until:
        assert claim(run_lock(held.folder), until)
        found = standings([done, begun, held, bad, absent])
    assert [run.status.value for run in found] == ["finished", "interrupted", "running", "failed", "missing"]
    assert [run.done for run in found] == [31, 3, 5, 2, 0]
    assert {run.total for run in found} == {31}
    assert found[3].reason == "the loss became nan"
    assert set(by_status(found).values()) == {1}


def test_a_run_whose_process_has_died_is_no_longer_running(tmp_path):
    (job,) = jobs(tmp_path, "seed=0")
    write_run(job, 1, "running")
    with ExitStack() as until:
        claim(run_lock(job.folder), until)
    assert standings([job])[0].status == Status.interrupted


def test_a_folder_of_another_identity_or_without_state_is_missing(tmp_path):
    one, other = jobs(tmp_path, "seed=0,1")
    write_run(one)
    one.folder.rename(other.folder)
    (one.folder).mkdir()
    assert [run.status for run in standings([one, other])] == [Status.missing, Status.missing]


def test_all_that_is_stored(tmp_path):
    done, begun = jobs(tmp_path, "seed=0", "prune=sap,one_shot")
    (other,) = jobs(tmp_path, "seed=1", "prune=sap")
    write_run(done)
    write_run(other)
    write_run(begun, 4, "running")
    found = {run.name: run for run in stored(tmp_path)}
    assert set(found) == {done.folder.name, begun.folder.name, other.folder.name}
    unfinished, kin = found[begun.folder.name], found[done.folder.name]
    assert (unfinished.status, unfinished.done, unfinished.job.spec) == (Status.interrupted, 4, begun.spec)
    assert kin.job.spec == done.spec, "it may share trainings with the one that is not finished"
    assert found[other.folder.name].job is None


def test_an_output_folder_that_is_not_there_has_no_runs(tmp_path):
    assert stored(tmp_path / "nothing") == []
