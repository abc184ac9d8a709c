// Promise 1: what the sampler reports equals what the trainer computes, to the bit.
#include <algorithm>
#include <map>

#include "engine/fixture.h"

namespace limr::test {
namespace {

struct Setting {
  int64_t max_batch, prefill_chunk, kv_pages;  // 0 pages: enough for all
};

using Samples = std::map<std::pair<int64_t, int64_t>, FinishedSample>;

GenerateRequest request(const Packed& prompts, const std::vector<int32_t>& rows) {
  return {.prompts = prompts.view(),
          .rows = rows,
          .samples_per_prompt = 3,
          .seed = 5,
          .purpose = 1,
          .rollout = 2,
          .temperature = 1.2f,
          .logprob_temperature = 1.2f,
          .min_tokens = 1,
          .max_tokens = small() ? 20 : 45,
          .eos_token_ids = {0},
          .banned_token_ids = {},
          .stop_strings = {},
          .max_batch = 64,
          .prefill_chunk = 512};
}

Samples run(Model& model, const GenerateRequest& r, GenerateStats* stats = nullptr) {
  Samples out;
  const GenerateStats s = generate(model, r, [&](FinishedSample&& f) { out[{f.prompt, f.sample}] = std::move(f); });
  if (stats) *stats = s;
  return out;
}

// Log-probs of the samples by score(), packed in `order`, must be the reported ones.
void expect_scored(Model& model, const Packed& prompts, const Samples& samples, bool reversed, int64_t max_tokens,
                   const std::string& context) {
  Packed all;
  std::vector<const FinishedSample*> order;
  for (const auto& [key, s] : samples) order.push_back(&s);
  if (reversed) std::reverse(order.begin(), order.end());
  for (const FinishedSample* s : order) {
    std::vector<int32_t> whole(prompts.tokens.begin() + prompts.offsets[size_t(s->prompt)],
                               prompts.tokens.begin() + prompts.offsets[size_t(s->prompt) + 1]);
    whole.insert(whole.end(), s->tokens.begin(), s->tokens.end());
    all.add(whole);
  }
  const Scores scores = model.score(all.view(), 1.2f, max_tokens);
  for (size_t i = 0; i < order.size(); ++i) {
    const size_t n = order[i]->tokens.size(), begin = size_t(all.offsets[i + 1]) - n;
    expect(std::memcmp(scores.logprobs.data() + begin, order[i]->logprobs.data(), n * sizeof(float)) == 0,
           cat(context, " prompt=", order[i]->prompt, " sample=", order[i]->sample));
  }
}

LIMR_TEST(sampled_logprobs_equal_scored_ones_to_the_bit) {
  const Packed prompts =
      packed(small() ? std::vector<int>{1, 20, 30, 33} : std::vector<int>{1, 2, 5, 31, 32, 33, 64, 65});
  std::vector<int32_t> rows = {10, 11, 12, 13, 14, 15, 16, 17};
  rows.resize(prompts.offsets.size() - 1);
  const int64_t few_pages = small() ? 5 : 14;
  for (const char* family : kFamilies) {
    const ModelFolder folder(family);
    Samples first;
    for (const cpu::Table* isa : cpu::runnable())
      for (const int threads : {1, 2, 3}) {
        const bool slow = std::string(isa->isa) == "scalar";
        if ((small() || slow) && threads != 2) continue;
        Engine engine({.threads = threads, .isa = isa->isa});
        Model model(engine, load_options(folder, false));
        const int64_t page = KvCache::page_bytes(model.config());
        for (const Setting& s : {Setting{1, 512, 0}, {7, 16, 0}, {64, 512, 0}, {64, 48, few_pages}}) {
          if ((small() || slow) && s.max_batch == 1) continue;
          GenerateRequest r = request(prompts, rows);
          r.max_batch = s.max_batch, r.prefill_chunk = s.prefill_chunk, r.kv_cache_bytes = s.kv_pages * page;
          GenerateStats stats;
          const Samples samples = run(model, r, &stats);
          const std::string context =
              cat(family, " isa=", isa->isa, " threads=", threads, " batch=", s.max_batch, " pages=", s.kv_pages);
          expect_eq(samples.size(), 3 * rows.size(), context);
          if (s.kv_pages > 0) expect(stats.preemptions > 0, cat(context, ": the small cache did not preempt"));
          expect_scored(model, prompts, samples, false, 1 << 20, context);
          expect_scored(model, prompts, samples, true, 100, context);
          if (first.empty()) first = samples;
          for (const auto& [key, f] : first) {  // the same tokens and bits in every setting, on every instruction set
            expect(f.tokens == samples.at(key).tokens, context);
            expect(std::memcmp(f.logprobs.data(), samples.at(key).logprobs.data(), f.logprobs.size() * 4) == 0,
                   context);
          }
        }
      }
  }
}

LIMR_TEST(a_prompt_is_prefilled_once_for_its_samples) {
  const ModelFolder folder("qwen2");
  Engine engine({.threads = 2});
  Model model(engine, load_options(folder, false));
  const Packed prompts = packed({65});
  const std::vector<int32_t> rows = {1};
  GenerateRequest r = request(prompts, rows);
  r.samples_per_prompt = 16;
  GenerateStats stats;
  run(model, r, &stats);
  expect_eq(stats.prefill_tokens, int64_t(64));  // the last prompt token is decoded by each sample
  r.samples_per_prompt = 1;
  r.min_tokens = r.max_tokens = 5, r.prefill_chunk = 20;
  run(model, r, &stats);
  expect_eq(stats.prefill_tokens, int64_t(65));  // and by one alone with its prompt, in chunks
  expect_eq(stats.decode_steps, int64_t(4));
}

// Sequences that begin alike, in whole pages and beyond them, one inside the other, the same twice.
LIMR_TEST(a_common_beginning_is_scored_once_with_the_same_bits) {
  const Packed source = packed({150, 40});
  const auto at = [&](int64_t begin, int64_t n) {
    return std::vector<int32_t>(source.tokens.begin() + begin, source.tokens.begin() + begin + n);
  };
  const auto joined = [](std::vector<int32_t> a, const std::vector<int32_t>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  };
  Packed all;
  for (const auto& s : {at(0, 100), joined(at(0, 64), at(150, 9)), at(0, 64), at(0, 65), at(0, 65), at(1, 40),
                        joined(at(1, 31), at(150, 20)), joined(at(1, 32), at(150, 33)), at(1, 33), at(1, 1)})
    all.add(s);
  const std::vector<int64_t> own = {100, 9, 32, 1, 1, 40, 51, 65, 1, 1};
  const auto same = [](const std::vector<float>& a, const std::vector<float>& b, size_t from, const std::string& what) {
    expect(b.empty() || std::memcmp(a.data() + from, b.data(), b.size() * sizeof(float)) == 0, what);
  };
  for (const char* family : kFamilies)
    for (const Head head : {Head::kLm, Head::kValue}) {
      const ModelFolder folder(family);
      Engine engine({.threads = 2});
      Model model(engine, load_options(folder, false, head));
      const Scores together = model.score(all.view(), 0.9f, 1 << 20);
      int64_t computed = 0, pairs = 0;
      for (size_t s = 0; s < own.size(); ++s) {
        const size_t begin = size_t(all.offsets[s]);
        const int64_t length = all.offsets[s + 1] - int64_t(begin), before = length - own[s];
        computed += own[s], pairs += (length * (length + 1) - before * (before + 1)) / 2;
        Packed one;
        one.add({all.tokens.begin() + all.offsets[s], all.tokens.begin() + all.offsets[s + 1]});
        const Scores alone = model.score(one.view(), 0.9f, 1 << 20);
        expect_eq(alone.computed_tokens, length == 1 ? 0 : length);  // one token predicts none
        const std::string what = cat(family, " sequence ", s);
        same(together.logprobs, alone.logprobs, begin, what);
        same(together.entropy, alone.entropy, begin, what);
        same(together.values, alone.values, begin, what);
      }
      expect_eq(together.computed_tokens, computed);
      expect_eq(together.computed_pairs, pairs);
    }
}

LIMR_TEST(the_random_key_decides_not_the_order_of_prompts) {
  const ModelFolder folder("qwen3");
  Engine engine({.threads = 2});
  Model model(engine, load_options(folder, false));
  const Packed ab = packed({9, 20});
  Packed ba;
  ba.add({ab.tokens.begin() + 9, ab.tokens.end()});
  ba.add({ab.tokens.begin(), ab.tokens.begin() + 9});
  const std::vector<int32_t> rows_ab = {1, 2}, rows_ba = {2, 1};
  const Samples x = run(model, request(ab, rows_ab)), y = run(model, request(ba, rows_ba));
  for (int64_t k = 0; k < 3; ++k) expect(x.at({0, k}).tokens == y.at({1, k}).tokens);
  GenerateRequest other = request(ab, rows_ab);
  other.seed = 6;
  expect(run(model, other).at({1, 0}).tokens != x.at({1, 0}).tokens);
}

LIMR_TEST(greedy_equals_top_k_1_and_the_argmax_of_logits) {
  const ModelFolder folder("llama");
  Engine engine({.threads = 2});
  Model model(engine, load_options(folder, false));
  const Packed prompts = packed({12, 7});
  const std::vector<int32_t> rows = {0, 1};
  GenerateRequest greedy = request(prompts, rows), top1 = greedy;
  greedy.temperature = 0, greedy.logprob_temperature = 1, greedy.samples_per_prompt = 1;
  top1.top_k = 1, top1.samples_per_prompt = 1;
  const Samples a = run(model, greedy), b = run(model, top1);
  for (const auto& [key, s] : a) {
    expect(s.tokens == b.at(key).tokens);
    std::vector<int32_t> whole(prompts.tokens.begin() + prompts.offsets[size_t(s.prompt)],
                               prompts.tokens.begin() + prompts.offsets[size_t(s.prompt) + 1]);
    const size_t length = whole.size();
    whole.insert(whole.end(), s.tokens.begin(), s.tokens.end());
    Packed p;
    p.add(whole);
    const std::vector<float> logits = model.logits(p.view());
    for (size_t i = 0; i < s.tokens.size(); ++i) {
      const float* row = logits.data() + (length + i - 1) * 101;
      const int64_t best =
          std::max_element(row + (i == 0 ? 1 : 0), row + 101) - row;  // id 0 ends a sample: not as its first token
      expect_eq(int64_t(s.tokens[i]), best);
    }
  }
}

LIMR_TEST(stops_on_eos_strings_and_length) {
  const ModelFolder folder("qwen2");
  Engine engine({.threads = 1});
  Model model(engine, load_options(folder, false));
  std::string bytes;
  std::vector<int32_t> offsets = {0};
  for (int v = 0; v < 101; ++v) bytes.push_back(char('!' + v % 90)), offsets.push_back(int32_t(bytes.size()));
  const Packed prompts = packed({6});
  const std::vector<int32_t> rows = {0};
  GenerateRequest r = request(prompts, rows);
  r.samples_per_prompt = 1, r.eos_token_ids = {};
  const FinishedSample free = run(model, r).at({0, 0});
  expect(free.stop_reason == StopReason::kLength);
  expect_eq(int64_t(free.tokens.size()), r.max_tokens);
  // A stop string across two tokens: it ends at the first place where the text has it, and is kept.
  const auto text = [&](size_t n) {
    std::string t;
    for (size_t i = 0; i < n; ++i) t += bytes[size_t(free.tokens[i])];
    return t;
  };
  const std::string stop = text(9).substr(7, 2);
  const size_t first = text(free.tokens.size()).find(stop) + 2;
  r.stop_strings = {stop};
  expect_throws(Code::kState, [&] { run(model, r); });  // before the bytes of tokens are known
  model.set_token_bytes(bytes, offsets);
  const FinishedSample stopped = run(model, r).at({0, 0});
  expect(stopped.stop_reason == StopReason::kStop);
  expect_eq(stopped.tokens.size(), first);
  // Completed before min_tokens it does not count, not even while a longer one keeps its bytes in sight.
  r.stop_strings = {stop, std::string(16, '~')}, r.min_tokens = int64_t(first) + 1;
  const size_t second = text(free.tokens.size()).find(stop, first - 1);
  const FinishedSample later = run(model, r).at({0, 0});
  expect_eq(later.tokens.size(), second == std::string::npos ? free.tokens.size() : second + 2);
  // An eos token ends a sample, except before min_tokens.
  r.stop_strings = {}, r.eos_token_ids = {free.tokens[0]}, r.min_tokens = 0;
  const FinishedSample eos = run(model, r).at({0, 0});
  expect(eos.stop_reason == StopReason::kEos && eos.tokens.size() == 1);
  r.min_tokens = 4;
  for (size_t i = 0; i < 4; ++i) expect(run(model, r).at({0, 0}).tokens[i] != free.tokens[0]);
  r.min_tokens = 0, r.eos_token_ids = {}, r.banned_token_ids = {free.tokens[0]};
  const FinishedSample without = run(model, r).at({0, 0});
  for (const int32_t t : without.tokens) expect(t != free.tokens[0]);
}

LIMR_TEST(tokens_without_weight_are_not_scored_and_change_nothing) {
  const ModelFolder folder("qwen2");
  Engine engine({.threads = 2});
  const Packed p = packed({9, 1, 33, 2});
  std::vector<float> weights(p.tokens.size(), 0.0f);
  for (size_t i = 4; i < weights.size(); i += 3) weights[i] = 1.0f;
  for (const Head head : {Head::kLm, Head::kValue}) {
    Model model(engine, load_options(folder, false, head));
    const Scores all = model.score(p.view(), 0.7f, 40), some = model.score(p.view(), 0.7f, 40, weights);
    const auto kept = [&](const std::vector<float>& whole, const std::vector<float>& part) {
      expect_eq(part.size(), whole.size());
      for (size_t i = 0; i < whole.size(); ++i)
        expect(weights[i] == 0.0f ? std::isnan(part[i]) : std::memcmp(&part[i], &whole[i], sizeof(float)) == 0,
               cat("token ", i, ": ", part[i], ", of all ", whole[i]));
    };
    kept(all.logprobs, some.logprobs);
    kept(all.entropy, some.entropy);
    kept(all.values, some.values);
  }
  expect_throws(Code::kShape, [&] {
    Model model(engine, load_options(folder, false));
    model.score(p.view(), 1, 40, std::vector<float>(3, 1.0f));
  });
}

LIMR_TEST(bad_requests_are_refused_by_name) {
  const ModelFolder folder("qwen2");
  Engine engine({.threads = 1});
  Model model(engine, load_options(folder, false)), critic(engine, load_options(folder, false, Head::kValue));
  const Packed prompts = packed({6});
  const std::vector<int32_t> rows = {0};
  const auto refused = [&](Code code, auto change) {
    GenerateRequest r = request(prompts, rows);
    change(r);
    expect_throws(code, [&] { run(model, r); });
  };
  refused(Code::kUsage, [](GenerateRequest& r) { r.max_tokens = 507; });  // 6 + 507 > 512
  refused(Code::kUsage, [](GenerateRequest& r) { r.temperature = NAN; });
  refused(Code::kUsage, [](GenerateRequest& r) { r.top_p = 0; });
  refused(Code::kUsage, [](GenerateRequest& r) { r.eos_token_ids = {101}; });
  refused(Code::kUsage, [](GenerateRequest& r) { r.stop_strings = {}, r.samples_per_prompt = 0; });
  refused(Code::kMemory, [&](GenerateRequest& r) { r.kv_cache_bytes = KvCache::page_bytes(model.config()); });
  expect_throws(Code::kState, [&] { run(critic, request(prompts, rows)); });
  Packed outside;
  outside.add({5, 101});
  expect_throws(Code::kUsage, [&] { model.score(outside.view(), 1, 100); });
  Packed empty;
  empty.add({});
  expect_throws(Code::kUsage, [&] { model.score(empty.view(), 1, 100); });
  expect_throws(Code::kState, [&] { model.step({}); });
  Engine tiny({.threads = 1, .memory_limit = 1000});
  expect_throws(Code::kMemory, [&] { Model(tiny, load_options(folder, true)); });
}

LIMR_TEST(abort_ends_a_generation_from_another_thread) {
  const ModelFolder folder("qwen2");
  Engine engine({.threads = 2});
  Model model(engine, load_options(folder, false));
  const Packed prompts = packed({6, 7});
  const std::vector<int32_t> rows = {0, 1};
  GenerateRequest r = request(prompts, rows);
  r.max_batch = 1;
  int64_t delivered = 0;
  expect_throws(Code::kAborted, [&] {
    generate(model, r, [&](FinishedSample&&) {
      ++delivered;
      model.abort();
    });
  });
  expect_eq(delivered, int64_t(1));
  expect_eq(run(model, r).size(), size_t(6));  // the handle works on
}

}  // namespace
}  // namespace limr::test
