#!/usr/bin/env bash
# The GPU suite: what has to be shown on a machine with an NVIDIA GPU, the most telling first. Every phase stands alone: it may be asked for
# by name, has a time limit, and its failure stops no other. Rows go to FOLDER/gpu-suite.jsonl, which calls add to; a table of all of them,
# and one JSON file, end every call.
#   scripts/gpu-suite.sh [--pack FOLDER] [--only PHASE,...] [--out FOLDER] [--within SECONDS] [--python PYTHON] [--dry-run]
# phases: selftest  driver, device, where cuBLASLt is
#         ops       every op and the engine against the CPU's, each file of tests in a process of its own; one that fails runs again,
#                   waiting after every launch, and under compute-sanitizer
#         bits      a row of a linear layer for every batch: the same bits?
#         promises  sampler and scorer to the bit, in batches of two sizes
#         agree     logits of a random model beside transformers in f32 and in bf16
#         train     two rollouts of the default training; killed and resumed, to the same bytes
#         times     products, attention, decode, log-probs, AdamW
#         steps     prefill, decode and training of 0.5B and 1.5B shapes
#         torch     the same in PyTorch
#         placement 7B: actor, critic and reference take turns; updates, and peak memory beside the plan
#         sanitizer memcheck and racecheck over all ops, on small shapes
#         table     only the table of what other calls wrote
# --pack    binaries of scripts/gpu-pack.sh; without it the suite builds them here
# --within  seconds for this call: phases that would begin later than that are left out
# --dry-run the host shim in place of a GPU, tiny shapes
# A phase whose tool is missing (compute-sanitizer, torch, node) says so and counts as skipped.
set -uo pipefail
cd "$(dirname "$0")/.."
pack='' only='' out='' python=python3 dry=false within=0
while [ $# -gt 0 ]; do
  case $1 in
    --pack) pack=$2; shift ;;
    --only) only=$2; shift ;;
    --out) out=$2; shift ;;
    --within) within=$2; shift ;;
    --python) python=$2; shift ;;
    --dry-run) dry=true ;;
    *) echo "gpu-suite: unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
