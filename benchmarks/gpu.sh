#!/usr/bin/env bash
# What there is to learn on a GPU, in one go, on a machine with Python 3.12, PyTorch 2.11, torchvision, SciPy, joblib, tqdm,
# PyYAML and pytest with pytest-timeout, and no network.
#
#   bash benchmarks/gpu.sh pack [DATA]     here: wheels, and CIFAR-10 from the root DATA, in parts of 60 MiB, to .gpu/
#   bash benchmarks/gpu.sh keep            there, a call for each part: what was carried in .gpu/ is kept in $KEEP
#   bash benchmarks/gpu.sh run [MINUTES]   there: CUDA tests, engines, Fig. 2 of CIFAR-10 x cnn until the minutes are over
#
# Results lie under $OUT: tests.txt, engines.txt, engines.json, fig2.txt, and store.tar.gz, from which the next run goes
# on where it is carried as .gpu/store.tar.gz. DEVICE=cpu rehearses all of it with little data.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PY=${PY:-python3} DEVICE=${DEVICE:-cuda} KEEP=${KEEP:-/tmp/gpu-kept} OUT=${OUT:-gpu-out}
WHEELS="hydra-core==1.3.2 omegaconf==2.3.0 antlr4-python3-runtime==4.9.3 safetensors"
PART=60m

pack() {
    local data=${1:-data}
    mkdir -p .gpu/wheels
    # antlr4 has no wheel of its own: one is made of its source
    "$PY" -m pip wheel -q --no-deps -w .gpu/wheels antlr4-python3-runtime==4.9.3 || return
    for name in $WHEELS; do
        [[ $name == antlr4* ]] || "$PY" -m pip download -q --no-deps --only-binary=:all: --python-version 3.12 \
            --implementation cp --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64 -d .gpu/wheels "$name" || return
    done
    # as many parts as with xz, in a tenth of the time
    tar -C "$data" -cz cifar-10-batches-py | split -b $PART -d - .gpu/part. || return
    ls -l .gpu .gpu/wheels
}

keep() {
    mkdir -p "$KEEP" && cp -r .gpu/. "$KEEP/"
}

# Run a step for at most so many seconds; what it says goes to a file, its end to the screen.
step() {
    local seconds=$1 file=$2
    shift 2
    echo "== $*"
    timeout --signal=TERM --kill-after=60 "$seconds" "$@" >"$OUT/$file" 2>&1
    echo "status $? (124: out of time)" >>"$OUT/$file"
    tail -n 25 "$OUT/$file"
}

run() {
    local until=$((SECONDS + ${1:-9} * 60)) site=$KEEP/site data=$KEEP/data
    mkdir -p "$OUT" "$KEEP"
    [ ! -d .gpu ] || keep
    if ls "$KEEP"/wheels/*.whl >/dev/null 2>&1 && [ ! -d "$site" ]; then
        "$PY" -m pip install -q --no-index --no-deps --no-compile --target "$site.part" "$KEEP"/wheels/*.whl || return
        mv "$site.part" "$site"
    fi
    export PYTHONPATH=$PWD:$site PYTHONUNBUFFERED=1
    if [ ! -d "$data" ] && ls "$KEEP"/part.* >/dev/null 2>&1; then
        # whole or not at all: without the last part there is no data
        mkdir -p "$data.part" && cat "$KEEP"/part.* | tar -C "$data.part" -xz && mv "$data.part" "$data" || return
    fi
    [ ! -f "$KEEP/store.tar.gz" ] || [ -d "$KEEP/fig2" ] || tar -C "$KEEP" -xzf "$KEEP/store.tar.gz"
    local models=linear,mlp,cnn,resnet18 few=() words=() marked=cuda
    if [ "$DEVICE" = cpu ]; then
        models=linear,mlp few=(--images 500 --repeats 1 --members 1,4) marked="not slow"
        words=(dataset=digits model=mlp trainer.epochs=2 prune.iterations=2 seed=0)
    else
        nvidia-smi -L | tee "$OUT/device.txt"
    fi
    step 120 tests.txt "$PY" -m pytest -q -m "$marked" tests/training/test_backend.py tests/data/test_normalisation.py \
        tests/data/test_augmentation.py
    step 240 engines.txt "$PY" -m benchmarks.engine --means --device "$DEVICE" --models $models --root "$data" \
        --json "$OUT/engines.json" ${few[@]+"${few[@]}"}
    local left=$((until - SECONDS - 30))
    [ $left -lt 30 ] || step $left fig2.txt "$PY" -m src.main experiment=fig2 trainer=fast trainer.epochs=200 \
        device="$DEVICE" dataset.root="$data" tracking=none output_dir="$KEEP/fig2" record.picture=false ${words[@]+"${words[@]}"}
    # finished runs and trainings first: a machine's file is to be small
    [ ! -d "$KEEP/fig2" ] || tar -C "$KEEP" -czf "$OUT/store.tar.gz" fig2
    [ ! -d "$KEEP/fig2/runs" ] || tar -C "$KEEP/fig2" --exclude='*.safetensors' -czf "$OUT/records.tar.gz" runs
    ls -l "$OUT"
}

case ${1:-} in
    pack | keep | run) "$@" ;;
    *) sed -n '2,11p' "${BASH_SOURCE[0]}" && exit 2 ;;
esac
