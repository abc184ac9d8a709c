#include "model/config.h"

#include <fstream>
#include <random>

#include "io/json.h"
#include "test.h"

namespace limr::test {
namespace {

// Qwen/Qwen2.5-Math-1.5B.
constexpr const char* kQwen2 = R"({
  "architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151643, "eos_token_id": 151643,
  "hidden_act": "silu", "hidden_size": 1536, "initializer_range": 0.02, "intermediate_size": 8960,
  "max_position_embeddings": 4096, "max_window_layers": 21, "model_type": "qwen2", "num_attention_heads": 12,
  "num_hidden_layers": 28, "num_key_value_heads": 2, "rms_norm_eps": 1e-06, "rope_theta": 10000,
  "sliding_window": 4096, "tie_word_embeddings": true, "torch_dtype": "bfloat16", "transformers_version": "4.44.0",
  "use_cache": true, "use_mrope": false, "use_sliding_window": false, "vocab_size": 151936
})";

// Qwen/Qwen3-0.6B.
constexpr const char* kQwen3 = R"({
  "architectures": ["Qwen3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0, "bos_token_id": 151643,
  "eos_token_id": 151645, "head_dim": 128, "hidden_act": "silu", "hidden_size": 1024, "initializer_range": 0.02,
  "intermediate_size": 3072, "max_position_embeddings": 40960, "max_window_layers": 28, "model_type": "qwen3",
  "num_attention_heads": 16, "num_hidden_layers": 28, "num_key_value_heads": 8, "rms_norm_eps": 1e-06,
  "rope_scaling": null, "rope_theta": 1000000, "sliding_window": null, "tie_word_embeddings": true,
  "torch_dtype": "bfloat16", "transformers_version": "4.51.0", "use_cache": true, "use_sliding_window": false,
  "vocab_size": 151936
})";

// meta-llama/Llama-3.2-1B-Instruct.
constexpr const char* kLlama = R"({
  "architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0, "bos_token_id": 128000,
  "eos_token_id": [128001, 128008, 128009], "head_dim": 64, "hidden_act": "silu", "hidden_size": 2048,
  "initializer_range": 0.02, "intermediate_size": 8192, "max_position_embeddings": 131072, "mlp_bias": false,
  "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 16, "num_key_value_heads": 8,
  "pretraining_tp": 1, "rms_norm_eps": 1e-05, "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0,
  "low_freq_factor": 1.0, "original_max_position_embeddings": 8192, "rope_type": "llama3"}, "rope_theta": 500000.0,
  "tie_word_embeddings": true, "torch_dtype": "bfloat16", "transformers_version": "4.45.0", "use_cache": true,
  "vocab_size": 128256
})";

// What transformers 5 writes.
constexpr const char* kQwen2New = R"({
  "architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": null, "dtype": "bfloat16",
  "eos_token_id": null, "hidden_act": "silu", "hidden_size": 64, "initializer_range": 0.02, "intermediate_size": 128,
  "layer_types": ["full_attention", "full_attention"], "max_position_embeddings": 512, "max_window_layers": 28,
  "model_type": "qwen2", "num_attention_heads": 4, "num_hidden_layers": 2, "num_key_value_heads": 2,
  "pad_token_id": null, "rms_norm_eps": 1e-06, "rope_parameters": {"rope_theta": 250000.0, "rope_type": "default"},
  "sliding_window": null, "tie_word_embeddings": false, "transformers_version": "5.0.0", "use_cache": true,
  "use_sliding_window": false, "vocab_size": 320
})";

ModelConfig parse(const std::string& text) { return parse_model_config(text, "config.json"); }

// `text` with one key set to a JSON value, or removed when `value` is empty.
std::string with(const char* text, const std::string& key, const std::string& value) {
  Json json = parse_json(text, "test");
  if (value.empty())
    std::erase_if(json.as_object(), [&](const auto& member) { return member.first == key; });
  else
    json.set(key, parse_json(value, "test"));
  return dump_json(json);
}

