// bench/native/gemm.bench.cc - linear layers, forward and backward, at the shapes that models have.
#include "bench.h"
#include "engine/linear_probe.h"
#include "ops/cpu/table.h"

namespace limr::bench {
namespace {

struct Shape {
  std::string name;
  int64_t N, K;
};

struct Dimensions {
  const char* model;
  int64_t hidden, intermediate, heads, kv_heads, head_dim, vocab;
};
constexpr Dimensions kModels[] = {{"qwen2.5-0.5b", 896, 4864, 14, 2, 64, 151936},
                                  {"smollm2-135m", 576, 1536, 9, 3, 64, 49152},
                                  {"nano", 192, 512, 6, 2, 32, 288}};

// The products of a layer as the engine fuses them, and the head.
std::vector<Shape> shapes_of(const std::string& model) {
  for (const Dimensions& d : kModels)
    if (model == d.model)
      return {{"qkv", (d.heads + 2 * d.kv_heads) * d.head_dim, d.hidden},
              {"out", d.hidden, d.heads * d.head_dim},
              {"gate_up", 2 * d.intermediate, d.hidden},
              {"down", d.hidden, d.intermediate},
              {"head", d.vocab, d.hidden}};
  throw Error(Code::kUsage, cat("--shape ", model), "Known: qwen2.5-0.5b, smollm2-135m, nano.");
}

std::vector<Shape> chosen_shapes(const Options& options) {
  std::vector<Shape> shapes;
  if (options.has("n") || options.has("k")) {
    for (const int64_t n : options.integers("n", "4864"))
      for (const int64_t k : options.integers("k", "896")) shapes.push_back({"custom", n, k});
    return shapes;
  }
  const auto layers = options.words("layers", "qkv,out,gate_up,down,head");
  for (const std::string& model : options.words("shape", "qwen2.5-0.5b"))
    for (Shape& s : shapes_of(model))
      if (std::find(layers.begin(), layers.end(), s.name) != layers.end()) shapes.push_back(std::move(s));
  return shapes;
}

void run_gemm(const Context& ctx, const Options& options) {
  const int64_t reps = options.integer("reps", 20), rotate = options.has("hot") ? 0 : int64_t(256) << 20;
  LIMR_CHECK(reps >= 1, kUsage, "--reps 0");
  for (const Shape& shape : chosen_shapes(options))
    for (const int64_t m : options.integers("m", "1,4,16,64,512"))
      for (const std::string& op : options.words("ops", m < 16 ? "forward" : "forward,dinp,dweight")) {
        const LinearCase c{.op = linear_op(op), .M = m, .N = shape.N, .K = shape.K, .rotate_bytes = rotate};
        LinearProbe probe(ctx, c);
        const Spread t = repeat(reps, [&] { return probe.time(ctx, 1e-3); });
        Row()
            .text("bench", "gemm")
            .text("op", op)
            .text("layer", shape.name)
            .number("m", double(m), 0)
            .number("n", double(shape.N), 0)
            .number("k", double(shape.K), 0)
            .text("isa", ctx.cpu->isa)
            .number("threads", ctx.pool->size(), 0)
            .number("gflops", c.flops() / t.median / 1e9)
            .number("best", c.flops() / t.best / 1e9)
            .number("mad_pct", 100 * t.mad / t.median)
            .number("gbytes", c.bytes() / t.median / 1e9)
            .number("us", t.median * 1e6)
            .print(options);
      }
}

const bool added =
    add_bench("gemm",
              "  --n N,.. --k K,..  or  --shape qwen2.5-0.5b,smollm2-135m,nano --layers qkv,out,gate_up,down,head\n"
              "  --m 1,4,16,64,512  --ops forward,swiglu,dinp,dweight (default: forward, from 16 tokens on the three)  "
              "--reps 20\n"
              "  --hot              one weight, which caches may keep; else they rotate through 256 MiB",
              run_gemm);

}  // namespace
}  // namespace limr::bench
