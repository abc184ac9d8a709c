// The engine on a device: what it computes equals the CPU's within rounding, and it keeps its promises to the bit.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "engine/fixture.h"
#include "fixture.h"

namespace limr::test {
namespace {

// A folder with the config.json of a small model whose heads have 64 dimensions, as the device's attention needs them.
class DeviceModelFolder {
 public:
  explicit DeviceModelFolder(const std::string& family) {
    const std::string extra = family == "qwen3" ? R"("head_dim": 64,)"
                              : family == "llama"
                                  ? R"("rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                                                      "high_freq_factor": 4.0, "original_max_position_embeddings": 64},)"
                                  : "";
    std::ofstream(dir_.path() / "config.json")
        << R"({"model_type": ")" << family << R"(", "hidden_size": 128, "intermediate_size": 96, "num_hidden_layers": 2,
             "num_attention_heads": 2, "num_key_value_heads": 1, )"
        << extra << R"("vocab_size": 101, "max_position_embeddings": 512, "rms_norm_eps": 1e-6, "rope_theta": 10000.0,
             "tie_word_embeddings": )"
        << (family == "qwen2" ? "true" : "false") << R"(, "hidden_act": "silu", "initializer_range": 0.1})";
  }
  std::string path() const { return dir_.path().string(); }
  LoadOptions options(bool trainable, Head head = Head::kLm) const {
    return {.dir = path(),
            .head = head,
            .trainable = trainable,
            .random_seed = 11,
            .value_head_seed = 3,
            .checkpointing = false};
  }

 private:
  TempDir dir_;
};

EngineOptions on_gpu(bool sync = false) {
  return {.threads = 1, .cuda = cuda::CudaOptions{.module = module_file(), .device = 0, .cublaslt = {}, .sync = sync}};
}

double relative(const std::vector<float>& got, const std::vector<float>& want) {
  double diff = 0, norm = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    if (std::isnan(want[i]) && std::isnan(got[i])) continue;
    diff += std::pow(double(got[i]) - want[i], 2), norm += std::pow(double(want[i]), 2);
  }
  return std::sqrt(diff / norm);
}

struct Targets {
  std::vector<float> weights, advantages, old_logprobs, returns;
  explicit Targets(const Packed& p) {
    uint32_t seed = 99;
    const auto next = [&] { return float(int32_t(seed = seed * 1664525u + 1013904223u)) * 0x1p-31f; };
    for (size_t s = 0; s + 1 < p.offsets.size(); ++s)
      for (int32_t i = p.offsets[s]; i < p.offsets[s + 1]; ++i) {
        weights.push_back(i == p.offsets[s] ? 0.0f : 0.01f + 0.01f * std::fabs(next()));
        advantages.push_back(next()), old_logprobs.push_back(-4 + next()), returns.push_back(next());
      }
  }
  Loss loss(Loss::Kind kind) const {
    Loss l;
    l.kind = kind, l.weights = weights;
    l.policy = {0.2f, 0.2f, 0, KlEstimator::kK1, 0.01f, advantages, old_logprobs, {}};
    l.value = {0, {}, returns};
    return l;
  }
};

const Packed kSequences = packed({3, 33, 70, 2});

// bf16 activations are rounded at other places (SwiGLU's halves, attention's blocks), 2 layers deep.
constexpr double kForward = 0.01, kGradient = 0.03;

LIMR_TEST(a_device_scores_as_the_cpu_does) {
  for (const char* family : kFamilies) {
    const DeviceModelFolder folder(family);
    Engine host({.threads = 1}), device(on_gpu());
    Model a(host, folder.options(false)), b(device, folder.options(false));
    const Scores want = a.score(kSequences.view(), 1.2f, 4096), got = b.score(kSequences.view(), 1.2f, 4096);
    expect(relative(got.logprobs, want.logprobs) < kForward,
           cat(family, " logprobs ", relative(got.logprobs, want.logprobs)));
    expect(relative(got.entropy, want.entropy) < kForward, cat(family, " entropy"));
    expect(relative(b.logits(kSequences.view()), a.logits(kSequences.view())) < 2 * kForward, cat(family, " logits"));
    expect(
        relative(b.mean_hidden_states(kSequences.view(), 64), a.mean_hidden_states(kSequences.view(), 64)) < kForward,
        cat(family, " hidden states"));
    const Scores split = b.score(kSequences.view(), 1.2f, 40);  // other passes, the same bits
    expect_bits(split.logprobs, got.logprobs, family);
    for (const std::string& name : a.tensor_names())
      expect_bits(b.read_tensor(name, TensorKind::kWeight).data, a.read_tensor(name, TensorKind::kWeight).data, name);
  }
}