LIMR_TEST(config_of_qwen2) {
  const ModelConfig c = parse(kQwen2);
  expect_eq(std::string(c.model_type_name()), "qwen2");
  expect_eq(std::vector<int64_t>{c.hidden_size, c.intermediate_size, c.num_hidden_layers, c.num_attention_heads,
                                 c.num_key_value_heads, c.head_dim, c.vocab_size, c.max_position_embeddings},
            std::vector<int64_t>{1536, 8960, 28, 12, 2, 128, 151936, 4096});
  expect(c.q_size() == 1536 && c.kv_size() == 256);
  expect(c.rms_norm_eps == 1e-6 && c.rope_theta == 10000 && c.initializer_range == 0.02 && !c.rope_scaling.enabled);
  expect(c.tie_word_embeddings && c.qkv_bias && !c.o_bias && !c.qk_norm && !c.value_head);
  expect_eq(c.eos_token_ids, std::vector<int64_t>{151643});
  expect_eq(c.bos_token_id, int64_t(151643));
  expect_eq(c.architectures, std::vector<std::string>{"Qwen2ForCausalLM"});
  expect_eq(c.json, std::string(kQwen2));
}

LIMR_TEST(config_of_qwen3) {
  const ModelConfig c = parse(kQwen3);
  expect(c.model_type == ModelType::kQwen3 && c.head_dim == 128 && c.q_size() == 2048 && c.rope_theta == 1e6);
  expect(!c.qkv_bias && !c.o_bias && c.qk_norm && c.tie_word_embeddings);
  const ModelConfig biased = parse(with(kQwen3, "attention_bias", "true"));
  expect(biased.qkv_bias && biased.o_bias);
  expect_eq(parse(with(kQwen3, "head_dim", "")).head_dim, int64_t(128), "Qwen3's default");
}

LIMR_TEST(config_of_llama) {
  const ModelConfig c = parse(kLlama);
  expect(c.model_type == ModelType::kLlama && c.head_dim == 64 && c.rms_norm_eps == 1e-5 && c.rope_theta == 500000);
  expect(!c.qkv_bias && !c.o_bias && !c.qk_norm && c.tie_word_embeddings);
  expect(c.rope_scaling == RopeScaling{true, 32, 1, 4, 8192});
  expect_eq(c.eos_token_ids, std::vector<int64_t>{128001, 128008, 128009});
  expect(parse(with(kLlama, "attention_bias", "true")).o_bias);
}

LIMR_TEST(config_of_transformers_5) {
  const ModelConfig c = parse(kQwen2New);
  expect(c.rope_theta == 250000 && !c.tie_word_embeddings && c.eos_token_ids.empty() && c.bos_token_id == -1);
  const std::string rope = R"({"rope_theta": 5e5, "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1,
                               "high_freq_factor": 4, "original_max_position_embeddings": 8192})";
  const ModelConfig scaled = parse(with(with(kLlama, "rope_scaling", "").c_str(), "rope_parameters", rope));
  expect(scaled.rope_scaling == RopeScaling{true, 8, 1, 4, 8192} && scaled.rope_theta == 5e5);
}

LIMR_TEST(config_defaults_are_those_of_hugging_face) {
  std::string text = kLlama;
  for (const char* key :
       {"head_dim", "rope_theta", "rope_scaling", "rms_norm_eps", "max_position_embeddings", "eos_token_id",
        "initializer_range", "tie_word_embeddings", "num_key_value_heads", "architectures", "hidden_act"})
    text = with(text.c_str(), key, "");
  const ModelConfig c = parse(text);
  expect(c.head_dim == 64 && c.num_key_value_heads == 32 && c.max_position_embeddings == 2048);
  expect(c.rope_theta == 10000 && c.rms_norm_eps == 1e-6 && c.initializer_range == 0.02 && !c.tie_word_embeddings);
  expect_eq(parse(with(kQwen2, "max_position_embeddings", "")).max_position_embeddings, int64_t(32768));
  expect_eq(parse(with(kQwen2, "num_key_value_heads", "null")).num_key_value_heads, int64_t(12),
            "what Hugging Face does");
}

LIMR_TEST(config_of_a_value_model) {
  const std::string base = with(kQwen2, "architectures", R"(["Qwen2ForSequenceClassification"])");
  expect(parse(with(base.c_str(), "num_labels", "1")).value_head);
  expect(parse(with(base.c_str(), "id2label", R"({"0": "LABEL_0"})")).value_head);
  expect_contains(expect_throws(Code::kUnsupported, [&] { parse(base); }).message(), "\"num_labels\" is 2");
  expect_contains(expect_throws(Code::kUnsupported, [&] { parse(with(base.c_str(), "num_labels", "3")); }).hint(),
                  "score.weight");
  expect_throws(Code::kUnsupported, [&] { parse(with(base.c_str(), "id2label", R"({"0": "a", "1": "b"})")); });
  expect(!parse(with(kQwen2, "id2label", R"({"0": "a", "1": "b"})")).value_head,
         "labels of a language model mean nothing");
}

