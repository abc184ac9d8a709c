// native/model/weights.h - the parameters of a model in one block, and the one table that maps them to Hugging Face's tensors.
#pragma once
#include <string>
#include <vector>

#include "core/arena.h"
#include "core/context.h"
#include "io/safetensors.h"
#include "model/config.h"
#include "ops/matmul.h"

namespace limr {

enum class Head { kLm, kValue };

// A Hugging Face tensor [rows, cols] inside a parameter: its row r is storage row storage_row(r).
struct Piece {
  enum Rows { kPlain, kGate, kUp };
  std::string name;
  int64_t rows, cols;
  bool vector;  // one-dimensional in Hugging Face
  Rows order = kPlain;
  int64_t begin = 0;  // kPlain: first storage row; gate-up order (ops/matmul.h) otherwise
  int64_t storage_row(int64_t r) const {
    return order == kPlain ? begin + r : r / 16 * 32 + r % 16 + (order == kUp ? 16 : 0);
  }
};

// A run of elements in storage order: a matrix in the device's layout (ops/matmul.h), or a vector.
struct Param {
  bool matrix;         // else a vector [1, cols]
  int64_t rows, cols;  // of the fused matrix, without padding
  int64_t offset, elements;
  bool decay;  // weight decay applies
  std::vector<Piece> pieces;
};

struct LayerParams {
  int attention_norm, qkv, qkv_bias, q_norm, k_norm, o, o_bias, mlp_norm, gate_up,
      down;  // indices into params; -1 = none
};

struct WeightTable {
  std::vector<Param> params;
  std::vector<LayerParams> layers;
  int embedding, final_norm, head;  // head: lm_head (the embedding when tied) or the value head
  int64_t elements;                 // of the block, padding included
  int64_t num_parameters;           // as Hugging Face counts
};

WeightTable make_weight_table(const ModelConfig&, Head);

// The bf16 weights, in a device's memory or, while parked, in pinned host memory. Addresses on the device stay valid until then.
class Weights {
 public:
  Weights(const ModelConfig&, Head, Device& device = cpu_device());

  const WeightTable& table() const { return table_; }
  bf16* data() const { return block_.as<bf16>(); }  // null while parked
  size_t bytes() const { return size_t(table_.elements) * sizeof(bf16); }
  // A parameter's elements where the host can read them: themselves, or a copy in `staging`.
  const bf16* host(const Param& param, std::vector<bf16>& staging) const;

  // Moves to pinned host memory, which it keeps from then on; `changed` since it was last there. Then back.
  void park(bool changed);
  void unpark();
  bool parked() const { return block_.data() == nullptr; }

  Layout layout() const { return weight_layout(device_->kind()); }
  bf16* at(int param) const { return param < 0 ? nullptr : data() + table_.params[size_t(param)].offset; }
  PackedWeight matrix(int param) const;
  View vector(int param) const;  // [1, C]; absent for -1

  // Reads every piece; a value head that the folder lacks is drawn from N(0, 1/(hidden_size+1)) with `value_head_seed`.
  // Throws what io throws, kShape naming the tensor, and kFormat for a tensor that no parameter takes.
  void load(const Context&, const ModelConfig&, const SafetensorsSet&, uint32_t value_head_seed);
  // Norms 1, biases 0, all else N(0, initializer_range), by Hugging Face name and element: independent of the layout.
  void randomize(const Context&, const ModelConfig&, uint32_t seed);
  void save(const std::string& dir) const;

 private:
  // Calls write(host memory of the parameter's elements, zero at first) and brings them to the device.
  template <typename Write>
  void set(const Param& param, Write&& write);

  WeightTable table_;
  Head head_;
  Device* device_;
  Buffer home_;  // pinned; empty until the first park
  Buffer block_;
};

// Where element (row, col) of a piece lies among the elements of its parameter.
inline int64_t element_index(Layout layout, const Param& param, const Piece& piece, int64_t row, int64_t col) {
  const int64_t r = piece.storage_row(row);
  return param.matrix ? weight_index(layout, r, col, param.cols) : r * param.cols + col;
}

}  // namespace limr
