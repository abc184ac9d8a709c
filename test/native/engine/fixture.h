// test/native/engine/fixture.h - small random models of every family, and what the engine's tests ask of them.
#pragma once
#include <fstream>
#include <string>
#include <vector>

#include "engine/model.h"
#include "engine/rollout/generate.h"
#include "engine/rollout/kv_cache.h"
#include "ops/cpu/table.h"
#include "test.h"

namespace limr::test {

inline constexpr const char* kFamilies[] = {"qwen2", "qwen3", "llama"};

// A folder with the config.json of a small model: 2 layers, grouped heads, an odd vocabulary.
class ModelFolder {
 public:
  explicit ModelFolder(const std::string& family, int64_t hidden_size = 48, int64_t intermediate_size = 80,
                       int64_t vocab_size = 101) {
    const std::string extra = family == "qwen3" ? R"("head_dim": 32,)"
                              : family == "llama"
                                  ? R"("rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                                                      "high_freq_factor": 4.0, "original_max_position_embeddings": 64},)"
                                  : "";
    std::ofstream(dir_.path() / "config.json")
        << R"({"model_type": ")" << family << R"(", "hidden_size": )" << hidden_size << R"(, "intermediate_size": )"
        << intermediate_size << R"(, "num_hidden_layers": 2,
             "num_attention_heads": 3, "num_key_value_heads": 1, )"
        << extra << R"("vocab_size": )" << vocab_size
        << R"(, "max_position_embeddings": 512, "rms_norm_eps": 1e-6, "rope_theta": 10000.0,
             "tie_word_embeddings": )"
        << (family == "qwen2" ? "true" : "false") << R"(, "hidden_act": "silu", "initializer_range": 0.3})";
  }
  std::string path() const { return dir_.path().string(); }

 private:
  TempDir dir_;
};

struct Packed {
  std::vector<int32_t> tokens, offsets{0};
  void add(const std::vector<int32_t>& sequence) {
    tokens.insert(tokens.end(), sequence.begin(), sequence.end());
    offsets.push_back(int32_t(tokens.size()));
  }
  PackedTokens view() const { return {tokens, offsets}; }
  int64_t size() const { return int64_t(tokens.size()); }
};

// Sequences of the given lengths, ids from a fixed linear congruence.
inline Packed packed(const std::vector<int>& lengths, uint32_t seed = 7) {
  Packed p;
  for (const int n : lengths) {
    std::vector<int32_t> s;
    for (int i = 0; i < n; ++i) s.push_back(int32_t((seed = seed * 1664525u + 1013904223u) >> 8) % 101);
    p.add(s);
  }
  return p;
}

inline LoadOptions load_options(const ModelFolder& folder, bool trainable, Head head = Head::kLm) {
  return {.dir = folder.path(),
          .head = head,
          .trainable = trainable,
          .random_seed = 11,
          .value_head_seed = 3,
          .checkpointing = false};
}

inline std::vector<float> all_gradients(const Model& m) {
  std::vector<float> all;
  for (const std::string& name : m.tensor_names()) {
    const auto t = m.read_tensor(name, TensorKind::kGrad);
    all.insert(all.end(), t.data.begin(), t.data.end());
  }
  return all;
}

}  // namespace limr::test
