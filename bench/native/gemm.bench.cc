// bench/native/gemm.bench.cc - linear layers, forward and backward, through their entry points in ops/matmul.h.
//
// Flops are 2 M N K. Weights rotate through more memory than caches hold, as the layers of a model do; --hot keeps one. Every case
// is first compared with ops/ref: the first and the last row (forward, dinp) or the first two outputs (dweight).
#include <memory>
#include <random>

#include "bench.h"
#include "core/arena.h"
#include "ops/cpu/table.h"
#include "ops/ref/matmul.h"

namespace limr::bench {
namespace {

struct Shape {
  std::string name;
  int64_t N, K;
};

struct Fused {
  const char* model;
  int64_t hidden, intermediate, heads, kv_heads, head_dim, vocab;
};
constexpr Fused kModels[] = {{"qwen2.5-0.5b", 896, 4864, 14, 2, 64, 151936},
                             {"smollm2-135m", 576, 1536, 9, 3, 64, 49152},
                             {"nano", 256, 704, 4, 2, 64, 512}};

// The products of a layer as the engine fuses them, and the head.
std::vector<Shape> shapes_of(const std::string& model) {
  for (const Fused& f : kModels)
    if (model == f.model)
      return {{"qkv", (f.heads + 2 * f.kv_heads) * f.head_dim, f.hidden},
              {"out", f.hidden, f.heads * f.head_dim},
              {"gate_up", 2 * f.intermediate, f.hidden},
              {"down", f.hidden, f.intermediate},
              {"head", f.vocab, f.hidden}};
  throw Error(Code::kUsage, cat("--shape ", model), "Known: qwen2.5-0.5b, smollm2-135m, nano.");
}

std::vector<bf16> random_bf16(int64_t n, float scale) {
  std::minstd_rand rng(7);
  std::vector<bf16> out(static_cast<size_t>(n));
  for (bf16& x : out) x = f32_to_bf16((float(rng() % 2048) / 1024 - 1) * scale);
  return out;
}

void expect_close(const char* op, double got, double want, double scale) {
  LIMR_CHECK(std::abs(got - want) <= 0.01 * scale, kInternal, cat(op, " gives ", got, " where ops/ref gives ", want),
             "The kernels of this build are wrong.");
}

struct Operands {
  Shape shape;
  int64_t M, copies;
  std::vector<bf16> inp, dout;  // [M, K], [M, N even]
  Buffer weights;               // `copies` weights in panels; random, so their order does not matter
  int64_t stride;               // elements from one to the next

