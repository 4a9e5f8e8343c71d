#!/usr/bin/env bash
# What there is to learn on a GPU, in calls of minutes, on a machine that has Python 3.12 with pip, Pillow and PyTorch
# 2.11, and may be bare of all else, the network too.
#
#   bash benchmarks/gpu.sh pack [DATA]     here: wheels, and CIFAR-10 from the root DATA, to .gpu/, in files of which each
#                                          fits a transfer of 64 MiB together with the working tree: two, where outputs/,
#                                          most of the tree, is not sent (from a branch that has none)
#   bash benchmarks/gpu.sh keep            there, a call for each of them: what was carried in .gpu/ is kept in $KEEP
#   bash benchmarks/gpu.sh run [SECONDS]   there, again and again: CUDA tests, the engines of each of $MODELS, the lines of
#                                          $TRAININGS of CIFAR-10 x cnn; ends in time (540 s), and goes on where the last
#                                          call ended
#
# Tests and engines that have ended well, or not in $LIMIT seconds, are not done again; engines are first made side by
# side, beside the tests, so that what torch.compile has compiled lies ready when they are timed. All this gets half of
# the time; of the rest a training gets half of what is left, the last one all. What the steps say lies under $OUT, as do store.00, store.01 and so on:
# results, records, and the checkpoints from which another machine goes on where they are carried in .gpu/. These are at
# most 8 files of 15 MiB; trainings that do not fit are done again. DEVICE=cpu rehearses all of it with little data;
# $SIZE and $WORDS are the words of the benchmark and of all trainings.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PY=${PY:-python3} DEVICE=${DEVICE:-cuda} KEEP=${KEEP:-/tmp/gpu-kept} OUT=${OUT:-gpu-out} CARRIED=${CARRIED:-.gpu}
MODELS=${MODELS-cnn mlp linear resnet18}
LIMIT=${LIMIT:-120} GRACE=${GRACE:-20} # seconds for the tests, and for the engines of a model; from SIGTERM to SIGKILL
MIB=$((1 << 20))

case $DEVICE in
    cpu)
        SIZE=${SIZE:---images 500 --repeats 1 --members 1,4}
        WORDS=${WORDS:-model=linear dataset.train_size=500 dataset.test_size=100 trainer.epochs=2 prune.iterations=2}
        ;;
    *) SIZE=${SIZE:---means --images 10000 --repeats 3} WORDS=${WORDS:-} ;;
esac

# One seed of Fig. 2. SAP (1, 2) goes through all phases in ten iterations at the paper's length; all methods go to their
# ends at a tenth of it; then those that are slower, as far as they get.
TRAININGS=${TRAININGS-trainer.epochs=200 prune.iterations=10 prune=sap_1_2
trainer.epochs=20
trainer.epochs=200 prune.iterations=10}
ARITHMETIC=${ARITHMETIC-trainer.precision=tf32 trainer.channels_last=true trainer.compile=graph}

# What the steps import besides, and what that needs, in the versions of the lock; of torchvision, that of PyTorch 2.11.
WHEELS=${WHEELS:-hydra-core omegaconf pyyaml packaging safetensors filelock tqdm numpy pillow \
    pytest pluggy iniconfig pygments pytest-timeout torchvision}