LIMR_TEST(a_device_samples_what_it_scores_to_the_bit) {
  const Packed prompts = packed({1, 31, 33});
  const std::vector<int32_t> rows = {10, 11, 12};
  for (const char* family : kFamilies) {
    const DeviceModelFolder folder(family);
    Engine engine(on_gpu());
    Model model(engine, folder.options(false));
    std::map<std::pair<int64_t, int64_t>, FinishedSample> first;
    for (const int64_t kv_pages : {0, 7}) {  // without preemption and with
      const GenerateRequest request{.prompts = prompts.view(),
                                    .rows = rows,
                                    .samples_per_prompt = 2,
                                    .seed = 5,
                                    .purpose = 1,
                                    .rollout = 2,
                                    .temperature = 1.2f,
                                    .top_k = 0,
                                    .logprob_temperature = 1.2f,
                                    .min_tokens = 1,
                                    .max_tokens = 20,
                                    .eos_token_ids = {0},
                                    .banned_token_ids = {3},
                                    .stop_strings = {},
                                    .max_batch = kv_pages == 0 ? 64 : 3,
                                    .prefill_chunk = kv_pages == 0 ? 512 : 8,
                                    .kv_cache_bytes = kv_pages * KvCache::page_bytes(model.config())};
      Packed all;
      std::vector<FinishedSample> samples;
      generate(model, request, [&](FinishedSample&& f) { samples.push_back(std::move(f)); });
      expect_eq(samples.size(), size_t(6));
      for (const FinishedSample& s : samples) {
        std::vector<int32_t> whole(prompts.tokens.begin() + prompts.offsets[size_t(s.prompt)],
                                   prompts.tokens.begin() + prompts.offsets[size_t(s.prompt) + 1]);
        whole.insert(whole.end(), s.tokens.begin(), s.tokens.end());
        all.add(whole);
        expect(std::find(s.tokens.begin(), s.tokens.end(), 3) == s.tokens.end(), "a banned token was drawn");
      }
      const Scores scores = model.score(all.view(), 1.2f, 4096);
      for (size_t i = 0; i < samples.size(); ++i) {
        const size_t n = samples[i].tokens.size(), end = size_t(all.offsets[i + 1]);
        const std::vector<float> scored(scores.logprobs.begin() + std::ptrdiff_t(end - n),
                                        scores.logprobs.begin() + std::ptrdiff_t(end));
        expect_bits(samples[i].logprobs, scored, cat(family, " sample ", i, " pages ", kv_pages));
      }
      for (FinishedSample& s : samples) {
        const auto key = std::pair(s.prompt, s.sample);
        if (kv_pages == 0)
          first[key] = std::move(s);
        else
          expect(s.tokens == first[key].tokens, cat(family, ": other tokens in another batch"));
      }
    }
  }
}

// A batch that empties, from nine sequences down to one: steps of several sizes.
LIMR_TEST(a_device_s_recorded_steps_draw_what_others_do_to_the_bit) {
  const Packed prompts = packed({5, 40, 33});
  const std::vector<int32_t> rows = {0, 1, 2};
  const DeviceModelFolder folder("qwen2");
  Engine recording(on_gpu()), waiting(on_gpu(true));
  Model a(recording, folder.options(false)), b(waiting, folder.options(false));
  for (const float top_p : {1.0f, 0.8f}) {
    const GenerateRequest request{.prompts = prompts.view(),
                                  .rows = rows,
                                  .samples_per_prompt = 3,
                                  .seed = 8,
                                  .purpose = 1,
                                  .rollout = 0,
                                  .temperature = 1,
                                  .top_k = 0,
                                  .top_p = top_p,
                                  .logprob_temperature = 1,
                                  .min_tokens = 3,
                                  .max_tokens = 40,
                                  .eos_token_ids = {1, 2, 3, 4, 5},
                                  .banned_token_ids = {7},
                                  .stop_strings = {},
                                  .max_batch = 9,
                                  .prefill_chunk = 16};
    std::map<std::pair<int64_t, int64_t>, FinishedSample> want;
    const GenerateStats plain = generate(b, request, [&](FinishedSample&& f) {
      want[{f.prompt, f.sample}] = std::move(f);
    });
    expect_eq(plain.recorded_steps, int64_t(0), "LIMR_SYNC=1 records nothing");
    int64_t finished = 0;
    const GenerateStats stats = generate(a, request, [&](FinishedSample&& f) {
      const FinishedSample& other = want[{f.prompt, f.sample}];
      expect(f.tokens == other.tokens, cat("tokens of ", f.prompt, ".", f.sample));
      expect_bits(f.logprobs, other.logprobs, cat("log-probs of ", f.prompt, ".", f.sample));
      ++finished;
    });
    expect_eq(finished, int64_t(9));
    expect(stats.recorded_steps > 0 && stats.recorded_steps < stats.decode_steps,
           cat(stats.recorded_steps, " of ", stats.decode_steps, " steps were recorded"));
  }
}

