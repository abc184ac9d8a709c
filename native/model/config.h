// native/model/config.h - the architecture of a model, from Hugging Face's config.json.
//
// model_type qwen2 (Qwen2, Qwen2.5), qwen3 and llama. Every key is known here: it is used, or it is on the list of keys
// that do not change the mathematics, or it must have the one value that changes nothing. Any other key is
// kUnsupported by name: a model is never run with a part of its configuration ignored.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace limr {

enum class ModelType { kQwen2, kQwen3, kLlama };
const char* model_type_name(ModelType type);  // "qwen2"

// Llama 3.1's frequency scaling (rope_type "llama3"); its equation stands where it is applied.
struct RopeScaling {
  bool enabled = false;
  double factor = 1;
  double low_freq_factor = 1;
  double high_freq_factor = 1;
  int64_t original_max_position_embeddings = 0;
  bool operator==(const RopeScaling&) const = default;
};

struct ModelConfig {
  ModelType model_type = ModelType::kQwen2;
  int64_t hidden_size = 0;              // C
  int64_t intermediate_size = 0;        // F
  int64_t num_hidden_layers = 0;        // L
  int64_t num_attention_heads = 0;      // H
  int64_t num_key_value_heads = 0;      // K, divides H
  int64_t head_dim = 0;                 // D; H * D need not be C
  int64_t vocab_size = 0;               // V, rows of the embedding
  int64_t max_position_embeddings = 0;  // longest context the model was made for
  double rms_norm_eps = 0;
  double rope_theta = 0;
  RopeScaling rope_scaling;
  double initializer_range = 0.02;
  bool tie_word_embeddings = false;
  bool qkv_bias = false;                   // bias of q_proj, k_proj, v_proj
  bool o_bias = false;                     // bias of o_proj
  bool qk_norm = false;                    // RMSNorm over head_dim on q and k before RoPE (qwen3)
  int64_t bos_token_id = -1;               // -1: none
  std::vector<int64_t> eos_token_ids;      // may be empty
  std::vector<std::string> architectures;  // e.g. {"Qwen2ForCausalLM"}
  bool value_head = false;                 // *ForSequenceClassification with one label: score.weight [1, C]
  std::string json;                        // the text that was parsed, byte for byte

  int64_t q_size() const { return num_attention_heads * head_dim; }
  int64_t kv_size() const { return num_key_value_heads * head_dim; }
  const char* model_type_name() const { return limr::model_type_name(model_type); }
};

// kFormat: malformed JSON, missing key, wrong type, value out of range. kUnsupported: well-formed, but a model that
// this engine does not implement. Both name `source`, the key, found and expected.
ModelConfig parse_model_config(std::string_view json, const std::string& source);

// <dir>/config.json. kIo when it is missing.
ModelConfig load_model_config(const std::string& dir);

// config.json of a saved model: the text's own keys in their order, with the dtype and the head that were written
// ("architectures", and one label for a value head).
std::string saved_config_json(const ModelConfig& config, bool value_head);

}  // namespace limr
