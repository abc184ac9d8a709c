#include "engine/rollout/generate.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include "engine/rollout/scheduler.h"
#include "engine/upload.h"
#include "ops/embedding.h"
#include "ops/rmsnorm.h"
#include "ops/sample.h"

namespace limr {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

void check_request(const Model& model, const GenerateRequest& r, int64_t longest_prompt) {
  const ModelConfig& c = model.config();
  LIMR_CHECK(model.head() == Head::kLm, kState, "generate on a model with a value head");
  LIMR_CHECK(int64_t(r.rows.size()) == r.prompts.num_sequences(), kShape,
             cat("rows has ", r.rows.size(), " entries, expected ", r.prompts.num_sequences(), ", one a prompt"));
  LIMR_CHECK(r.samples_per_prompt >= 1 && r.max_tokens >= 1 && r.max_batch >= 1 && r.prefill_chunk >= 1, kUsage,
             "samplesPerPrompt, maxTokens, maxBatch and prefillChunk must be at least 1");
  LIMR_CHECK(r.min_tokens >= 0 && r.min_tokens <= r.max_tokens, kUsage,
             cat("minTokens is ", r.min_tokens, ", maxTokens ", r.max_tokens));
  LIMR_CHECK(r.temperature >= 0 && std::isfinite(r.temperature), kUsage,
             cat("temperature is ", r.temperature, ", expected 0 or more"));
  LIMR_CHECK(r.logprob_temperature > 0 && std::isfinite(r.logprob_temperature), kUsage,
             cat("logprobTemperature is ", r.logprob_temperature, ", expected more than 0"));
  LIMR_CHECK(r.top_k >= 0 && r.top_p > 0 && r.top_p <= 1 && r.min_p >= 0 && r.min_p <= 1, kUsage,
             cat("topK ", r.top_k, ", topP ", r.top_p, ", minP ", r.min_p,
                 ": expected topK >= 0, 0 < topP <= 1, 0 <= minP <= 1"));
  for (const auto* ids : {&r.eos_token_ids, &r.banned_token_ids})
    for (const int32_t id : *ids)
      LIMR_CHECK(id >= 0 && id < c.vocab_size, kUsage,
                 cat("token id ", id, " is outside of the vocabulary of ", c.vocab_size));
  LIMR_CHECK(r.stop_strings.empty() || model.has_token_bytes(), kState, "stop strings need the bytes of every token",
             "Call setTokenBytes first.");
  for (const std::string& s : r.stop_strings) LIMR_CHECK(!s.empty(), kUsage, "an empty stop string stops everything");
  LIMR_CHECK(longest_prompt + r.max_tokens <= c.max_position_embeddings, kUsage,
             cat("a prompt of ", longest_prompt, " tokens and ", r.max_tokens, " generated ones exceed the model's ",
                 c.max_position_embeddings),
             "Lower --generate-max-len, or drop long prompts with --prompt-max-len.");
}

// Everything of a step that lies in the workspace beside the cache.
struct StepScratch {
  View x, norm, logits;
  Sampled* sampled;
  void* sampling;
};

StepScratch step_scratch(Arena& arena, const Transformer& t, int64_t sampled) {
  const ModelConfig& c = t.config();
  const int64_t chunk = std::min(sampled, head_chunk_rows(t.target(), c.vocab_size));
  StepScratch s;
  s.x = arena.matrix(DType::kBf16, sampled, c.hidden_size);
  s.norm = arena.operand(sampled, c.hidden_size);
  s.logits = arena.matrix(DType::kF32, chunk, c.vocab_size);
  s.sampled = arena.array<Sampled>(sampled);
  s.sampling = arena.alloc(sample_scratch_bytes(t.target(), chunk, c.vocab_size));
  return s;
}

// What a step uploads: a running sequence has one entry in it, its own rows or a chunk of its prompt.
UploadSize step_upload(int64_t max_batch, int64_t prefill_chunk, int64_t length) {
  return {.tokens = max_batch + prefill_chunk,
          .sequences = max_batch,
          .pages = max_batch * ((length + kPageKeys - 1) / kPageKeys),
          .rows = max_batch};
}

// Ids that the sampler reads at every step, on the device.
struct TokenIds {
  const int32_t* data;
  int64_t count;
};
TokenIds upload_ids(const Context& ctx, Arena& arena, const std::vector<int32_t>& ids) {
  if (ctx.device->on_host()) return {ids.data(), int64_t(ids.size())};
  auto* data = arena.array<int32_t>(int64_t(ids.size()));
  ctx.device->copy_in(data, ids.data(), ids.size() * sizeof(int32_t));
  return {data, int64_t(ids.size())};
}

// Decode steps that are kept recorded, of as many sizes.
constexpr size_t kMostRecorded = 64;

class Generation {
 public:
  Generation(Model& model, const GenerateRequest& request, const Context& ctx, Arena& arena, int64_t pages,
             int64_t length)
      : model_(model),
        request_(request),
        ctx_(ctx),
        arena_(arena),
        cache_(arena, model.config(), pages, *ctx.device),
        pages_(pages),
        length_(length),
        eos_(upload_ids(ctx, arena, request.eos_token_ids)),
        banned_(upload_ids(ctx, arena, request.banned_token_ids)),
        scheduler_(request, cache_, pages_) {
    for (const std::string& s : request.stop_strings) longest_stop_ = std::max(longest_stop_, s.size());
  }

