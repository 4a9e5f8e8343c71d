"""Pictures decoded once: into one uint8 tensor, which is kept beside their files."""

import json
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, TypeVar

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from src.data.dataset import Images
from src.data.fetching import preparing
from src.files import replace

log = logging.getLogger(__name__)

EIGHT_BITS = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "LAB"}
"""Pillow's modes with at most 8 bits a channel; others it would clip."""

FORMATS = ("JPEG", "PNG", "PPM", "BMP", "TIFF", "WEBP", "GIF")
"""What a picture may be, whatever its suffix says: for some other formats Pillow starts other programs."""

Picture = TypeVar("Picture")
Shape = tuple[int, int, int]


def decoded_once(name: str, path: Path, shape: Shape, key: str, decode: Callable[[], Images]) -> Images:
    """The images that `path` keeps for `key`, or else those of `decode`, kept for the next time if that can be."""
    if (images := kept(path, shape, key)) is not None:
        return images
    if not os.access(path.parent, os.W_OK):
        log.warning("%s cannot be written: every run decodes the images again", path.parent)
        return decode()
    with preparing(name, path.parent):
        if (images := kept(path, shape, key)) is None:
            images = decode()
            keep(path, key, images)
    return images


def kept(path: Path, shape: Shape, key: str | None = None) -> Images | None:
    """Images [*, *shape] kept earlier; None where there are none, or damaged ones, or those of another key."""
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()["json"])
            if key not in (None, about["key"]):
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        images = Images(**tensors, classes=int(about["classes"]))
        whole = images.digest == about["content"] and images.fault() is None
        return images if whole and images.train_images.shape[1:] == shape else None
    except (OSError, SafetensorError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, OverflowError):
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
        replace(path, write)
    except (OSError, SafetensorError) as error:
        log.warning("%s cannot be written (%s): every run decodes the images again", path, error)


def decode_all(
    name: str, pictures: Sequence[tuple[Picture, int]], read: Callable[[Picture], Image.Image], shape: Shape
) -> tuple[Tensor, Tensor]:
    """Pictures as `read` gives them, uint8 [N, *shape], and their labels, int64 [N]. Raises ValueError for none."""
    if not pictures:
        raise ValueError("it holds no images")
    channels, height, width = shape
    images = np.empty((len(pictures), *shape), np.uint8)
    for index, (picture, _) in enumerate(tqdm(pictures, desc=f"decoding {name}", unit="images", leave=False)):
        images[index] = np.asarray(read(picture)).reshape(height, width, channels).transpose(2, 0, 1)
    return torch.from_numpy(images), torch.tensor([label for _, label in pictures])


def decode(file: Path | IO[bytes], mode: str) -> Image.Image:
    """A picture in Pillow's `mode`, RGB or L. Raises ValueError for what is none, is too large or would be clipped."""
    try:
        if isinstance(file, Path) and not file.is_file():
            raise ValueError("it is no file")
        with Image.open(file, formats=FORMATS) as picture:
            if picture.mode not in EIGHT_BITS:
                raise ValueError(f"its pixels have more than 8 bits a channel (mode {picture.mode})")
            return picture.convert(mode)
    except Exception as error:  # Pillow raises errors of many kinds for broken files
        raise ValueError(str(error) or type(error).__name__) from error
