// native/binding/model_wrap.cc - a model's verbs as promises.
#include "binding/context_wrap.h"

namespace limr {
namespace {

struct Nothing {};
Napi::Value undefined(Napi::Env env, Nothing&) { return env.Undefined(); }

struct Packed {
  std::vector<int32_t> tokens, offsets;
  explicit Packed(const Napi::Object& o)
      : tokens(copy_array<int32_t>(o, "tokens")), offsets(copy_array<int32_t>(o, "offsets")) {}
  PackedTokens view() const { return {tokens, offsets}; }
};

// A loss with the arrays it looks at.
struct OwnedLoss {
  Loss loss;
  std::vector<float> weights, advantages, old_logprobs, ref_logprobs, old_values, returns;

  explicit OwnedLoss(const Napi::Object& o) : weights(copy_array<float>(o, "weights")) {
    const std::string kind = text(o, "kind");
    loss.weights = weights;
    if (kind == "value") {
      loss.kind = Loss::kValue;
      old_values = copy_array<float>(o, "oldValues"), returns = copy_array<float>(o, "returns");
      loss.value = {real(o, "valueClip"), old_values, returns};
      return;
    }
    loss.temperature = real(o, "temperature");
    if (kind == "cross_entropy") return;
    loss.kind = Loss::kPolicy;
    advantages = copy_array<float>(o, "advantages"), old_logprobs = copy_array<float>(o, "oldLogprobs");
    ref_logprobs = copy_array<float>(o, "refLogprobs");
    const std::string k = text(o, "klEstimator");
    loss.policy = {
        real(o, "epsClipLow"),  real(o, "epsClipHigh"),
        real(o, "klCoef"),      k == "k2" ? KlEstimator::kK2 : k == "k3" ? KlEstimator::kK3 : KlEstimator::kK1,
        real(o, "entropyCoef"), advantages,
        old_logprobs,           ref_logprobs};
  }
  OwnedLoss(const OwnedLoss&) = delete;
};

// A request with the arrays it looks at.
struct OwnedRequest {
  Packed prompts;
  std::vector<int32_t> rows;
  GenerateRequest request;