LIMR_TEST(config_that_is_malformed) {
  const struct {
    const char *key, *value, *message;
  } cases[] = {
      {"hidden_size", "", "\"hidden_size\" is missing"},
      {"hidden_size", "0", "\"hidden_size\" is 0, expected an integer from 1 to 1048576"},
      {"hidden_size", "-1536", "is -1536, expected an integer"},
      {"hidden_size", "1536.0", "is 1536.0, expected an integer"},
      {"hidden_size", "\"1536\"", "is \"1536\", expected an integer"},
      {"hidden_size", "9223372036854775807", "expected an integer from 1 to 1048576"},
      {"hidden_size", "1544", "\"hidden_size\" is 1544, expected a multiple of num_attention_heads 12"},
      {"intermediate_size", "null", "\"intermediate_size\" is missing"},
      {"num_hidden_layers", "", "\"num_hidden_layers\" is missing"},
      {"num_attention_heads", "", "\"num_attention_heads\" is missing"},
      {"num_key_value_heads", "", "\"num_key_value_heads\" is missing"},
      {"num_key_value_heads", "5", "\"num_attention_heads\" is 12, expected a multiple of num_key_value_heads 5"},
      {"num_key_value_heads", "24", "expected an integer from 1 to 12"},
      {"vocab_size", "", "\"vocab_size\" is missing"},
      {"vocab_size", "4294967296", "expected an integer from 1 to 16777216"},
      {"max_position_embeddings", "2147483648", "expected an integer from 1 to 2147483647"},
      {"rms_norm_eps", "0", "\"rms_norm_eps\" is 0, expected a number above 0"},
      {"rms_norm_eps", "\"1e-6\"", "expected a number"},
      {"rope_theta", "-1", "\"rope_theta\" is -1, expected a number above 0"},
      {"initializer_range", "1e9", "\"initializer_range\""},
      {"tie_word_embeddings", "1", "\"tie_word_embeddings\" is 1, expected true or false"},
      {"eos_token_id", "151936", "\"eos_token_id\" is 151936, expected a token id below vocab_size 151936"},
      {"eos_token_id", "[1, -1]", "\"eos_token_id\" is [1,-1], expected a token id"},
      {"eos_token_id", "\"</s>\"", "expected a token id"},
      {"layer_types", "[\"full_attention\"]", "expected a list of 28 names"},
      {"architectures", "\"Qwen2ForCausalLM\"", "expected a list of one class name"},
      {"rope_scaling", "3", "\"rope_scaling\" is 3, expected an object"},
      {"model_type", "", "\"model_type\" is missing"},
  };
  for (const auto& c : cases) {
    const Error e = expect_throws(
        Code::kFormat, [&] { parse(with(kQwen2, c.key, c.value)); }, cat(c.key, "=", c.value));
    expect_contains(e.message(), c.message);
    expect_contains(e.message(), "config.json: ");
  }
  expect_contains(expect_throws(Code::kFormat, [] { parse("[]"); }).message(), "found [], expected an object");
  expect_contains(expect_throws(Code::kFormat, [] { parse(R"({"model_type": "qwen2",})"); }).message(),
                  "config.json, byte");
  expect_contains(expect_throws(Code::kFormat, [] { parse(R"({"a": 1, "a": 2})"); }).message(), "\"a\" occurs twice");
}

