// Promise 2 and the trainer's state: split invariance, checkpointing, saving and loading.
#include <cmath>

#include "engine/fixture.h"

namespace limr::test {
namespace {

const std::vector<int> kLengths = {3, 17, 31, 32, 33, 9, 64, 2};

struct Targets {
  std::vector<float> weights, advantages, old_logprobs, ref_logprobs, old_values, returns;
};

Targets targets(const Packed& p) {
  Targets t;
  uint32_t seed = 99;
  const auto next = [&] { return float(int32_t(seed = seed * 1664525u + 1013904223u)) * 0x1p-31f; };
  for (size_t s = 0; s + 1 < p.offsets.size(); ++s)
    for (int32_t i = p.offsets[s]; i < p.offsets[s + 1]; ++i) {
      t.weights.push_back(i == p.offsets[s] || i % 5 == 0 ? 0.0f : 0.01f + 0.01f * std::fabs(next()));
      t.advantages.push_back(next());
      t.old_logprobs.push_back(-4 + next());
      t.ref_logprobs.push_back(-4 + next());
      t.old_values.push_back(next());
      t.returns.push_back(next());
    }
  return t;
}

Loss slice(const Targets& t, Loss::Kind kind, size_t begin, size_t end) {
  const auto part = [&](const std::vector<float>& v) { return std::span<const float>(v).subspan(begin, end - begin); };
  Loss loss;
  loss.kind = kind, loss.weights = part(t.weights), loss.temperature = kind == Loss::kPolicy ? 1.2f : 1.0f;
  loss.policy = {
      0.2f, 0.2f, 0.1f, KlEstimator::kK3, 0.01f, part(t.advantages), part(t.old_logprobs), part(t.ref_logprobs)};
  loss.value = {0.2f, part(t.old_values), part(t.returns)};
  return loss;
}

// Accumulates the sequences in micro-batches of `size`. Returns the terms in order.
std::vector<float> accumulate(Model& m, const Packed& p, const Targets& t, Loss::Kind kind, size_t size) {
  std::vector<float> losses;
  const size_t n = p.offsets.size() - 1;
  for (size_t first = 0; first < n; first += size) {
    const size_t last = std::min(n, first + size), begin = size_t(p.offsets[first]), end = size_t(p.offsets[last]);
    Packed part;
    for (size_t s = first; s < last; ++s)
      part.add({p.tokens.begin() + p.offsets[s], p.tokens.begin() + p.offsets[s + 1]});
    const LossTerms terms = m.accumulate(part.view(), slice(t, kind, begin, end));
    expect_eq(terms.non_finite, std::string());
    losses.insert(losses.end(), terms.losses.begin(), terms.losses.end());
  }
  return losses;
}

double relative(const std::vector<float>& a, const std::vector<float>& b) {
  double diff = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) diff += std::pow(double(a[i]) - b[i], 2), norm += std::pow(double(a[i]), 2);
  return std::sqrt(diff / norm);
}

LIMR_TEST(the_loss_does_not_depend_on_micro_batches_and_the_gradient_only_by_rounding) {
  const Packed p = packed(kLengths);
  const Targets t = targets(p);
  for (const char* family : kFamilies) {
    const ModelFolder folder(family);
    for (const Loss::Kind kind : {Loss::kPolicy, Loss::kCrossEntropy, Loss::kValue}) {
      Engine engine({.threads = 2});
      Model m(engine, load_options(folder, true, kind == Loss::kValue ? Head::kValue : Head::kLm));
      const std::vector<float> whole = accumulate(m, p, t, kind, 8), gradient = all_gradients(m);
      m.zero_grad();
      for (const size_t size : {1, 3, 4}) {
        const std::vector<float> parts = accumulate(m, p, t, kind, size);
        expect(std::memcmp(whole.data(), parts.data(), whole.size() * 4) == 0,
               cat(family, " kind=", int(kind), " micro-batch=", size));
        expect(relative(gradient, all_gradients(m)) < 1e-6, cat(family, " kind=", int(kind), " micro-batch=", size,
                                                                " error=", relative(gradient, all_gradients(m))));
        m.zero_grad();
      }
    }
  }
}

LIMR_TEST(activation_checkpointing_changes_no_bit) {
  const Packed p = packed(kLengths);
  const Targets t = targets(p);
  for (const char* family : kFamilies) {
    const ModelFolder folder(family);
    Engine engine({.threads = 2});
    LoadOptions kept = load_options(folder, true), recomputed = kept;
    recomputed.checkpointing = true;
    Model a(engine, kept), b(engine, recomputed);
    expect(accumulate(a, p, t, Loss::kPolicy, 8) == accumulate(b, p, t, Loss::kPolicy, 8), family);
    expect(all_gradients(a) == all_gradients(b), family);
  }
}

// Samples of two prompts of 70 and 40 tokens, which end inside of a page; of one of 64; and one alone.
LIMR_TEST(a_common_beginning_is_trained_once) {
  const Packed source = packed({200, 200, 200, 60}, 3);
  const auto sample = [&](int prompt, int64_t length, int64_t from, int64_t answer) {
    const auto at = source.tokens.begin() + source.offsets[size_t(prompt)];
    std::vector<int32_t> s(at, at + length);
    s.insert(s.end(), at + from, at + from + answer);
    return s;
  };
  const std::vector<std::vector<int32_t>> samples = {
      sample(0, 70, 80, 30), sample(0, 70, 90, 41), sample(0, 70, 100, 1), sample(1, 40, 60, 20),
      sample(1, 40, 70, 64), sample(2, 64, 80, 33), sample(2, 64, 90, 12), sample(3, 30, 30, 30)};
  const std::vector<int64_t> prompts = {70, 70, 70, 40, 40, 64, 64, 30};
  const auto order = [&](const std::vector<size_t>& ids) {
    Packed p;
    Targets t;
    for (const size_t s : ids) {
      Packed one;
      one.add(samples[s]);
      const Targets of = targets(one);
      for (size_t i = 0; i < samples[s].size(); ++i) {
        t.weights.push_back(int64_t(i) < prompts[s] ? 0 : 0.01f + 0.001f * float((i + s) % 7));
        t.advantages.push_back(of.advantages[i] + float(s % 3) - 1), t.old_logprobs.push_back(of.old_logprobs[i]);
        t.ref_logprobs.push_back(of.ref_logprobs[i]), t.old_values.push_back(of.old_values[i]);
        t.returns.push_back(of.returns[i]);
      }
      p.add(samples[s]);
    }
    return std::pair(p, t);
  };
  const auto [grouped, targets_grouped] = order({0, 1, 2, 3, 4, 5, 6, 7});
  const auto [mixed, targets_mixed] = order({0, 3, 5, 1, 4, 6, 2, 7});  // nobody begins as the one before
  for (const char* family : kFamilies)
    for (const Head head : {Head::kLm, Head::kValue}) {
      const Loss::Kind kind = head == Head::kLm ? Loss::kPolicy : Loss::kValue;
      const ModelFolder folder(family);
      std::vector<float> first;
      for (const int threads : {1, 3}) {
        Engine engine({.threads = threads});
        LoadOptions options = load_options(folder, true, head);
        Model c(engine, options);
        options.share_prefixes = true;
        Model a(engine, options), b(engine, options);
        expect_eq(c.accumulate(grouped.view(), slice(targets_grouped, kind, 0, grouped.tokens.size())).computed_tokens,
                  grouped.size());
        const LossTerms x = a.accumulate(grouped.view(), slice(targets_grouped, kind, 0, grouped.tokens.size()));
        const LossTerms y = b.accumulate(mixed.view(), slice(targets_mixed, kind, 0, mixed.tokens.size()));
        expect_eq(y.computed_tokens, mixed.size());
        expect_eq(x.computed_tokens, grouped.size() - 64 - 64 - 32 - 64);
        for (size_t s = 0; const size_t at : {0, 3, 6, 1, 4, 2, 5, 7}) {  // where sample s stands among the mixed
          const auto n = samples[s].size() * sizeof(float);
          const auto i = size_t(grouped.offsets[s]), j = size_t(mixed.offsets[at]);
          expect(std::memcmp(&x.losses[i], &y.losses[j], n) == 0, cat(family, " losses of sample ", s));
          expect(std::memcmp(&x.outputs[i], &y.outputs[j], n) == 0, cat(family, " outputs of sample ", s));
          ++s;
        }
        const std::vector<float> gradient = all_gradients(a);
        const double error = relative(gradient, all_gradients(b));
        expect(error < 5e-3, cat(family, " head=", int(head), " error=", error));  // a bf16 sum for a sum of bf16
        if (first.empty()) first = gradient;
        expect(gradient == first, cat(family, " threads=", threads));
      }
    }
}

// Rows of 4 KB get a gap (operand_stride): hidden states; gate and up, and what they make; logits.
LIMR_TEST(rows_with_gaps_change_no_bit) {
  const Packed p = packed(kLengths);
  const Targets t = targets(p);
  for (const auto& [hidden, intermediate, vocab] : {std::tuple{2048, 16, 101}, {48, 2048, 101}, {48, 16, 2048}}) {
    const ModelFolder folder("qwen3", hidden, intermediate, vocab);
    const std::string what = cat(hidden, " ", intermediate, " ", vocab);
    Engine engine({.threads = 2});
    LoadOptions kept = load_options(folder, true), recomputed = kept;
    recomputed.checkpointing = true;
    Model a(engine, kept), b(engine, recomputed);
    const std::vector<float> whole = accumulate(a, p, t, Loss::kPolicy, 8);
    expect(whole == accumulate(b, p, t, Loss::kPolicy, 1), what);
    expect(relative(all_gradients(a), all_gradients(b)) < 1e-6, what);
    const Scores scores = a.score(p.view(), 1.2f, 100);
    const LossTerms terms = a.accumulate(p.view(), slice(t, Loss::kPolicy, 0, p.tokens.size()));
    for (size_t i = 0; i < p.tokens.size(); ++i)
      if (t.weights[i] != 0) expect_eq(terms.outputs[i], scores.logprobs[i], what);
  }
}

LIMR_TEST(threads_and_instruction_sets_give_one_gradient) {
  const Packed p = packed(kLengths);
  const Targets t = targets(p);
  const ModelFolder folder("qwen3");
  std::vector<float> first;
  for (const cpu::Table* isa : cpu::runnable())
    for (const int threads : {1, 3}) {
      Engine engine({.threads = threads, .isa = isa->isa});
      Model m(engine, load_options(folder, true));
      accumulate(m, p, t, Loss::kPolicy, 4);
      const std::vector<float> gradient = all_gradients(m);
      if (first.empty()) first = gradient;
      expect(first == gradient, cat("isa=", isa->isa, " threads=", threads));
    }
}

LIMR_TEST(a_saved_model_goes_on_to_the_same_bits) {
  const Packed p = packed(kLengths);
  const Targets t = targets(p);
  const StepOptions step{.learning_rate = 1e-3, .weight_decay = 0.1, .max_grad_norm = 1};
  for (const Head head : {Head::kLm, Head::kValue}) {
    const Loss::Kind kind = head == Head::kLm ? Loss::kPolicy : Loss::kValue;
    const ModelFolder folder("llama");
    Engine engine({.threads = 2});
    Model a(engine, load_options(folder, true, head));
    const auto train = [&](Model& m, int steps) {
      std::vector<double> out;
      for (int i = 0; i < steps; ++i) {
        for (const float x : accumulate(m, p, t, kind, 4)) out.push_back(double(x));
        out.push_back(m.step(step).grad_norm);
      }
      return out;
    };
    train(a, 3);
    const TempDir saved;
    a.save(saved.path().string());
    a.save_optimizer((saved.path() / "optimizer.bin").string());
    LoadOptions options = load_options(folder, true, head);
    options.dir = saved.path().string(), options.random_seed = -1;
    Model b(engine, options);
    b.load_optimizer((saved.path() / "optimizer.bin").string());
    expect_eq(b.optimizer_steps(), int64_t(3));
    expect(train(a, 5) == train(b, 5), cat("head=", int(head)));
    for (const std::string& name : a.tensor_names())
      for (const TensorKind k : {TensorKind::kMaster, TensorKind::kExpAvg, TensorKind::kExpAvgSq})
        expect(a.read_tensor(name, k).data == b.read_tensor(name, k).data, name);
    Model other(engine, load_options(ModelFolder("qwen2"), true, head));
    expect_throws(Code::kFormat, [&] { other.load_optimizer((saved.path() / "optimizer.bin").string()); });
  }
}

LIMR_TEST(denormal_weights_of_tokens_count_as_zero) {
  const Packed p = packed({9, 12});
  Targets t = targets(p);
  for (float& weight : t.weights)
    if (weight != 0) weight = 1e-40f;
  for (const Loss::Kind kind : {Loss::kCrossEntropy, Loss::kPolicy, Loss::kValue}) {
    const ModelFolder folder("qwen3");
    Engine engine({.threads = 2});
    Model m(engine, load_options(folder, true, kind == Loss::kValue ? Head::kValue : Head::kLm));
    for (const float loss : m.accumulate(p.view(), slice(t, kind, 0, t.weights.size())).losses) expect_eq(loss, 0.0f);
    for (const float g : all_gradients(m)) expect_eq(g, 0.0f);
  }
}

LIMR_TEST(a_non_finite_gradient_skips_the_step_and_names_the_parameter) {
  const Packed p = packed({9, 12});
  Targets t = targets(p);
  const ModelFolder folder("qwen2");
  Engine engine({.threads = 2});
  Model m(engine, load_options(folder, true));
  const auto before = m.read_tensor("model.norm.weight", TensorKind::kMaster).data;
  t.advantages[3] = INFINITY;
  const LossTerms terms = m.accumulate(p.view(), slice(t, Loss::kPolicy, 0, t.weights.size()));
  expect_eq(terms.non_finite, std::string("loss"));
  const StepResult r = m.step({.learning_rate = 1e-2});
  expect(r.skipped && !r.non_finite.empty());
  expect_eq(m.optimizer_steps(), int64_t(0));
  expect(m.read_tensor("model.norm.weight", TensorKind::kMaster).data == before);
  for (const float g : all_gradients(m)) expect(g == 0);  // and leaves nothing behind
}

LIMR_TEST(a_thousand_phases_do_not_grow_the_workspace) {
  const ModelFolder folder("qwen2");
  Engine engine({.threads = 1});
  Model m(engine, load_options(folder, true));
  const Packed p = packed({9, 40});
  const Targets t = targets(p);
  size_t first = 0;
  for (int i = 0; i < (small() ? 20 : 1000); ++i) {
    accumulate(m, p, t, Loss::kCrossEntropy, 2);
    m.step({.learning_rate = 1e-4f});
    m.score(p.view(), 1, 100);
    Engine::Phase phase(engine, 0);
    if (i == 0) first = phase.arena().capacity();
    expect_eq(phase.arena().capacity(), first);
  }
}

}  // namespace
}  // namespace limr::test
