// Linear layers on a device against the reference, and their promise: a row's bits do not depend on how many rows there are.
#include "fixture.h"
#include "ops/matmul.h"
#include "ops/ref/matmul.h"

namespace limr::test {
namespace {

struct Size {
  int64_t M, N, K;
  std::string text() const { return cat("M=", M, " N=", N, " K=", K); }
};
std::vector<Size> sizes() {
  std::vector<Size> out{{1, 8, 16}, {3, 40, 48}, {70, 33, 64}, {5, 1, 32}};
  if (!small()) out.insert(out.end(), {{300, 96, 64}, {130, 128, 200}});
  return out;
}

// f32 sums in another order; what is rounded to bf16 besides.
constexpr double kSum = 1e-5;

PackedWeight weight_at(const DeviceArray<bf16>& data, const Size& s) { return {data.data(), s.N, s.K}; }

LIMR_TEST(cuda_linear_forward_is_the_reference) {
  Random rng(1);
  for (const Size& s : sizes()) {
    const auto inp = normal_bf16(rng, s.M * s.K), weight = normal_bf16(rng, s.N * s.K), bias = normal_bf16(rng, s.N),
               residual = normal_bf16(rng, s.M * s.N);
    const auto packed = pack(weight, s.N, s.K);
    const DeviceArray x(inp), w(padded(weight, s.N, s.K)), b(bias), r(residual);
    for (bool with_bias : {false, true}) {
      const View bias_view = with_bias ? view(bias.data(), 1, s.N) : View{};
      const View bias_at = with_bias ? view(b.data(), 1, s.N) : View{};
      const auto out = device_poisoned<float>(s.M * s.N);
      linear_forward(gpu(), {.out = view(out.data(), s.M, s.N),
                             .inp = view(x.data(), s.M, s.K),
                             .weight = weight_at(w, s),
                             .bias = bias_at,
                             .residual = {}});
      auto want = poisoned(s.M * s.N);
      ref::linear_forward({.out = view(want.data(), s.M, s.N),
                           .inp = view(inp.data(), s.M, s.K),
                           .weight = {packed.data(), s.N, s.K},
                           .bias = bias_view,
                           .residual = {}});
      expect_close(out.host(), want, kSum, cat(s.text(), " f32 bias=", with_bias));

      const DeviceArray sum(residual);  // the result takes the residual's place
      linear_forward(gpu(), {.out = view(sum.data(), s.M, s.N),
                             .inp = view(x.data(), s.M, s.K),
                             .weight = weight_at(w, s),
                             .bias = bias_at,
                             .residual = view(sum.data(), s.M, s.N)});
      ref::linear_forward({.out = view(want.data(), s.M, s.N),
                           .inp = view(inp.data(), s.M, s.K),
                           .weight = {packed.data(), s.N, s.K},
                           .bias = bias_view,
                           .residual = view(residual.data(), s.M, s.N)});
      expect_close(sum.host(), want, kBf16Rounding, cat(s.text(), " bf16 bias=", with_bias));
    }
  }
}

// The stand-in of the host shim proposes, for few rows, an algorithm that adds in another order first.
LIMR_TEST(cuda_linear_forward_has_the_same_bits_for_every_batch) {
  Random rng(2);
  const Size s{600, 48, 96};
  const auto inp = normal_bf16(rng, s.M * s.K), weight = normal_bf16(rng, s.N * s.K);
  const DeviceArray x(inp), w(padded(weight, s.N, s.K));
  const auto run = [&](int64_t begin, int64_t rows) {
    const auto out = device_poisoned<float>(rows * s.N);
    linear_forward(gpu(), {.out = view(out.data(), rows, s.N),
                           .inp = view(x.data() + begin * s.K, rows, s.K),
                           .weight = weight_at(w, s),
                           .bias = {},
                           .residual = {}});
    return out.host();
  };
  const auto whole = run(0, s.M);
  for (int64_t rows : {1, 2, 15, 16, 17, 64, 65, 256, 257}) {
    const int64_t begin = s.M - rows;
    expect_bits(run(begin, rows), std::vector(whole.begin() + begin * s.N, whole.end()), cat("rows=", rows));
  }
}

LIMR_TEST(cuda_linear_backward_is_the_reference) {
  Random rng(3);
  for (const Size& s : sizes()) {
    const int64_t even = round_up(s.N, 2);  // an odd N has one more column of zeros
    const auto inp = normal_bf16(rng, s.M * s.K), weight = normal_bf16(rng, s.N * s.K);
    auto dout = normal_bf16(rng, s.M * even);
    for (int64_t m = 0; m < s.M && even > s.N; ++m) dout[size_t(m * even + s.N)] = 0;
    const auto packed = pack(weight, s.N, s.K);
    const DeviceArray x(inp), w(padded(weight, s.N, s.K)), d(dout);
    const auto before = normal(rng, s.M * s.K);
    for (bool accumulate : {false, true}) {
      const DeviceArray dinp(accumulate ? before : poisoned(s.M * s.K));
      linear_backward_input(gpu(), {.dinp = view(dinp.data(), s.M, s.K),
                                    .dout = view(d.data(), s.M, even),
                                    .weight = weight_at(w, s),
                                    .accumulate = accumulate});
      auto want = before;
      ref::linear_backward_input({.dinp = view(want.data(), s.M, s.K),
                                  .dout = view(dout.data(), s.M, even),
                                  .weight = {packed.data(), s.N, s.K},
                                  .accumulate = accumulate});
      expect_close(dinp.host(), want, kSum, cat(s.text(), " accumulate=", accumulate));
    }

    View rows = view(dout.data(), s.M, even), device_rows = view(d.data(), s.M, even);
    rows.cols = device_rows.cols = s.N;
    const auto dweight = normal(rng, s.N * s.K), dbias = normal(rng, s.N);
    const DeviceArray dw(padded(dweight, s.N, s.K)), db(dbias);
    const auto scratch = device_scratch(linear_backward_weight_scratch_bytes(gpu().target(), s.M, s.N, s.K));
    linear_backward_weight(gpu(), {.dweight = dw.data(),
                                   .dbias = view(db.data(), 1, s.N),
                                   .dout = device_rows,
                                   .inp = view(x.data(), s.M, s.K),
                                   .scratch = scratch.data()});
    auto want = pack(dweight, s.N, s.K), want_bias = dbias;
    ref::linear_backward_weight({.dweight = want.data(),
                                 .dbias = view(want_bias.data(), 1, s.N),
                                 .dout = rows,
                                 .inp = view(inp.data(), s.M, s.K),
                                 .scratch = nullptr});
    const auto got = dw.host();
    std::vector<float> dense(got.begin(), got.begin() + s.N * s.K), want_dense(dense.size());
    for (int64_t n = 0; n < s.N; ++n)
      for (int64_t k = 0; k < s.K; ++k) want_dense[size_t(n * s.K + k)] = want[size_t(packed_index(n, k, s.K))];
    expect_close(dense, want_dense, kSum, cat(s.text(), " dweight"));
    expect_close(db.host(), want_bias, kSum, cat(s.text(), " dbias"));
  }
}

LIMR_TEST(cuda_swiglu_is_the_reference) {
  Random rng(4);
  for (const Size& s : {Size{3, 32, 16}, Size{65, 96, 48}}) {  // N = 2F
    const int64_t F = s.N / 2;
    const auto inp = normal_bf16(rng, s.M * s.K), weight = normal_bf16(rng, s.N * s.K, 0.3f);
    const auto packed = pack(weight, s.N, s.K);
    const DeviceArray x(inp), w(padded(weight, s.N, s.K));
    const auto out = device_poisoned<bf16>(s.M * F), generated = device_poisoned<bf16>(s.M * F),
               gate_up = device_poisoned<bf16>(s.M * s.N);
    const auto scratch = device_scratch(swiglu_forward_scratch_bytes(gpu().target(), s.M, F));
    swiglu_forward(gpu(), {.out = view(out.data(), s.M, F),
                           .gate_up = view(gate_up.data(), s.M, s.N),
                           .inp = view(x.data(), s.M, s.K),
                           .weight = weight_at(w, s)});
    swiglu_forward(gpu(), {.out = view(generated.data(), s.M, F),
                           .gate_up = {},
                           .inp = view(x.data(), s.M, s.K),
                           .weight = weight_at(w, s),
                           .scratch = scratch.data()});
    auto want = poisoned(s.M * F), want_gate_up = poisoned(s.M * s.N);
    ref::swiglu_forward({.out = view(want.data(), s.M, F),
                         .gate_up = view(want_gate_up.data(), s.M, s.N),
                         .inp = view(inp.data(), s.M, s.K),
                         .weight = {packed.data(), s.N, s.K}});
    expect_bits(generated.host(), out.host(), cat(s.text(), " without gate_up"));
    expect_close(gate_up.host(), want_gate_up, kBf16Rounding, s.text());
    expect_close(out.host(), want, 4 * kBf16Rounding, s.text());  // of rounded gate_up, rounded once more

    const int64_t N = 24;
    const Size down{s.M, N, F};
    const auto dout = normal_bf16(rng, s.M * N), down_weight = normal_bf16(rng, N * F, 0.3f);
    const auto packed_down = pack(down_weight, N, F);
    const DeviceArray d(dout), dw(padded(down_weight, N, F));
    const auto stored = gate_up.host();
    const DeviceArray dgate_up(stored);  // aliases gate_up
    const auto dh = device_scratch(swiglu_backward_scratch_bytes(gpu().target(), s.M, F));
    swiglu_backward(gpu(), {.dgate_up = view(dgate_up.data(), s.M, s.N),
                            .gate_up = view(dgate_up.data(), s.M, s.N),
                            .dout = view(d.data(), s.M, N),
                            .down = weight_at(dw, down),
                            .scratch = dh.data()});
    auto want_d = poisoned(s.M * s.N);
    ref::swiglu_backward({.dgate_up = view(want_d.data(), s.M, s.N),
                          .gate_up = view(stored.data(), s.M, s.N),
                          .dout = view(dout.data(), s.M, N),
                          .down = {packed_down.data(), N, F}});
    expect_close(dgate_up.host(), want_d, 2 * kBf16Rounding, s.text());  // dh is rounded, then the result
  }
}

}  // namespace
}  // namespace limr::test