  Operands(Shape s, int64_t tokens, int64_t rotate_bytes)
      : shape(std::move(s)), M(tokens), stride(packed_elements(shape.N, shape.K)) {
    const int64_t bytes = stride * int64_t(sizeof(bf16));
    copies = std::max<int64_t>(1, (rotate_bytes + bytes - 1) / bytes);
    inp = random_bf16(M * shape.K, 1);
    dout = random_bf16(M * round_up(shape.N, 2), 1);
    weights = Buffer(size_t(copies * bytes));
    const std::vector<bf16> one = random_bf16(stride, 1 / std::sqrt(float(shape.K)));
    for (int64_t c = 0; c < copies; ++c) std::copy(one.begin(), one.end(), weights.as<bf16>() + c * stride);
  }
  PackedWeight weight(int64_t call) const { return {weights.as<bf16>() + call % copies * stride, shape.N, shape.K}; }
};

Spread forward(const Context& ctx, const Operands& x, int64_t reps) {
  const int64_t N = x.shape.N, K = x.shape.K;
  std::vector<bf16> out(static_cast<size_t>(x.M * N));
  const auto call = [&](int64_t i) {
    linear_forward(ctx, {.out = view(out.data(), x.M, N),
                         .inp = view(x.inp.data(), x.M, K),
                         .weight = x.weight(i),
                         .bias = {},
                         .residual = {}});
  };
  call(0);
  std::vector<float> want(static_cast<size_t>(N));
  for (const int64_t m : {int64_t(0), x.M - 1}) {
    ref::linear_forward({.out = view(want.data(), 1, N),
                         .inp = view(x.inp.data() + m * K, 1, K),
                         .weight = x.weight(0),
                         .bias = {},
                         .residual = {}});
    for (int64_t n = 0; n < N; ++n) expect_close("forward", bf16_to_f32(out[size_t(m * N + n)]), want[size_t(n)], 1);
  }
  return repeat(reps, call);
}

Spread swiglu(const Context& ctx, const Operands& x, int64_t reps) {
  const int64_t F = x.shape.N / 2, K = x.shape.K;
  std::vector<bf16> out(static_cast<size_t>(x.M * F)), want(static_cast<size_t>(F));
  const auto call = [&](int64_t i) {
    swiglu_forward(
        ctx,
        {.out = view(out.data(), x.M, F), .gate_up = {}, .inp = view(x.inp.data(), x.M, K), .weight = x.weight(i)});
  };
  call(0);
  ref::swiglu_forward(
      {.out = view(want.data(), 1, F), .gate_up = {}, .inp = view(x.inp.data(), 1, K), .weight = x.weight(0)});
  for (int64_t f = 0; f < F; ++f) expect_close("swiglu", bf16_to_f32(out[size_t(f)]), bf16_to_f32(want[size_t(f)]), 1);
  return repeat(reps, call);
}

Spread dinp(const Context& ctx, const Operands& x, int64_t reps, bool transposed) {
  const int64_t N = x.shape.N, K = x.shape.K, even = round_up(N, 2);
  const Buffer scratch(linear_backward_input_scratch_bytes(N, K));
  std::vector<bf16> out(static_cast<size_t>(x.M * K));
  LinearBackwardInput op{.dinp = view(out.data(), x.M, K),
                         .dout = view(x.dout.data(), x.M, even),
                         .weight = x.weight(0),
                         .scratch = scratch.data()};
  linear_backward_input(ctx, op);
  op.transposed = transposed;
  std::vector<float> want(static_cast<size_t>(K));
  for (const int64_t m : {int64_t(0), x.M - 1}) {
    ref::linear_backward_input({.dinp = view(want.data(), 1, K),
                                .dout = view(x.dout.data() + m * even, 1, even),
                                .weight = x.weight(0),
                                .scratch = nullptr});
    for (int64_t k = 0; k < K; ++k)
      expect_close("dinp", bf16_to_f32(out[size_t(m * K + k)]), want[size_t(k)], std::sqrt(double(N) / double(K)));
  }
  return repeat(reps, [&](int64_t i) {
    if (!transposed) op.weight = x.weight(i);
    linear_backward_input(ctx, op);
  });
}

Spread dweight(const Context& ctx, const Operands& x, int64_t reps) {
  const int64_t N = x.shape.N, K = x.shape.K, elements = packed_elements(N, K);
  const Buffer scratch(linear_backward_weight_scratch_bytes(x.M, N, K)), gradient(size_t(elements) * sizeof(float));
  const View inp = view(x.inp.data(), x.M, K);
  View dout = view(x.dout.data(), x.M, round_up(N, 2));
  dout.cols = N;
  const LinearBackwardWeight op{
      .dweight = gradient.as<float>(), .dbias = {}, .dout = dout, .inp = inp, .scratch = scratch.data()};
  linear_backward_weight(ctx, op);
  std::vector<float> want(static_cast<size_t>(packed_elements(2, K)));
  dout.cols = std::min<int64_t>(N, 2);
  ref::linear_backward_weight({.dweight = want.data(), .dbias = {}, .dout = dout, .inp = inp, .scratch = nullptr});
  for (int64_t n = 0; n < dout.cols; ++n)
    for (int64_t k = 0; k < K; ++k)
      expect_close("dweight", gradient.as<float>()[packed_index(n, k, K)], want[size_t(packed_index(n, k, K))],
                   std::sqrt(double(x.M)));
  return repeat(reps, [&](int64_t) { linear_backward_weight(ctx, op); });
}

void run_gemm(const Context& ctx, const Options& options) {
  std::vector<Shape> shapes;
  if (options.has("n") || options.has("k")) {
    for (const int64_t n : options.integers("n", "4864"))
      for (const int64_t k : options.integers("k", "896")) shapes.push_back({"custom", n, k});
  } else {
    for (const std::string& model : options.words("shape", "qwen2.5-0.5b"))
      for (Shape& s : shapes_of(model)) shapes.push_back(std::move(s));
    const auto layers = options.words("layers", "qkv,out,gate_up,down,head");
    std::erase_if(shapes,
                  [&](const Shape& s) { return std::find(layers.begin(), layers.end(), s.name) == layers.end(); });
  }
  const int64_t reps = options.integer("reps", 20), rotate = options.has("hot") ? 0 : int64_t(256) << 20;
  LIMR_CHECK(reps >= 1, kUsage, "--reps 0");
  for (const Shape& s : shapes)
    for (const int64_t m : options.integers("m", "1,4,16,64,512")) {
      LIMR_CHECK(m >= 1 && s.N >= 1 && s.K >= 2, kUsage, cat("a product of M=", m, " N=", s.N, " K=", s.K));
      const Operands x(s, m, rotate);
      for (const std::string& op : options.words("ops", "forward,dinp,dweight")) {
        const bool backward = op != "forward" && op != "swiglu";
        if (backward && !options.has("ops") && m < 16) continue;  // a micro-batch has more tokens
        const Spread t = op == "forward"           ? forward(ctx, x, reps)
                         : op == "swiglu"          ? swiglu(ctx, x, reps)
                         : op == "dinp"            ? dinp(ctx, x, reps, false)
                         : op == "dinp-transposed" ? dinp(ctx, x, reps, true)
                         : op == "dweight"         ? dweight(ctx, x, reps)
                                           : throw Error(Code::kUsage, cat("--ops ", op), "See limr_bench --help.");
        const double flops = 2.0 * double(m) * double(s.N) * double(s.K);
        const double bytes =
            2.0 * double(s.N * s.K + m * s.K + m * s.N) + (op == "dweight" ? 6.0 * double(s.N * s.K) : 0);
        Row()
            .text("bench", "gemm")
            .text("op", op)
            .text("layer", s.name)
            .number("m", double(m), 0)
            .number("n", double(s.N), 0)
            .number("k", double(s.K), 0)
            .text("isa", ctx.cpu->isa)
            .number("threads", ctx.pool->size(), 0)
            .number("gflops", flops / t.median / 1e9)
            .number("best", flops / t.best / 1e9)
            .number("mad_pct", 100 * t.mad / t.median)
            .number("gbytes", bytes / t.median / 1e9)
            .number("us", t.median * 1e6)
            .print(options);
      }
    }
}

const bool added =
    add_bench("gemm",
              "  --n N,.. --k K,..  or  --shape qwen2.5-0.5b,smollm2-135m,nano --layers qkv,out,gate_up,down,head\n"
              "  --m 1,4,16,64,512  --ops forward,swiglu,dinp,dinp-transposed,dweight  --reps 20\n"
              "  --hot              one weight, which caches may keep; else they rotate through 256 MiB",
              run_gemm);

}  // namespace
}  // namespace limr::bench
