#!/usr/bin/env bash
# Set up, get the data, run, draw. `./reproduce.sh help` tells what else there is.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
cd "$ROOT"
VENV=$ROOT/.venv
PY=$VENV/bin/python
STAMP=$VENV/.made-from
PRIVATE_UV=$ROOT/.uv

say() { printf '==> %s\n' "$*"; }
die() { printf 'reproduce.sh: %s\n' "$*" >&2; exit 1; }

usage() {
    cat <<'TEXT'
./reproduce.sh                        set up, get Fashion-MNIST, run experiment=quickstart, draw its figures
./reproduce.sh test [pytest options]  set up and run the tests (test-slow: the slow ones; test-slurm: on a real Slurm)
./reproduce.sh torture [KEY=VALUE ...] [pytest options]
                                      set up, then damage, full disks, kills and random input: docs/reliability.md
./reproduce.sh setup                  only set up: Python packages, exactly those of requirements.lock, in .venv
./reproduce.sh lint                   set up, then ruff and mypy
./reproduce.sh EXPERIMENT [KEY=VALUE ...]
                                      set up, run conf/experiment/EXPERIMENT.yaml with these overrides, draw its figures
./reproduce.sh paper trainer=paper    all experiments of the paper: 736 runs
./reproduce.sh EXPERIMENT --dry-run   only list runs, trainings after sharing, epochs and time
./reproduce.sh KEY=VALUE ...          the same for quickstart; paths are relative to the repository

PYTHON=/path/to/python ./reproduce.sh ... sets up with that Python. All of it can be repeated: what is there is kept.
TEXT
}

# --- Python -----------------------------------------------------------------------------------------------------------

