#!/usr/bin/env bash
# Everything that the GPU suite needs on a machine without Node, compilers or a network, in one folder that git ignores:
#   scripts/gpu-pack.sh [folder]        default: gpu-pack
# Then, there, in this tree: scripts/gpu-suite.sh --pack gpu-pack
set -euo pipefail
cd "$(dirname "$0")/.."
pack=${1:-gpu-pack}
limit=$((64 << 20))
jobs=$(nproc)

npm run --silent install -- limr_cuda
npm run --silent prepare
cmake --preset release >/dev/null
cmake --build --preset release --parallel "$jobs" --target limr_cuda_test limr_bench

rm -rf "$pack"
mkdir -p "$pack/bin"
for program in limr_cuda_test limr_bench; do
  strip -o "$pack/bin/$program" "out/release/$program"
done
strip -o "$pack/bin/node" "$(readlink -f "$(command -v node)")"
for library in limr.node limr_cuda.so; do
  strip --strip-debug -o "$pack/bin/$library" "build/Release/$library"
done
for file in "$pack"/bin/*; do
  xz -9 -T1 "$file" &
done
wait

# The command as npm would install it: what was compiled, its packages, the embedded model.
npm ls --omit=dev --parseable --all | tail -n +2 | sed "s#^$PWD/##" >"$pack/packages.txt"
tar cf - --exclude='*.map' --exclude='*.d.ts' dist package.json models -T "$pack/packages.txt" | xz -9 -T1 >"$pack/app.tar.xz"
rm "$pack/packages.txt"

tree=$(git ls-files -z | xargs -0 du -cb | tail -1 | cut -f1)
bytes=$(du -sb "$pack" | cut -f1)
du -b "$pack"/bin/* "$pack/app.tar.xz"
echo "$pack: $((bytes / 1024)) KiB, beside a tree of $((tree / 1024)): $(((bytes + tree) / 1024)) of $((limit / 1024))"
if [ $((bytes + tree)) -gt "$limit" ]; then
  echo "gpu-pack: larger than 64 MiB" >&2
  exit 1
fi