  explicit OwnedRequest(const Napi::Object& o) : prompts(o), rows(copy_array<int32_t>(o, "rows")) {
    std::vector<std::string> stops;
    const auto list = o.Get("stopStrings").As<Napi::Array>();
    for (uint32_t i = 0; i < list.Length(); ++i) stops.push_back(list.Get(i).As<Napi::String>().Utf8Value());
    request = {.prompts = prompts.view(),
               .rows = rows,
               .samples_per_prompt = integer(o, "samplesPerPrompt"),
               .seed = uint32_t(integer(o, "seed")),
               .purpose = uint32_t(integer(o, "purpose")),
               .rollout = uint32_t(integer(o, "rollout")),
               .temperature = real(o, "temperature"),
               .top_k = integer(o, "topK"),
               .top_p = real(o, "topP"),
               .min_p = real(o, "minP"),
               .logprob_temperature = real(o, "logprobTemperature"),
               .min_tokens = integer(o, "minTokens"),
               .max_tokens = integer(o, "maxTokens"),
               .eos_token_ids = copy_array<int32_t>(o, "eosTokenIds"),
               .banned_token_ids = copy_array<int32_t>(o, "bannedTokenIds"),
               .stop_strings = std::move(stops),
               .max_batch = integer(o, "maxBatch"),
               .prefill_chunk = integer(o, "prefillChunk"),
               .kv_cache_bytes = int64_t(number(o, "kvCacheBytes"))};
  }
  OwnedRequest(const OwnedRequest&) = delete;
};

const char* reason_name(StopReason r) {
  return r == StopReason::kEos ? "eos" : r == StopReason::kStop ? "stop" : "length";
}

Napi::Object sample_to_js(Napi::Env env, const FinishedSample& s) {
  Napi::Object o = Napi::Object::New(env);
  o.Set("prompt", double(s.prompt));
  o.Set("sample", double(s.sample));
  o.Set("tokens", to_js_array(env, s.tokens));
  o.Set("logprobs", to_js_array(env, s.logprobs));
  o.Set("stopReason", reason_name(s.stop_reason));
  return o;
}

Napi::Object token_to_js(Napi::Env env, const DrawnToken& t) {
  Napi::Object o = Napi::Object::New(env);
  o.Set("prompt", double(t.prompt));
  o.Set("sample", double(t.sample));
  o.Set("token", t.token);
  return o;
}

Napi::Value stats_to_js(Napi::Env env, GenerateStats& s) {
  Napi::Object o = Napi::Object::New(env);
  o.Set("promptTokens", double(s.prompt_tokens));
  o.Set("prefillTokens", double(s.prefill_tokens));
  o.Set("generatedTokens", double(s.generated_tokens));
  o.Set("preemptions", double(s.preemptions));
  o.Set("decodeSteps", double(s.decode_steps));
  o.Set("prefillSeconds", s.prefill_seconds);
  o.Set("decodeSeconds", s.decode_seconds);
  o.Set("waitSeconds", s.wait_seconds);
  o.Set("kvBlocks", double(s.kv_blocks));
  o.Set("peakKvBlocks", double(s.peak_kv_blocks));
  return o;
}

}  // namespace

Napi::FunctionReference ModelWrap::define(Napi::Env env) {
  using W = ModelWrap;
  return Napi::Persistent(DefineClass(
      env, "NativeModel",
      {InstanceAccessor<&W::info>("info"), InstanceAccessor<&W::optimizer_steps>("optimizerSteps"),
       InstanceMethod<&W::set_token_bytes>("setTokenBytes"), InstanceMethod<&W::generate>("generate"),
       InstanceMethod<&W::acknowledge>("acknowledge"), InstanceMethod<&W::sampling_progress>("samplingProgress"),
       InstanceMethod<&W::abort>("abort"), InstanceMethod<&W::score>("score"), InstanceMethod<&W::logits>("logits"),
       InstanceMethod<&W::mean_hidden_states>("meanHiddenStates"), InstanceMethod<&W::accumulate>("accumulate"),
       InstanceMethod<&W::step>("step"), InstanceMethod<&W::zero_grad>("zeroGrad"), InstanceMethod<&W::save>("save"),
       InstanceMethod<&W::save_optimizer>("saveOptimizer"), InstanceMethod<&W::load_optimizer>("loadOptimizer"),
       InstanceMethod<&W::tensor_names>("tensorNames"), InstanceMethod<&W::read_tensor>("readTensor"),
       InstanceMethod<&W::close>("close")}));
}

Napi::Value ModelWrap::create(Napi::Env env, std::shared_ptr<ContextState> context, std::shared_ptr<ModelState> state) {
  auto holder = Napi::External<std::pair<std::shared_ptr<ContextState>, std::shared_ptr<ModelState>>>::New(
      env, new std::pair(std::move(context), std::move(state)), [](Napi::Env, auto* p) { delete p; });
  return env.GetInstanceData<AddonClasses>()->model.New({holder});
}

ModelWrap::ModelWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const auto* pair =
      info[0].As<Napi::External<std::pair<std::shared_ptr<ContextState>, std::shared_ptr<ModelState>>>>().Data();
  context_ = pair->first, state_ = pair->second;
  const std::lock_guard<std::mutex> lock(context_->mutex);
  context_->models.insert(state_.get());
}

ModelWrap::~ModelWrap() {
  const std::lock_guard<std::mutex> lock(context_->mutex);
  context_->models.erase(state_.get());
}

Model& ModelWrap::idle(Napi::Env env) {
  return *guarded(env, [&] {
    LIMR_CHECK(!state_->closed, kState, "the model is closed");
    LIMR_CHECK(!state_->busy, kBusy, "the model is running a call", "Await it first, or load a second handle.");
    return state_->model.get();
  });
}

