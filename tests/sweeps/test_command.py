"""`python -m src.status` and `python -m src.main --dry-run`, and how fast they answer."""

import json
import resource
import subprocess
import sys

import pytest

from src import status
from tests.support import ROOT, command_line
from tests.sweeps.synthetic import RECORDS, jobs, write_run, write_timings, write_training


@pytest.mark.slow
def test_640_finished_runs_answer_within_five_seconds(tmp_path):
    """Issue 4, to reach; in seconds of CPU, which on a machine that does nothing else are those of the clock."""
    for job in jobs(tmp_path, "experiment=submission"):
        write_run(job)
        write_timings(job, [1.0])
    words = ["experiment=submission", f"output_dir={tmp_path}"]
    allowed = max(5, 3 * cpu_seconds("-c", "import torch")[0])  # 5 s where that takes 1.7 s
    for command, said in [
        (("src.main", *words), "640 finished, 0 to do"),
        (("src.status", *words), "640 runs: 640 finished"),
        (("src.status", words[-1]), "640 runs: 640 finished"),
    ]:
        seconds, told = cpu_seconds("-m", *command)
        assert said in told
        assert seconds <= allowed, command


@pytest.mark.parametrize("words", [["src.main", "--help"], ["src.main", "--dry-run"], ["src.status"]])
def test_what_trains_nothing_imports_no_pytorch(tmp_path, words):
    done = python("-X", "importtime", "-m", *words, f"output_dir={tmp_path}")
    assert done.returncode == 0
    for name in ("torch", "numpy", "pandas", "wandb", "matplotlib"):
        assert f"| {name}\n" not in done.stderr


