"""The extras of the library: what they install is enough for what they are for."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support import ROOT

NO_NETWORK = r"(?i)could not find a version|connection|timed out|name resolution"


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("extra", "tests"),
    [
        ("lightning", "test_interop.py::test_lightning"),
        ("transformers", "test_interop.py::test_transformers"),
        ("onnx", "test_kept_networks.py::test_onnx_gives_the_accuracy_of_the_tables"),
    ],
)
def test_its_tests_run_where_it_is_installed(environment: Path, wheel: Path, extra: str, tests: str):
    """Its packages come from a registry, into an environment that is thrown away."""
    python = environment / "bin" / "python"
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"{wheel}[{extra}]"]
    installed = subprocess.run(install, env=clean, capture_output=True, text=True, check=False)
    if installed.returncode and re.search(NO_NETWORK, installed.stderr):
        pytest.skip(f"no package registry answers: {installed.stderr.splitlines()[-1]}")
    assert installed.returncode == 0, installed.stderr
    run = [python, "-m", "pytest", "-p", "no:cacheprovider", f"tests/library/{tests}"]
    done = subprocess.run(run, cwd=ROOT, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout or re.search(r"^\.\s+\[100%\]$", done.stdout, flags=re.M), done.stdout
