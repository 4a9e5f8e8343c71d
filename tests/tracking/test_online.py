"""Mode `wandb`: online against a server on this machine, and what becomes of a run without one."""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

from src.tracking import wandb_run
from tests.support import ROOT
from tests.tracking.fake_wandb import fake_server
from tests.tracking.offline_log import offline_runs, read_log

KEY = "0" * 40


def mirror(
    folder: Path, *runs: str, url: str = "http://127.0.0.1:9", key: str | None = KEY, timeout_s: int = 2
) -> tuple[list[str], float]:
    """Lines that the program prints (both streams) and its seconds; it must end well and ask nothing."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")}
    env |= {"PYTHONPATH": str(ROOT), "HOME": str(folder), "NETRC": str(folder / "netrc"), "WANDB_BASE_URL": url}
    env |= {"WANDB_HTTP_TIMEOUT": str(timeout_s)} if timeout_s < wandb_run.INIT_TIMEOUT_S else {}
    env |= {"WANDB_API_KEY": key} if key else {}
    command = [sys.executable, "-m", "tests.tracking.one_run", str(folder), str(timeout_s), *runs]
    started = time.monotonic()
    done = subprocess.run(
        command,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("the job is done\n"), done.stdout
    return done.stdout.splitlines()[:-1], time.monotonic() - started


def waits(lines: list[str]) -> dict[str, float]:
    """Seconds that opening each run took."""
    return {m[1]: float(m[2]) for line in lines if (m := re.match(r"opened (\w+) in ([\d.]+) s", line))}


def told(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.startswith("opened")]


def test_the_wait_for_an_answer_is_short():
    assert wandb_run.INIT_TIMEOUT_S <= 20
    assert wandb_run.FINISH_TIMEOUT_S <= 20


def test_without_a_key_a_run_is_offline_with_one_line(tmp_path: Path):
    lines, seconds = mirror(tmp_path, "abc:2", key=None)
    (line,) = told(lines)
    assert line.startswith(
        "Weights & Biases is offline (not logged in); to upload this run: wandb login && wandb sync "
    )
    assert read_log(offline_runs(tmp_path)[0]).column("iteration") == [0, 1]
    assert seconds < 100


def test_without_a_network_no_run_waits(tmp_path: Path):
    lines, seconds = mirror(tmp_path, "abc:1", "def:2", timeout_s=20)
    assert seconds < 100
    first, second = told(lines)
    assert "wandb login" not in first
    assert "offline (no connection); to upload" in first
    assert "no connection a moment ago" in second
    assert [read_log(part).column("iteration") for part in offline_runs(tmp_path)] == [[0], [0, 1]]


def test_a_server_that_never_answers_is_no_wait_either(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        lines, seconds = mirror(tmp_path, "abc:1", "def:1", url=url, timeout_s=20)
    assert len(told(lines)) == 2
    assert max(waits(lines).values()) < 1 < wandb_run.ANSWER_TIMEOUT_S  # of the first, too
    assert seconds < 100


def test_an_invalid_key_is_told_and_does_no_harm(tmp_path: Path):
    lines, _ = mirror(tmp_path, "abc:1", key="too-short")
    (line,) = told(lines)
    assert "WANDB_API_KEY invalid" in line
    assert len(offline_runs(tmp_path)) == 1


def test_online_rows_arrive_once_and_a_resumed_run_goes_on(tmp_path: Path):
    with fake_server() as server:
        assert told(mirror(tmp_path, "abc:2", url=server.url)[0]) == []
        assert told(mirror(tmp_path / "elsewhere", "abc:3", url=server.url)[0]) == []
    assert {variables["name"] for variables in server.begun} == {"abc"}
    assert [row["iteration"] for row in server.history if "iteration" in row] == [0, 1, 2]
    assert server.exit_codes == [0, 0]


def test_the_final_network_is_uploaded_and_the_summary_sorts(tmp_path: Path):
    (tmp_path / "networks.safetensors").write_bytes(b"network")
    with fake_server() as server:
        assert told(mirror(tmp_path, "abc:3", url=server.url, timeout_s=20)[0]) == []
    assert set(server.artifacts["network-abc"]) == {"networks.safetensors", "iterations.csv"}
    assert (server.summary["best/accuracy"], server.summary["dense/accuracy"]) == (82, 80)


def test_a_slow_upload_has_the_time_that_its_size_takes(tmp_path: Path):
    (tmp_path / "networks.safetensors").write_bytes(bytes(800_000))  # 8 s
    with fake_server(upload_s=3) as server:
        assert told(mirror(tmp_path, "abc:1", url=server.url)[0]) == []
        assert "network-abc" in server.committed
        assert server.exit_codes == [0]


def test_a_network_that_dies_in_the_middle_costs_seconds_and_one_line(tmp_path: Path):
    with fake_server(dies=True) as server:
        lines, seconds = mirror(tmp_path, "abc:3", "def:1", url=server.url)
    lost, second = told(lines)
    assert re.search(
        r"\(AuthenticationError: .*\); to upload this run: wandb sync --include-online \S+/wandb/\*-abc$", lost
    )
    assert "no connection a moment ago" in second
    assert seconds < 200  # 20 s alone; 85 s where 13 processes want 2 cores
    (part,) = tmp_path.glob("wandb/run-*-abc")
    assert read_log(part).column("iteration") == [0, 1, 2]