LIMR_TEST(config_of_a_model_that_is_not_implemented) {
  const struct {
    const char *base, *key, *value, *message;
  } cases[] = {
      {kQwen2, "model_type", "\"mistral\"", "\"model_type\" is \"mistral\"; supported is qwen2, qwen3 and llama"},
      {kQwen2, "model_type", "\"qwen2_moe\"", "\"qwen2_moe\""},
      {kQwen2, "architectures", "[\"Qwen2ForRewardModel\"]", "\"architectures\" is \"Qwen2ForRewardModel\""},
      {kQwen2, "architectures", "[\"LlamaForCausalLM\"]",
       "supported is Qwen2ForCausalLM and Qwen2ForSequenceClassification"},
      {kQwen2, "hidden_act", "\"gelu\"", "\"hidden_act\" is \"gelu\"; supported is \"silu\""},
      {kQwen2, "use_sliding_window", "true", "\"use_sliding_window\" is true; supported is false"},
      {kQwen2, "use_mrope", "true", "\"use_mrope\""},
      {kQwen2, "attention_dropout", "0.1", "\"attention_dropout\" is 0.1; supported is 0"},
      {kQwen2New, "layer_types", "[\"full_attention\", \"sliding_attention\"]",
       "\"layer_types\" is \"sliding_attention\""},
      {kQwen2, "quantization_config", "{\"quant_method\": \"awq\"}",
       "\"quantization_config\" is {\"quant_method\":\"awq\"}"},
      {kQwen2, "auto_map", "{\"AutoModel\": \"m.M\"}", "\"auto_map\""},
      {kQwen2, "attention_bias", "false", "the key \"attention_bias\" (false) of a qwen2 model is not known"},
      {kQwen2, "logit_scale", "2.0", "the key \"logit_scale\" (2.0) of a qwen2 model is not known"},
      {kQwen3, "mlp_bias", "false", "the key \"mlp_bias\""},
      {kLlama, "mlp_bias", "true", "\"mlp_bias\" is true; supported is false"},
      {kLlama, "pretraining_tp", "2", "\"pretraining_tp\" is 2; supported is 1"},
      {kLlama, "sliding_window", "4096", "the key \"sliding_window\" (4096) of a llama model"},
      {kLlama, "rope_interleaved", "true", "\"rope_interleaved\" is true"},
      {kLlama, "rope_scaling", R"({"type": "linear", "factor": 2.0})", "rope_scaling: \"rope_type\" is \"linear\""},
      {kLlama, "rope_scaling", R"({"rope_type": "yarn", "factor": 2.0})", "\"rope_type\" is \"yarn\""},
      {kLlama, "rope_scaling", R"({"rope_type": "default", "factor": 2.0})", "\"factor\" is 2.0"},
      {kLlama, "rope_scaling", R"({"rope_type": "default", "partial_rotary_factor": 0.5})",
       "\"partial_rotary_factor\" is 0.5"},
      {kLlama, "rope_scaling", R"({"mrope_section": [1, 2]})", "\"mrope_section\""},
      {kLlama, "head_dim", "40", "\"head_dim\" is 40; supported is a multiple of 16 up to 256"},
      {kLlama, "head_dim", "512", "\"head_dim\" is 512"},
      {kLlama, "head_dim", "65", "\"head_dim\" is 65"},
      {kLlama, "hidden_size", "2056", "\"hidden_size\" is 2056; supported is a multiple of 16"},
      {kLlama, "intermediate_size", "8200", "\"intermediate_size\" is 8200; supported is a multiple of 16"},
  };
  for (const auto& c : cases) {
    const Error e = expect_throws(
        Code::kUnsupported, [&] { parse(with(c.base, c.key, c.value)); }, cat(c.key, "=", c.value));
    expect_contains(e.message(), c.message);
    expect_contains(e.message(), "config.json: ");
    expect(!e.hint().empty(), c.message);
  }
}

LIMR_TEST(config_keys_of_null_are_absent) {
  for (const char* key :
       {"quantization_config", "rope_scaling", "a_key_of_the_future", "attention_dropout", "use_sliding_window"})
    expect_eq(parse(with(kQwen2, key, "null")).hidden_size, int64_t(1536), key);
}

LIMR_TEST(config_of_rope_that_contradicts_itself) {
  const std::string llama3 = R"({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                 "original_max_position_embeddings": 8192})";
  const auto scaling = [&](const char* key, const char* value) {
    return with(kLlama, "rope_scaling", with(llama3.c_str(), key, value));
  };
  const struct {
    std::string text, message;
  } cases[] = {
      {scaling("factor", ""), "rope_scaling: \"factor\" is missing, and llama3 needs it"},
      {scaling("low_freq_factor", ""), "\"low_freq_factor\" is missing"},
      {scaling("high_freq_factor", ""), "\"high_freq_factor\" is missing"},
      {scaling("original_max_position_embeddings", ""), "\"original_max_position_embeddings\" is missing"},
      {scaling("original_max_position_embeddings", "0"), "\"original_max_position_embeddings\" is 0"},
      {scaling("factor", "0.5"), "\"factor\" is 0.5, expected at least 1"},
      {scaling("factor", "\"8\""), "\"factor\" is \"8\", expected a number"},
      {scaling("low_freq_factor", "4.0"), "\"low_freq_factor\" is 4.0, expected less than high_freq_factor"},
      {scaling("type", "\"default\""), "\"type\" is \"default\", expected \"llama3\""},
      {scaling("rope_theta", "1.5"), "expected a rope_theta of 500000"},
      {with(kLlama, "rope_parameters", llama3), "expected what \"rope_parameters\" says"},
  };
  for (const auto& c : cases)
    expect_contains(expect_throws(
                        Code::kFormat, [&] { parse(c.text); }, c.message)
                        .message(),
                    c.message);
  expect_eq(parse(scaling("type", "\"llama3\"")).rope_scaling.factor, 8.0);
  expect_eq(parse(scaling("partial_rotary_factor", "1.0")).rope_scaling.factor, 8.0);
}