# The range of minor versions stands in pyproject.toml alone.
requires=$(sed -n 's/^requires-python = ">=3\.\([0-9]*\),<3\.\([0-9]*\)".*/\1 \2/p' pyproject.toml)
LOWEST=${requires% *}
TOO_HIGH=${requires#* }
[ -n "$requires" ] || die 'pyproject.toml: requires-python is not of the form ">=3.x,<3.y"'

# The questions about interpreters are asked in /, where no .python-version makes a version manager refuse to answer.
python_suits() {
    (cd / && "$1" -c "import sys; sys.exit(not (3, $LOWEST) <= sys.version_info[:2] < (3, $TOO_HIGH))") 2>/dev/null
}

python_version() { (cd / && "$1" -c 'import platform; print(platform.python_version())' 2>/dev/null) || echo 'not found'; }

candidates() {
    local minor=$LOWEST
    while [ "$minor" -lt "$TOO_HIGH" ]; do
        echo "python3.$minor"
        minor=$((minor + 1))
    done
    echo python3
    echo python
    (cd / && uv python find --no-python-downloads ">=3.$LOWEST,<3.$TOO_HIGH") 2>/dev/null || true
}

find_python() {
    local IFS=$'\n' candidate name="Python 3.$LOWEST to 3.$((TOO_HIGH - 1))"
    if [ -n "${PYTHON:-}" ]; then
        python_suits "$PYTHON" || die "PYTHON=$PYTHON is $(python_version "$PYTHON"); $name is needed"
        candidate=$PYTHON
    else
        for candidate in $(candidates) ''; do
            python_suits "$candidate" && break
        done
        [ -n "$candidate" ] || die "$name is needed, and python3 here is $(python_version python3).
Install one (apt install python3.$LOWEST python3.$LOWEST-venv, brew install python@3.$LOWEST, uv python install 3.$LOWEST, or conda with
environment.yml) and try again, or name one: PYTHON=/path/to/python ./reproduce.sh"
    fi
    (cd / && "$candidate" -c 'import sys; print(getattr(sys, "_base_executable", "") or sys.executable)')
}

# --- environment ------------------------------------------------------------------------------------------------------

# What .venv has to agree with; empty where there is no working .venv.
wanted_stamp() {
    "$PY" - "$ROOT" 2>/dev/null <<'CODE' || true
import hashlib, pathlib, sys
root = pathlib.Path(sys.argv[1])
files = b"".join((root / name).read_bytes() for name in ("requirements.lock", "pyproject.toml"))
print(hashlib.sha256(files).hexdigest(), sys.version_info[:2], root)
CODE
}

python_as_asked() {
    python_suits "$PY" || return 1
    [ -z "${PYTHON:-}" ] || [ "$(python_version "$PYTHON")" = "$(python_version "$PY")" ]
}

is_set_up() {
    [ -f "$STAMP" ] && python_as_asked && [ "$(cat "$STAMP")" = "$(wanted_stamp)" ]
}

# Prints the path of a uv that works; installs one into .uv where there is none.
find_uv() {
    local python=$1
    if (cd / && uv --version) >/dev/null 2>&1; then
        command -v uv
        return
    fi
    if ! "$PRIVATE_UV/bin/uv" --version >/dev/null 2>&1; then
        say "uv is not installed; installing it into .uv" >&2
        rm -rf "$PRIVATE_UV"
        export PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1
        "$python" -m pip install --quiet --target "$PRIVATE_UV" uv >&2 ||
            { "$python" -m venv "$PRIVATE_UV" && "$PRIVATE_UV/bin/python" -m pip install --quiet uv; } >&2 ||
            die "uv could not be installed with $python -m pip; install uv yourself and try again"
    fi
    echo "$PRIVATE_UV/bin/uv"
}

# uv does not read pip's settings; a mirror and a certificate that pip needs, uv needs as well.
use_pips_network() {
    local mirror=${PIP_INDEX_URL:-}
    if [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
        [ -n "$mirror" ] || mirror=$("$1" -m pip config get global.index-url 2>/dev/null || true)
        [ -z "$mirror" ] || export UV_DEFAULT_INDEX="$mirror"
    fi
    [ -z "${PIP_CERT:-}" ] || export SSL_CERT_FILE="${SSL_CERT_FILE:-$PIP_CERT}"
}

# The command `sap`, for shells' tab completion; a library's installation has no use for it.
write_sap() {
    cat >"$VENV/bin/sap" <<CODE
#!/bin/sh
'''exec' "$PY" "\$0" "\$@"
' '''
from src.main import main
main()
CODE
    chmod +x "$VENV/bin/sap"
}

install() (
    python=$(find_python)
    uv=$(find_uv "$python")
    use_pips_network "$python"
    uv() { (cd / && "$uv" "$@"); }
    if ! python_as_asked; then
        say "making .venv with Python $(python_version "$python")"
        rm -rf "$VENV"
        uv venv --quiet --python "$python" "$VENV"
    fi
    rm -f "$STAMP"
    say "installing the packages of requirements.lock into .venv (about 3 GB the first time, on Linux)"
    uv pip sync --quiet --python "$PY" --require-hashes "$ROOT/requirements.lock"
    uv pip install --quiet --python "$PY" --no-deps --no-build-isolation --editable "$ROOT"
    # The shell completes commands of one word only: `sap` is `python -m src.main` of this clone.
    write_sap
    wanted_stamp >"$STAMP"
    say "the environment is ready: .venv, $("$PY" --version)"
)

setup() {
    if is_set_up; then
        say "the environment is up to date: .venv, $("$PY" --version)"
    else
        install
    fi
}

# --- data -------------------------------------------------------------------------------------------------------------

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_debian_data() {
    command -v apt-get >/dev/null 2>&1 && as_root true 2>/dev/null || return 1
    say "installing Debian's package dataset-fashion-mnist with apt-get"
    as_root apt-get update -qq >/dev/null 2>&1 || true
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends dataset-fashion-mnist >/dev/null
}

get_data() {
    say "data: Fashion-MNIST"
    "$PY" -m src.data fashion_mnist || { install_debian_data && "$PY" -m src.data fashion_mnist; }
}

# --- experiments ------------------------------------------------------------------------------------------------------

names_a_dataset() {
    local argument
    for argument; do
        case $argument in dataset=* | dataset.root=*) return 0 ;; esac
    done
    return 1
}

# What of the records an experiment's figures show. A run belongs to every experiment that asks for it, whichever made it.
figures_of() {
    case $1 in
    fig[2-5]) echo "figure=$1" ;;
    main_text) echo figure=fig2,fig3,fig4,fig5 ;;
    appendix_cifar10) echo dataset=cifar10 model=linear,mlp,resnet18 ;;
    appendix_* | rebuttal_*) echo "dataset=${1#*_}" ;;
    submission | paper) ;;
    *) echo "experiment=$1" ;;
    esac
}

