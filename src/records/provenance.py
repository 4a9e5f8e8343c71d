"""Where a result comes from: code, command, versions and machine."""

import hashlib
import json
import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def provenance(device: Any, precision: str) -> dict[str, Any]:
    """What `run.json` and Weights & Biases tell of a run's making, apart from its end; `device` is a torch.device."""
    import torch

    commit, difference = code_state()
    cuda = device.type == "cuda"
    return {
        "commit": commit,
        "clean": None if commit is None else not difference,
        "difference": hashlib.sha256(difference.encode()).hexdigest()[:32] if difference else None,
        "command": command(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda if cuda else None,
        "package": _package_version(),
        "device": torch.cuda.get_device_name(device) if cuda else processor(),
        "threads": torch.get_num_threads(),
        "kernels": {"cpu": torch.backends.cpu.get_cpu_capability(), **chosen_by_environment()},
        "precision": precision,
        "platform": platform.platform(),
        "start": now(),
    }


KERNELS = re.compile("MKL_.*|LD_PRELOAD|ATEN_CPU_CAPABILITY|(ONEDNN|DNNL)_MAX_CPU_ISA|NVIDIA_TF32_OVERRIDE|CUBLAS_.*")
"""Variables of the environment that decide how libraries round, or may."""


def chosen_by_environment() -> dict[str, str]:
    """Those that are set, without the folders of files that they name."""
    return {name: re.sub(r"[^\s:]*/", "", value) for name, value in os.environ.items() if KERNELS.fullmatch(name)}


def now() -> str:
    """This moment, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


SECRET = re.compile("key|token|secret|passw|credential", re.IGNORECASE)
"""In the name of a variable of the environment whose value is nobody else's business."""


def without_secrets(value: Any) -> Any:
    """A JSON value without what such variables hold."""
    text = json.dumps(value)
    for name, secret in os.environ.items():
        if SECRET.search(name) and len(secret) >= 8:
            text = text.replace(json.dumps(secret)[1:-1], "***")
    return json.loads(text)


def command() -> str:
    """The command of this process, as it can be typed again."""
    import shlex

    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    program = ["python", "-m", spec.name.removesuffix(".__main__")] if spec else [Path(sys.argv[0]).name]
    return shlex.join([*program, *sys.argv[1:]])


@cache
def code_state() -> tuple[str | None, str]:
    """The commit of this code, None outside a clone, and how the working tree differs from it; empty: not at all."""
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return None, ""
    difference = _git("diff", "HEAD") or ""
    unknown = _git("ls-files", "--others", "--exclude-standard", "src", "conf", "hydra_plugins") or ""
    return commit.strip(), difference + "".join(f"not in git: {name}\n" for name in unknown.splitlines())


def processor() -> str:
    """The CPU's name, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _git(*words: str) -> str | None:
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, env=environment, capture_output=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace")


def _package_version() -> str | None:
    try:
        return version("pqindex")
    except PackageNotFoundError:
        return None
