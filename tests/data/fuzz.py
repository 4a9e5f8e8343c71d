"""Damaged input files by the thousand: python -m tests.data.fuzz [N] [KIND ...]

Each attempt damages one file at random and reads it. It must be read, or refused in one line by a UserError that names
the file or its setting, within bounds of memory and time.
"""

import collections
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from scipy.io import savemat

from src.data.folder import Folder
from src.data.published import Cifar100, Mnist, Svhn
from src.data.tiny_imagenet import DECODED, FOLDER, TinyImagenet
from src.errors import UserError
from src.execution.state_file import read_initial_state
from tests.data.synthetic import (
    IDX,
    forget,
    md5,
    pixels,
    sha256,
    write_cifar,
    write_idx,
    write_tiny_imagenet,
)

LIKE = {"a.weight": torch.zeros(7, 5), "a.bias": torch.zeros(7), "n": torch.zeros((), dtype=torch.int64)}
SECONDS, BYTES = 5.0, 6 * 2**30


@dataclass
class Kind:
    """What is damaged, and what then reads it; `exact`: what is read must be what it was."""

    path: Path
    read: Callable[[], dict[str, torch.Tensor]]
    exact: bool = True


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """One to three damages, at random places: bits flipped, bytes changed, lost, added, repeated, or the end cut."""
    for _ in range(rng.integers(1, 4)):
        n = len(content)
        at = int(rng.integers(0, max(n, 1)) if rng.random() < 0.5 else rng.integers(0, min(n, 300) or 1))
        size = int(rng.integers(1, 9))
        match rng.integers(0, 8):
            case 0 | 1 | 2:
                flipped = bytes(b ^ (1 << int(rng.integers(8))) for b in content[at : at + 1])
                content = content[:at] + flipped + content[at + 1 :]
            case 3:
                content = content[:at] + rng.bytes(size) + content[at + size :]
            case 4:
                content = content[:at] + rng.choice([b"\xff", b"\0", b"9", b"\x7f"]) * size + content[at + size :]
            case 5:
                content = content[:at]
            case 6:
                content = content[:at] + content[at + size :]
            case _:
                content = content[:at] + content[at : at + size] * 2 + content[at + size :]
    return content


def attempt(kind: Kind, content: bytes, good: dict[str, torch.Tensor]) -> str:
    """`read` or `refused`. Raises AssertionError, or what `read` raises beyond UserError."""
    kind.path.write_bytes(content)
    start = time.process_time()
    try:
        forget()
        found = kind.read()
    except UserError as error:
        outcome = "refused" if "\n" not in str(error) else "refused in several lines"
    else:
        same = all(torch.equal(found[name], tensor) for name, tensor in good.items())
        assert same or not kind.exact, "other values were read"
        outcome = "read, as it was" if same else "read, with other values"
    taken = time.process_time() - start
    assert taken < SECONDS, f"{taken:.1f} s"
    return outcome


@contextmanager
def kinds(folder: Path) -> Iterator[dict[str, Kind]]:
    """Good files of every kind below a folder, and how they are read."""
    rng = np.random.default_rng(4)
    state = {name: rng.standard_normal(t.shape).astype(np.float32) for name, t in LIKE.items()}
    np.savez(folder / "a.npz", **state)
    np.savez_compressed(folder / "b.npz", **state)
    save_file({name: torch.tensor(array) for name, array in state.items()}, folder / "a.safetensors")
    found = {path.name: _initial(path, path.suffix == ".npz") for path in sorted(folder.iterdir())}
    found |= {
        f"folder {suffix}": _picture(folder / suffix, suffix) for suffix in ("png", "jpg", "tiff", "bmp", "webp", "ppm")
    }
    found |= {"folder copy": _kept(folder / "pets"), "note": _note(folder / "notes")}
    found |= {"tiny copy": _tiny(folder / "t1", DECODED), "tiny zip": _tiny(folder / "t2", "tiny-imagenet-x.zip")}
    found |= {"tiny list": _tiny(folder / "t3", f"{FOLDER}/val/val_annotations.txt")}
    with (
        patch.multiple(Cifar100, checksums=_cifar(folder / "c")),
        patch.multiple(Mnist, checksums=_mnist(folder / "m"), content=None),
        patch.multiple(Svhn, checksums=_svhn(folder / "s")),
    ):
        found["cifar"] = Kind(folder / "c/cifar-100-python/train", lambda: _tensors(Cifar100(root=str(folder / "c"))))
        found["idx"] = Kind(folder / "m/MNIST/raw" / IDX[0], lambda: _tensors(Mnist(root=str(folder / "m"))))
        found["svhn"] = Kind(folder / "s/train_32x32.mat", lambda: _tensors(Svhn(root=str(folder / "s"))))
        yield found