known=' selftest ops bits promises agree train times steps torch placement sanitizer table '
for phase in ${only//,/ }; do
  [[ $known == *" $phase "* ]] || { echo "gpu-suite: no phase is called $phase; there are$known" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
out=${out:-bench/results}
mkdir -p "$out"
rows=$out/gpu-suite.jsonl
touch "$rows"

# Where there is no xz, Python has one.
unpacked() {
  xz -dc "$1" 2>/dev/null || "$python" -c 'import lzma, shutil, sys; shutil.copyfileobj(lzma.open(sys.argv[1]), sys.stdout.buffer)' "$1"
}

if [ -n "$pack" ]; then
  mkdir -p "$work/bin" "$work/app"
  for file in "$pack"/bin/*.xz; do
    name=$(basename "$file" .xz)
    { unpacked "$file" >"$work/bin/$name" && chmod +x "$work/bin/$name"; } &
  done
  unpacked "$pack/app.tar.xz" | tar xf - -C "$work/app" || exit 1
  wait
  mkdir -p "$work/app/build/Release"
  cp "$work/bin/limr.node" "$work/bin/limr_cuda.so" "$work/app/build/Release/" || exit 1
  bin=$work/bin app=$work/app node=$work/bin/node
elif [ "$only" != table ]; then
  cmake --preset release >/dev/null || exit 1
  targets='limr_cuda_test limr_bench'
  if $dry; then targets="$targets limr_cuda_shim"; else targets="$targets limr_cuda"; fi
  # shellcheck disable=SC2086
  cmake --build --preset release --parallel "$(nproc)" --target $targets || exit 1
  bin=$PWD/out/release app=$PWD node=$(command -v node || true)
fi
if $dry; then
  module=$PWD/out/release/limr_cuda_shim.so
  models=tiny small=--small
else
  module=${bin:-}/limr_cuda.so
  models=qwen2.5-0.5b,qwen2.5-1.5b,qwen2.5-7b small=
fi
export LIMR_CUDA_MODULE=$module LIMR_TEST_SMALL=0
if $dry; then export LIMR_TEST_SMALL=1; fi

# Python's wheels carry cuBLASLt where the system has none.
if [ -z "${LIMR_CUBLASLT:-}" ] && ! $dry && ! ldconfig -p 2>/dev/null | grep -q libcublasLt.so; then
  found=$("$python" -c 'import glob, os, sysconfig
for root in {sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"]}:
    for name in ("cu13", "cu12", "cublas"):
        print(*sorted(glob.glob(os.path.join(root, "nvidia", name, "lib", "libcublasLt.so.*"))), sep="\n")' 2>/dev/null |
    grep -m1 . || true)
  if [ -n "$found" ]; then export LIMR_CUBLASLT=$found; fi
fi

# As a JSON string.
quoted() {
  local text=${1//\\/\\\\}
  text=${text//\"/\\\"}
  printf '"%s"' "$(tr '\n\t' '  ' <<<"$text" | tr -d '\000-\037')"
}
# verdict PHASE ok|FAIL|skipped NOTE
verdict() {
  printf '%-10s %-8s %6ss  %s\n' "$1" "$2" "$((SECONDS - began))" "$3"
  printf '{"bench":"suite","phase":%s,"verdict":"%s","seconds":%d,"note":%s}\n' "$(quoted "$1")" "$2" "$((SECONDS - began))" \
    "$(quoted "$3")" >>"$rows"
}
complaint='FAIL|CRASH|threw|[Ee]rror|\[LIMR_'
# complain WHAT CODE: what failed, from the log, to the terminal and the rows; the code in words is $said
complain() {
  said="exit code $2"
  [ "$2" = 124 ] && said='ran past its time'
  echo "--- $1: $said"
  grep -E "$complaint|========= " "$work/log" | head -30 | cut -c1-600
  echo '--- end of its output'
  tail -15 "$work/log" | cut -c1-600
  printf '{"bench":"failure","phase":%s,"said":"%s","text":%s}\n' "$(quoted "$1")" "$said" \
    "$(quoted "$(grep -E "$complaint" "$work/log" | head -12 | cut -c1-400; tail -4 "$work/log" | cut -c1-400)")" >>"$rows"
}
failed() {
  complain "$1" "$2"
  verdict "$1" FAIL "$said: $({ grep -m1 -E "$complaint" "$work/log" || tail -1 "$work/log"; } | cut -c1-200)"
}
# wanted PHASE: is it asked for, and is there time?
wanted() {
  began=$SECONDS
  { [ -z "$only" ] || [[ ",$only," == *",$1,"* ]]; } || return 1
  if [ "$within" -gt 0 ] && [ "$SECONDS" -ge "$within" ]; then
    verdict "$1" skipped "no time was left of $within s"
    return 1
  fi
}
# limited SECONDS COMMAND...: at most so long, and never past the end of --within. Its log is $work/log; with rows=yes its stdout are rows.
limited() {
  local seconds=$1
  shift
  if $dry; then seconds=900; fi
  if [ "$within" -gt 0 ] && [ $((within - SECONDS)) -lt "$seconds" ]; then seconds=$((within - SECONDS > 5 ? within - SECONDS : 5)); fi
  timeout --kill-after=5 "$seconds" "$@"
}
bench() { limited "$1" "$bin/limr_bench" "${@:2}" --module "$module" --shape "$models" $small --json >>"$rows" 2>"$work/log"; }
limr() { limited "$1" "$node" "$app/dist/cli/main.js" "${@:2}"; }
has_node() { [ -n "$node" ] && [ -x "$node" ] && [ -s "$app/dist/cli/main.js" ]; }
last() { tail -1 "$work/log" | cut -c1-160; }
sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda*/bin/compute-sanitizer /opt/nvidia/*/*/compute-sanitizer 2>/dev/null | head -1 || true)
if $dry; then sanitizer=''; fi
groups='device rows rope sample loss logprob adamw linear attention engine'

if wanted selftest; then
  nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader >"$work/smi" 2>/dev/null || echo 'no nvidia-smi' >"$work/smi"
  if bench 120 cuda-device; then verdict selftest ok "$(head -1 "$work/smi")"; else failed selftest $?; fi
  if has_node; then limr 60 doctor | tee "$work/log" | grep -iE 'cuda|cublas|fix' || true; fi
fi

if wanted ops; then
  passed=0 bad=''
  for group in $groups; do
    limited 180 "$bin/limr_cuda_test" --verbose "$group.test.cc" >"$work/log" 2>&1
    code=$?
    if [ $code = 0 ]; then
      passed=$((passed + $(last | cut -d' ' -f1)))
      continue
    fi
    bad="$bad $group"
    complain "ops $group" $code
    echo "--- again, waiting after every launch"
    LIMR_SYNC=1 limited 120 "$bin/limr_cuda_test" "$group.test.cc" >"$work/log" 2>&1
    complain "ops $group, LIMR_SYNC=1" $?
    if [ -n "$sanitizer" ]; then
      echo "--- again, under memcheck"
      LIMR_TEST_SMALL=1 limited 120 "$sanitizer" --tool memcheck --error-exitcode 9 "$bin/limr_cuda_test" "$group.test.cc" >"$work/log" 2>&1
      complain "ops $group, memcheck" $?
    fi
  done
  if [ -z "$bad" ]; then verdict ops ok "$passed tests passed"; else verdict ops FAIL "$passed tests passed; not all of$bad"; fi
fi

if wanted bits; then
  before=$(wc -l <"$rows")
  if bench 240 cuda-bits; then
    differ=$(tail -n +$((before + 1)) "$rows" | grep '"cuda-bits"' | grep -vc '"differ": *"none"' || true)
    if [ "$differ" = 0 ]; then verdict bits ok 'every row the same for every batch'; else verdict bits FAIL "$differ layers differ"; fi
  else
    failed bits $?
  fi
fi

if wanted promises; then
  if ! has_node; then
    verdict promises skipped 'needs node'
  else
    "$python" bench/gpu/promises.py prompts "$work/prompts.jsonl"
    sample() { limr 90 generate --device cuda --input "$work/prompts.jsonl" --n-samples-per-prompt 4 --generate-max-len $($dry && echo 8 || echo 48) --temperature 1 --json "$@"; }
    if sample --output "$work/a.jsonl" --max-batch 32 >"$work/log" 2>&1 &&
      sample --output "$work/b.jsonl" --max-batch 3 --prefill-chunk 17 >"$work/log" 2>&1 &&
      LIMR_SYNC=1 sample --output "$work/c.jsonl" --max-batch 32 >"$work/log" 2>&1 &&
      "$python" bench/gpu/promises.py texts "$work/prompts.jsonl" "$work/a.jsonl" "$work/texts.jsonl" >"$work/log" 2>&1 &&
      limr 90 score --device cuda --input "$work/texts.jsonl" --output "$work/scores.jsonl" >"$work/log" 2>&1 &&
      "$python" bench/gpu/promises.py compare "$work/prompts.jsonl" "$work/a.jsonl" "$work/c.jsonl" "$work/scores.jsonl" >"$work/log" 2>&1 &&
      "$python" bench/gpu/promises.py compare "$work/prompts.jsonl" "$work/a.jsonl" "$work/b.jsonl" "$work/scores.jsonl" >"$work/log" 2>&1; then
      verdict promises ok "$(last)"
    else
      failed promises $?
    fi
  fi
fi

if wanted agree; then
  if ! has_node || ! "$python" -c 'import torch, transformers, safetensors' 2>/dev/null; then
    verdict agree skipped "needs node, and transformers in $python"
  elif limited 120 "$python" bench/gpu/agree.py make "$work/random" $small >"$work/log" 2>&1 &&
    limr 120 score --device cuda --model "$work/random" --input "$work/random/rows.jsonl" --output "$work/agree.jsonl" \
      --logits "$work/logits.safetensors" >"$work/log" 2>&1 &&
    limited 240 "$python" bench/gpu/agree.py compare "$work/random" "$work/logits.safetensors" >"$work/row" 2>"$work/log"; then
    cat "$work/row" >>"$rows"
    verdict agree ok "$(cut -c1-160 "$work/row")"
  else
    code=$?
    cat "$work/row" >>"$rows" 2>/dev/null
    failed agree $code
  fi
fi

if wanted train; then
  tiny=()
  if $dry; then tiny=(--rollout-batch-size 4 --n-samples-per-prompt 2 --train-batch-size 4 --generate-max-len 6 --eval-steps 0); fi
  train() { limr "$1" train --device cuda --rollouts 2 --save-steps 1 "${tiny[@]}" "${@:2}" >"$work/log" 2>&1; }
  if ! has_node; then
    verdict train skipped 'needs node'
  elif train 200 --output "$work/run"; then
    verdict train ok "two rollouts: $(last)"
    began=$SECONDS
    "$node" "$app/dist/cli/main.js" train --device cuda --rollouts 2 --save-steps 1 "${tiny[@]}" --output "$work/killed" >"$work/log" 2>&1 &
    run=$!
    for _ in $(seq 1000); do
      if ls "$work/killed/checkpoints/"*/DONE >/dev/null 2>&1 || ! kill -0 $run 2>/dev/null; then break; fi
      sleep 0.2
    done
    kill -KILL $run 2>/dev/null
    wait $run 2>/dev/null
    if train 200 --output "$work/killed" --resume && cmp "$work/run/metrics.jsonl" "$work/killed/metrics.jsonl" >>"$work/log" 2>&1 &&
      diff -rq --exclude=cursor.json "$work/run/checkpoints" "$work/killed/checkpoints" >>"$work/log" 2>&1; then
      verdict resume ok 'killed after its first checkpoint: the same metrics and weights'
    else
      failed resume $?
    fi
  else
    failed train $?
  fi
fi

if wanted times; then
  for name in cuda-rows cuda-gemm cuda-attention; do
    began=$SECONDS
    if bench 200 $name; then verdict "times $name" ok ''; else failed "times $name" $?; fi
  done
fi

if wanted steps; then
  if ! has_node; then
    verdict steps skipped 'needs node'
  else
    for shape in $($dry && echo nano || echo qwen2.5-0.5b qwen2.5-1.5b); do
      began=$SECONDS
      sizes=(--repetitions 3 --decode-batch 1,64,256,512 --decode-context 512 --prefill-tokens 2048 --max-batch 512 --train-batch 16x1024)
      if $dry; then sizes=(--repetitions 1 --decode-batch 2 --decode-context 16 --prefill-tokens 16 --train-batch 2x16); fi
      if limr 240 bench --device cuda --shape "$shape" --suite prefill,decode,train "${sizes[@]}" --json >"$work/steps.json" 2>"$work/log"; then
        "$python" -c 'import json, sys; print(json.dumps({"bench": "steps", "model": sys.argv[2], "result": json.load(open(sys.argv[1]))}))' \
          "$work/steps.json" "$shape" >>"$rows"
        verdict "steps $shape" ok ''
      else
        failed "steps $shape" $?
      fi
    done
  fi
fi

if wanted torch; then
  if ! "$python" -c 'import torch' 2>/dev/null; then
    verdict torch skipped "$python has no torch"
  else
    for model in ${models//,/ }; do
      began=$SECONDS
      if limited 240 "$python" bench/gpu/torch_times.py --shape "$model" $small >>"$rows" 2>"$work/log"; then
        verdict "torch $model" ok "$("$python" -c 'import torch; print(torch.__version__)')"
      else
        failed "torch $model" $?
      fi
    done
  fi
fi

if wanted placement; then
  if ! has_node; then
    verdict placement skipped 'needs node'
  elif limited 480 "$node" bench/gpu/placement.mjs --app "$app" $small >>"$rows" 2>"$work/log"; then
    verdict placement ok ''
  else
    failed placement $?
  fi
fi

if wanted sanitizer; then
  if [ -z "$sanitizer" ]; then
    echo "would run: LIMR_TEST_SMALL=1 compute-sanitizer --tool memcheck|racecheck --error-exitcode 9 $bin/limr_cuda_test GROUP.test.cc"
    verdict sanitizer skipped 'needs compute-sanitizer and a GPU'
  else
    for tool in memcheck racecheck; do
      bad='' began=$SECONDS
      for group in $groups; do
        LIMR_TEST_SMALL=1 limited 120 "$sanitizer" --tool "$tool" --error-exitcode 9 "$bin/limr_cuda_test" "$group.test.cc" >"$work/log" 2>&1
        code=$?
        if [ $code != 0 ]; then bad="$bad $group" && complain "$tool $group" $code; fi
      done
      if [ -z "$bad" ]; then verdict "$tool" ok 'no complaint'; else verdict "$tool" FAIL "complaints in$bad"; fi
    done
  fi
fi

"$python" bench/gpu/report.py "$rows" "$out/$(date +%F)-gpu$($dry && echo -dry-run || true).json"
