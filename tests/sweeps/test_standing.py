"""Where runs stand, as their folders tell."""

import json
from contextlib import ExitStack

from src import status
from src.store.locks import acquire, run_lock
from src.sweeps.standing import State, by_state, standing, stored
from tests.sweeps.synthetic import jobs, write_run


def test_each_state(tmp_path):
    done, begun, held, bad, absent = jobs(tmp_path, "seed=0,1,2,3,4")
    write_run(done)
    write_run(begun, 3, "running")
    write_run(held, 5, "running")
    write_run(bad, 2, "failed", "the loss became nan")
    with ExitStack() as until:
        assert acquire(run_lock(held.run.folder), until)
        found = [
            standing(job.run)
            for job in (
                done,
                begun,
                held,
                bad,
                absent,
            )
        ]
    assert [run.state.value for run in found] == ["finished", "interrupted", "running", "failed", "missing"]
    assert [run.done for run in found] == [31, 3, 5, 2, 0]
    assert {run.total for run in found} == {31}
    assert found[3].reason == "the loss became nan"
    assert set(by_state(found).values()) == {1}


def test_a_run_whose_process_has_died_is_no_longer_running(tmp_path):
    (job,) = jobs(tmp_path, "seed=0")
    write_run(job, 1, "running")
    with ExitStack() as until:
        acquire(run_lock(job.run.folder), until)
    assert standing(job.run).state == State.interrupted


def test_the_file_that_is_damaged_is_named(tmp_path):
    (job,) = jobs(tmp_path, "seed=0")
    write_run(job)
    state = json.loads((job.run.folder / "run.json").read_text())
    (job.run.folder / "run.json").write_text(json.dumps(state | {"files": {"masks.safetensors": {"bytes": 3}}}))
    found = standing(job.run)
    assert found.state == State.interrupted
    assert (found.reason or "").startswith("masks.safetensors is missing or damaged")


def test_a_folder_of_another_identity_or_without_state_is_missing(tmp_path):
    one, other = jobs(tmp_path, "seed=0,1")
    write_run(one)
    one.run.folder.rename(other.run.folder)
    (one.run.folder).mkdir()
    assert [
        run.state
        for run in [
            standing(job.run)
            for job in (
                one,
                other,
            )
        ]
    ] == [State.missing, State.missing]


def test_all_that_is_stored(tmp_path):
    done, begun = jobs(tmp_path, "seed=0", "prune=sap,one_shot")
    write_run(done)
    write_run(begun, 4, "running")
    found = {run.name: run for run in stored(tmp_path)}
    assert set(found) == {done.run.name, begun.run.name}
    assert found[begun.run.name] == standing(begun.run)
    finished = found[done.run.name]
    assert (finished.state, finished.done, finished.spec) == (State.finished, 31, begun.run.spec_digest)


def test_what_a_folder_does_not_tell_is_none(tmp_path):
    (job,) = jobs(tmp_path, "seed=0")
    write_run(job, 4, "running")
    for content in ("prune: [", "[]", "trainer: 5"):
        (job.run.folder / "config.yaml").write_text(content)
        (found,) = stored(tmp_path)
        assert (found.done, found.setting, found.epochs) == (4, None, None)


def test_a_run_whose_state_cannot_be_read_is_told_not_left_out(tmp_path, capsys):
    (job,) = jobs(tmp_path, "seed=0")
    write_run(job)
    (tmp_path / "runs" / "notes").mkdir()
    for content in ("", "{", "[]", "{}", '{"status": "finished"}'):
        (job.run.folder / "run.json").write_text(content)
        (found,) = stored(tmp_path)
        assert (found.state, found.name) == (State.failed, job.run.name)
        assert status.main([f"output_dir={tmp_path}"]) == 1
        told = capsys.readouterr().out
        assert "run.json does not say where the run stands" in told
        assert "1 run: 1 failed" in told


def test_an_output_folder_that_is_not_there_has_no_runs(tmp_path):
    assert stored(tmp_path / "nothing") == []
