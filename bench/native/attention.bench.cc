// bench/native/attention.bench.cc - causal attention of one whole sequence, forward and backward, as prefill and training run it,
// and of one new token of each of several sequences, as decoding does.
#include <chrono>
#include <random>

#include "bench.h"
#include "core/arena.h"
#include "core/context.h"
#include "ops/attention.h"
#include "ops/cpu/table.h"

namespace limr::bench {
namespace {

std::vector<bf16> random_values(size_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<bf16> values(count);
  for (bf16& v : values) v = f32_to_bf16(normal(random));
  return values;
}

struct Attention {
  int64_t T, H, K, D, pages, decoded;
  std::vector<bf16> q, dout, out;
  Buffer kv;
  std::vector<float> lse, dq, dk, dv;
  std::vector<int32_t> page;
  std::vector<char> scratch;
  AttentionSequence sequence;
  std::vector<AttentionSequence> last;  // of `decoded` sequences, the last token; no two share a page

  Attention(const Context& ctx, int64_t T, int64_t H, int64_t K, int64_t D, int64_t decoded)
      : T(T),
        H(H),
        K(K),
        D(D),
        pages((T + kPageKeys - 1) / kPageKeys),
        decoded(decoded),
        q(random_values(size_t(std::max(T, decoded) * H * D))),
        dout(random_values(size_t(T * H * D))),
        out(size_t(std::max(T, decoded) * H * D)),
        kv(size_t(std::max<int64_t>(1, decoded) * pages * K * D * 2 * kPageKeys) * sizeof(bf16)),
        lse(size_t(T * H)),
        dq(size_t(T * H * D)),
        dk(size_t(T * K * D)),
        dv(size_t(T * K * D)),
        scratch(attention_backward_scratch_bytes(ctx.target(), T, H, T, D)) {
    const std::vector<bf16> some = random_values(kv.bytes() / sizeof(bf16));
    std::copy(some.begin(), some.end(), kv.as<bf16>());
    for (int32_t i = 0; i < pages * std::max<int64_t>(1, decoded); ++i) page.push_back(i);
    for (int64_t i = 0; i < decoded; ++i)
      last.push_back({.begin = i, .length = 1, .context = int32_t(T), .pages = page.data() + i * pages});
    sequence = {.begin = 0, .length = int32_t(T), .context = int32_t(T), .pages = page.data()};
  }
  KvPages cache() { return {kv.as<bf16>(), K * D * 2 * kPageKeys, K, D}; }
  float scale() const { return 1 / std::sqrt(float(D)); }
  // 4 D flops a score that is seen; backward has five products for forward's two.
  double flops() const { return 4.0 * double(D) * double(H) * double(T) * double(T + 1) / 2; }

  void forward(const Context& ctx) {
    attention_forward(ctx, {.out = view(out.data(), T, H * D),
                            .lse = view(lse.data(), H, T),
                            .q = view(q.data(), T, H * D),
                            .kv = cache(),
                            .sequences = &sequence,
                            .num_sequences = 1,
                            .scale = scale(),
                            .longest = T});
  }
  void decode(const Context& ctx) {
    attention_forward(ctx, {.out = view(out.data(), decoded, H * D),
                            .lse = {},
                            .q = view(q.data(), decoded, H * D),
                            .kv = cache(),
                            .sequences = last.data(),
                            .num_sequences = decoded,
                            .scale = scale(),
                            .longest = 1});
  }
  void backward(const Context& ctx) {
    attention_backward(ctx, {.dq = view(dq.data(), T, H * D),
                             .dk = view(dk.data(), T, K * D),
                             .dv = view(dv.data(), T, K * D),
                             .dout = view(dout.data(), T, H * D),
                             .out = view(out.data(), T, H * D),
                             .q = view(q.data(), T, H * D),
                             .lse = view(lse.data(), H, T),
                             .kv = cache(),
                             .sequences = &sequence,
                             .num_sequences = 1,
                             .scale = scale(),
                             .scratch = scratch.data(),
                             .longest = T});
  }
};

template <typename F>
double seconds_of(F&& once) {
  const auto begin = std::chrono::steady_clock::now();
  int64_t calls = 0;
  double seconds = 0;
  for (; seconds < 2e-2; ++calls) {
    once();
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  return seconds / double(calls);
}

void run_attention(const Context& ctx, const Options& options) {
  const int64_t H = options.integer("heads", 14), K = options.integer("kv-heads", 2), D = options.integer("dim", 64);
  const std::vector<std::string> ops = options.words("ops", "forward,backward,decode");
  const bool decodes = std::find(ops.begin(), ops.end(), "decode") != ops.end();
  const int64_t sequences = decodes ? options.integer("sequences", 16) : 0;
  for (const int64_t T : options.integers("tokens", "128,512,2048")) {
    Attention attention(ctx, T, H, K, D, sequences);
    attention.forward(ctx);
    for (const std::string& op : ops) {
      const bool forward = op == "forward", decode = op == "decode";
      LIMR_CHECK(forward || decode || op == "backward", kUsage, cat("--ops ", op), "Known: forward, backward, decode.");
      const Spread t = repeat(options.integer("reps", 9), [&] {
        return seconds_of([&] {
          decode ? attention.decode(ctx) : forward ? attention.forward(ctx) : attention.backward(ctx);
        });
      });
      const double read = double(sequences) * double(attention.pages * 2 * kPageKeys * K * D) * sizeof(bf16);
      const double flops = decode ? 4.0 * double(D * H * T * sequences) : attention.flops() * (forward ? 1 : 2.5);
      Row()
          .text("bench", "attention")
          .text("op", op)
          .number("tokens", double(T), 0)
          .number("heads", double(H), 0)
          .number("kv_heads", double(K), 0)
          .number("dim", double(D), 0)
          .text("isa", ctx.cpu->isa)
          .number("threads", ctx.pool->size(), 0)
          .number("gflops", flops / t.median / 1e9)
          .number("best", flops / t.best / 1e9)
          .number("us", t.median * 1e6)
          .number("read_gb_s", decode ? read / t.median / 1e9 : 0)
          .print(options);
    }
  }
}

const bool added = add_bench(
    "attention",
    "  --tokens 128,512,2048 --heads 14 --kv-heads 2 --dim 64 --ops forward,backward,decode --sequences 16 --reps 9",
    run_attention);

}  // namespace
}  // namespace limr::bench
