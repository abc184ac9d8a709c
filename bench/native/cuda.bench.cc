// bench/native/cuda.bench.cc - a GPU's ops at the shapes that models have, and whether a row's bits depend on its batch. They run
// with --module FILE (limr_cuda.so) only:
//   limr_bench cuda-bits cuda-gemm cuda-attention cuda-rows --module FILE --shape qwen2.5-7b [--small] [--json]
#include <chrono>
#include <cstring>
#include <random>

#include "bench.h"
#include "ops/adamw.h"
#include "ops/attention.h"
#include "ops/cuda_device.h"
#include "ops/logprob.h"
#include "ops/matmul.h"

namespace limr::bench {
namespace {

struct Dimensions {
  const char* model;
  int64_t hidden, intermediate, heads, kv_heads, head_dim, vocab;
};
constexpr Dimensions kModels[] = {{"qwen2.5-0.5b", 896, 4864, 14, 2, 64, 151936},
                                  {"qwen2.5-1.5b", 1536, 8960, 12, 2, 128, 151936},
                                  {"qwen2.5-7b", 3584, 18944, 28, 4, 128, 152064},
                                  {"tiny", 96, 64, 6, 2, 32, 288}};

std::vector<Dimensions> models(const Options& options) {
  std::vector<Dimensions> out;
  for (const std::string& name : options.words("shape", "qwen2.5-0.5b")) {
    const auto found =
        std::find_if(std::begin(kModels), std::end(kModels), [&](const auto& d) { return name == d.model; });
    LIMR_CHECK(found != std::end(kModels), kUsage, cat("--shape ", name), "Known: qwen2.5-0.5b, -1.5b, -7b, tiny.");
    out.push_back(*found);
  }
  return out;
}

// The products of a layer as the engine fuses them, and the head; what is added, and the type of the result.
struct Layer {
  std::string name;
  int64_t N, K;
  bool f32, bias, residual;
};
std::vector<Layer> layers(const Dimensions& d) {
  return {{"qkv", (d.heads + 2 * d.kv_heads) * d.head_dim, d.hidden, true, true, false},
          {"out", d.hidden, d.heads * d.head_dim, false, false, true},
          {"gate_up", 2 * d.intermediate, d.hidden, false, false, false},
          {"down", d.hidden, d.intermediate, false, false, true},
          {"head", d.vocab, d.hidden, true, false, false}};
}

class Gpu {
 public:
  explicit Gpu(const Options& options)
      : device_({.module = options.text("module", ""),
                 .device = int(options.integer("device", 0)),
                 .cublaslt = {},
                 .sync = false}),
        host_(size_t(1) << 22) {
    std::mt19937 rng(1);
    std::normal_distribution<float> normal;
    for (bf16& x : host_) x = f32_to_bf16(normal(rng));
    context = {.device = &device_, .cuda = &device_, .pool = &pool_};
  }
  cuda::CudaDevice& device() { return device_; }

  // Normal numbers, as bf16, over and over, each time from elsewhere.
  void fill(void* data, size_t bytes) {
    for (size_t at = 0, turn = 0; at < bytes; ++turn) {
      const size_t skip = turn * 7919 % (host_.size() / 2) * 2, part = std::min(bytes - at, host_.size() * 2 - skip);
      device_.copy_in(static_cast<char*>(data) + at, reinterpret_cast<const char*>(host_.data()) + skip, part);
      at += part;
    }
  }
  // Seconds of one call of `op`, from as many as last a few milliseconds.
  template <typename Op>
  Spread time(int64_t reps, Op&& op) {
    op();
    device_.synchronize();
    int64_t inner = 1;
    const auto once = [&] {
      const auto begin = std::chrono::steady_clock::now();
      for (int64_t i = 0; i < inner; ++i) op();
      device_.synchronize();
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / double(inner);
    };
    inner = std::clamp<int64_t>(int64_t(5e-3 / std::max(once(), 1e-7)), 1, 200);
    return repeat(reps, once);
  }

