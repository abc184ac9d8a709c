// test/native/ops/fixture.h - what every op's test needs: contexts on each ISA, operands, panels, derivatives.
#pragma once
#include <memory>
#include <random>
#include <tuple>

#include "core/context.h"
#include "ops/matmul.h"
#include "test.h"

namespace limr::test {

// bf16 has 8 significant bits: rounding once moves a result by at most 2^-8 of it. The rest is room for f32 sums.
constexpr double kBf16Rounding = 0x1p-8 * 1.02;
// Two results, each rounded to bf16, whose f32 values may lie on two sides of a tie.
constexpr double kBf16Unit = 0x1p-7 * 1.02;

struct Setup {
  Context ctx;
  std::string name;  // "isa=avx2 threads=3"
};
// Every instruction set that this CPU runs, the best first, with 1, 2 and 3 threads each.
const std::vector<Setup>& setups();

// run(ctx) returns a tuple of vectors: the outputs of an op. They must have the same bits in every setup; returns them.
template <typename Run>
auto everywhere(Run&& run, const std::string& context, const Location& where = Location::current()) {
  const auto first = run(setups().front().ctx);
  for (const Setup& s : setups()) {
    const auto other = run(s.ctx);
    [&]<size_t... I>(std::index_sequence<I...>) {
      (expect_bits(std::get<I>(other), std::get<I>(first), cat(context, " output ", I, " ", s.name), where), ...);
    }
    (std::make_index_sequence<std::tuple_size_v<decltype(other)>>());
  }
  return first;
}

using Random = std::mt19937;

std::vector<float> normal(Random& rng, int64_t n, float scale = 1);
std::vector<bf16> normal_bf16(Random& rng, int64_t n, float scale = 1);
// Multiples of 1/32 in [-2, 2]: so far from the limits of bf16 that a derivative's steps are exact.
std::vector<bf16> grid_bf16(Random& rng, int64_t n);
std::vector<int32_t> integers(Random& rng, int64_t n, int32_t limit);  // in [0, limit)

std::vector<bf16> narrow(const std::vector<float>& x);
std::vector<float> widen(const std::vector<bf16>& x);
double dot(const std::vector<float>& a, const std::vector<float>& b);
// |got - want| / |want|, of the whole arrays.
double relative_error(const std::vector<float>& got, const std::vector<float>& want);

// Row-major [rows, cols] into panels, zero past the last row; and back. T is bf16 or float.
template <typename T>
std::vector<T> pack(const std::vector<T>& dense, int64_t rows, int64_t cols) {
  std::vector<T> panels(packed_elements(rows, cols));
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < cols; ++c) panels[packed_index(r, c, cols)] = dense[r * cols + c];
  return panels;
}
template <typename T>
std::vector<T> unpack(const std::vector<T>& panels, int64_t rows, int64_t cols) {
  std::vector<T> dense(rows * cols);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < cols; ++c) dense[r * cols + c] = panels[packed_index(r, c, cols)];
  return dense;
}

// Workspace of exactly so many bytes, 64-byte aligned, all NaN: what an op does not write it must not read.
class Scratch {
 public:
  explicit Scratch(size_t bytes);
  void* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  std::unique_ptr<void, Free> data_;
};

// df/dx[i] for every i, where f() reads x. Five-point stencil: the error is h^4/30 of the fifth derivative, and
// rounding of f divided by h. Every step must be exact in T.
template <typename T, typename F>
std::vector<double> gradient(std::vector<T>& x, double h, F&& f) {
  std::vector<double> out(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const T saved = x[i];
    const auto at = [&](double step) {
      if constexpr (std::is_same_v<T, bf16>) {
        const double moved = double(bf16_to_f32(saved)) + step;
        x[i] = f32_to_bf16(float(moved));
        expect(double(bf16_to_f32(x[i])) == moved, "a step of the derivative is not exact");
      } else {
        x[i] = T(saved + step);
      }
      return double(f());
    };
    out[i] = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    x[i] = saved;
  }
  return out;
}

}  // namespace limr::test