def cpu_seconds(*arguments: str) -> tuple[float, str]:
    """CPU time of a process, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = python(*arguments).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, said


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_text(tmp_path, capsys):
    done, begun, bad, absent = jobs(tmp_path, "prune=sap", "model=mlp", "prune.iterations=3", "seed=0,1,2,3")
    write_run(done)
    write_timings(done, [6, 6], epochs=3)
    write_run(begun, 1, "running")
    write_run(bad, 2, "failed", "the loss became nan\nlower trainer.lr")
    words = ["prune=sap", "model=mlp", "prune.iterations=3", "seed=0,1,2,3", "-m", f"output_dir={tmp_path}"]
    assert status.main(words) == 1, "a run has failed"
    lines = capsys.readouterr().out.splitlines()
    assert not [line for line in lines if line.startswith(done.run.name)]
    assert lines[0].split() == [begun.run.name, "interrupted", *["1", "of", "4", "iterations"]]
    assert lines[1].endswith("failed       2 of 4 iterations: the loss became nan")
    assert lines[2].split()[:2] == [absent.run.name, "missing"]
    assert "4 runs: 1 finished, 1 interrupted, 1 failed, 1 missing" in lines
    assert "left to do:  9 iterations, at most 9 trainings with 1800 epochs" in lines
    assert "time left: 1 h 0 min one after the other" in lines
    assert "an epoch takes: fashion_mnist-mlp 2 s (solo, cpu)" in lines


def test_json(tmp_path, capsys):
    one, other = jobs(tmp_path, "model=mlp", "prune.iterations=3", "seed=0,1", "trainer.epochs=3")
    write_run(one)
    write_timings(one, [1.5], epochs=3)
    write_run(other, 3, "running")
    assert status.main(["--json", f"output_dir={tmp_path}"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["counts"] == {"finished": 1, "running": 0, "interrupted": 1, "failed": 0, "missing": 0}
    assert found["left"] == {"iterations": 1, "trainings": 1, "epochs": 3, "seconds": 1.5}
    assert {run["name"]: run["iterations_done"] for run in found["runs"]} == {one.run.name: 4, other.run.name: 3}
    assert found["disk_bytes"]["records"] > 2 * len(RECORDS) * 1000


def test_prune_lists_and_removes_but_keeps_what_is_asked_for_and_what_the_others_need(tmp_path, capsys):
    done, begun = jobs(tmp_path, "seed=0,1")
    write_run(done)
    write_run(begun, 0, "running")
    spare, needed = write_training(tmp_path, done, 0, "00" * 16), write_training(tmp_path, begun, 0, "10" * 16)
    assert status.main(["seed=0", "--prune", f"output_dir={tmp_path}"]) == 0
    told = capsys.readouterr().err
    assert str(spare) in told
    assert "removed 1 file," in told
    assert not spare.exists()
    assert needed.exists()
    assert (done.run.folder / "iterations.csv").exists()


def test_the_machine_s_own_output_folder_is_looked_into(tmp_path, capsys):
    (job,) = jobs(tmp_path, "seed=0")
    write_run(job)
    (tmp_path / "conf" / "local").mkdir(parents=True)
    (tmp_path / "conf" / "local" / "default.yaml").write_text(f"# @package _global_\noutput_dir: {tmp_path}\n")
    assert status.main(["--config-dir", str(tmp_path / "conf")]) == 0
    assert "1 run: 1 finished" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--jsn"], ["--jsn", "--json"]),
        (["prune.p=1.5"], ["prune.p=1.5", "prune.q"]),
        (["prune.zzz=1"], ["prune.zzz"]),
        (["experiment=fig9"], ["fig9", "main_text"]),
        (["--config-dir", "nowhere"], ["nowhere"]),
        (["output_dir=lr=0.1/x"], ["output_dir='lr=0.1/x'"]),
    ],
)
def test_mistakes_end_with_a_message(capsys, words, expected):
    assert status.main(words) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert all(word in told for word in expected)


def test_a_reader_that_has_gone_ends_it_quietly(tmp_path):
    for words in ("src.status model=mlp", "src.main model=mlp --dry-run"):
        command = f"{sys.executable} -m {words} output_dir={tmp_path} | true"
        done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, check=True)
        assert (done.stdout, done.stderr) == ("", "")


def test_dry_run(tmp_path):
    words = ["experiment=fig2,fig5", "--dry-run", "seed=0", "prune.iterations=2", f"output_dir={tmp_path / 'out'}"]
    done = command_line(*words)
    first, *lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert first.startswith("trainer=paper: 200 epochs a training; at most 25 trainings to do, in a time not known")
    assert first.endswith("for less: trainer=quick or trainer.epochs=3")
    assert "12 runs: 12 missing" in lines
    assert "all of them: 36 iterations, at most 25 trainings with 5000 epochs" in lines
    assert sum(line.startswith("cifar10-cnn-T2-") for line in lines) == 12
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["prune.p=0.5,2"], "prune.p=2.0 is not allowed"),
        (["trainer/optimizer=torch", "trainer.optimizer.options={alpha: 0.9},{alpha: -1}"], "Invalid alpha value: -1"),
        (["trainer/optimizer=torch", "trainer.optimizer.options={eps: 1e-8},{depth: 3}"], "'depth'"),
        (["trainer/optimizer=torch", "trainer.optimizer.name=RMSprop,LBFGS"], "cannot be used: it fails on a vector"),
    ],
)
def test_a_dry_run_lists_what_is_impossible(tmp_path, words, told):
    done = command_line("--dry-run", *words, f"output_dir={tmp_path / 'out'}")
    assert done.returncode == 1
    assert "2 runs: 1 missing, 1 impossible" in done.stdout
    assert told in done.stdout
    assert "1 run of 2 cannot be done" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["output_dir=a,b", "-m"], "a sweep has one output_dir"),
        (["output_dir=lr=0.1/x"], "output_dir='lr=0.1/x'"),
        (["prune=null"], "choose one of dense, lottery_ticket"),
    ],
)
def test_words_that_hydra_cannot_take(words, told):
    done = command_line(*words)
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr
