#!/usr/bin/env bash
# The GPU suite: what has to be shown on a machine with an NVIDIA GPU, in this order. It prints one short table at the end and
# writes it as JSON.
#   scripts/gpu-suite.sh [--pack FOLDER] [--only PHASE,...] [--out FOLDER] [--python PYTHON] [--dry-run]
# phases: selftest  driver, device, where cuBLASLt is
#         ops       every op against the CPU's reference
#         sanitizer compute-sanitizer, memcheck and racecheck, on small shapes
#         bits      a row of a linear layer for every batch: the same bits?
#         times     products, attention, decode, log-probs, AdamW
#         torch     the same in PyTorch, in this run
#         promises  sampler and scorer to the bit; the same call twice
#         steps     prefill, decode and training of 0.5B and 1.5B shapes
#         train     two rollouts of the default training
# --pack    binaries of scripts/gpu-pack.sh; without it the suite builds them here
# --dry-run the host shim in place of a GPU, tiny shapes
# A phase whose tool is missing (compute-sanitizer, torch, node) says so and counts as skipped.
set -uo pipefail
cd "$(dirname "$0")/.."
pack='' only='' out='' python=python3 dry=false
while [ $# -gt 0 ]; do
  case $1 in
    --pack) pack=$2; shift ;;
    --only) only=$2; shift ;;
    --out) out=$2; shift ;;
    --python) python=$2; shift ;;
    --dry-run) dry=true ;;
    *) echo "gpu-suite: unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
out=${out:-bench/results}
mkdir -p "$out"
rows=$work/rows.jsonl
: >"$rows"

if [ -n "$pack" ]; then
  mkdir -p "$work/bin" "$work/app"
  for file in "$pack"/bin/*.xz; do
    name=$(basename "$file" .xz)
    xz -dc "$file" >"$work/bin/$name" && chmod +x "$work/bin/$name"
  done
  tar xJf "$pack/app.tar.xz" -C "$work/app"
  mkdir -p "$work/app/build/Release"
  cp "$work/bin/limr.node" "$work/bin/limr_cuda.so" "$work/app/build/Release/"
  bin=$work/bin app=$work/app node=$work/bin/node
else
  cmake --preset release >/dev/null || exit 1
  targets='limr_cuda_test limr_bench'
  if $dry; then targets="$targets limr_cuda_shim"; else targets="$targets limr_cuda"; fi
  # shellcheck disable=SC2086
  cmake --build --preset release --parallel "$(nproc)" --target $targets || exit 1
  bin=out/release app=. node=$(command -v node || true)
fi
if $dry; then
  module=$(find out/release -name limr_cuda_shim.so | head -1)
  models=tiny small=--small
else
  module=$bin/limr_cuda.so
  models=qwen2.5-0.5b,qwen2.5-1.5b,qwen2.5-7b small=
fi
export LIMR_CUDA_MODULE=$module

# Python's wheels carry cuBLASLt where the system has none.
if [ -z "${LIMR_CUBLASLT:-}" ] && ! $dry && ! ldconfig -p 2>/dev/null | grep -q libcublasLt.so; then
  found=$("$python" -c 'import glob, os, sys, sysconfig
for root in {sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"]}:
    for name in ("cu13", "cu12", "cublas"):
        print(*sorted(glob.glob(os.path.join(root, "nvidia", name, "lib", "libcublasLt.so.*"))), sep="\n")' 2>/dev/null |
    grep -m1 . || true)
  if [ -n "$found" ]; then export LIMR_CUBLASLT=$found; fi
fi

# verdict PHASE ok|FAIL|skipped NOTE
verdict() {
  printf '%-10s %-8s %s\n' "$1" "$2" "$3"
  printf '{"bench":"suite","phase":"%s","verdict":"%s","note":"%s"}\n' "$1" "$2" "$(tr -d '"\\' <<<"$3")" >>"$rows"
}
wanted() { [ -z "$only" ] || [[ ",$only," == *",$1,"* ]]; }
seconds() { if $dry; then echo 600; else echo "$1"; fi; }
bench() { timeout "$(seconds 420)" "$bin/limr_bench" "$@" --module "$module" --shape "$models" $small --json >>"$rows" 2>"$work/log"; }
limr() { timeout "$(seconds 420)" "$node" "$app/dist/cli/main.js" "$@"; }
has_node() { [ -n "$node" ] && [ -x "$node" ] && [ -s "$app/dist/cli/main.js" ]; }
last() { tail -1 "$work/log" | cut -c1-160; }

if wanted selftest; then
  nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader >"$work/log" 2>/dev/null || echo 'no nvidia-smi' >"$work/log"
  note=$(last)
  if bench cuda-device; then verdict selftest ok "$note"; else verdict selftest FAIL "$(last)"; fi
fi
if wanted ops; then
  if LIMR_TEST_SMALL=$($dry && echo 1 || echo 0) timeout "$(seconds 420)" "$bin/limr_cuda_test" >"$work/log" 2>&1; then
    verdict ops ok "$(last)"
  else
    grep -i fail "$work/log" | head -20
    verdict ops FAIL "$(last)"
  fi
fi
if wanted sanitizer; then
  sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda*/bin/compute-sanitizer 2>/dev/null | head -1 || true)
  if $dry || [ -z "$sanitizer" ]; then
    verdict sanitizer skipped 'needs compute-sanitizer and a GPU'
  else
    for tool in memcheck racecheck; do
      if LIMR_TEST_SMALL=1 timeout 420 "$sanitizer" --tool "$tool" --error-exitcode 9 "$bin/limr_cuda_test" >"$work/log" 2>&1; then
        verdict "$tool" ok "$(last)"
      else
        grep -E '=========' "$work/log" | head -20
        verdict "$tool" FAIL "$(last)"
      fi
    done
  fi
fi
if wanted bits; then
  if bench cuda-bits; then
    differ=$(grep '"cuda-bits"' "$rows" | grep -vc '"differ": *"none"' || true)
    if [ "$differ" = 0 ]; then verdict bits ok 'every row the same for every batch'; else verdict bits FAIL "$differ layers differ"; fi
  else
    verdict bits FAIL "$(last)"
  fi
fi
if wanted times; then
  if bench cuda-gemm cuda-attention cuda-rows; then verdict times ok ''; else verdict times FAIL "$(last)"; fi
fi
if wanted torch; then
  if ! "$python" -c 'import torch' 2>/dev/null; then
    verdict torch skipped "$python has no torch"
  elif timeout "$(seconds 540)" "$python" bench/gpu/torch_times.py --shape "$models" $small >>"$rows" 2>"$work/log"; then
    verdict torch ok "$("$python" -c 'import torch; print(torch.__version__)')"
  else
    verdict torch FAIL "$(last)"
  fi
fi
if wanted promises; then
  if ! has_node; then
    verdict promises skipped 'needs node'
  else
    "$python" bench/gpu/promises.py prompts "$work/prompts.jsonl"
    sample() { limr generate --device cuda --input "$work/prompts.jsonl" --n-samples-per-prompt 4 --generate-max-len 48 --temperature 1 --json "$@"; }
    if sample --output "$work/a.jsonl" --max-batch 32 >"$work/log" 2>&1 &&
      sample --output "$work/b.jsonl" --max-batch 3 --prefill-chunk 17 >"$work/log" 2>&1 &&
      "$python" bench/gpu/promises.py texts "$work/prompts.jsonl" "$work/a.jsonl" "$work/texts.jsonl" &&
      limr score --device cuda --input "$work/texts.jsonl" --output "$work/scores.jsonl" >"$work/log" 2>&1 &&
      "$python" bench/gpu/promises.py compare "$work/prompts.jsonl" "$work/a.jsonl" "$work/b.jsonl" "$work/scores.jsonl" >"$work/log"; then
      verdict promises ok "$(last)"
    else
      verdict promises FAIL "$(last)"
    fi
  fi
fi
if wanted steps; then
  if ! has_node; then
    verdict steps skipped 'needs node'
  elif $dry; then
    if limr bench --device cuda --shape nano --suite prefill,decode,train --repetitions 1 --decode-batch 2 --decode-context 16 \
      --prefill-tokens 16 --train-batch 2x16 --json >"$work/steps.json" 2>"$work/log"; then verdict steps ok ''; else verdict steps FAIL "$(last)"; fi
  else
    for shape in qwen2.5-0.5b qwen2.5-1.5b; do
      if limr bench --device cuda --shape $shape --suite prefill,decode,train --repetitions 3 --decode-batch 1,64,256,512 \
        --decode-context 512 --max-batch 512 --train-batch 16x1024 --json >"$work/steps.json" 2>"$work/log"; then
        "$python" -c 'import json, sys; print(json.dumps({"bench": "steps", "model": sys.argv[2], "result": json.load(open(sys.argv[1]))}))' \
          "$work/steps.json" $shape >>"$rows"
        verdict steps ok $shape
      else
        verdict steps FAIL "$shape: $(last)"
      fi
    done
  fi
fi
if wanted train; then
  if ! has_node; then
    verdict train skipped 'needs node'
  elif limr train --device cuda --rollouts 2 --output "$work/run" >"$work/log" 2>&1; then
    verdict train ok 'limr-nano'
  else
    verdict train FAIL "$(last)"
  fi
fi

"$python" bench/gpu/report.py "$rows" "$out/$(date +%F)-gpu$($dry && echo -dry-run || true).json"
