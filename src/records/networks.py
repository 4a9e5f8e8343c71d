"""The networks that a run keeps: that of its last iteration, and the sparsest at no more than a point lost."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.errors import UserError
from src.library.compressed import decompress
from src.records.schema import MASKS_FILE, NETWORKS_FILE, RUN_FILE, WEIGHTS_FILE, read_status
from src.store.tensors import read_tensors

if TYPE_CHECKING:
    from torch import Tensor, nn

    from src.library.masks import Masks


def read_network(folder: Path, iteration: int | None = None) -> "tuple[int, dict[str, Tensor]]":
    """The iteration, by default the last, and the state dict of its network, pruned weights zero.

    Raises:
        UserError: a folder without networks, an iteration that is not kept, a damaged file.
    """
    for name in (NETWORKS_FILE, WEIGHTS_FILE):
        if not (folder / name).is_file():
            continue
        try:
            tensors, shapes = read_tensors(folder / name)
        except OSError as error:
            raise UserError(f"{error}; run it again") from error
        kept = sorted({int(key.split("/", 1)[0].removeprefix("iteration_")) for key in tensors})
        wanted = kept[-1] if iteration is None else iteration
        if wanted in kept:
            prefix = f"iteration_{wanted}/"
            own = {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}
            return wanted, decompress(own, {k: shape for k, shape in shapes.items() if f"{k}:values" in own})
        if name == NETWORKS_FILE and not (folder / WEIGHTS_FILE).is_file():
            raise UserError(
                f"{folder.name} keeps no network of iteration {iteration}, but of {', '.join(map(str, kept))}; "
                "record.weights=true keeps all"
            )
    if (read_status(folder) or {}).get("status") == "finished":
        raise UserError(f"{folder} keeps no networks: it had record.networks=false, or was packed without them")
    raise UserError(f"{folder} keeps no networks: it is no finished run")


def load_network(
    folder: Path, iteration: int | None = None, network: "nn.Module | None" = None
) -> "tuple[nn.Module, Masks]":
    """The network of an iteration, by default the last, for evaluation, and its masks.

    It is built as the run's records describe it, where its model is one of this repository; a model of your own is
    given as `network`, which is filled: a class that is only named in a file is never imported. Masks are those that
    were recorded; with `record.masks=none`, what is not zero of the weights that the run prunes.

    Raises:
        UserError: as `read_network`; another architecture, or one that is not known here; damaged masks.
    """
    from src.library.masks import Masks

    kept, state = read_network(folder, iteration)
    try:
        filled = build_network(folder) if network is None else network
    except UserError as error:
        raise UserError(f"{error}; build it yourself, and give load_network(..., network=...)") from error
    try:
        filled.load_state_dict(state)
    except RuntimeError as error:
        raise UserError(f"the network of {folder.name} is of another architecture: {error}") from error
    return filled.eval(), Masks(_masks(folder, kept, filled))


def _masks(folder: Path, iteration: int, network: "nn.Module") -> "dict[str, Tensor]":
    """Of the weights that the run prunes, by their names."""
    from src.models.model import prunable_names
    from src.records.masks import read_masks
    from src.records.run import load_run

    if not (folder / MASKS_FILE).is_file():
        names = prunable_names(network, load_run(folder).config["prune"].get("exclude", ()))
        return {name: network.get_parameter(name).detach() != 0 for name in names}
    try:
        recorded = read_masks(folder)
    except OSError as error:
        raise UserError(f"{error}; run it again") from error
    keys = {name: f"iteration_{iteration}/{name}" for name in network.state_dict()}
    return {name: recorded[key] for name, key in keys.items() if key in recorded}


def image_shape(folder: Path) -> tuple[int, int, int]:
    """Channels, height and width of the images that the run's network takes. Raises UserError where it is not told."""
    channels, height, width = _about(folder)["image_shape"]
    return channels, height, width


def _about(folder: Path) -> dict[str, Any]:
    """What run.json tells of the network."""
    about = (read_status(folder) or {}).get("network")
    if not isinstance(about, dict) or {"image_shape", "classes"} - set(about):
        raise UserError(f"{folder / RUN_FILE} does not tell of the images")
    return about


def build_network(folder: Path) -> "nn.Module":
    """A network of the run's architecture, with untrained weights.

    Raises:
        UserError: a model that is none of this repository's, or whose records do not tell of the images.
    """
    from src.config.settings import read_section
    from src.models.libraries import Timm
    from src.models.model import Model, build_model
    from src.models.shipped import MODELS
    from src.records.run import load_run

    classes: dict[str, type[Model]] = {
        f"{cls.__module__}.{cls.__qualname__}": cls for cls in (Timm, *map(type, MODELS.values()))
    }
    stored = load_run(folder).config["model"]
    cls = classes.get(stored.get("_target_"))
    if cls is None:
        raise UserError(f"the model of {folder.name}, {stored.get('_target_')}, is none of this repository's")
    fields = {field.name for field in dataclasses.fields(cls)}
    model = read_section("model", cls, {key: value for key, value in stored.items() if key in fields})
    model.check("model")
    return build_model(model, image_shape(folder), _about(folder)["classes"], seed=0)
