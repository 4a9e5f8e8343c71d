"""A Slurm cluster of two nodes on loopback, for one test session: Debian's slurm-wlm, no accounting, no munge."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "scontrol", "squeue", "scancel", "sinfo")

SLURM_CONF = """\
ClusterName=loop
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/none
CredType=cred/none
SlurmctldPort=26817
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool/%n
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd-%n.pid
SlurmctldLogFile={root}/log/slurmctld.log
SlurmdLogFile={root}/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,bf_interval=1
ReturnToService=2
KillWait=2
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port=26821 CPUs=1 RealMemory=2000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port=26822 CPUs=1 RealMemory=2000
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""

SACCT = r"""#!/usr/bin/env bash
# Stands in for sacct where Slurm has no accounting: answers submitit's question from slurmctld's memory.
echo "JobID|State|NodeList"
jobs=()
while [ $# -gt 0 ]; do
    [ "$1" != -j ] || { jobs+=("$2"); shift; }
    shift
done
for job in "${jobs[@]}"; do scontrol -o show job "$job" 2>/dev/null; done | awk '{
    delete v
    for (k = 1; k <= NF; k++) { split($k, a, "="); v[a[1]] = substr($k, length(a[1]) + 2) }
    id = ("ArrayJobId" in v) ? v["ArrayJobId"] "_" v["ArrayTaskId"] : v["JobId"]
    print id "|" v["JobState"] "|" v["NodeList"]
}'
"""


def why_not() -> str | None:
    """Why no cluster can be started here, or None."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"no {', '.join(missing)}: apt-get install --no-install-recommends slurm-wlm"
    return "Slurm's daemons need root" if os.geteuid() != 0 else None


@contextmanager
def cluster(root: Path) -> Iterator[dict[str, str]]:
    """Start the daemons under `root`; the environment in which Slurm's commands find them."""
    for folder in ("state", "spool/n1", "spool/n2", "log", "bin"):
        (root / folder).mkdir(parents=True)
    host = subprocess.run(["hostname", "-s"], capture_output=True, text=True, check=True).stdout.strip()
    (root / "slurm.conf").write_text(SLURM_CONF.format(host=host, root=root))
    sacct = root / "bin" / "sacct"
    sacct.write_text(SACCT)
    sacct.chmod(0o755)
    env = {**os.environ, "SLURM_CONF": str(root / "slurm.conf"), "PATH": f"{root / 'bin'}:{os.environ['PATH']}"}
    daemons = [["slurmctld"], ["slurmd", "-N", "n1"], ["slurmd", "-N", "n2"]]
    try:
        for daemon in daemons:
            subprocess.run(daemon, env=env, check=True)
        _wait_until_idle(env)
        yield env
    finally:
        for pid in [int(path.read_text()) for path in root.glob("*.pid")]:
            os.kill(pid, signal.SIGTERM)
            _wait_for_end(pid)


def _wait_for_end(pid: int, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)


def _wait_until_idle(env: dict[str, str], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        states = subprocess.run(["sinfo", "-h", "-N", "-o", "%T"], env=env, capture_output=True, text=True, check=False)
        if states.stdout.split() == ["idle", "idle"]:
            return
        time.sleep(0.2)
    raise TimeoutError(f"the nodes are not idle after {seconds} s: {states.stdout} {states.stderr}")
