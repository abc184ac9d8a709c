# budget_s: 290
# The arm64 build of the native core, under an emulator.
set -euo pipefail
if ! command -v aarch64-linux-gnu-g++ >/dev/null || ! command -v qemu-aarch64 >/dev/null; then
  if [ "${CI:-}" != true ] || ! command -v apt-get >/dev/null; then
    echo "skipped: needs aarch64-linux-gnu-g++ and qemu-aarch64 (apt-get install g++-aarch64-linux-gnu qemu-user)"
    exit 77
  fi
  as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
    g++-aarch64-linux-gnu qemu-user >/dev/null
fi
cmake --preset aarch64 >/dev/null
cmake --build --preset aarch64 --parallel "$(nproc)" --target limr_test
LIMR_TEST_SMALL=1 qemu-aarch64 -L /usr/aarch64-linux-gnu out/aarch64/limr_test