  GenerateStats run(const std::function<void(FinishedSample&&)>& deliver,
                    const std::function<void(const std::vector<DrawnToken>&)>& drawn, SamplingCounters& counters) {
    GenerateStats stats;
    count(counters, stats);
    stats.prompt_tokens = int64_t(request_.prompts.tokens.size());
    while (!scheduler_.done()) {
      ctx_.throw_if_aborted();
      const Clock::time_point start = Clock::now();
      const Step step = scheduler_.next();
      compute(step);
      const double took = seconds_since(start), share = double(step.prefill_tokens) / double(step.tokens.size());
      stats.prefill_seconds += took * share;
      stats.decode_seconds += took * (1 - share);
      stats.prefill_tokens += step.prefill_tokens;
      stats.generated_tokens += int64_t(step.sampled.size());
      stats.decode_steps += int64_t(step.tokens.size()) > step.prefill_tokens ? 1 : 0;
      stats.recorded_steps = recorded_steps_;
      count(counters, stats);
      if (drawn && !step.sampled.empty()) {
        std::vector<DrawnToken> tokens;
        for (const Sequence* s : step.sampled) tokens.push_back({s->prompt, s->sample, s->tokens.back()});
        drawn(tokens);
      }
      for (Sequence* s : step.sampled) {
        const StopReason reason = stop_reason(*s);
        if (reason == StopReason::kNone) continue;
        const auto done = scheduler_.finish(s);
        const Clock::time_point waiting = Clock::now();
        deliver({done->prompt,
                 done->sample,
                 {done->tokens.begin() + std::ptrdiff_t(done->prompt_length), done->tokens.end()},
                 std::move(done->logprobs),
                 reason});
        stats.wait_seconds += seconds_since(waiting);
      }
    }
    count(counters, stats);
    stats.preemptions = scheduler_.preemptions();
    stats.kv_blocks = pages_.num_pages();
    stats.peak_kv_blocks = pages_.peak_used();
    return stats;
  }

 private:
  void count(SamplingCounters& counters, const GenerateStats& stats) const {
    counters.generated_tokens.store(stats.generated_tokens, std::memory_order_relaxed);
    counters.running.store(scheduler_.num_running(), std::memory_order_relaxed);
    counters.waiting.store(scheduler_.num_waiting(), std::memory_order_relaxed);
  }

