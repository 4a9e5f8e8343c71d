"""Full disks and files in the way: the last good state is kept."""

import errno
import os
import shutil

import pytest

from tests.end_to_end.events import at_event, composed, fork, fork_composed, records, status_of
from tests.support import command_line, folder_of

RUN = ["model=linear", "dataset=digits", "trainer=smoke", "trainer.epochs=2", "prune.iterations=2", "threads=1"]
EVENTS = 125
"""More than a run has; those beyond its last one are left out."""


def run(output_dir, *words):
    done = command_line(*RUN, *words, f"output_dir={output_dir}")
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    output_dir = tmp_path_factory.mktemp("whole")
    folder_of(run(output_dir))
    return records(output_dir)


def full(_):
    raise OSError(errno.ENOSPC, "No space left on device")


SAMPLE = range(5, EVENTS, 37)
"""What the default tests try, as whole commands."""


@pytest.mark.parametrize(
    "number", [pytest.param(n, marks=() if n in SAMPLE else pytest.mark.slow) for n in range(EVENTS)]
)
def test_full_from_an_event_on(tmp_path, whole, number):
    def begin(before=lambda: None):
        if number in SAMPLE:
            return fork([*RUN, f"output_dir={tmp_path}"], before)
        return fork_composed(composed(*RUN), tmp_path, before)

    assert status_of(begin(lambda: at_event(number, tmp_path, full))) in (0, 1)
    assert status_of(begin()) == 0
    assert records(tmp_path) == whole


def test_a_sweep_on_a_full_disk_still_lists_what_failed(tmp_path, whole):
    read, write = os.pipe()

    def told():
        done = command_line("-m", *RUN, "seed=0,1", f"output_dir={tmp_path}")
        os.write(write, done.stderr.encode())
        os._exit(done.returncode)

    from_event_40 = lambda: (at_event(40, tmp_path, full), told())  # noqa: E731
    assert status_of(fork([], from_event_40)) == 1
    assert "2 of 2 runs failed" in os.read(read, 65536).decode()
    assert run(tmp_path).returncode == 0
    assert records(tmp_path).items() >= whole.items()


@pytest.mark.parametrize("name", ["", "runs", "locks"])
def test_a_file_in_the_way_is_named(tmp_path, whole, name):
    path = tmp_path / "out" / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    done = run(tmp_path / "out")
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert str(tmp_path / "out") in line
    assert "the same command goes on" in line
    path.unlink()
    assert run(tmp_path / "out").returncode == 0
    assert records(tmp_path / "out") == whole


def test_trainings_that_cannot_be_kept_are_told_and_the_run_goes_on(tmp_path, whole):
    (tmp_path / "trainings").touch()
    done = run(tmp_path)
    assert done.returncode == 0
    assert (done.stdout + done.stderr).count("cannot be written (Not a directory)") == 1
    assert records(tmp_path) == whole


def test_a_dangling_link_is_told(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere" / "x")
    assert "a file or a dangling link is in its place" in run(tmp_path / "link").stderr


def test_an_output_folder_removed_during_the_run_is_told(tmp_path, monkeypatch, whole):
    from src.execution.session import Session

    record = Session.record

    def removing(self, given):
        if given.iteration == 1:
            shutil.rmtree(tmp_path / "out")
        record(self, given)

    monkeypatch.setattr(Session, "record", removing)
    done = run(tmp_path / "out")
    assert done.returncode == 1
    assert "it was removed while the run went on" in done.stderr
    monkeypatch.undo()
    run(tmp_path / "out")
    assert records(tmp_path / "out") == whole


def test_one_runs_error_ends_no_other(tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"no zip")
    sweep = ["-m", "hydra/launcher=stacked", f"init_from=null,{tmp_path / 'bad.npz'}"]
    done = run(tmp_path / "out", *sweep)
    assert done.returncode == 1
    assert "1 of 2 runs failed" in done.stderr
    assert len(list((tmp_path / "out").glob("runs/*/measures.safetensors"))) == 1