  Context context;

 private:
  ThreadPool pool_{1};
  cuda::CudaDevice device_;
  std::vector<bf16> host_;
};

class Block {
 public:
  Block(Gpu& gpu, int64_t bytes, bool random = true)
      : gpu_(gpu), bytes_(size_t(bytes)), data_(gpu.device().alloc(bytes_)) {
    if (random) gpu.fill(data_, bytes_);
  }
  ~Block() { gpu_.device().free(data_, bytes_); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  template <typename T>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  Gpu& gpu_;
  size_t bytes_;
  void* data_;
};

// A linear layer with room for `rows` rows.
class Linear {
 public:
  Linear(Gpu& gpu, const Layer& layer, int64_t rows)
      : gpu_(gpu),
        layer_(layer),
        weight_(gpu, packed_elements(layer.N, layer.K) * 2),
        inp_(gpu, rows * layer.K * 2),
        bias_(gpu, layer.N * 2),
        residual_(gpu, layer.residual ? rows * layer.N * 2 : 2),
        out_(gpu, rows * layer.N * (layer.f32 ? 4 : 2), false) {}
  void forward(int64_t rows) {
    const DType type = layer_.f32 ? DType::kF32 : DType::kBf16;
    linear_forward(gpu_.context, {.out = view(out_.as<void>(), type, rows, layer_.N),
                                  .inp = view(inp_.as<bf16>(), rows, layer_.K),
                                  .weight = {weight_.as<bf16>(), layer_.N, layer_.K},
                                  .bias = layer_.bias ? view(bias_.as<bf16>(), 1, layer_.N) : View{},
                                  .residual = layer_.residual ? view(residual_.as<bf16>(), rows, layer_.N) : View{}});
  }
  std::vector<char> row(int64_t n) {
    const size_t bytes = size_t(layer_.N) * (layer_.f32 ? 4 : 2);
    std::vector<char> out(bytes);
    gpu_.device().copy_out(out.data(), out_.as<char>() + size_t(n) * bytes, bytes);
    return out;
  }
  PackedWeight weight() const { return {weight_.as<bf16>(), layer_.N, layer_.K}; }
  bf16* inp() const { return inp_.as<bf16>(); }

