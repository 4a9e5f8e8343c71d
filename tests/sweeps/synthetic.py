"""Folders of runs as the store writes them, without training."""

from collections.abc import Sequence
from pathlib import Path

import torch
import yaml

from src.config.settings import settings_dict
from src.files import write_json, write_text
from src.records.timings import Timing, append_timing
from src.store.tensors import write_tensors
from src.sweeps.jobs import Job, jobs_of
from src.sweeps.standing import Standing, standing

RECORDS = ("iterations.csv", "layers.csv", "epochs.csv", "measures.safetensors", "masks.safetensors")


def jobs(output_dir: Path, *words: str) -> list[Job]:
    found = jobs_of([*words, f"output_dir={output_dir}"])
    assert all(isinstance(job, Job) for job in found)
    return found


def standings(*jobs: Job) -> list[Standing]:
    return [standing(job.run) for job in jobs]


def write_run(job: Job, done: int | None = None, status: str = "finished", reason: str | None = None) -> None:
    """A run that has recorded `done` iterations, by default all."""
    run = job.run
    total = run.iterations + 1
    state = {"schema": 2, "id": run.identity, "name": run.name, "status": status, "reason": reason}
    counts = {"iterations_done": total if done is None else done, "iterations_total": total}
    write_text(run.folder / "config.yaml", yaml.safe_dump(settings_dict(run.config)))
    write_json(run.folder / "run.json", {**state, **counts, **run.summary()})
    for name in RECORDS:
        write_text(run.folder / name, "0" * 1000)


def write_timings(job: Job, seconds: Sequence[float], epochs: int = 2, device: str = "cpu") -> None:
    """A row for each iteration."""
    for iteration, s in enumerate(seconds):
        append_timing(job.run.folder, Timing(iteration, epochs, s, *job.run.setting, "solo", device))


def write_training(output_dir: Path, job: Job, iteration: int, name: str) -> Path:
    """A training of the store with nothing but what its header tells."""
    path = output_dir / "trainings" / name[:2] / f"{name}.safetensors"
    about = {"spec": job.run.spec_digest, "iteration": iteration}
    write_tensors(path, {"last/weight": torch.zeros(10)}, about)
    return path
