#include "engine/linear_probe.h"

#include "ops/cpu/table.h"
#include "test.h"

namespace limr::test {
namespace {

constexpr LinearCase::Op kOps[] = {LinearCase::kForward, LinearCase::kSwiglu, LinearCase::kBackwardInput,
                                   LinearCase::kBackwardWeight};

LIMR_TEST(linear_probe_checks_and_times_every_op_on_every_isa) {
  ThreadPool pool(2);
  for (const cpu::Table* table : cpu::runnable()) {
    Context ctx;
    ctx.pool = &pool, ctx.cpu = table;
    for (const LinearCase::Op op : kOps)
      for (const int64_t rotate : {int64_t(0), int64_t(100'000)}) {
        LinearProbe probe(ctx, {.op = op, .M = 5, .N = 96, .K = 34, .rotate_bytes = rotate});
        for (const double at_least : {0.0, 1e-4}) {
          const double seconds = probe.time(ctx, at_least);
          expect(seconds > 0 && seconds < 60, cat(table->isa, " op ", op, ": ", seconds, " s"));
        }
      }
  }
}

LIMR_TEST(linear_probe_refuses_shapes_that_ops_do_not_take) {
  ThreadPool pool(1);
  Context ctx;
  ctx.pool = &pool, ctx.cpu = cpu::table("");
  expect_throws(
      Code::kUsage, [&] { LinearProbe(ctx, {.M = 0, .N = 32, .K = 32}); }, "no tokens");
  expect_throws(
      Code::kUsage, [&] { LinearProbe(ctx, {.M = 1, .N = 32, .K = 33}); }, "odd inputs");
  expect_throws(
      Code::kShape, [&] { LinearProbe(ctx, {.op = LinearCase::kSwiglu, .M = 1, .N = 40, .K = 32}); }, "F=20");
  expect_throws(
      Code::kUsage, [&] { linear_op("transpose"); }, "an op that is none");
  expect(linear_op("dweight") == LinearCase::kBackwardWeight);
}

LIMR_TEST(a_wrong_kernel_is_noticed) {
  cpu::Table broken = *cpu::table("");
  // Leaves every output zero.
  broken.gemm = [](const GemmArgs&, int64_t, int64_t, int64_t, int64_t) {};
  broken.gemm_gradient = [](const GradientArgs&, int64_t, int64_t, int64_t, int64_t) {};
  ThreadPool pool(1);
  Context ctx;
  ctx.pool = &pool, ctx.cpu = &broken;
  for (const LinearCase::Op op : kOps)
    expect_throws(
        Code::kInternal, [&] { LinearProbe(ctx, {.op = op, .M = 3, .N = 64, .K = 64}); }, cat("op ", op));
}

LIMR_TEST(flops_and_bytes_of_a_linear_case) {
  const LinearCase c{.op = LinearCase::kForward, .M = 2, .N = 3, .K = 4};
  expect(c.flops() == 48 && c.bytes() == 2 * (2 * 7 + 12));
  LinearCase d = c;
  d.op = LinearCase::kBackwardWeight;
  expect(d.bytes() == 2 * 14 + 8 * 12);
}

}  // namespace
}  // namespace limr::test
