// Memory, copies, queues, graphs, and how failures come back.
#include "fixture.h"
#include "ops/rmsnorm.h"

namespace limr::test {
namespace {

LIMR_TEST(cuda_memory_is_zero_and_copies_both_ways) {
  cuda::CudaDevice& d = gpu_device();
  auto* data = static_cast<uint8_t*>(d.alloc(1000));
  std::vector<uint8_t> host(1000, 7);
  d.copy_out(host.data(), data, 1000);
  expect_eq(host, std::vector<uint8_t>(1000, 0));
  for (size_t i = 0; i < 1000; ++i) host[i] = uint8_t(i);
  d.copy_in(data, host.data(), 500);
  std::fill_n(host.begin(), 500, uint8_t(0));  // the source may change at once
  d.copy_within(data + 500, data, 500);
  d.copy_out(host.data(), data, 1000);
  for (size_t i = 0; i < 1000; ++i) expect_eq(int(host[i]), int(uint8_t(i % 500)), cat("i=", i));
  d.zero(data + 1, 998);
  d.copy_out(host.data(), data, 1000);
  expect_eq(int(host[999]), int(uint8_t(499)));
  expect_eq(int(host[998]), 0);
  d.free(data, 1000);
}

LIMR_TEST(cuda_device_says_what_it_is) {
  const cuda::DeviceInfo info = gpu_device().info();
  expect(info.name[0] != 0 && info.major >= 8 && info.multiprocessors > 0);
  expect(info.memory_total > 0 && info.memory_free > 0 && info.memory_free <= info.memory_total);
  expect(gpu_device().table().architectures[0] != 0 && !gpu_device().cublaslt().empty());
}

LIMR_TEST(cuda_failures_are_errors_of_the_core) {
  const Error memory = expect_throws(Code::kMemory, [] { gpu_device().alloc(size_t(1) << 50); });
  expect_contains(memory.message(), "no memory left");
  expect_throws(Code::kPlatform, [] { cuda::CudaDevice({.module = module_file(), .device = 99, .cublaslt = {}}); });
  // and what came before does not spoil what comes after
  const DeviceArray<float> x(std::vector<float>{1, 2});
  expect_eq(x.host(), std::vector<float>{1, 2});
}

LIMR_TEST(cuda_graphs_run_what_was_recorded_as_often_as_asked) {
  const cuda::Table& table = gpu_device().table();
  cuda::Stream* stream = gpu_device().stream();
  const int64_t C = 64;
  Random rng(1);
  const auto inp = normal_bf16(rng, C);
  const DeviceArray x(inp);
  const DeviceArray weight(std::vector<bf16>(C, 0x3f80));
  const auto run = [&](const DeviceArray<bf16>& out) {
    rmsnorm_forward(gpu(), {.out = view(out.data(), 1, C),
                            .rstd = {},
                            .inp = view(x.data(), 1, C),
                            .weight = view(weight.data(), 1, C),
                            .eps = 1e-6f});
  };
  const auto direct = device_poisoned<bf16>(C), recorded = device_poisoned<bf16>(C);
  run(direct);
  void* graph = nullptr;
  cuda::check(table.begin_capture(stream));
  run(recorded);
  cuda::check(table.end_capture(stream, &graph));
  expect_bits(recorded.host(), poisoned<bf16>(C), "recorded, not run");
  cuda::check(table.launch_graph(stream, graph));
  expect_bits(recorded.host(), direct.host(), "run once");
  gpu_device().copy_in(x.data(), weight.host().data(), x.bytes());  // graphs hold addresses, not contents
  cuda::check(table.launch_graph(stream, graph));
  expect_bits(recorded.host(), std::vector<bf16>(C, 0x3f80), "run twice");
  table.free_graph(graph);
}

LIMR_TEST(cuda_streams_wait_for_events) {
  const cuda::Table& table = gpu_device().table();
  cuda::Stream *ops = gpu_device().stream(), *copies = nullptr;
  cuda::check(table.open_copies(ops, &copies));
  const size_t bytes = 4096;
  auto* pinned = static_cast<uint8_t*>(gpu_device().alloc_pinned(bytes));
  expect_eq(int(pinned[77]), 0, "pinned memory is zero");
  const DeviceArray<uint8_t> data(std::vector<uint8_t>(bytes, 3));
  cuda::Event* event = nullptr;
  cuda::check(table.event(ops, &event));
  cuda::check(table.zero(ops, data.data(), bytes / 2));
  cuda::check(table.record(ops, event));
  cuda::check(table.wait(copies, event));
  cuda::check(table.copy_out(copies, pinned, data.data(), bytes));
  cuda::check(table.synchronize(copies));
  expect_eq(int(pinned[0]), 0);
  expect_eq(int(pinned[bytes - 1]), 3);
  table.free_event(event);
  gpu_device().free_pinned(pinned, bytes);
  table.close(copies);
}

LIMR_TEST(cuda_ops_of_no_rows_touch_nothing) {
  const DeviceArray<bf16> weight(std::vector<bf16>(16, 0x3f80));
  rmsnorm_forward(gpu(), {.out = view(static_cast<bf16*>(nullptr), 0, 16),
                          .rstd = {},
                          .inp = view(static_cast<bf16*>(nullptr), 0, 16),
                          .weight = view(weight.data(), 1, 16),
                          .eps = 1e-6f});
  gpu_device().synchronize();
}

}  // namespace
}  // namespace limr::test
