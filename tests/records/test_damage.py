"""Whatever befalls a run's files: the same command ends with the records of a run that was left alone."""

import json
import shutil
from contextlib import ExitStack
from itertools import cycle

import pytest
from safetensors.torch import load_file

from src.errors import UserError
from src.execution import execute
from src.records.integrity import is_finished, verify
from src.records.run import load_run
from src.records.schema import CHANGED, read_status
from src.records.timings import read_timings
from src.store.locks import acquire, run_lock
from tests.interruption import interruption
from tests.support import command_line, folder_of

RUN = ["model=linear", "dataset=digits", "trainer=smoke", "prune.iterations=3", "threads=1"]
RECORDS = ["iterations.csv", "layers.csv", "epochs.csv", "measures.safetensors", "masks.safetensors",
           "networks.safetensors"]  # fmt: skip
INTERRUPTED_AT = 2

DAMAGES = {
    "emptied": lambda _: b"",
    "halved": lambda content: content[: len(content) // 2],
    "row cut": lambda content: content[:-7],
    "zeros": lambda content: bytes(len(content)),
    "not UTF-8": lambda content: content[:20] + b"\xff" + content[21:],
    "bit flipped": lambda content: (
        content[: len(content) * 2 // 3]
        + bytes([content[len(content) * 2 // 3] ^ 4])
        + content[len(content) * 2 // 3 + 1 :]
    ),
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
    output_dir = tmp_path_factory.mktemp("interrupted")
    with interruption(INTERRUPTED_AT):
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


def sampled(names):
    """Each file with one kind of damage, the rest as slow tests."""
    sample = dict(zip(names, cycle(DAMAGES), strict=False))
    return [
        pytest.param(name, how, marks=() if sample[name] == how else pytest.mark.slow)
        for name in names
        for how in DAMAGES
    ]


@pytest.mark.parametrize(("name", "how"), sampled(ALL))
def test_an_interrupted_run(tmp_path, whole, interrupted, name, how):
    folder = copied(interrupted, tmp_path)
    damage(folder / name, how)
    again(folder)
    assert records(folder) == records(whole)


LONGER = [*RUN, "prune.iterations=5"]


@pytest.mark.parametrize(
    ("words", "last_whole"),
    [
        ([], 2),
        pytest.param(["model=cnn"], 2, marks=pytest.mark.slow),
        (["prune=one_shot"], 2),
        (["prune.rewind.epoch=1", "trainer.epochs=2"], 0),
    ],
)
def test_a_run_goes_back_to_the_last_whole_iteration_before_the_damage(tmp_path, words, last_whole):
    """Interrupted in iteration 4; the record of iteration 2 is damaged."""
    with interruption(in_iteration=4):
        assert command_line(*LONGER, *words, f"output_dir={tmp_path}").returncode == 130
    (folder,) = (tmp_path / "runs").iterdir()
    before = {path.name: path.read_bytes() for path in (folder / "iterations").glob("[01].safetensors")}
    damage(folder / "iterations" / "2.safetensors", "bit flipped")
    with interruption(in_iteration=last_whole):
        told = command_line(*LONGER, *words, f"output_dir={tmp_path}").stdout
    assert f"goes on with iteration {last_whole} of 5" in told or last_whole == 0
    assert read_status(folder)["iterations_done"] == last_whole
    assert {path.name for path in (folder / "iterations").glob("?.safetensors")} == set(list(before)[:last_whole])
    command_line(*LONGER, *words, f"output_dir={tmp_path}")
    whole = folder_of(command_line(*LONGER, *words, f"output_dir={tmp_path / 'whole'}"))
    assert records(folder) == records(whole)


@pytest.mark.parametrize(("name", "how"), sampled([*RECORDS, "run.json", "config.yaml"]))
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


def test_no_flipped_bit_of_run_json_is_believed(tmp_path, whole):
    """A twentieth of them; in a default test, for one takes some microseconds."""
    folder = copied(whole, tmp_path)
    content = (folder / "run.json").read_bytes()
    for bit in range(0, 8 * len(content), 19):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        (folder / "run.json").write_bytes(flipped)
        state = read_status(folder)
        assert not is_finished(folder, state)
        assert state is None or (state["reason"], verify(folder)) == (CHANGED, [f"{folder.name}: {CHANGED}"])
        with pytest.raises(UserError, match=r"run\.json (is damaged|was changed)"):
            load_run(folder)


@pytest.mark.parametrize("content", ["{}", "[]", '{"status": "dancing"}'])
def test_a_run_json_that_says_nothing(tmp_path, whole, content):
    folder = copied(whole, tmp_path)
    (folder / "run.json").write_text(content)
    assert read_status(folder) is None
    again(folder)
    assert records(folder) == records(whole)


def test_an_edited_table_is_its_owners_and_told(tmp_path, whole):
    folder = copied(whole, tmp_path)
    text = (folder / "iterations.csv").read_text()
    (folder / "iterations.csv").write_text(text.replace("100.0", "99.0", 1))
    assert is_finished(folder, read_status(folder))
    (line,) = verify(folder)
    assert "iterations.csv was changed after it was recorded; remove it and run" in line
    (folder / "iterations.csv").unlink()
    again(folder)
    assert (folder / "iterations.csv").read_text() == text


def test_an_edited_table_is_believed_when_run_json_does_not_say_otherwise(tmp_path, whole):
    folder = copied(whole, tmp_path)
    text = (folder / "iterations.csv").read_text()
    (folder / "iterations.csv").write_text(text.replace("100.0", "99.0", 1))
    with pytest.raises(UserError, match=r"its entry in run[.]json's files and the sha256 there to keep it so"):
        _ = load_run(folder).table
    path = folder / "run.json"
    state = json.loads(path.read_text())
    del state["files"]["iterations.csv"]
    path.write_text(json.dumps(state, indent=2) + "\n")
    with pytest.raises(UserError, match=r"run[.]json was changed .* or remove its sha256 to keep it so"):
        load_run(folder)
    del state["sha256"]
    path.write_text(json.dumps(state))
    assert verify(folder) == []
    assert is_finished(folder, read_status(folder))
    assert load_run(folder).table["percent_remaining"][0] == 99


def test_a_run_that_keeps_more_after_an_interruption_goes_on(tmp_path, interrupted, whole):
    folder = copied(interrupted, tmp_path)
    done = again(folder, "record.weights=true")
    assert "weights.safetensors will lack 2 iterations" in done.stdout
    assert {name.split("/")[0] for name in load_file(folder / "weights.safetensors")} == {"iteration_2", "iteration_3"}
    assert records(folder) == records(whole)


def test_the_picture_is_made_when_a_finished_run_without_it_is_met(tmp_path, whole):
    folder = copied(whole, tmp_path)
    command_line(*RUN, f"output_dir={tmp_path}")
    assert not (folder / "curves.png").exists()
    command_line(*RUN, "record.picture=true", f"output_dir={tmp_path}")
    assert (folder / "curves.png").exists()


def test_a_bad_cell_in_the_timings_is_passed_over(tmp_path, whole):
    folder = copied(whole, tmp_path)
    text = (folder / "timings.csv").read_text()
    (folder / "timings.csv").write_text(text.replace("\n1,", "\n1,many,", 1).replace("\n2,1,", "\n2,many,", 1))
    assert [timing.iteration for timing in read_timings(folder)] == [0, 3]


def test_a_finished_run_is_tidied_by_who_holds_it_alone(whole, tmp_path):
    """Another process may have found it unfinished a moment ago, and be about to tidy it."""
    folder = copied(whole, tmp_path)
    (folder / "iterations").mkdir()
    (folder / ".curves.png.0.part").touch()
    with ExitStack() as held:
        assert acquire(run_lock(folder), held)
        assert command_line(*RUN, f"output_dir={tmp_path}").returncode == 0
        assert (folder / "iterations").exists()
    again(folder)
    assert not list(folder.glob(".*.part"))


def test_a_run_that_another_process_finished_meanwhile_is_not_ended_again(whole, tmp_path, monkeypatch):
    """Between the first look at it and the lock."""
    folder = copied(whole, tmp_path)
    (folder / ".iterations.csv.0.part").touch()
    looks = iter([False])
    monkeypatch.setattr(execute, "_is_finished", lambda run, really=execute._is_finished: next(looks, really(run)))
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if not path.name.endswith(".part")}
    assert command_line(*RUN, f"output_dir={tmp_path}").returncode == 0
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
