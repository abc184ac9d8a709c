#!/usr/bin/env bash
# Everything that the GPU suite needs on a machine without Node, compilers or a network, in one folder that git ignores:
#   scripts/gpu-pack.sh [folder]        default: gpu-pack
# Then, there: scripts/gpu-suite.sh --pack gpu-pack
set -euo pipefail
cd "$(dirname "$0")/.."
pack=${1:-gpu-pack}
limit=$((64 << 20))
jobs=$(nproc)

cmake --preset release >/dev/null
cmake --build --preset release --parallel "$jobs" --target limr_cuda limr_cuda_test limr_bench
npm run --silent install
npm run --silent prepare

rm -rf "$pack"
mkdir -p "$pack/bin"
cp out/release/limr_cuda.so "$pack/bin/"
for program in limr_cuda_test limr_bench; do
  strip -o "$pack/bin/$program" "out/release/$program"
done
strip -o "$pack/bin/node" "$(readlink -f "$(command -v node)")"
strip --strip-debug -o "$pack/bin/limr.node" build/Release/limr.node
for file in "$pack"/bin/*; do
  xz -9e -T0 "$file" &
done
wait

# The command as npm would install it: what was compiled, its packages, the embedded model.
npm ls --omit=dev --parseable --all | tail -n +2 | sed "s#^$PWD/##" >"$pack/packages.txt"
tar cf - dist package.json models -T "$pack/packages.txt" | xz -9e -T0 >"$pack/app.tar.xz"
rm "$pack/packages.txt"

bytes=$(du -sb "$pack" | cut -f1)
echo "$pack: $((bytes / 1024)) KiB of $((limit / 1024))"
if [ "$bytes" -gt "$limit" ]; then
  echo "gpu-pack: larger than 64 MiB" >&2
  exit 1
fi