  // Forward of all rows; the sampled ones get their next token.
  void compute(const Step& step) {
    const ArenaScope scope(arena_);
    const int64_t R = int64_t(step.sampled.size());
    std::vector<SampleRow> keys;
    for (const Sequence* q : step.sampled)
      keys.push_back({{request_.seed, request_.purpose, request_.rollout, uint32_t(request_.rows[size_t(q->prompt)]),
                       uint32_t(q->sample), uint32_t(q->generated())},
                      q->generated() < request_.min_tokens});
    const bool recordable = records_ && R > 0 && step.tokens.size() == size_t(R);
    Upload upload(ctx_, arena_, step_upload(request_.max_batch, request_.prefill_chunk, length_));
    const int32_t* sampled_rows = upload.add(std::span<const int32_t>(step.sampled_rows));
    const SampleRow* sample_rows = upload.add(std::span<const SampleRow>(keys));
    const Batch batch = upload.add(step.batch(), false);
    upload.send();
    const auto queue_step = [&] { return queue(batch, sampled_rows, sample_rows, int64_t(keys.size())); };
    const Sampled* sampled = recordable ? recorded(batch.num_tokens, queue_step) : queue_step();
    if (R == 0) return;
    std::vector<Sampled> staging;
    const Sampled* drawn = on_host(*ctx_.device, sampled, R, staging);
    check_sampled(drawn, R);
    for (int64_t r = 0; r < R; ++r) {
      step.sampled[size_t(r)]->tokens.push_back(drawn[r].token);
      step.sampled[size_t(r)]->logprobs.push_back(drawn[r].logprob);
    }
  }

  // Queues the forward of all rows and the draw of `R` of them; returns where it will be.
  const Sampled* queue(const Batch& batch, const int32_t* sampled_rows, const SampleRow* sample_rows, int64_t R) {
    const View x = model_.transformer().forward(ctx_, arena_, batch, [&](int64_t l) { return cache_.layer(l); });
    if (R == 0) return nullptr;
    const ModelConfig& c = model_.config();
    const WeightTable& t = model_.weights().table();
    const StepScratch s = step_scratch(arena_, model_.transformer(), R);
    gather_rows(ctx_, {.out = s.x, .inp = x, .index = sampled_rows});
    rmsnorm_forward(ctx_, {.out = s.norm,
                           .rstd = {},
                           .inp = s.x,
                           .weight = model_.weights().vector(t.final_norm),
                           .eps = float(c.rms_norm_eps)});
    const int64_t chunk = head_chunk_rows(ctx_.target(), c.vocab_size);
    for (int64_t begin = 0; begin < R; begin += chunk) {
      const int64_t end = std::min(R, begin + chunk);
      const View logits = s.logits.slice(0, end - begin);
      linear_forward(ctx_, {.out = logits,
                            .inp = s.norm.slice(begin, end),
                            .weight = model_.weights().matrix(t.head),
                            .bias = {},
                            .residual = {}});
      sample_forward(ctx_, {.out = s.sampled + begin,
                            .logits = logits,
                            .rows = sample_rows + begin,
                            .vocab_size = c.vocab_size,
                            .temperature = request_.temperature,
                            .logprob_temperature = request_.logprob_temperature,
                            .top_k = request_.top_k,
                            .top_p = request_.top_p,
                            .min_p = request_.min_p,
                            .banned = banned_.data,
                            .num_banned = banned_.count,
                            .eos = eos_.data,
                            .num_eos = eos_.count,
                            .scratch = s.sampling});
    }
    return s.sampled;
  }

  // A decode step of `rows` rows: the first one runs as it is queued, since products choose their algorithms then; the second one is
  // recorded, and that is what runs from then on. Its arrays lie where they did.
  template <typename Queue>
  const Sampled* recorded(int64_t rows, Queue&& queue_step) {
    if (recorded_.size() >= kMostRecorded && !recorded_.contains(rows)) recorded_.clear();
    auto [known, first] = recorded_.try_emplace(rows);
    Recorded& r = known->second;
    if (first) return queue_step();
    if (!r.graph) r.graph = std::make_unique<cuda::Graph>(*ctx_.cuda, [&] { r.sampled = queue_step(); });
    r.graph->launch();
    ++recorded_steps_;
    return r.sampled;
  }

