#include "model/config.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "core/error.h"
#include "io/file.h"
#include "io/json.h"

namespace limr {
namespace {

struct Family {
  ModelType type;
  const char* name;                 // model_type
  const char* prefix;               // of the class names in "architectures"
  int64_t max_position_embeddings;  // Hugging Face's default when the key is missing
  int64_t head_dim;                 // likewise; 0: hidden_size / num_attention_heads
};
constexpr Family kFamilies[] = {
    {ModelType::kQwen2, "qwen2", "Qwen2", 32768, 0},
    {ModelType::kQwen3, "qwen3", "Qwen3", 32768, 128},
    {ModelType::kLlama, "llama", "Llama", 2048, 0},
};

// What a key of config.json may say. A value of null always means that the key is not there.
enum class Rule {
  kRead,      // read below
  kHarmless,  // no influence on logits, values or gradients
  kFalse,     // anything else would change the mathematics
  kZero,
};

enum : unsigned { kQwen2 = 1, kQwen3 = 2, kLlama = 4, kQwen = kQwen2 | kQwen3, kAny = kQwen | kLlama };

struct KeyRule {
  std::string_view key;
  Rule rule;
  unsigned families = kAny;
};

// The whole list: a key that is not here is refused.
constexpr KeyRule kKeys[] = {
    {"model_type", Rule::kRead},
    {"architectures", Rule::kRead},
    {"hidden_size", Rule::kRead},
    {"intermediate_size", Rule::kRead},
    {"num_hidden_layers", Rule::kRead},
    {"num_attention_heads", Rule::kRead},
    {"num_key_value_heads", Rule::kRead},
    {"head_dim", Rule::kRead},
    {"vocab_size", Rule::kRead},
    {"max_position_embeddings", Rule::kRead},
    {"rms_norm_eps", Rule::kRead},
    {"rope_theta", Rule::kRead},
    {"rope_scaling", Rule::kRead},
    {"rope_parameters", Rule::kRead},
    {"initializer_range", Rule::kRead},
    {"tie_word_embeddings", Rule::kRead},
    {"attention_bias", Rule::kRead, kQwen3 | kLlama},
    {"hidden_act", Rule::kRead},
    {"layer_types", Rule::kRead},
    {"pretraining_tp", Rule::kRead, kLlama},
    {"bos_token_id", Rule::kRead},
    {"eos_token_id", Rule::kRead},
    {"num_labels", Rule::kRead},
    {"id2label", Rule::kRead},
    // Would change the mathematics.
    {"mlp_bias", Rule::kFalse, kLlama},
    {"use_sliding_window", Rule::kFalse, kQwen},
    {"use_mrope", Rule::kFalse, kQwen},
    {"rope_interleaved", Rule::kFalse, kLlama},
    {"is_encoder_decoder", Rule::kFalse},
    {"add_cross_attention", Rule::kFalse},
    {"attention_dropout", Rule::kZero},  // Hugging Face applies it in training
    {"chunk_size_feed_forward", Rule::kZero},
    // Read by Hugging Face only while use_sliding_window is true.
    {"sliding_window", Rule::kHarmless, kQwen},
    {"max_window_layers", Rule::kHarmless, kQwen},
    // How the weights were stored, by whom and with what.
    {"torch_dtype", Rule::kHarmless},
    {"dtype", Rule::kHarmless},
    {"transformers_version", Rule::kHarmless},
    {"transformers.js_config", Rule::kHarmless},
    {"_name_or_path", Rule::kHarmless},
    {"unsloth_fixed", Rule::kHarmless},
    {"unsloth_version", Rule::kHarmless},
    {"is_llama_config", Rule::kHarmless, kLlama},
    // How Hugging Face runs the model: caches, kernels, what it returns.
    {"use_cache", Rule::kHarmless},
    {"_attn_implementation", Rule::kHarmless},
    {"_attn_implementation_autoset", Rule::kHarmless},
    {"attn_implementation", Rule::kHarmless},
    {"gradient_checkpointing", Rule::kHarmless},
    {"torchscript", Rule::kHarmless},
    {"return_dict", Rule::kHarmless},
    {"output_attentions", Rule::kHarmless},
    {"output_hidden_states", Rule::kHarmless},
    // Labels, the tokenizer, and defaults of sampling, which this engine gets from its caller.
    {"label2id", Rule::kHarmless},
    {"problem_type", Rule::kHarmless},
    {"finetuning_task", Rule::kHarmless},
    {"task_specific_params", Rule::kHarmless},
    {"tokenizer_class", Rule::kHarmless},
    {"pad_token_id", Rule::kHarmless},
    {"sep_token_id", Rule::kHarmless},
    {"do_sample", Rule::kHarmless},
    {"temperature", Rule::kHarmless},
    {"top_k", Rule::kHarmless},
    {"top_p", Rule::kHarmless},
    {"max_length", Rule::kHarmless},
    {"repetition_penalty", Rule::kHarmless},
};

const Family& family_of(ModelType type) {
  return *std::find_if(std::begin(kFamilies), std::end(kFamilies), [&](const Family& f) { return f.type == type; });
}

std::vector<std::string> to_strings(const Json& list) {
  std::vector<std::string> out;
  for (const Json& entry : list.as_array()) out.push_back(entry.as_string());
  return out;
}

bool is_string_list(const Json& json) {
  return json.is_array() && std::ranges::all_of(json.as_array(), [](const Json& x) { return x.is_string(); });
}

// An object of config.json with typed access; errors name file and key.
class Section {
 public:
  Section(const Json& json, std::string where) : json_(json), where_(std::move(where)) {}

