"""Whatever befalls a run's files: the same command ends with the records of a run that was left alone."""

import json
import random
import shutil

import pytest

from src.execution.session import Session
from src.records.integrity import is_finished, verify
from src.records.schema import read_status
from tests.support import command_line, folder_of

RUN = ["model=linear", "dataset=digits", "trainer=smoke", "prune.iterations=3", "threads=1"]
RECORDS = ["iterations.csv", "layers.csv", "epochs.csv", "measures.safetensors", "masks.safetensors"]
INTERRUPTED_AT = 2

DAMAGES = {
    "emptied": lambda content: b"",
    "halved": lambda content: content[: len(content) // 2],
    "row cut": lambda content: content[:-7],
    "zeros": lambda content: bytes(len(content)),
    "not UTF-8": lambda content: content[:20] + b"\xff" + content[21:],
    "bit flipped": lambda content: content[: len(content) * 2 // 3]
    + bytes([content[len(content) * 2 // 3] ^ 4])
    + content[len(content) * 2 // 3 + 1 :],
    "removed": None,
}


def damage(path, how):
    content = DAMAGES[how] and DAMAGES[how](path.read_bytes())
    path.unlink() if content is None else path.write_bytes(content)


def records(folder):
    return {name: (folder / name).read_bytes() for name in RECORDS}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a finished run."""
    return folder_of(command_line(*RUN, f"output_dir={tmp_path_factory.mktemp('whole')}"))


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """The folder of the same run, interrupted in iteration 2."""
    record = Session.record

    def until(self, given):
        if given.iteration == INTERRUPTED_AT:
            raise KeyboardInterrupt
        record(self, given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "record", until)
        output_dir = tmp_path_factory.mktemp("interrupted")
        assert command_line(*RUN, f"output_dir={output_dir}").returncode == 130
    (folder,) = (output_dir / "runs").iterdir()
    assert read_status(folder)["iterations_done"] == INTERRUPTED_AT
    return folder


def copied(folder, to):
    """A copy of the run in an output folder of its own."""
    shutil.copytree(folder.parents[1], to, dirs_exist_ok=True)
    return to / "runs" / folder.name


def again(folder, *words):
    done = command_line(*RUN, *words, f"output_dir={folder.parents[1]}")
    assert "Traceback" not in done.stderr
    assert folder_of(done) == folder
    assert is_finished(folder, read_status(folder))
    assert verify(folder) == []
    assert not (folder / "iterations").exists()
    return done


ALL = [*RECORDS[:3], "run.json", "config.yaml", "timings.csv", "iterations/0.safetensors", "iterations/1.safetensors",
       "iterations/1.start.safetensors", "iterations/2.start.safetensors"]  # fmt: skip


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("name", ALL)
def test_an_interrupted_run(tmp_path, whole, interrupted, name, how):
    folder = copied(interrupted, tmp_path)
    damage(folder / name, how)
    again(folder)
    assert records(folder) == records(whole)


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("name", [*RECORDS, "run.json"])
def test_a_finished_run(tmp_path, whole, name, how):
    folder = copied(whole, tmp_path)
    damage(folder / name, how)
    edited = name.endswith("csv") and how in ("bit flipped", "not UTF-8") and is_finished(folder, read_status(folder))
    if edited:
        (line,) = verify(folder)
        assert f"{name} was changed after it was recorded" in line
        return
    assert not is_finished(folder, read_status(folder))
    again(folder)
    assert records(folder) == records(whole)