  StopReason stop_reason(Sequence& s) const {
    const int32_t token = s.tokens.back();
    const auto& eos = request_.eos_token_ids;
    if (std::find(eos.begin(), eos.end(), token) != eos.end()) return StopReason::kEos;
    if (longest_stop_ > 0) {
      const size_t before = s.tail.size();
      s.tail += model_.token_bytes(token);
      if (s.generated() >= request_.min_tokens)
        for (const std::string& stop : request_.stop_strings) {
          // Only where this token completes it: one that came before min_tokens must not end the sample later.
          const size_t from = before - std::min(before, stop.size() - 1);
          if (s.tail.find(stop, from) != std::string::npos) return StopReason::kStop;
        }
      if (s.tail.size() >= longest_stop_) s.tail.erase(0, s.tail.size() - (longest_stop_ - 1));
    }
    return s.generated() >= request_.max_tokens ? StopReason::kLength : StopReason::kNone;
  }

  Model& model_;
  const GenerateRequest& request_;
  const Context& ctx_;
  Arena& arena_;
  KvCache cache_;
  PagePool pages_;
  int64_t length_;  // of a sequence, at most
  TokenIds eos_, banned_;
  Scheduler scheduler_;
  size_t longest_stop_ = 0;
  struct Recorded {
    std::unique_ptr<cuda::Graph> graph;
    const Sampled* sampled = nullptr;
  };
  const bool records_ = ctx_.cuda && !ctx_.cuda->sync() && !ctx_.check_nans;
  std::map<int64_t, Recorded> recorded_;  // by rows
  int64_t recorded_steps_ = 0;
};

}  // namespace

int64_t pages_for(int64_t sequences, int64_t length) { return sequences * ((length + kPageKeys - 1) / kPageKeys + 1); }

size_t generate_bytes(const Transformer& t, int64_t max_batch, int64_t prefill_chunk, int64_t kv_pages,
                      int64_t length) {
  Arena plan = Arena::planner();
  KvCache(plan, t.config(), kv_pages);
  // Banned and end-of-sequence ids are at most the vocabulary, each.
  if (t.target().device == DeviceKind::kCuda) plan.array<int32_t>(2 * t.config().vocab_size + 32);
  plan.alloc(Upload::bytes(t.target(), step_upload(max_batch, prefill_chunk, length)));
  t.plan_forward(plan, max_batch + prefill_chunk);
  step_scratch(plan, t, max_batch);
  return plan.peak();
}

GenerateStats generate(Model& model, const GenerateRequest& given, const std::function<void(FinishedSample&&)>& deliver,
                       const std::function<void(const std::vector<DrawnToken>&)>& drawn, SamplingCounters* counters) {
  check_packed(given.prompts, model.config());
  GenerateRequest request = given;
  int64_t longest = 0;
  for (int64_t p = 0; p < request.prompts.num_sequences(); ++p)
    longest = std::max<int64_t>(longest, request.prompts.offsets[size_t(p) + 1] - request.prompts.offsets[size_t(p)]);
  check_request(model, request, longest);
  if (request.prompts.num_sequences() == 0) return {};
  request.max_batch = std::min(request.max_batch, request.prompts.num_sequences() * request.samples_per_prompt);
  request.prefill_chunk =
      std::min(request.prefill_chunk, int64_t(request.prompts.tokens.size()) + longest + request.max_tokens);
  const int64_t enough = pages_for(request.max_batch, longest + request.max_tokens);
  const int64_t pages = request.kv_cache_bytes > 0
                            ? std::min(enough, request.kv_cache_bytes / KvCache::page_bytes(model.config()))
                            : enough;
  LIMR_CHECK(pages >= pages_for(1, longest + request.max_tokens), kMemory,
             cat("a KV cache of ", pages, " pages cannot hold one sequence of ", longest + request.max_tokens,
                 " tokens, which takes ", pages_for(1, longest + request.max_tokens)),
             "Raise the KV cache's size, or lower --generate-max-len.");
  const Context ctx = model.begin();
  const int64_t length = longest + request.max_tokens;
  Engine::Phase phase(model.engine(),
                      generate_bytes(model.transformer(), request.max_batch, request.prefill_chunk, pages, length));
  model.reach(length);
  SamplingCounters unseen;
  return Generation(model, request, ctx, phase.arena(), pages, length)
      .run(deliver, drawn, counters ? *counters : unseen);
}

}  // namespace limr
