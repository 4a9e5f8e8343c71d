"""Pictures decoded once: into one uint8 tensor, which is kept beside their files."""

import io
import json
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from src.data.dataset import Images
from src.data.fetching import preparing, put

log = logging.getLogger(__name__)

EIGHT_BITS = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "LAB"}
"""Pillow's modes with at most 8 bits a channel; others it would clip."""

Picture = TypeVar("Picture")


def decoded_once(name: str, path: Path, key: str, decode: Callable[[], Images]) -> Images:
    """The images that `path` keeps for `key`, or else those of `decode`, kept for the next time if that can be."""
    if (images := kept(path, key)) is not None:
        return images
    if not os.access(path.parent, os.W_OK):
        log.warning("%s cannot be written: every run decodes the images again", path.parent)
        return decode()
    with preparing(name, path.parent):
        if (images := kept(path, key)) is None:
            images = decode()
            keep(path, key, images)
    return images


def kept(path: Path, key: str | None = None) -> Images | None:
    """Images kept earlier; None where there are none, or damaged ones, or those of another key."""
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()["json"])
            if key not in (None, about["key"]):
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        images = Images(**tensors, classes=int(about["classes"]))
        return images if images.digest == about["content"] and images.fault() is None else None
    except (OSError, SafetensorError, ValueError, LookupError, TypeError):
        return None


def keep(path: Path, key: str, images: Images) -> None:
    """Write images with their digest; a warning where there is no room."""
    about = {"key": key, "classes": images.classes, "content": images.digest}

    def write(part: Path) -> None:
        part.touch()  # safetensors would make it readable for its owner alone; this honours the umask
        mode = part.stat().st_mode
        save_file(images.tensors, part, {"json": json.dumps(about)})
        part.chmod(mode)

    try:
        put(path, write)
    except (OSError, SafetensorError) as error:
        log.warning("%s cannot be written (%s): every run decodes the images again", path, error)


def decode_all(
    name: str, pictures: Sequence[Picture], pixels: Callable[[Picture], npt.NDArray[np.uint8]], shape: tuple[int, ...]
) -> Tensor:
    """`pixels` of all pictures, uint8 [N, *shape]."""
    images = np.empty((len(pictures), *shape), np.uint8)
    for index, picture in enumerate(tqdm(pictures, desc=f"decoding {name}", unit="images", leave=False)):
        images[index] = pixels(picture)
    return torch.from_numpy(images)


def decode(content: bytes, mode: str) -> Image.Image:
    """A picture in Pillow's `mode`, RGB or L. Raises ValueError for what is none, or would be clipped."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            if picture.mode not in EIGHT_BITS:
                raise ValueError(f"its pixels have more than 8 bits a channel (mode {picture.mode})")
            return picture.convert(mode)
    except Exception as error:  # Pillow raises errors of many kinds for broken files
        raise ValueError(str(error) or type(error).__name__) from error