LIMR_TEST(a_device_forgets_a_recording_that_broke_off) {
  cuda::CudaDevice& d = gpu_device();
  const DeviceArray<uint8_t> data(std::vector<uint8_t>(64, 3));
  expect_throws(Code::kAborted, [&] {
    const cuda::Graph graph(d, [&] {
      d.zero(data.data(), 64);
      throw Error(Code::kAborted, "stopped");
    });
  });
  expect_eq(data.host(), std::vector<uint8_t>(64, 3), "nothing ran");
  const cuda::Graph graph(d, [&] { d.zero(data.data(), 32); });
  expect_eq(int(data.host()[0]), 3, "recorded");
  graph.launch();
  expect_eq(int(data.host()[31]), 0);
  expect_eq(int(data.host()[32]), 3);
}

LIMR_TEST(a_device_learns_as_the_cpu_does) {
  const Targets targets(kSequences);
  for (const char* family : kFamilies)
    for (const Loss::Kind kind : {Loss::kPolicy, Loss::kValue, Loss::kCrossEntropy}) {
      const DeviceModelFolder folder(family);
      const Head head = kind == Loss::kValue ? Head::kValue : Head::kLm;
      Engine host({.threads = 1}), device(on_gpu());
      Model a(host, folder.options(true, head)), b(device, folder.options(true, head));
      const std::string name = cat(family, " loss ", int(kind));
      const LossTerms want = a.accumulate(kSequences.view(), targets.loss(kind)),
                      got = b.accumulate(kSequences.view(), targets.loss(kind));
      expect_eq(got.non_finite, std::string(), name);
      expect(relative(got.losses, want.losses) < 2 * kForward,
             cat(name, " losses ", relative(got.losses, want.losses)));
      for (const std::string& tensor : a.tensor_names()) {
        const double error =
            relative(b.read_tensor(tensor, TensorKind::kGrad).data, a.read_tensor(tensor, TensorKind::kGrad).data);
        // The gradient of a key's bias is 0 but for rounding: a constant added to all scores changes nothing.
        if (tensor.find("k_proj.bias") == std::string::npos)
          expect(error < 2 * kGradient, cat(name, " ", tensor, " ", error));
      }
      const double error = relative(all_gradients(b), all_gradients(a));
      expect(error < kGradient, cat(name, " gradient ", error));
      const StepOptions options{.learning_rate = 1e-3, .max_grad_norm = 1};
      const StepResult x = a.step(options), y = b.step(options);
      expect(std::abs(x.grad_norm - y.grad_norm) < kGradient * x.grad_norm, cat(name, " norm"));
      for (const float g : all_gradients(b)) expect_eq(g, 0.0f);
      const double moved = relative(b.read_tensor("model.norm.weight", TensorKind::kMaster).data,
                                    a.read_tensor("model.norm.weight", TensorKind::kMaster).data);
      expect(moved < 1e-3, cat(name, " master ", moved));
    }
}

