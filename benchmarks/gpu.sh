#!/usr/bin/env bash
# What there is to learn on a GPU, in calls of minutes, on a machine that has Python 3.12 with pip and PyTorch 2.11, and
# may be bare of all else, the network too.
#
#   bash benchmarks/gpu.sh pack [DATA]     here: wheels, and CIFAR-10 from the root DATA, to .gpu/, in files and a folder
#                                          of which each fits a transfer of 64 MiB together with the working tree
#   bash benchmarks/gpu.sh keep            there, a call for each of them: what was carried in .gpu/ is kept in $KEEP
#   bash benchmarks/gpu.sh run [SECONDS]   there, again and again: CUDA tests, the engines of each of $MODELS, Fig. 2 of
#                                          CIFAR-10 x cnn; ends in time (540 s), and goes on where the last call ended
#
# Tests and engines that have ended well, or not in $LIMIT seconds, are not done again. What the steps say lies under $OUT,
# as do store.00, store.01 and so on: results, records, and the checkpoints from which another machine goes on where they
# are carried in .gpu/. These are at most 8 files of 15 MiB; trainings that do not fit are done again. DEVICE=cpu
# rehearses all of it with little data; $SIZE and $WORDS are the words of the benchmark and of Fig. 2.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PY=${PY:-python3} DEVICE=${DEVICE:-cuda} KEEP=${KEEP:-/tmp/gpu-kept} OUT=${OUT:-gpu-out} CARRIED=${CARRIED:-.gpu}
MODELS=${MODELS-cnn mlp linear resnet18}
LIMIT=${LIMIT:-90} GRACE=${GRACE:-20} # seconds for the tests, and for the engines of a model; from SIGTERM to SIGKILL
MIB=$((1 << 20))

case $DEVICE in
    cpu)
        SIZE=${SIZE:---images 500 --repeats 1 --members 1,4}
        WORDS=${WORDS:-model=linear dataset.train_size=500 dataset.test_size=100 trainer.epochs=2 prune.iterations=2 seed=0}
        ;;
    *) SIZE=${SIZE:---means --images 10000 --repeats 3} WORDS=${WORDS:-} ;;
esac

# What the steps import besides, and what that needs, in the versions of the lock; torchvision is that of PyTorch 2.11.
WHEELS="hydra-core omegaconf pyyaml packaging safetensors filelock tqdm numpy pillow
    pytest pluggy iniconfig pygments pytest-timeout"

pack() {
    local data=${1:-data} name version room pinned=(torchvision==0.26.0)
    rm -rf .gpu && mkdir -p .gpu/wheels
    for name in $WHEELS; do # of two versions of one, the later is for the later Python
        version=$(sed -n "s/^\($name==[^ ]*\) .*/\1/p" requirements.lock | tail -n 1)
        [ -n "$version" ] || { echo "requirements.lock has no $name" && return 1; }
        pinned+=("$version")
    done
    # has no wheel: one is made of its source
    "$PY" -m pip wheel -q --no-deps -w .gpu/wheels antlr4-python3-runtime==4.9.3 || return
    "$PY" -m pip download -q --no-deps --only-binary=:all: --python-version 3.12 --implementation cp \
        --platform=manylinux_2_{28,27,17}_x86_64 --platform=manylinux2014_x86_64 -d .gpu/wheels "${pinned[@]}" || return
    room=$((62 * MIB - $(git ls-files -z | xargs -0 cat | wc -c)))
    [ "$(cat .gpu/wheels/* | wc -c)" -le $room ] || echo "the wheels do not fit: carry .gpu/wheels in parts"
    # as small as with xz, in a tenth of the time
    tar -C "$data" -cz cifar-10-batches-py | split -b $room -d - .gpu/data. || return
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
        if cat "$KEEP"/data.?? | tar -C "$KEEP/data.part" -xz; then
            mv "$KEEP/data.part" "$KEEP/data"
        else
            echo "not all of the data has been kept: Fig. 2 cannot be trained"
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
    cp "$KEEP"/results/{tests,fig2}.txt "$OUT" 2>/dev/null
    cat "$KEEP"/results/engines-*.txt >"$OUT/engines.txt" 2>/dev/null
    ls -l "$OUT"
}

run() {
    END=$((SECONDS + ${1:-540}))
    mkdir -p "$OUT" "$KEEP/results"
    [ ! -d "$CARRIED" ] || keep
    unpack || return
    export PYTHONPATH=$PWD:$KEEP/site PYTHONUNBUFFERED=1
    unset PYTHONDONTWRITEBYTECODE # each process of torch.compile would compile PyTorch's Python again
    [ "$DEVICE" = cpu ] || nvidia-smi -L | tee "$KEEP/results/device.txt"
    tried tests || step $LIMIT tests "$PY" -m pytest -m cuda tests/training/test_backend.py tests/data/test_normalisation.py \
        tests/data/test_augmentation.py
    for model in $MODELS; do
        tried "engines-$model" || step $LIMIT "engines-$model" "$PY" -m benchmarks.engine --device "$DEVICE" \
            --models "$model" --root "$KEEP/data" --json "$KEEP/results/$model.json" $SIZE
    done
    step $END fig2 "$PY" -m src.main experiment=fig2 trainer=fast trainer.epochs=200 device="$DEVICE" dataset.root="$KEEP/data" \
        tracking=none output_dir="$KEEP/fig2" record.picture=false record.networks=false $WORDS
    bring
}

case ${1:-} in
    pack | keep | run) "$@" ;;
    *) sed -n '2,14p' "${BASH_SOURCE[0]}" && exit 2 ;;
esac