# Of the overrides of a run, those that also choose what is drawn.
draw() {
    local argument name=$1 given
    shift
    given=$#
    for argument in $(figures_of "$name"); do set -- "$@" "$argument"; done
    for argument in "${@:1:$given}"; do
        case $argument in
        output_dir=* | dataset=* | model=* | seed=* | trainer=* | protocol=*) set -- "$@" "$argument" ;;
        esac
    done
    shift "$given"
    say "figures of $name"
    "$PY" -m src.figures "$@"
}

only_lists() {
    local argument
    for argument; do
        [ "$argument" != --dry-run ] || return 0
    done
    return 1
}

experiment() {
    local name=$1
    shift
    if only_lists "$@"; then
        "$PY" -m src.main experiment="$name" "$@"
        return
    fi
    say "running experiment=$name${1:+ $*}"
    "$PY" -m src.main experiment="$name" "$@"
    draw "$name" "$@"
}

quickstart() {
    setup
    if only_lists "$@"; then
        experiment quickstart "$@"
    elif names_a_dataset "$@" || get_data; then
        experiment quickstart "$@"
    else
        say "NOTICE: Fashion-MNIST cannot be had here. Going on with scikit-learn's digits (1,797 images of 8 x 8 pixels):"
        say "NOTICE: the curves have the same shape, their numbers are not the paper's."
        experiment quickstart "$@" dataset=digits
    fi
}

run_tests() {
    setup
    get_data || say "NOTICE: Fashion-MNIST cannot be had here; the tests that need it are skipped"
    "$PY" -m pytest "$@"
}

# A Slurm of Debian's own packages, which the tests start on loopback.
test_slurm() {
    setup
    [ "$(id -u)" = 0 ] || die "Slurm's daemons need root: run this as root, in a container for example"
    if ! command -v slurmctld >/dev/null 2>&1; then
        say "installing Debian's package slurm-wlm with apt-get"
        apt-get update -qq >/dev/null
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm >/dev/null
    fi
    "$PY" -m pytest -m slow tests/launchers/test_slurm.py "$@"
}

# What docs/reliability.md promises, in full: damage, full disks, kills, load, and inputs made at random; its figures.
torture() {
    setup
    "$PY" -m tests.torture "$@"
}

lint() {
    setup
    say "ruff check"
    "$PY" -m ruff check .
    say "ruff format --check"
    "$PY" -m ruff format --check .
    say "mypy"
    "$PY" -m mypy
}

known_experiment() {
    local file names=
    [ -f "conf/experiment/$1.yaml" ] && return
    for file in conf/experiment/*.yaml; do
        names="$names $(basename "$file" .yaml)"
    done
    usage >&2
    die "there is no '$1'; experiments are:$names"
}

case ${1:-} in
help | -h | --help) usage ;;
setup) setup ;;
lint) lint ;;
test) # files of tests side by side, on at most four cores
    shift
    run_tests -n auto --maxprocesses 4 --dist loadfile "$@"
    ;;
test-slow)
    shift
    run_tests -m slow "$@"
    ;;
test-slurm)
    shift
    test_slurm "$@"
    ;;
torture)
    shift
    torture "$@"
    ;;
'' | *=* | -*) quickstart "$@" ;;
quickstart)
    shift
    quickstart "$@"
    ;;
*)
    known_experiment "$1"
    setup
    experiment "$@"
    ;;
esac