 private:
  Gpu& gpu_;
  Layer layer_;
  Block weight_, inp_, bias_, residual_, out_;
};

bool wanted(const Options& options) { return options.has("module"); }

void run_device(const Context&, const Options& options) {
  if (!wanted(options)) return;
  Gpu gpu(options);
  const cuda::DeviceInfo info = gpu.device().info();
  Row()
      .text("bench", "cuda-device")
      .text("name", info.name)
      .text("capability", cat(info.major, ".", info.minor))
      .number("multiprocessors", info.multiprocessors, 0)
      .number("driver", info.driver, 0)
      .number("runtime", info.runtime, 0)
      .number("memory_bytes", double(info.memory_total), 0)
      .text("cublaslt", gpu.device().cublaslt())
      .text("architectures", gpu.device().table().architectures)
      .print(options);
}

// Which M give rows whose bits differ from those of the largest M? None may.
void run_bits(const Context&, const Options& options) {
  if (!wanted(options)) return;
  Gpu gpu(options);
  auto batches =
      options.integers("m", options.has("small") ? "1,2,8,16,32,64,128,200" : "1,2,8,16,32,64,128,256,512,4096,16384");
  for (const Dimensions& d : models(options))
    for (const Layer& layer : layers(d)) {
      std::vector<int64_t> ms;
      for (const int64_t m : batches)  // logits are computed in chunks
        if (layer.name != "head" || m <= 1024) ms.push_back(m);
      const int64_t most = *std::max_element(ms.begin(), ms.end());
      Linear linear(gpu, layer, most);
      linear.forward(most);
      constexpr int64_t kRows = 32;
      std::vector<std::vector<char>> want;
      for (int64_t n = 0; n < std::min(most, kRows); ++n) want.push_back(linear.row(n));
      std::string differ;
      for (const int64_t m : ms) {
        linear.forward(m);
        int64_t rows = 0;
        for (int64_t n = 0; n < std::min(m, kRows); ++n) rows += linear.row(n) != want[size_t(n)];
        if (rows) differ += cat(differ.empty() ? "" : ",", m);
      }
      Row()
          .text("bench", "cuda-bits")
          .text("model", d.model)
          .text("layer", layer.name)
          .number("n", double(layer.N), 0)
          .number("k", double(layer.K), 0)
          .number("most_rows", double(most), 0)
          .text("differ", differ.empty() ? "none" : differ)
          .print(options);
    }
}

void run_gemm(const Context&, const Options& options) {
  if (!wanted(options)) return;
  Gpu gpu(options);
  const int64_t reps = options.integer("reps", 10);
  for (const Dimensions& d : models(options))
    for (const Layer& layer : layers(d))
      for (const int64_t m : options.integers("m", options.has("small") ? "1,33" : "1,64,256,512,4096,16384")) {
        const int64_t rows = layer.name == "head" ? std::min<int64_t>(m, 1024) : m;
        Linear linear(gpu, layer, rows);
        const double flops = 2.0 * double(rows) * double(layer.N) * double(layer.K);
        const double bytes = 2.0 * double(layer.N) * double(layer.K);
        const auto print = [&](const char* op, const Spread& t) {
          Row()
              .text("bench", "cuda-gemm")
              .text("op", op)
              .text("model", d.model)
              .text("layer", layer.name)
              .number("m", double(rows), 0)
              .number("us", t.median * 1e6)
              .number("tflops", flops / t.median / 1e12)
              .number("weight_gbytes", bytes / t.median / 1e9)
              .number("mad_pct", 100 * t.mad / t.median)
              .print(options);
        };
        print("forward", gpu.time(reps, [&] { linear.forward(rows); }));
        if (m < 256 && !options.has("small")) continue;
        Block dout(gpu, rows * layer.N * 2), dinp(gpu, rows * layer.K * 4, false);
        print("dinp", gpu.time(reps, [&] {
          linear_backward_input(gpu.context, {.dinp = view(dinp.as<float>(), rows, layer.K),
                                              .dout = view(dout.as<bf16>(), rows, layer.N),
                                              .weight = linear.weight(),
                                              .accumulate = false});
        }));
        Block dweight(gpu, packed_elements(layer.N, layer.K) * 4, false);
        Block scratch(gpu, int64_t(linear_backward_weight_scratch_bytes(gpu.context.target(), rows, layer.N, layer.K)),
                      false);
        gpu.device().zero(dweight.as<void>(), size_t(packed_elements(layer.N, layer.K)) * 4);
        print("dweight", gpu.time(reps, [&] {
          linear_backward_weight(gpu.context, {.dweight = dweight.as<float>(),
                                               .dbias = {},
                                               .dout = view(dout.as<bf16>(), rows, layer.N),
                                               .inp = view(linear.inp(), rows, layer.K),
                                               .scratch = scratch.as<void>()});
        }));
      }
}

// B sequences of `context` tokens: the last token of each (decode), or all of them, forward and backward (training).
void run_attention(const Context&, const Options& options) {
  if (!wanted(options)) return;
  Gpu gpu(options);
  const int64_t reps = options.integer("reps", 10),
                context = options.integer("context", options.has("small") ? 70 : 1024);
  const auto decode = options.integers("decode", options.has("small") ? "1,3" : "1,64,256,512");
  const auto train = options.integers("train", options.has("small") ? "2" : "4,16");
  for (const Dimensions& d : models(options)) {
    const int64_t H = d.heads, K = d.kv_heads, D = d.head_dim, pages = (context + kPageKeys - 1) / kPageKeys;
    const auto measure = [&](int64_t B, int64_t length, bool backward) {
      const int64_t N = B * length, page_elements = 2 * kPageKeys * D * K;
      Block cache(gpu, B * pages * page_elements * 2), q(gpu, N * H * D * 2), out(gpu, N * H * D * 2),
          lse(gpu, H * N * 4, false);
      Block tables(gpu, B * pages * 4, false), sequences(gpu, B * int64_t(sizeof(AttentionSequence)), false);
      std::vector<int32_t> ids(size_t(B * pages));
      for (size_t i = 0; i < ids.size(); ++i) ids[i] = int32_t(i);
      std::shuffle(ids.begin(), ids.end(), std::mt19937(3));
      std::vector<AttentionSequence> host;
      for (int64_t b = 0; b < B; ++b)
        host.push_back({b * length, int32_t(length), int32_t(context), tables.as<int32_t>() + b * pages});
      gpu.device().copy_in(tables.as<void>(), ids.data(), ids.size() * 4);
      gpu.device().copy_in(sequences.as<void>(), host.data(), host.size() * sizeof host[0]);
      const KvPages kv{cache.as<bf16>(), page_elements, K, D};
      const float scale = 1 / std::sqrt(float(D));
      const auto forward = [&] {
        attention_forward(gpu.context, {.out = view(out.as<bf16>(), N, H * D),
                                        .lse = view(lse.as<float>(), H, N),
                                        .q = view(q.as<bf16>(), N, H * D),
                                        .kv = kv,
                                        .sequences = sequences.as<AttentionSequence>(),
                                        .num_sequences = B,
                                        .scale = scale,
                                        .longest = length});
      };
      const double kv_bytes = double(B) * double(context) * double(2 * K * D * 2);
      const double flops =
          4.0 * double(B) * double(H) * double(D) * double(length) * (double(context) - double(length - 1) / 2);
      const auto print = [&](const char* op, const Spread& t, double work) {
        Row()
            .text("bench", "cuda-attention")
            .text("op", op)
            .text("model", d.model)
            .number("sequences", double(B), 0)
            .number("context", double(context), 0)
            .number("us", t.median * 1e6)
            .number("tflops", work / t.median / 1e12)
            .number("kv_gbytes", kv_bytes / t.median / 1e9)
            .number("mad_pct", 100 * t.mad / t.median)
            .print(options);
      };
      print(length == 1 ? "decode" : "forward", gpu.time(reps, forward), flops);
      if (!backward) return;
      Block dq(gpu, N * H * D * 4, false), dk(gpu, N * K * D * 4, false), dv(gpu, N * K * D * 4, false),
          dout(gpu, N * H * D * 2);
      Block scratch(gpu, int64_t(attention_backward_scratch_bytes(gpu.context.target(), N, H, length, D)), false);
      print("backward",
            gpu.time(reps,
                     [&] {
                       attention_backward(gpu.context, {.dq = view(dq.as<float>(), N, H * D),
                                                        .dk = view(dk.as<float>(), N, K * D),
                                                        .dv = view(dv.as<float>(), N, K * D),
                                                        .dout = view(dout.as<bf16>(), N, H * D),
                                                        .out = view(out.as<bf16>(), N, H * D),
                                                        .q = view(q.as<bf16>(), N, H * D),
                                                        .lse = view(lse.as<float>(), H, N),
                                                        .kv = kv,
                                                        .sequences = sequences.as<AttentionSequence>(),
                                                        .num_sequences = B,
                                                        .scale = scale,
                                                        .scratch = scratch.as<void>(),
                                                        .longest = length});
                     }),
            2.5 * flops);
    };
    for (const int64_t B : decode) measure(B, 1, false);
    for (const int64_t B : train) measure(B, context, true);
  }
}

// What passes over memory once: the copy that everything is measured by, a chunk of logits, the optimizer.
void run_rows(const Context&, const Options& options) {
  if (!wanted(options)) return;
  Gpu gpu(options);
  const int64_t reps = options.integer("reps", 10);
  const auto print = [&](const char* op, const Spread& t, double bytes) {
    Row()
        .text("bench", "cuda-rows")
        .text("op", op)
        .number("us", t.median * 1e6)
        .number("gbytes", bytes / t.median / 1e9)
        .number("mad_pct", 100 * t.mad / t.median)
        .print(options);
  };
  const int64_t copied = options.has("small") ? 1 << 16 : 1 << 30;
  {
    Block from(gpu, copied), to(gpu, copied, false);
    print("copy", gpu.time(reps, [&] { gpu.device().copy_within(to.as<void>(), from.as<void>(), size_t(copied)); }),
          2.0 * double(copied));
  }
  const int64_t R = options.has("small") ? 3 : 1024, V = options.has("small") ? 288 : 151936;
  {
    Block logits(gpu, R * V * 4), stats(gpu, R * int64_t(sizeof(RowStats)), false), targets(gpu, R * 4, false);
    Block dlogits(gpu, R * V * 2, false), dlogprob(gpu, R * 4, false);
    gpu.device().zero(targets.as<void>(), size_t(R) * 4);
    gpu.device().zero(dlogprob.as<void>(), size_t(R) * 4);
    gpu.device().zero(logits.as<void>(), size_t(R * V) * 4);
    const auto forward = [&] {
      logprob_forward(gpu.context, {.stats = stats.as<RowStats>(),
                                    .logits = view(logits.as<float>(), R, V),
                                    .targets = targets.as<int32_t>(),
                                    .vocab_size = V,
                                    .temperature = 1});
    };
    print("logprob", gpu.time(reps, forward), double(R) * double(V) * 4);
    print("dlogits",
          gpu.time(reps,
                   [&] {
                     logprob_backward(gpu.context, {.dlogits = view(dlogits.as<bf16>(), R, V),
                                                    .logits = view(logits.as<float>(), R, V),
                                                    .stats = stats.as<RowStats>(),
                                                    .targets = targets.as<int32_t>(),
                                                    .dlogprob = dlogprob.as<float>(),
                                                    .dentropy = nullptr,
                                                    .vocab_size = V,
                                                    .temperature = 1});
                   }),
          double(R) * double(V) * 6);
  }
  const int64_t n = options.has("small") ? 1 << 12 : 1 << 28;
  Block weight(gpu, n * 2), remainder(gpu, n * 2), m(gpu, n * 4, false), v(gpu, n * 4, false), grad(gpu, n * 4, false);
  for (const Block* b : {&m, &v, &grad}) gpu.device().zero(b->as<void>(), size_t(n) * 4);
  print("adamw-f32",
        gpu.time(reps,
                 [&] {
                   adamw(gpu.context, {.weight = weight.as<bf16>(),
                                       .remainder = remainder.as<uint16_t>(),
                                       .exp_avg = {.data = m.as<void>()},
                                       .exp_avg_sq = {.data = v.as<void>()},
                                       .grad = grad.as<float>(),
                                       .n = n,
                                       .grad_scale = 1,
                                       .lr = 1e-6,
                                       .beta1 = 0.9,
                                       .beta2 = 0.95,
                                       .eps = 1e-8,
                                       .weight_decay = 0,
                                       .step = 1});
                 }),
        double(n) * (8 + 16 + 4));
}

[[maybe_unused]] const bool added[] = {
    add_bench("cuda-device", "a GPU, its driver and cuBLASLt: --module", run_device),
    add_bench("cuda-bits", "rows of a linear layer on a GPU: the same bits for every batch? --module --shape --m",
              run_bits),
    add_bench("cuda-gemm", "linear layers on a GPU: --module --shape --m --reps", run_gemm),
    add_bench("cuda-attention", "attention on a GPU: --module --shape --context --decode --train --reps",
              run_attention),
    add_bench("cuda-rows", "copy, log-probs and AdamW on a GPU: --module --reps", run_rows)};

}  // namespace
}  // namespace limr::bench
