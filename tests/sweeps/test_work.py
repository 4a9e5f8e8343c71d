"""What is left to train, and how long that takes."""

import pytest

from src.records.timings import FILE, Rate, Stopwatch, measured_rates, read_timings
from src.sweeps.standing import training_keys, work
from tests.sweeps.synthetic import jobs, standings, write_run, write_timings

WORDS = ["model=mlp", "prune.iterations=3", "trainer.epochs=5"]
MLP = ("fashion_mnist", "mlp", None)


def test_all_of_it_with_iteration_0_shared(tmp_path):
    left = work(standings(*jobs(tmp_path, *WORDS, "prune=sap,sap_1_2", "seed=0,1")))
    assert (left.iterations, len(left.trainings), left.epochs) == (16, 2 * (1 + 3 + 3), {MLP: 14 * 5})


def test_what_a_run_has_done_is_done_for_the_others(tmp_path):
    sap, other, lt = jobs(tmp_path, *WORDS, "prune=sap,sap_1_2,lottery_ticket")
    write_run(sap, 2, "running")
    write_run(lt, 4)
    runs = standings(sap, other, lt)
    left = work(runs)
    assert (left.iterations, len(left.trainings)) == (2 + 4, 2 + 3)
    assert len(work(runs, from_start=True).trainings) == 1 + 3 * 3


def test_iteration_0_is_the_same_for_all_methods_and_scopes_and_nothing_else_is_certain(tmp_path):
    methods = "prune=sap,lottery_ticket,one_shot,random,snip"
    runs = standings(
        *jobs(tmp_path, *WORDS, methods, "prune.scope=neuron,global"), *jobs(tmp_path, *WORDS, "prune=dense")
    )
    assert len({training_keys(run)[0] for run in runs}) == 1
    assert len({key for run in runs for key in training_keys(run)}) == 1 + 10 * 3


def test_but_not_for_other_trainings(tmp_path):
    others = ("seed=0", "seed=1", "trainer.lr=0.2", "model=linear", "trainer.epochs=6", "dataset.train_size=10")
    runs = standings(*(job for word in others for job in jobs(tmp_path, *WORDS, word)))
    assert len({training_keys(run)[0] for run in runs}) == 6


def test_nor_for_runs_that_start_from_files(tmp_path):
    (tmp_path / "start.npz").touch()
    sap, other = standings(*jobs(tmp_path, *WORDS, "prune=sap,sap_1_2", f"init_from={tmp_path}/start.npz"))
    assert training_keys(sap)[0] != training_keys(other)[0]


def test_nothing_is_left_of_finished_runs(tmp_path):
    (job,) = jobs(tmp_path, *WORDS)
    write_run(job)
    left = work(standings(job))
    assert (left.iterations, len(left.trainings), left.epochs, left.seconds({})) == (0, 0, {}, 0)


def test_the_rate_is_that_of_the_last_device(tmp_path):
    slow, fast = jobs(tmp_path, *WORDS, "seed=0,1")
    write_run(slow)
    write_timings(slow, [100, 100], device="cpu")
    write_run(fast)
    write_timings(fast, [3, 5], epochs=2, device="cuda")
    rates = measured_rates(tmp_path)
    assert rates == {MLP: Rate(2.0, "solo", "cuda")}
    (missing,) = standings(*jobs(tmp_path, *WORDS, "seed=2"))
    assert work([missing]).seconds(rates) == 4 * 5 * 2.0


def test_without_a_measurement_the_time_is_not_known(tmp_path):
    (job,) = jobs(tmp_path, *WORDS)
    assert work(standings(job)).seconds(measured_rates(tmp_path)) is None


def test_shared_trainings_took_no_time_and_count_for_no_rate(tmp_path):
    (job,) = jobs(tmp_path, *WORDS)
    write_run(job)
    write_timings(job, [0.5], epochs=0)
    assert measured_rates(tmp_path) == {}


def test_a_stopwatch_adds_up_the_epochs_of_an_iteration(tmp_path):
    watch = Stopwatch(tmp_path, MLP, "cuda")
    watch.epoch(2.5, members=4)
    watch.epoch(1.5, members=4)
    watch.iteration(0)
    watch.epoch(2.0, members=1)
    watch.iteration(1)
    found = [(t.iteration, t.epochs, t.seconds, t.engine, t.device) for t in read_timings(tmp_path)]
    assert found == [(0, 2, 4.0, "stacked", "cuda"), (1, 1, 2.0, "solo", "cuda")]


def test_a_row_that_was_cut_off_is_passed_over(tmp_path):
    (job,) = jobs(tmp_path, *WORDS)
    write_run(job)
    write_timings(job, [1, 2])
    with (job.run.folder / FILE).open("a") as file:
        file.write("2,5,1.")
    assert [t.seconds for t in read_timings(job.run.folder)] == [1, 2]
    write_timings(job, [7])  # its first row goes on where the other was cut off
    write_timings(job, [8])
    assert [t.seconds for t in read_timings(job.run.folder)] == [1, 2, 8]


@pytest.mark.parametrize("missing", [True, False])
def test_no_file_or_an_empty_one_has_no_rows(tmp_path, missing):
    if not missing:
        (tmp_path / FILE).touch()
    assert list(read_timings(tmp_path)) == []