def _tensors(source) -> dict[str, torch.Tensor]:
    return source.load(download=False).tensors


def _initial(path: Path, exact: bool) -> Kind:
    return Kind(path, lambda: read_initial_state(path, LIKE), exact)


def _pets(root: Path, suffix: str) -> Path:
    rng = np.random.default_rng(5)
    for name in ("train/cat", "train/dog", "test/cat"):
        (root / name).mkdir(parents=True)
        for i in range(2):
            Image.fromarray(pixels(rng, 24, 20, 3)).save(root / name / f"{i}.{suffix}")
    return root


def _picture(root: Path, suffix: str) -> Kind:
    _pets(root, suffix)

    def read() -> dict[str, torch.Tensor]:
        for path in root.glob(".*"):
            path.unlink()
        return _tensors(Folder(root=str(root), size=16))

    return Kind(root / "train/cat" / f"0.{suffix}", read, exact=False)


def _kept(root: Path) -> Kind:
    source = Folder(root=str(_pets(root, "png")), size=16)
    source.load()
    return Kind(next(root.glob(".folder-*.safetensors")), lambda: _tensors(source))


def _note(root: Path) -> Kind:
    source = Folder(root=str(_pets(root, "png")), size=16)
    source.load()

    def read() -> dict[str, torch.Tensor]:
        source.content_digest()
        forget()
        return _tensors(source)

    return Kind(next(root.glob(".*.digest.json")), read)


def _tiny(root: Path, damage: str) -> Kind:
    write_tiny_imagenet(root / FOLDER)
    source = TinyImagenet(root=str(root))
    if damage.endswith(".zip"):
        shutil.make_archive(str(root / damage.removesuffix(".zip")), "zip", root, FOLDER)
        shutil.rmtree(root / FOLDER)
    elif damage == DECODED:
        source.load()
        shutil.rmtree(root / FOLDER)

    def read() -> dict[str, torch.Tensor]:
        for path in root.glob(".*") if damage == DECODED else [*root.glob(".*"), *root.glob(DECODED)]:
            path.unlink()
        return _tensors(source)

    return Kind(root / damage, read, exact=damage == DECODED)


def _cifar(root: Path) -> dict[str, str]:
    write_cifar(root / "cifar-100-python", {"train": 8, "test": 3}, "fine_labels")
    return {f"cifar-100-python/{name}": md5(root / "cifar-100-python" / name) for name in ("train", "test")}


def _mnist(root: Path) -> dict[str, str]:
    write_idx(root / "MNIST/raw")
    return {f"MNIST/raw/{name}": sha256(root / "MNIST/raw" / name) for name in IDX}


def _svhn(root: Path) -> dict[str, str]:
    root.mkdir()
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        images, labels = pixels(rng, 32, 32, 3, 4), np.ones((4, 1), np.uint8)
        savemat(root / f"{split}_32x32.mat", {"X": images, "y": labels})
    return {path.name: md5(path) for path in root.iterdir()}


def main(n: int, names: list[str]) -> int:
    """Print what became of `n` attempts of each kind; the number of those that went wrong."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    faults = 0
    with tempfile.TemporaryDirectory() as folder, kinds(Path(folder)) as found:
        for name, kind in found.items():
            if names and name not in names:
                continue
            content = kind.path.read_bytes()
            good = {key: tensor.clone() for key, tensor in kind.read().items()}  # they may be of the file as mapped
            rng, outcomes = np.random.default_rng(0), collections.Counter()
            for _ in range(n):
                try:
                    outcomes[attempt(kind, damaged(content, rng), good)] += 1
                except Exception as error:
                    faults += 1
                    outcomes[f"FAULT {type(error).__name__}: {str(error)[:150]}"] += 1
            kind.path.write_bytes(content)
            print(f"{name}: {dict(outcomes)}", flush=True)
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used} KiB more memory; {faults} faults")
    return faults


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, sys.argv[2:]) > 0)
