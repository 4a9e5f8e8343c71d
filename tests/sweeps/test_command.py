"""`python -m src.status`, and how fast a finished experiment answers."""

import json
import resource
import subprocess
import sys

import pytest

from tests.status.synthetic import RECORDS, jobs, write_run, write_timings, write_training
from tests.support import ROOT


def python(module: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", module, *words], cwd=ROOT, capture_output=True, text=True, check=False)


def status(*words: str) -> subprocess.CompletedProcess[str]:
    return python("src.status", *words)


def test_640_finished_runs_answer_within_five_seconds(tmp_path):
    """Issue 4, to reach; in seconds of CPU, which on a machine that does nothing else are those of the clock."""
    for job in jobs(tmp_path, "experiment=submission"):
        write_run(job)
        write_timings(job, [1.0])
    words = ["experiment=submission", f"output_dir={tmp_path}"]
    seconds = {}
    for command, said in [
        (("src.main", *words), "640 finished, 0 to do"),
        (("src.status", *words), "640 runs: 640 finished"),
        (("src.status", words[-1]), "640 runs: 640 finished"),
    ]:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = python(*command)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds[command] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        assert said in done.stdout
    assert max(seconds.values()) <= 5, seconds


def test_text(tmp_path):
    done, begun, bad, absent = jobs(tmp_path, "prune=sap", "model=mlp", "prune.iterations=3", "seed=0,1,2,3")
    write_run(done)
    write_timings(done, [6, 6], epochs=3)
    write_run(begun, 1, "running")
    write_run(bad, 2, "failed", "the loss became nan\nlower trainer.lr")
    words = ["prune=sap", "model=mlp", "prune.iterations=3", "seed=0,1,2,3", f"output_dir={tmp_path}"]
    said = status(*words)
    assert said.returncode == 1, "a run has failed"
    lines = said.stdout.splitlines()
    assert not [line for line in lines if line.startswith(done.folder.name)]
    assert lines[0].split() == [begun.folder.name, "interrupted", *["1", "of", "4", "iterations"]]
    assert lines[1].endswith("failed       2 of 4 iterations: the loss became nan")
    assert lines[2].split()[:2] == [absent.folder.name, "missing"]
    assert "4 runs: 1 finished, 1 interrupted, 1 failed, 1 missing" in lines
    assert "left to do:  9 iterations, 9 trainings after sharing, 27 epochs" in lines
    assert "time left: 54 s one after the other" in lines
    assert "an epoch takes: fashion_mnist-mlp 2 s (solo, cpu)" in lines


def test_json(tmp_path):
    one, other = jobs(tmp_path, "model=mlp", "prune.iterations=3", "seed=0,1")
    write_run(one)
    write_timings(one, [1.5], epochs=3)
    write_run(other, 3, "running")
    said = status("--json", f"output_dir={tmp_path}")
    found = json.loads(said.stdout)
    assert said.returncode == 0
    assert found["counts"] == {"finished": 1, "running": 0, "interrupted": 1, "failed": 0, "missing": 0}
    assert found["left"] == {"iterations": 1, "trainings": 1, "epochs": 3, "seconds": 1.5}
    assert [(run["name"], run["iterations_done"]) for run in found["runs"]] == [
        (one.folder.name, 4),
        (other.folder.name, 3),
    ] or found["runs"][0]["name"] == other.folder.name
    assert found["disk_bytes"]["records"] > 2 * len(RECORDS) * 1000


def test_prune_keeps_what_the_runs_asked_for_and_the_others_need(tmp_path):
    done, begun = jobs(tmp_path, "seed=0,1")
    write_run(done)
    write_run(begun, 0, "running")
    spare, needed = write_training(tmp_path, done, 0, "00" * 16), write_training(tmp_path, begun, 0, "10" * 16)
    said = status("seed=0", "--prune", f"output_dir={tmp_path}")
    assert "removed 1 files" in said.stderr
    assert not spare.exists()
    assert needed.exists()
    assert (done.folder / "iterations.csv").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--jsn"], ["--jsn", "--json"]),
        (["prune.p=1.5"], ["prune.p=1.5", "prune.q"]),
        (["prune.zzz=1"], ["prune.zzz"]),
        (["experiment=fig9"], ["fig9", "main_text"]),
    ],
)
def test_mistakes_end_with_a_message(words, expected):
    said = status(*words)
    assert said.returncode == 1
    assert "Traceback" not in said.stderr
    assert all(word in said.stderr for word in expected)