template <typename T, typename Work, typename Convert>
Napi::Value ModelWrap::verb(Napi::Env env, Work work, Convert convert, Napi::Function callback) {
  idle(env);
  state_->busy = true;
  return Task<T>::start(
      env, context_->queue,
      [state = state_, context = context_, work](Task<T>& task) -> T { return work(*state->model, task); }, convert,
      [state = state_] { state->busy = false; }, callback);
}

Napi::Value ModelWrap::info(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  guarded(env, [&] { LIMR_CHECK(!state_->closed, kState, "the model is closed"); });
  const Model& m = *state_->model;
  const ModelConfig& c = m.config();
  Napi::Object o = Napi::Object::New(env);
  o.Set("modelType", c.model_type_name());
  o.Set("vocabSize", double(c.vocab_size));
  o.Set("hiddenSize", double(c.hidden_size));
  o.Set("intermediateSize", double(c.intermediate_size));
  o.Set("numHiddenLayers", double(c.num_hidden_layers));
  o.Set("numAttentionHeads", double(c.num_attention_heads));
  o.Set("numKeyValueHeads", double(c.num_key_value_heads));
  o.Set("headDim", double(c.head_dim));
  o.Set("maxPositionEmbeddings", double(c.max_position_embeddings));
  o.Set("tieWordEmbeddings", c.tie_word_embeddings);
  o.Set("head", m.head() == Head::kValue ? "value" : "lm");
  o.Set("trainable", m.trainable());
  o.Set("numParameters", double(m.weights().table().num_parameters));
  o.Set("weightBytes", double(m.weights().bytes()));
  o.Set("optimizerBytes", double(m.training_bytes()));
  return o;
}

Napi::Value ModelWrap::optimizer_steps(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), double(idle(info.Env()).optimizer_steps()));
}

Napi::Value ModelWrap::set_token_bytes(const Napi::CallbackInfo& info) {
  const auto bytes = info[0].As<Napi::Uint8Array>();
  const auto offsets = info[1].As<Napi::Int32Array>();
  Model& m = idle(info.Env());
  guarded(info.Env(), [&] {
    m.set_token_bytes(std::string(reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength()),
                      std::vector<int32_t>(offsets.Data(), offsets.Data() + offsets.ElementLength()));
  });
  return info.Env().Undefined();
}

Napi::Value ModelWrap::generate(const Napi::CallbackInfo& info) {
  const auto o = info[0].As<Napi::Object>();
  const auto request = std::make_shared<OwnedRequest>(o);
  const bool stream_tokens = o.Get("streamTokens").ToBoolean();
  idle(info.Env());
  state_->backpressure.reset(integer(o, "maxUnacknowledged"));
  return verb<GenerateStats>(
      info.Env(),
      [request, stream_tokens, state = state_](Model& m, Task<GenerateStats>& task) {
        // The callback gets (samples, tokens), one of them empty.
        const auto deliver = [&](FinishedSample&& sample) {
          state->backpressure.wait_and_count();
          task.call([boxed = std::make_shared<FinishedSample>(std::move(sample))](Napi::Env env, Napi::Function f) {
            Napi::Array samples = Napi::Array::New(env, 1);
            samples.Set(0u, sample_to_js(env, *boxed));
            f.Call({samples, Napi::Array::New(env, 0)});
          });
        };
        const auto drawn = [&](const std::vector<DrawnToken>& tokens) {
          task.call([tokens](Napi::Env env, Napi::Function f) {
            Napi::Array list = Napi::Array::New(env, tokens.size());
            for (size_t i = 0; i < tokens.size(); ++i) list.Set(uint32_t(i), token_to_js(env, tokens[i]));
            f.Call({Napi::Array::New(env, 0), list});
          });
        };
        const std::function<void(const std::vector<DrawnToken>&)> stream = drawn;
        return limr::generate(m, request->request, deliver, stream_tokens ? stream : nullptr, &state->sampling);
      },
      stats_to_js, info[1].As<Napi::Function>());
}