pack() {
    local data=${1:-data} name version room pinned=()
    rm -rf .gpu && mkdir -p .gpu/wheels
    for name in $WHEELS; do # of two versions of one, the later is for the later Python
        version=$(sed -n "s/^\($name==[^ ]*\) .*/\1/p" requirements.lock | tail -n 1)
        [ "$name" != torchvision ] || version=torchvision==0.26.0
        [ -n "$version" ] || { echo "requirements.lock has no $name" && return 1; }
        pinned+=("$version")
    done
    # has no wheel: one is made of its source
    "$PY" -m pip wheel -q --no-deps -w .gpu/wheels antlr4-python3-runtime==4.9.3 || return
    "$PY" -m pip download -q --no-deps --only-binary=:all: --python-version 3.12 --implementation cp \
        --platform=manylinux_2_{28,27,17}_x86_64 --platform=manylinux2014_x86_64 -d .gpu/wheels "${pinned[@]}" || return
    room=$((62 * MIB - $(git ls-files -z | xargs -0 cat | wc -c)))
    [ "$(cat .gpu/wheels/* | wc -c)" -le $room ] || echo "the wheels do not fit: carry .gpu/wheels in parts"
    "$PY" benchmarks/mosaic.py pack "$data/cifar-10-batches-py" .gpu/mosaic || return
    tar -C .gpu -c mosaic | split -b $room -d - .gpu/data. && rm -r .gpu/mosaic || return
    du -h .gpu/*
}

keep() {
    mkdir -p "$KEEP" && cp -r "$CARRIED/." "$KEEP/"
}

# Make of what was kept, unless it is there: the packages that this machine lacks, the data, and where the last run ended.
unpack() {
    local wheel missing=()
    if [ ! -d "$KEEP/site" ]; then
        for wheel in "$KEEP"/wheels/*.whl; do
            [ ! -f "$wheel" ] || "$PY" -m pip show -q "$(basename "${wheel%%-*}")" 2>/dev/null || missing+=("$wheel")
        done
        mkdir -p "$KEEP/site.part"
        [ ${#missing[@]} = 0 ] ||
            "$PY" -m pip install -q --no-index --no-deps --no-compile --target "$KEEP/site.part" "${missing[@]}" || return
        mv "$KEEP/site.part" "$KEEP/site"
    fi
    if [ ! -d "$KEEP/data" ] && ls "$KEEP"/data.?? >/dev/null 2>&1; then
        mkdir -p "$KEEP/data.part"
        if cat "$KEEP"/data.?? | tar -C "$KEEP" -x &&
            "$PY" benchmarks/mosaic.py unpack "$KEEP/mosaic" "$KEEP/data.part/cifar-10-batches-py"; then
            mv "$KEEP/data.part" "$KEEP/data"
        else
            echo "not all of the data has been kept: CIFAR-10 cannot be trained on"
        fi
    fi
    [ -d "$KEEP/fig2" ] || ! ls "$KEEP"/store.?? >/dev/null 2>&1 || cat "$KEEP"/store.?? | tar -C "$KEEP" -x
}

# Whether a step needs not be done again: it has ended well, or would take too long.
tried() {
    grep -qsE '^status (0|124|137)$' "$KEEP/results/$1.txt" && echo "== $1 has been tried"
}

# A step, for at most so many seconds; what it says goes to a file, its end to the screen.
step() {
    local limit=$1 name=$2 left=$((END - SECONDS - 2 * GRACE)) status
    local said=$KEEP/results/$name.txt
    shift 2
    if [ $left -lt 10 ]; then
        echo "== no time left for $name"
    else
        echo "== $name: $*"
        timeout --kill-after=$GRACE $((limit < left ? limit : left)) "$@" >>"$said" 2>&1
        status=$?
        echo "status $status" >>"$said"
        [[ $status != 124 && $status != 137 ]] || echo "(out of time)" >>"$said"
        tail -n 25 "$said"
    fi
}

# Results, records, checkpoints, trainings, in this order, as much as 60 MiB hold, in parts.
bring() {
    rm -f "$OUT"/store.??
    (cd "$KEEP" && find results fig2/runs fig2/trainings -type f ! -name '*.part' -printf '%s %p\n' 2>/dev/null) |
        awk '{ rank = $2 ~ /^results/ ? 0 : $2 ~ /^fig2.runs/ ? 1 : $2 ~ /partial/ ? 2 : 3; print rank, $0 }' | sort -sn |
        awk -v most=$((59 * MIB)) '(total += $2 + 1024) <= most { print $3 }' |
        tar -C "$KEEP" -cT - | split -b 15m -d - "$OUT/store."
    cp "$KEEP"/results/tests.txt "$OUT" 2>/dev/null
    cat "$KEEP"/results/fig2-*.txt >"$OUT/fig2.txt" 2>/dev/null
    cat "$KEEP"/results/engines-*.txt >"$OUT/engines.txt" 2>/dev/null
    ls -l "$OUT"
}

run() {
    local total=${1:-540} began=$SECONDS
    END=$((began + total / 2)) # of tests and engines
    mkdir -p "$OUT" "$KEEP/results"
    [ ! -d "$CARRIED" ] || keep
    unpack || return
    export PYTHONPATH=$PWD:$KEEP/site PYTHONUNBUFFERED=1
    unset PYTHONDONTWRITEBYTECODE # each process of torch.compile would compile PyTorch's Python again
    [ "$DEVICE" = cpu ] || nvidia-smi -L | tee "$KEEP/results/device.txt"
    local engine=("$PY" -m benchmarks.engine --device "$DEVICE" --root "$KEEP/data") model line number=0 last
    for model in $MODELS; do
        tried "made-$model" || step $LIMIT "made-$model" "${engine[@]}" --models "$model" $SIZE --images 500 --repeats 1 &
    done
    tried tests || step $LIMIT tests "$PY" -m pytest -m cuda tests/training/test_backend.py tests/data/test_normalisation.py \
        tests/data/test_augmentation.py tests/end_to_end/test_cuda.py
    wait
    for model in $MODELS; do
        tried "engines-$model" || step $LIMIT "engines-$model" "${engine[@]}" --models "$model" $SIZE \
            --json "$KEEP/results/$model.json"
    done
    END=$((began + total))
    last=$(grep -c . <<<"$TRAININGS")
    while read -r line <&3; do
        number=$((number + 1))
        step $(((END - SECONDS) / (number < last ? 2 : 1))) fig2-$number "$PY" -m src.main experiment=fig2 seed=0 \
            device="$DEVICE" dataset.root="$KEEP/data" tracking=none output_dir="$KEEP/fig2" record.picture=false \
            record.networks=false $ARITHMETIC $line $WORDS
    done 3<<<"$TRAININGS"
    bring
}

case ${1:-} in
    pack | keep | run) "$@" ;;
    *) sed -n '2,22p' "${BASH_SOURCE[0]}" && exit 2 ;;
esac