  // Null when the key is missing or null.
  const Json* find(std::string_view key) const {
    const Json* value = json_.find(key);
    return value && !value->is_null() ? value : nullptr;
  }
  bool has(std::string_view key) const { return json_.find(key) != nullptr; }  // null counts
  const Json::Object& members() const { return json_.as_object(); }
  const std::string& where() const { return where_; }

  std::optional<int64_t> integer(std::string_view key, int64_t min, int64_t max) const {
    const Json* value = find(key);
    if (!value) return std::nullopt;
    if (!value->is_int() || value->as_int() < min || value->as_int() > max)
      malformed(key, *value, cat("an integer from ", min, " to ", max));
    return value->as_int();
  }
  int64_t required(std::string_view key, int64_t max) const {
    const auto value = integer(key, 1, max);
    LIMR_CHECK(value.has_value(), kFormat, cat(where_, ": \"", key, "\" is missing"),
               "Take the config.json that belongs to the weights.");
    return *value;
  }
  std::optional<double> number(std::string_view key, double min, double max) const {
    const Json* value = find(key);
    if (!value) return std::nullopt;
    if (!value->is_number() || !(value->as_number() > min && value->as_number() <= max))
      malformed(key, *value, cat("a number above ", min, " and at most ", max));
    return value->as_number();
  }
  bool boolean(std::string_view key, bool fallback) const {
    const Json* value = find(key);
    if (!value) return fallback;
    if (!value->is_bool()) malformed(key, *value, "true or false");
    return value->as_bool();
  }

  [[noreturn]] void malformed(std::string_view key, const Json& found, const std::string& expected) const {
    throw Error(Code::kFormat, cat(where_, ": \"", key, "\" is ", show_json(found), ", expected ", expected));
  }
  [[noreturn]] void unsupported(
      std::string_view key, const Json& found, const std::string& supported,
      const std::string& hint = "This engine does not implement it; choose another model.") const {
    throw Error(Code::kUnsupported, cat(where_, ": \"", key, "\" is ", show_json(found), "; supported is ", supported),
                hint);
  }