LIMR_TEST(config_file) {
  const TempDir dir;
  const std::string path = (dir.path() / "config.json").string();
  const Error e = expect_throws(Code::kIo, [&] { load_model_config(dir.path().string()); });
  expect_contains(e.message(), "cannot open " + path);
  std::ofstream(path) << kQwen3;
  expect_eq(load_model_config(dir.path().string()).hidden_size, int64_t(1024));
  std::ofstream(path) << "{";
  expect_contains(expect_throws(Code::kFormat, [&] { load_model_config(dir.path().string()); }).message(), path);
}

LIMR_TEST(config_that_is_saved_keeps_its_keys) {
  for (const char* text : {kQwen2, kQwen3, kLlama, kQwen2New}) {
    const ModelConfig c = parse(with(text, "torch_dtype", "\"float32\""));
    const ModelConfig lm = parse(saved_config_json(c, false));
    const Json before = parse_json(c.json, "before"), after = parse_json(lm.json, "after");
    for (const auto& [key, value] : before.as_object())
      expect(*after.find(key) == (key == "torch_dtype" ? Json("bfloat16") : value), key);
    expect_eq(after.as_object().size(), before.as_object().size());
    const ModelConfig value = parse(saved_config_json(c, true));
    expect(value.value_head && !lm.value_head && value.hidden_size == c.hidden_size);
    expect(parse(saved_config_json(value, true)).value_head);
  }
  const ModelConfig c = parse(kQwen2New);
  expect(parse_json(saved_config_json(c, false), "s").find("torch_dtype") == nullptr, "dtype is its name there");
}

// A configuration that is changed in a few places is refused with an Error, or has dimensions that hold together.
LIMR_TEST(config_fuzz) {
  const char* bases[] = {kQwen2, kQwen3, kLlama, kQwen2New};
  const char* tokens[] = {"0", "-1", "16", "9223372036854775807", "1e30", "null", "true", "[]", "{}", "\"x\"", ",",
                          "}", "[",  "\\"};
  std::mt19937 rng(99);
  const auto below = [&](size_t n) { return size_t(rng() % n); };
  int parsed = 0, refused = 0;
  for (int i = 0; i < (small() ? 5000 : 30000); ++i) {
    std::string text = bases[below(4)];
    for (size_t edits = 1 + below(2); edits > 0; --edits) {
      const size_t at = below(text.size());
      if (below(3) == 0) {
        text[at] = char(rng());
      } else if (const size_t value = text.find(": ", at); below(3) && value != text.npos) {
        const size_t end = text.find_first_of(",}", value);
        text.replace(value + 2, end - value - 2, tokens[below(std::size(tokens))]);
      } else {
        text.replace(at, std::min(below(4), text.size() - at), tokens[below(std::size(tokens))]);
      }
    }
    try {
      const ModelConfig c = parse(text);
      expect(c.hidden_size > 0 && c.hidden_size % 16 == 0 && c.head_dim > 0 && c.head_dim <= 256 &&
                 c.num_attention_heads % c.num_key_value_heads == 0 && c.vocab_size > 0 && std::isfinite(c.rope_theta),
             text);
      ++parsed;
    } catch (const Error& e) {
      expect(e.code() == Code::kFormat || e.code() == Code::kUnsupported, cat(text, ": ", e.message()));
      ++refused;
    }
  }
  expect(parsed > 100 && refused > 1000, cat(parsed, " parsed, ", refused, " refused"));
}

}  // namespace
}  // namespace limr::test
