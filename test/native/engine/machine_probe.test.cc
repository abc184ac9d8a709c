#include "engine/machine_probe.h"

#include "ops/cpu/table.h"
#include "test.h"

namespace limr::test {
namespace {

Context context(ThreadPool& pool, const cpu::Table* table) {
  Context ctx;
  ctx.pool = &pool;
  ctx.cpu = table;
  return ctx;
}

LIMR_TEST(probes_on_every_isa_report_rates_and_their_order) {
  ThreadPool pool(2);
  for (const cpu::Table* table : cpu::runnable()) {
    const Context ctx = context(pool, table);
    const MachineProbe probe(ctx, int64_t(4) << 20);
    const ProbeRate flops = probe.flops(ctx, 0.01), read = probe.read(ctx, 0.01);
    for (const ProbeRate& rate : {flops, read}) {
      expect(rate.slices >= 1, table->isa);
      expect(rate.median > 0 && rate.median <= rate.best,
             cat(table->isa, " median ", rate.median, " best ", rate.best));
    }
  }
}

LIMR_TEST(the_probe_kernel_counts_the_flops_it_does) {
  for (const cpu::Table* table : cpu::runnable()) {
    // Sums of 1 + steps * 2: each step adds the two products of a pair of ones.
    std::vector<float> state(25 * 16, 1.0f);
    const auto* pair = reinterpret_cast<const bf16*>(state.data() + 24 * 16);
    for (int i = 24 * 16; i < 25 * 16; ++i) state[size_t(i)] = std::bit_cast<float>(0x3f803f80u);
    expect(bf16_to_f32(pair[0]) == 1 && bf16_to_f32(pair[31]) == 1, "pairs of ones");
    const int64_t steps = 5, flops = table->probe_flops(steps, state.data());
    int64_t counted = 0;
    for (int i = 0; i < 24 * 16; ++i)
      if (state[size_t(i)] != 1) {
        expect(state[size_t(i)] == float(1 + 2 * steps), cat(table->isa, " lane ", i, " is ", state[size_t(i)]));
        counted += 4 * steps;
      }
    expect(counted == flops, cat(table->isa, " says ", flops, " flops and did ", counted));
  }
}

LIMR_TEST(the_reading_probe_sums_every_element) {
  std::vector<float> x(1024);
  for (size_t i = 0; i < x.size(); ++i) x[i] = float(i);
  for (const cpu::Table* table : cpu::runnable())
    expect(table->probe_read(x.data(), 1024) == 1023.0f * 512.0f, table->isa);
}

LIMR_TEST(probes_refuse_what_they_cannot_measure) {
  ThreadPool pool(1);
  const Context ctx = context(pool, cpu::table(""));
  const MachineProbe probe(ctx, (int64_t(1) << 20) + 1);
  expect(probe.read_bytes() == int64_t(1) << 20, "whole pieces");
  expect_throws(
      Code::kUsage, [&] { probe.flops(ctx, 0); }, "no time");
  expect_throws(
      Code::kUsage, [&] { MachineProbe(ctx, 1000); }, "no memory");
}

}  // namespace
}  // namespace limr::test