 private:
  const Json& json_;
  const std::string where_;
};

void check_keys(const Section& config, const Family& family) {
  for (const auto& [key, value] : config.members()) {
    if (value.is_null()) continue;
    if (key == "quantization_config" || key == "compression_config")
      config.unsupported(key, value, "none", "Take the model's unquantized weights (bf16, f16 or f32).");
    if (key == "auto_map")
      config.unsupported(key, value, "none", "The model brings code of its own, which is not run.");
    const auto rule = std::ranges::find_if(
        kKeys, [&](const KeyRule& k) { return k.key == key && (k.families & (1u << unsigned(family.type))); });
    LIMR_CHECK(rule != std::end(kKeys), kUnsupported,
               cat(config.where(), ": the key ", show_json(Json(key)), " (", show_json(value), ") of a ", family.name,
                   " model is not known"),
               "It may change the mathematics, so it is not ignored. If it does not, remove it from config.json.");
    const bool is_false = value.is_bool() && !value.as_bool(), is_zero = value.is_number() && value.as_number() == 0;
    if (rule->rule == Rule::kFalse && !is_false) config.unsupported(key, value, "false");
    if (rule->rule == Rule::kZero && !is_zero) config.unsupported(key, value, "0");
  }
}

void read_dimensions(const Section& config, const Family& family, ModelConfig& out) {
  // Limits far above every model, and low enough that no product of sizes overflows int64.
  out.hidden_size = config.required("hidden_size", 1 << 20);
  out.intermediate_size = config.required("intermediate_size", 1 << 22);
  out.num_hidden_layers = config.required("num_hidden_layers", 1 << 14);
  out.num_attention_heads = config.required("num_attention_heads", 1 << 14);
  out.vocab_size = config.required("vocab_size", 1 << 24);
  out.max_position_embeddings = config.integer("max_position_embeddings", 1, std::numeric_limits<int32_t>::max())
                                    .value_or(family.max_position_embeddings);

  const int64_t heads = out.num_attention_heads;
  // Hugging Face reads null as "as many as heads" in all families, but a missing key so in llama alone.
  if (family.type != ModelType::kLlama && !config.has("num_key_value_heads"))
    config.required("num_key_value_heads", heads);
  out.num_key_value_heads = config.integer("num_key_value_heads", 1, heads).value_or(heads);
  LIMR_CHECK(heads % out.num_key_value_heads == 0, kFormat,
             cat(config.where(), ": \"num_attention_heads\" is ", heads,
                 ", expected a multiple of num_key_value_heads ", out.num_key_value_heads));

  const auto head_dim = config.integer("head_dim", 1, 1 << 20);
  if (!head_dim && family.head_dim == 0)
    LIMR_CHECK(out.hidden_size % heads == 0, kFormat,
               cat(config.where(), ": \"hidden_size\" is ", out.hidden_size,
                   ", expected a multiple of num_attention_heads ", heads, " where head_dim is not given"));
  out.head_dim = head_dim.value_or(family.head_dim ? family.head_dim : out.hidden_size / heads);

  const std::string hint = "The kernels work on whole vectors of 16; choose a model of other dimensions.";
  if (out.hidden_size % 16) config.unsupported("hidden_size", out.hidden_size, "a multiple of 16", hint);
  if (out.intermediate_size % 16)
    config.unsupported("intermediate_size", out.intermediate_size, "a multiple of 16", hint);
  if (out.head_dim % 16 || out.head_dim > 256)
    config.unsupported("head_dim", out.head_dim, "a multiple of 16 up to 256", hint);
}

// One of the two places of RoPE's parameters: "rope_scaling", or "rope_parameters" since transformers 5.
struct Rope {
  RopeScaling scaling;
  std::optional<double> theta;
};

Rope read_rope(const Section& config, std::string_view key, const Json& json) {
  if (!json.is_object()) config.malformed(key, json, "an object");
  const Section section(json, cat(config.where(), ": ", key));
  const Json *type = section.find("rope_type"), *old_type = section.find("type");
  if (type && old_type && *type != *old_type) section.malformed("type", *old_type, show_json(*type));
  const Json kind = type ? *type : old_type ? *old_type : Json("default");
  if (kind != Json("default") && kind != Json("llama3"))
    section.unsupported("rope_type", kind, "\"default\" and \"llama3\"");

  Rope rope;
  rope.scaling.enabled = kind == Json("llama3");
  for (const auto& [name, value] : section.members()) {
    const bool scaling = name == "factor" || name == "low_freq_factor" || name == "high_freq_factor" ||
                         name == "original_max_position_embeddings";
    if (value.is_null() || name == "rope_type" || name == "type" || name == "rope_theta" ||
        (scaling && rope.scaling.enabled))
      continue;
    if (name == "partial_rotary_factor" && value.is_number() && value.as_number() == 1) continue;
    section.unsupported(name, value, "its absence", "It may change the mathematics, so it is not ignored.");
  }
  rope.theta = section.number("rope_theta", 0, 1e12);
  if (!rope.scaling.enabled) return rope;

  const auto required = [&](const char* name) {
    const auto value = section.number(name, 0, 1e6);
    LIMR_CHECK(value.has_value(), kFormat, cat(section.where(), ": \"", name, "\" is missing, and llama3 needs it"));
    return *value;
  };
  rope.scaling.factor = required("factor");
  rope.scaling.low_freq_factor = required("low_freq_factor");
  rope.scaling.high_freq_factor = required("high_freq_factor");
  rope.scaling.original_max_position_embeddings =
      section.required("original_max_position_embeddings", std::numeric_limits<int32_t>::max());
  if (rope.scaling.factor < 1) section.malformed("factor", rope.scaling.factor, "at least 1");
  if (rope.scaling.low_freq_factor >= rope.scaling.high_freq_factor)
    section.malformed("low_freq_factor", rope.scaling.low_freq_factor, "less than high_freq_factor");
  return rope;
}

void read_ropes(const Section& config, ModelConfig& out) {
  std::optional<double> theta = config.number("rope_theta", 0, 1e12);
  bool seen = false;
  for (const char* key : {"rope_parameters", "rope_scaling"}) {
    const Json* json = config.find(key);
    if (!json) continue;
    const Rope rope = read_rope(config, key, *json);
    if (seen && rope.scaling != out.rope_scaling) config.malformed(key, *json, "what \"rope_parameters\" says");
    if (theta && rope.theta && *theta != *rope.theta) config.malformed(key, *json, cat("a rope_theta of ", *theta));
    if (rope.theta) theta = rope.theta;
    out.rope_scaling = rope.scaling;
    seen = true;
  }
  out.rope_theta = theta.value_or(10000);
}

void read_attention(const Section& config, ModelConfig& out) {
  const bool bias = config.boolean("attention_bias", false);  // no key of qwen2
  out.qkv_bias = out.model_type == ModelType::kQwen2 || bias;
  out.o_bias = bias;
  out.qk_norm = out.model_type == ModelType::kQwen3;

  if (const Json* act = config.find("hidden_act"); act && *act != Json("silu"))
    config.unsupported("hidden_act", *act, "\"silu\"");
  if (const Json* tp = config.find("pretraining_tp"); tp && *tp != Json(1))
    config.unsupported("pretraining_tp", *tp, "1");
  if (const Json* types = config.find("layer_types")) {
    if (!is_string_list(*types) || int64_t(types->as_array().size()) != out.num_hidden_layers)
      config.malformed("layer_types", *types, cat("a list of ", out.num_hidden_layers, " names"));
    for (const Json& type : types->as_array())
      if (type != Json("full_attention")) config.unsupported("layer_types", type, "\"full_attention\" in every layer");
  }
}

void read_tokens(const Section& config, ModelConfig& out) {
  out.bos_token_id = config.integer("bos_token_id", 0, std::numeric_limits<int32_t>::max()).value_or(-1);
  const Json* eos = config.find("eos_token_id");
  if (!eos) return;
  for (const Json& id : eos->is_array() ? eos->as_array() : Json::Array{*eos}) {
    if (!id.is_int() || id.as_int() < 0 || id.as_int() >= out.vocab_size)
      config.malformed("eos_token_id", *eos,
                       cat("a token id below vocab_size ", out.vocab_size, ", or a list of them"));
    out.eos_token_ids.push_back(id.as_int());
  }
}

// Which head: a model without "architectures" is a language model.
void read_head(const Section& config, const Family& family, ModelConfig& out) {
  const std::string lm = cat(family.prefix, "ForCausalLM"), value = cat(family.prefix, "ForSequenceClassification");
  if (const Json* list = config.find("architectures")) {
    if (!is_string_list(*list) || list->as_array().size() > 1)
      config.malformed("architectures", *list, "a list of one class name");
    out.architectures = to_strings(*list);
    for (const auto& name : out.architectures)
      if (name != lm && name != value) config.unsupported("architectures", name, cat(lm, " and ", value));
    out.value_head = !out.architectures.empty() && out.architectures[0] == value;
  }
  if (!out.value_head) return;
  const std::string hint = "A value model has one output; set \"num_labels\" to 1 if score.weight has one row.";
  const auto num_labels = config.integer("num_labels", 1, 1 << 20);
  const Json* labels = config.find("id2label");
  if (labels && !labels->is_object()) config.malformed("id2label", *labels, "an object");
  if (num_labels && *num_labels != 1) config.unsupported("num_labels", *num_labels, "1", hint);
  if (labels && labels->as_object().size() != 1) config.unsupported("id2label", *labels, "one label", hint);
  if (!num_labels && !labels) config.unsupported("num_labels", 2, "1 (it is not given, and then means 2)", hint);
}

}  // namespace

const char* model_type_name(ModelType type) { return family_of(type).name; }

ModelConfig parse_model_config(std::string_view text, const std::string& source) {
  const Json json = parse_json(text, source, {.depth = 16, .values = 1 << 20});
  LIMR_CHECK(json.is_object(), kFormat, cat(source, ": found ", show_json(json), ", expected an object"));
  const Section config(json, source);

  const Json* type = config.find("model_type");
  LIMR_CHECK(type, kFormat, cat(source, ": \"model_type\" is missing"), "Is it the config.json of a language model?");
  const auto family = std::ranges::find_if(kFamilies, [&](const Family& f) { return *type == Json(f.name); });
  if (family == std::end(kFamilies)) config.unsupported("model_type", *type, "qwen2, qwen3 and llama");
  check_keys(config, *family);

  ModelConfig out;
  out.model_type = family->type;
  out.json = text;
  read_dimensions(config, *family, out);
  read_ropes(config, out);
  read_attention(config, out);
  read_tokens(config, out);
  read_head(config, *family, out);
  out.rms_norm_eps = config.number("rms_norm_eps", 0, 1).value_or(1e-6);
  out.initializer_range = config.number("initializer_range", 0, 1).value_or(0.02);
  out.tie_word_embeddings = config.boolean("tie_word_embeddings", false);  // the default of all three families
  return out;
}

ModelConfig load_model_config(const std::string& dir) {
  const std::string path = join_path(dir, "config.json");
  return parse_model_config(read_text_file(path, 16 << 20), path);
}

std::string saved_config_json(const ModelConfig& config, bool value_head) {
  Json json = parse_json(config.json, "config.json");
  const std::string prefix = family_of(config.model_type).prefix;
  json.set("architectures", Json::Array{prefix + (value_head ? "ForSequenceClassification" : "ForCausalLM")});
  json.set(json.find("dtype") ? "dtype" : "torch_dtype", "bfloat16");
  if (json.find("dtype") && json.find("torch_dtype")) json.set("torch_dtype", "bfloat16");
  if (value_head) {
    json.set("id2label", Json::Object{{"0", "LABEL_0"}});
    json.set("label2id", Json::Object{{"LABEL_0", 0}});
    if (json.find("num_labels")) json.set("num_labels", 1);
  }
  return dump_json(json, 2) + "\n";
}

}  // namespace limr
