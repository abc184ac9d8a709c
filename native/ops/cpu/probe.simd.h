// native/ops/cpu/probe.simd.h - what engine/machine_probe.h times: arithmetic without memory, and memory without arithmetic.

// Independent sums: enough to hide the latency of an addition on two ports, few enough to stay in registers.
constexpr int kProbeSums = kTileRows * kTileVectors < 24 ? 6 : 24;

// A step is kProbeSums pairs of fused multiply-adds (one dot product of pairs, where the CPU has it) of 16 lanes; returns the flops
// of all. Operands come from `state` [25 * 16], the sums go there: so a compiler that sees two equal ones cannot compute one.
int64_t probe_flops(int64_t steps, float* state) {
  const Pairs a = load_pairs((const bf16*)(state + 24 * 16));
  F32x16 acc[kProbeSums];
#pragma GCC unroll 24
  for (int i = 0; i < kProbeSums; ++i) acc[i] = load(state + 16 * i);
  for (int64_t s = 0; s < steps; ++s) {
#pragma GCC unroll 24
    for (int i = 0; i < kProbeSums; ++i) acc[i] = dot2(acc[i], a, a);
  }
#pragma GCC unroll 24
  for (int i = 0; i < kProbeSums; ++i) store(state + 16 * i, acc[i]);
  return steps * kProbeSums * 16 * 4;
}

// The sum of n floats, n a multiple of 128: reads each cache line once, in order.
float probe_read(const float* p, int64_t n) {
  F32x16 acc[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) acc[i] = splat(0.0f);
  for (int64_t k = 0; k < n; k += 128) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) acc[i] = add(acc[i], load(p + k + 16 * i));
  }
  F32x16 all = acc[0];
#pragma GCC unroll 8
  for (int i = 1; i < 8; ++i) all = add(all, acc[i]);
  return sum(all);
}