LIMR_TEST(a_device_splits_and_recomputes_to_the_same_loss) {
  const Targets targets(kSequences);
  const DeviceModelFolder folder("qwen3");
  Engine device(on_gpu());
  Model whole(device, folder.options(true)), parts(device, folder.options(true));
  LoadOptions recompute = folder.options(true);
  recompute.checkpointing = true;
  Model again(device, recompute);
  const std::vector<float> want = whole.accumulate(kSequences.view(), targets.loss(Loss::kPolicy)).losses;
  expect_bits(again.accumulate(kSequences.view(), targets.loss(Loss::kPolicy)).losses, want, "checkpointing");
  expect_bits(all_gradients(again), all_gradients(whole), "checkpointing");
  std::vector<float> losses;
  for (size_t s = 0; s + 1 < kSequences.offsets.size(); ++s) {
    const auto begin = size_t(kSequences.offsets[s]), n = size_t(kSequences.offsets[s + 1]) - begin;
    Packed part;
    part.add(
        {kSequences.tokens.begin() + std::ptrdiff_t(begin), kSequences.tokens.begin() + std::ptrdiff_t(begin + n)});
    const auto cut = [&](const std::vector<float>& v) { return std::span<const float>(v).subspan(begin, n); };
    Loss loss = targets.loss(Loss::kPolicy);
    loss.weights = cut(targets.weights);
    loss.policy.advantages = cut(targets.advantages), loss.policy.old_logprobs = cut(targets.old_logprobs);
    const LossTerms terms = parts.accumulate(part.view(), loss);
    losses.insert(losses.end(), terms.losses.begin(), terms.losses.end());
  }
  expect_bits(losses, want, "split");
  // Sums over tokens in another order, of bf16 operands.
  expect(relative(all_gradients(parts), all_gradients(whole)) < 1e-5, "split gradient");
}

// What follows from a state: the losses of three steps.
std::vector<float> three_steps(Model& m, const Targets& targets) {
  std::vector<float> all;
  for (int i = 0; i < 3; ++i) {
    const LossTerms terms = m.accumulate(kSequences.view(), targets.loss(Loss::kCrossEntropy));
    all.insert(all.end(), terms.losses.begin(), terms.losses.end());
    m.step({.learning_rate = 1e-2, .max_grad_norm = 1});
  }
  return all;
}

LIMR_TEST(a_device_keeps_its_optimizer_anywhere_and_saves_it_to_the_bit) {
  const Targets targets(kSequences);
  const DeviceModelFolder folder("llama");
  for (const MomentFormat format : {MomentFormat::kF32, MomentFormat::kBf16, MomentFormat::kCode8}) {
    const std::string name = cat("format ", int(format));
    Engine device(on_gpu());
    LoadOptions options = folder.options(true);
    options.optimizer = {format, false};
    Model resident(device, options);
    options.optimizer.on_host = true;
    Model streamed(device, options);
    options.take_turns = true;
    Model first(device, options), second(device, options);
    const std::vector<float> want = three_steps(resident, targets);
    expect_bits(three_steps(streamed, targets), want, cat(name, " streamed"));
    expect_bits(three_steps(first, targets), want, cat(name, " taking turns"));
    expect_bits(three_steps(second, targets), want, cat(name, " taking turns, second"));
    for (const TensorKind kind :
         {TensorKind::kWeight, TensorKind::kMaster, TensorKind::kExpAvg, TensorKind::kExpAvgSq}) {
      const std::string tensor = "model.layers.1.mlp.down_proj.weight";
      expect_bits(first.read_tensor(tensor, kind).data, resident.read_tensor(tensor, kind).data, name);
      expect_bits(streamed.read_tensor(tensor, kind).data, resident.read_tensor(tensor, kind).data, name);
    }
    const TempDir saved;
    first.save(saved.path().string());
    first.save_optimizer((saved.path() / "optimizer.bin").string());
    LoadOptions reload = options;
    reload.dir = saved.path().string(), reload.random_seed = -1, reload.take_turns = false,
    reload.optimizer.on_host = false;
    Model loaded(device, reload);
    loaded.load_optimizer((saved.path() / "optimizer.bin").string());
    expect_eq(loaded.optimizer_steps(), int64_t(3));
    expect_bits(three_steps(loaded, targets), three_steps(resident, targets), cat(name, " loaded"));
  }
}

LIMR_TEST(a_device_skips_a_step_whose_gradient_is_not_finite) {
  Targets targets(kSequences);
  targets.weights[5] = NAN;
  const DeviceModelFolder folder("qwen2");
  Engine device(on_gpu());
  Model m(device, folder.options(true));
  const auto before = m.read_tensor("model.norm.weight", TensorKind::kMaster).data;
  expect_eq(m.accumulate(kSequences.view(), targets.loss(Loss::kPolicy)).non_finite, std::string("loss"));
  const StepResult result = m.step({.learning_rate = 1});
  expect(result.skipped && !result.non_finite.empty(), "skipped");
  expect_bits(m.read_tensor("model.norm.weight", TensorKind::kMaster).data, before, "weights");
  for (const float g : all_gradients(m)) expect_eq(g, 0.0f);
}

}  // namespace
}  // namespace limr::test
