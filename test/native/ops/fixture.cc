#include "ops/fixture.h"

#include "ops/cpu/table.h"

namespace limr::test {

const std::vector<Setup>& setups() {
  static const auto all = [] {
    static std::vector<std::unique_ptr<ThreadPool>> pools;
    std::vector<Setup> out;
    for (int threads : {1, 2, 3}) pools.push_back(std::make_unique<ThreadPool>(threads));
    for (const cpu::Table* table : cpu::runnable())
      for (const auto& pool : pools)
        out.push_back({{.pool = pool.get(), .cpu = table}, cat("isa=", table->isa, " threads=", pool->size())});
    return out;
  }();
  return all;
}

std::vector<float> normal(Random& rng, int64_t n, float scale) {
  std::normal_distribution<float> distribution(0, scale);
  std::vector<float> out(n);
  for (float& x : out) x = distribution(rng);
  return out;
}

std::vector<bf16> normal_bf16(Random& rng, int64_t n, float scale) { return narrow(normal(rng, n, scale)); }

std::vector<bf16> grid_bf16(Random& rng, int64_t n) {
  std::vector<bf16> out(n);
  for (bf16& x : out) x = f32_to_bf16(float(int(rng() % 129) - 64) / 32);
  return out;
}

std::vector<int32_t> integers(Random& rng, int64_t n, int32_t limit) {
  std::vector<int32_t> out(n);
  for (int32_t& x : out) x = int32_t(rng() % uint32_t(limit));
  return out;
}

std::vector<bf16> narrow(const std::vector<float>& x) {
  std::vector<bf16> out(x.size());
  for (size_t i = 0; i < x.size(); ++i) out[i] = f32_to_bf16(x[i]);
  return out;
}

std::vector<float> widen(const std::vector<bf16>& x) {
  std::vector<float> out(x.size());
  for (size_t i = 0; i < x.size(); ++i) out[i] = bf16_to_f32(x[i]);
  return out;
}

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double(a[i]) * b[i];
  return sum;
}

double relative_error(const std::vector<float>& got, const std::vector<float>& want) {
  double error = 0, size = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    error += (double(got[i]) - want[i]) * (double(got[i]) - want[i]);
    size += double(want[i]) * want[i];
  }
  return std::sqrt(error / size);
}

Scratch::Scratch(size_t bytes) : data_(std::aligned_alloc(64, (bytes + 64) / 64 * 64)) {
  std::memset(data_.get(), 0xff, (bytes + 64) / 64 * 64);
}

}  // namespace limr::test
