"""Folders of runs as the store writes them, without training."""

from collections.abc import Sequence
from pathlib import Path

import torch
from omegaconf import OmegaConf

from src.experiments.compose import jobs_of
from src.experiments.jobs import Job
from src.store.digest import digest, settings_of
from src.store.files import write_json, write_tensors, write_text
from src.store.timings import Timing, append_timing

RECORDS = ("iterations.csv", "layers.csv", "epochs.csv", "measures.safetensors", "masks.safetensors")


def jobs(output_dir: Path, *words: str) -> list[Job]:
    found = jobs_of([*words, f"output_dir={output_dir}"])
    assert all(isinstance(job, Job) for job in found)
    return found


def write_run(job: Job, done: int | None = None, status: str = "finished", reason: str | None = None) -> None:
    """A run that has recorded `done` iterations, by default all."""
    total = job.config.prune.iterations + 1
    state = {"schema": 1, "id": job.identity, "name": job.folder.name, "status": status}
    counts = {"iterations_done": total if done is None else done, "iterations_total": total}
    write_text(job.folder / "config.yaml", OmegaConf.to_yaml(OmegaConf.structured(job.config)))
    write_json(job.folder / "run.json", {**state, **counts, "reason": reason})
    for name in RECORDS:
        write_text(job.folder / name, "0" * 1000)


def write_timings(job: Job, seconds: Sequence[float], epochs: int = 2, device: str = "cpu") -> None:
    """A row for each iteration."""
    for iteration, s in enumerate(seconds):
        setting = (job.spec.dataset, job.spec.model, job.spec.train_size, "solo", device)
        append_timing(job.folder, Timing(iteration, epochs, s, *setting))


def write_training(output_dir: Path, job: Job, iteration: int, name: str) -> Path:
    """A training of the store with nothing but what its header tells."""
    path = output_dir / "trainings" / name[:2] / f"{name}.safetensors"
    about = {"spec": digest(settings_of(job.spec)), "iteration": iteration}
    write_tensors(path, {"last/weight": torch.zeros(10)}, about)
    return path