Napi::Value ModelWrap::acknowledge(const Napi::CallbackInfo& info) {
  state_->backpressure.acknowledge(info[0].As<Napi::Number>().Int64Value());
  return info.Env().Undefined();
}

// While it runs, too.
Napi::Value ModelWrap::sampling_progress(const Napi::CallbackInfo& info) {
  const SamplingCounters& s = state_->sampling;
  Napi::Object o = Napi::Object::New(info.Env());
  o.Set("generatedTokens", double(s.generated_tokens.load(std::memory_order_relaxed)));
  o.Set("running", double(s.running.load(std::memory_order_relaxed)));
  o.Set("waiting", double(s.waiting.load(std::memory_order_relaxed)));
  return o;
}

Napi::Value ModelWrap::abort(const Napi::CallbackInfo& info) {
  if (!state_->closed) state_->abort();
  return info.Env().Undefined();
}

Napi::Value ModelWrap::score(const Napi::CallbackInfo& info) {
  const auto o = info[0].As<Napi::Object>();
  const auto packed = std::make_shared<Packed>(o);
  const float temperature = real(o, "temperature");
  const int64_t max_tokens = integer(o, "maxTokens");
  const std::vector<float> weights = o.Has("weights") ? copy_array<float>(o, "weights") : std::vector<float>();
  return verb<Scores>(
      info.Env(), [=](Model& m, Task<Scores>&) { return m.score(packed->view(), temperature, max_tokens, weights); },
      [](Napi::Env env, Scores& s) -> Napi::Value {
        Napi::Object out = Napi::Object::New(env);
        out.Set("logprobs", to_js_array(env, s.logprobs));
        out.Set("entropy", to_js_array(env, s.entropy));
        out.Set("values", to_js_array(env, s.values));
        out.Set("computedTokens", double(s.computed_tokens));
        out.Set("computedPairs", double(s.computed_pairs));
        return out;
      });
}

Napi::Value ModelWrap::logits(const Napi::CallbackInfo& info) {
  const auto packed = std::make_shared<Packed>(info[0].As<Napi::Object>());
  return verb<std::vector<float>>(
      info.Env(), [=](Model& m, Task<std::vector<float>>&) { return m.logits(packed->view()); },
      [](Napi::Env env, std::vector<float>& v) -> Napi::Value { return to_js_array(env, v); });
}

Napi::Value ModelWrap::mean_hidden_states(const Napi::CallbackInfo& info) {
  const auto o = info[0].As<Napi::Object>();
  const auto packed = std::make_shared<Packed>(o);
  const int64_t max_tokens = integer(o, "maxTokens");
  return verb<std::vector<float>>(
      info.Env(), [=](Model& m, Task<std::vector<float>>&) { return m.mean_hidden_states(packed->view(), max_tokens); },
      [](Napi::Env env, std::vector<float>& v) -> Napi::Value { return to_js_array(env, v); });
}

Napi::Value ModelWrap::accumulate(const Napi::CallbackInfo& info) {
  const auto packed = std::make_shared<Packed>(info[0].As<Napi::Object>());
  const auto loss = std::make_shared<OwnedLoss>(info[1].As<Napi::Object>());
  return verb<LossTerms>(
      info.Env(), [=](Model& m, Task<LossTerms>&) { return m.accumulate(packed->view(), loss->loss); },
      [](Napi::Env env, LossTerms& t) -> Napi::Value {
        Napi::Object out = Napi::Object::New(env);
        out.Set("losses", to_js_array(env, t.losses));
        out.Set("outputs", to_js_array(env, t.outputs));
        out.Set("entropy", to_js_array(env, t.entropy));
        out.Set("nonFinite", t.non_finite);
        out.Set("computedTokens", double(t.computed_tokens));
        out.Set("computedPairs", double(t.computed_pairs));
        return out;
      });
}

