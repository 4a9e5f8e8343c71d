"""CIFAR-10's files in 102 MB, 0.6 of what tar and gzip make of them, and back to the last byte.

    python benchmarks/mosaic.py pack|unpack FROM TO

Pixels become lossless WebP images of 40 x 40 pictures; what surrounds them in a file lies beside them. Needs NumPy and
Pillow alone. Other files are copied.
"""

import math
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 40
PICTURES = 10_000
"""Of each file of pixels."""
PIXELS = (3, 32, 32)
BLOCKS = -(-PICTURES // SIDE**2)
BEFORE, AFTER = "before", "after"


def pack(file: Path, folder: Path) -> None:
    """`file` in parts, in `folder`; a file without pictures as it is."""
    if not file.name.endswith(("batch", *"12345")):
        shutil.copy(file, folder)
        return
    whole, size = file.read_bytes(), PICTURES * math.prod(PIXELS)
    start = whole.index(size.to_bytes(4, "little")) + 4  # pickled bytes follow their number; nothing is unpickled
    (folder / f"{file.name}.{BEFORE}").write_bytes(whole[:start])
    (folder / f"{file.name}.{AFTER}").write_bytes(whole[start + size :])
    blocks = np.zeros((BLOCKS * SIDE**2, *PIXELS), np.uint8)
    blocks[:PICTURES] = np.frombuffer(whole, np.uint8, size, start).reshape(-1, *PIXELS)
    for i, block in enumerate(blocks.reshape(BLOCKS, SIDE, SIDE, *PIXELS)):
        picture = block.transpose(0, 3, 1, 4, 2).reshape(SIDE * PIXELS[1], SIDE * PIXELS[2], PIXELS[0])
        Image.fromarray(picture).save(folder / f"{file.name}.{i}.webp", lossless=True, quality=100, method=6)


def unpack(before: Path, folder: Path) -> None:
    """The file that begins with what is in `before`, in `folder`."""
    blocks = []
    for i in range(BLOCKS):
        picture = np.asarray(Image.open(before.with_suffix(f".{i}.webp")).convert("RGB"))
        block = picture.reshape(SIDE, PIXELS[1], SIDE, PIXELS[2], PIXELS[0]).transpose(0, 2, 4, 1, 3)
        blocks.append(block.reshape(SIDE**2, -1))
    pixels = np.concatenate(blocks)[:PICTURES].tobytes()
    after = before.with_suffix(f".{AFTER}").read_bytes()
    (folder / before.stem).write_bytes(before.read_bytes() + pixels + after)


def main(what: str, source: Path, target: Path) -> None:
    """All files of `source`, side by side."""
    target.mkdir(parents=True, exist_ok=True)
    files = sorted(path for path in source.iterdir() if path.is_file())
    if what == "unpack":
        for path in files:
            if path.suffix not in (".webp", f".{BEFORE}", f".{AFTER}"):
                shutil.copy(path, target)
        files = [path for path in files if path.suffix == f".{BEFORE}"]
    with ProcessPoolExecutor() as pool:
        list(pool.map({"pack": pack, "unpack": unpack}[what], files, [target] * len(files)))


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:]))