Napi::Value ModelWrap::step(const Napi::CallbackInfo& info) {
  const auto o = info[0].As<Napi::Object>();
  const StepOptions options{.learning_rate = number(o, "learningRate"),
                            .beta1 = number(o, "beta1"),
                            .beta2 = number(o, "beta2"),
                            .eps = number(o, "eps"),
                            .weight_decay = number(o, "weightDecay"),
                            .max_grad_norm = number(o, "maxGradNorm")};
  return verb<StepResult>(
      info.Env(), [=](Model& m, Task<StepResult>&) { return m.step(options); },
      [](Napi::Env env, StepResult& r) -> Napi::Value {
        Napi::Object out = Napi::Object::New(env);
        out.Set("gradNorm", r.grad_norm);
        out.Set("skipped", r.skipped);
        out.Set("nonFinite", r.non_finite);
        return out;
      });
}

Napi::Value ModelWrap::zero_grad(const Napi::CallbackInfo& info) {
  return verb<Nothing>(
      info.Env(),
      [](Model& m, Task<Nothing>&) {
        m.zero_grad();
        return Nothing{};
      },
      undefined);
}

Napi::Value ModelWrap::save(const Napi::CallbackInfo& info) {
  const std::string dir = info[0].As<Napi::String>();
  return verb<Nothing>(
      info.Env(),
      [=](Model& m, Task<Nothing>&) {
        m.save(dir);
        return Nothing{};
      },
      undefined);
}

Napi::Value ModelWrap::save_optimizer(const Napi::CallbackInfo& info) {
  const std::string file = info[0].As<Napi::String>();
  return verb<Nothing>(
      info.Env(),
      [=](Model& m, Task<Nothing>&) {
        m.save_optimizer(file);
        return Nothing{};
      },
      undefined);
}

Napi::Value ModelWrap::load_optimizer(const Napi::CallbackInfo& info) {
  const std::string file = info[0].As<Napi::String>();
  return verb<Nothing>(
      info.Env(),
      [=](Model& m, Task<Nothing>&) {
        m.load_optimizer(file);
        return Nothing{};
      },
      undefined);
}

Napi::Value ModelWrap::tensor_names(const Napi::CallbackInfo& info) {
  Napi::Array names = Napi::Array::New(info.Env());
  for (const std::string& n : idle(info.Env()).tensor_names())
    names.Set(names.Length(), Napi::String::New(info.Env(), n));
  return names;
}

Napi::Value ModelWrap::read_tensor(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const std::string name = info[0].As<Napi::String>(), kind = info[1].As<Napi::String>();
  Model& m = idle(env);
  return guarded(env, [&]() -> Napi::Value {
    const TensorKind k = kind == "master"       ? TensorKind::kMaster
                         : kind == "grad"       ? TensorKind::kGrad
                         : kind == "exp_avg"    ? TensorKind::kExpAvg
                         : kind == "exp_avg_sq" ? TensorKind::kExpAvgSq
                                                : TensorKind::kWeight;
    const Model::Tensor t = m.read_tensor(name, k);
    Napi::Object out = Napi::Object::New(env);
    out.Set("rows", double(t.rows));
    out.Set("cols", double(t.cols));
    out.Set("data", to_js_array(env, t.data));
    return out;
  });
}

Napi::Value ModelWrap::close(const Napi::CallbackInfo& info) {
  const bool again = state_->closed.exchange(true);
  if (!again) state_->abort();
  return Task<Nothing>::start(
      info.Env(), context_->queue,
      [state = state_, context = context_, again](Task<Nothing>&) {
        if (!again) state->model.reset();
        return Nothing{};
      },
      undefined, [] {});
}

}  // namespace limr
