#include "model/weights.h"

#include <cmath>
#include <cstring>
#include <memory>
#include <set>

#include "core/rng.h"

namespace limr {
namespace {

// Elements between parameters stay multiples of 64: bf16 panels then start on a cache line.
constexpr int64_t kParamAlign = 64;

struct TableBuilder {
  WeightTable table{};

  int add(bool matrix, int64_t rows, int64_t cols, bool decay, std::vector<Piece> pieces) {
    const int64_t elements = matrix ? packed_elements(rows, cols) : rows * cols;
    table.params.push_back({matrix, rows, cols, table.elements, elements, decay, std::move(pieces)});
    table.elements += round_up(elements, kParamAlign);
    for (const Piece& p : table.params.back().pieces) table.num_parameters += p.rows * p.cols;
    return int(table.params.size()) - 1;
  }
  int matrix(const std::string& name, int64_t rows, int64_t cols) {
    return add(true, rows, cols, true, {{name, rows, cols, false}});
  }
  int vector(const std::string& name, int64_t cols) { return add(false, 1, cols, false, {{name, 1, cols, true}}); }
};

// Standard normal, Box and Muller.
float normal(uint32_t seed, uint32_t tensor, uint64_t element) {
  const auto r = philox({uint32_t(element), uint32_t(element >> 32), tensor, 0}, {seed, 0x1417u});
  const double u1 = (double(r[0]) + 1) * 0x1p-32, u2 = double(r[1]) * 0x1p-32;
  return float(std::sqrt(-2 * std::log(u1)) * std::cos(6.283185307179586 * u2));
}

bool is_norm(const Param& p) { return !p.matrix && p.pieces[0].name.find("norm") != std::string::npos; }
bool is_bias(const Param& p) { return !p.matrix && p.pieces[0].name.ends_with(".bias"); }

constexpr const char* kValueHead = "score.weight";

}  // namespace

WeightTable make_weight_table(const ModelConfig& c, Head head) {
  TableBuilder b;
  const int64_t C = c.hidden_size, F = c.intermediate_size, Q = c.q_size(), KV = c.kv_size();
  b.table.embedding = b.matrix("model.embed_tokens.weight", c.vocab_size, C);
  for (int64_t l = 0; l < c.num_hidden_layers; ++l) {
    const std::string at = cat("model.layers.", l, "."), attn = at + "self_attn.", mlp = at + "mlp.";
    LayerParams p;
    p.attention_norm = b.vector(at + "input_layernorm.weight", C);
    p.qkv = b.add(true, Q + 2 * KV, C, true,
                  {{attn + "q_proj.weight", Q, C, false, Piece::kPlain, 0},
                   {attn + "k_proj.weight", KV, C, false, Piece::kPlain, Q},
                   {attn + "v_proj.weight", KV, C, false, Piece::kPlain, Q + KV}});
    // A fused bias is one vector of Q + 2 KV numbers; its pieces are column ranges, so it is kept as rows of one column.
    p.qkv_bias = !c.qkv_bias ? -1
                             : b.add(false, Q + 2 * KV, 1, false,
                                     {{attn + "q_proj.bias", Q, 1, true, Piece::kPlain, 0},
                                      {attn + "k_proj.bias", KV, 1, true, Piece::kPlain, Q},
                                      {attn + "v_proj.bias", KV, 1, true, Piece::kPlain, Q + KV}});
    p.q_norm = c.qk_norm ? b.vector(attn + "q_norm.weight", c.head_dim) : -1;
    p.k_norm = c.qk_norm ? b.vector(attn + "k_norm.weight", c.head_dim) : -1;
    p.o = b.matrix(attn + "o_proj.weight", C, Q);
    p.o_bias = c.o_bias ? b.vector(attn + "o_proj.bias", C) : -1;
    p.mlp_norm = b.vector(at + "post_attention_layernorm.weight", C);
    p.gate_up = b.add(true, 2 * F, C, true,
                      {{mlp + "gate_proj.weight", F, C, false, Piece::kGate, 0},
                       {mlp + "up_proj.weight", F, C, false, Piece::kUp, 0}});
    p.down = b.matrix(mlp + "down_proj.weight", C, F);
    b.table.layers.push_back(p);
  }
  b.table.final_norm = b.vector("model.norm.weight", C);
  if (head == Head::kValue)
    b.table.head = b.add(false, 1, C, true, {{kValueHead, 1, C, false}});
  else
    b.table.head = c.tie_word_embeddings ? b.table.embedding : b.matrix("lm_head.weight", c.vocab_size, C);
  return b.table;
}

Weights::Weights(const ModelConfig& config, Head head, Device& device)
    : table_(make_weight_table(config, head)),
      head_(head),
      device_(&device),
      block_(size_t(table_.elements) * sizeof(bf16), device) {}

const bf16* Weights::host(const Param& param, std::vector<bf16>& staging) const {
  if (parked()) return home_.as<bf16>() + param.offset;
  return on_host(*device_, data() + param.offset, param.elements, staging);
}

void Weights::park(bool changed) {
  const bool first = home_.bytes() == 0;
  if (first) home_ = Buffer(bytes(), *device_, Buffer::kPinned);
  if (first || changed) device_->copy_out(home_.data(), data(), bytes());
  block_ = Buffer();
}

void Weights::unpark() {
  block_ = Buffer(bytes(), *device_);
  device_->copy_in(block_.data(), home_.data(), bytes());
}

template <typename Write>
void Weights::set(const Param& param, Write&& write) {
  if (device_->on_host()) return write(data() + param.offset);
  std::vector<bf16> staging(size_t(param.elements), bf16(0));
  write(staging.data());
  device_->copy_in(data() + param.offset, staging.data(), staging.size() * sizeof(bf16));
}

PackedWeight Weights::matrix(int param) const {
  const Param& p = table_.params[size_t(param)];
  return {data() + p.offset, p.rows, p.cols};
}

View Weights::vector(int param) const {
  if (param < 0) return {};
  const Param& p = table_.params[size_t(param)];
  return view(data() + p.offset, 1, p.rows * p.cols);
}

namespace {

// Into the elements of its parameter.
void load_piece(const Context& ctx, const ModelConfig& config, const SafetensorsSet& files, const Param& param,
                const Piece& piece, uint32_t value_head_seed, Layout layout, bf16* out) {
  if (piece.name == kValueHead && !files.contains(piece.name)) {
    const float std = 1.0f / float(config.hidden_size + 1);
    for (int64_t c = 0; c < piece.cols; ++c) out[c] = f32_to_bf16(std * normal(value_head_seed, 0, uint64_t(c)));
    return;
  }
  if (piece.vector)
    files.at(piece.name, {piece.rows * piece.cols});
  else
    files.at(piece.name, {piece.rows, piece.cols});
  if (!param.matrix) {
    files.read_bf16(piece.name, out + piece.begin, 0, piece.vector ? 1 : piece.rows);
    return;
  }
  // 32 rows at a time: their pairs of columns lie side by side in a panel (16 at a time in gate-up order).
  const int64_t step = piece.order == Piece::kPlain ? 32 : 16, K = piece.cols, stride = weight_index(layout, 0, 2, K);
  ctx.pool->parallel_for((piece.rows + step - 1) / step, 1, [&](int64_t begin, int64_t end) {
    const auto rows = std::make_unique<bf16[]>(size_t(step * K));
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i * step, count = std::min(step, piece.rows - first);
      files.read_bf16(piece.name, rows.get(), first, first + count);
      for (int64_t k = 0; k < K; k += 32)  // what 32 columns become stays in the first-level cache
        for (int64_t r = 0; r < count; ++r) {
          bf16* dst = out + weight_index(layout, piece.storage_row(first + r), k, K);
          const bf16* src = rows.get() + r * K + k;
          for (int64_t i = 0; i < 32 && k + i < K; i += 2) std::memcpy(dst + i / 2 * stride, src + i, 2 * sizeof(bf16));
        }
    }
  });
}

}  // namespace

void Weights::load(const Context& ctx, const ModelConfig& config, const SafetensorsSet& files,
                   uint32_t value_head_seed) {
  std::set<std::string> known = {"lm_head.weight",
                                 kValueHead};  // the head that this handle does not use is no surprise
  for (const Param& param : table_.params)
    set(param, [&](bf16* out) {
      for (const Piece& piece : param.pieces) {
        known.insert(piece.name);
        load_piece(ctx, config, files, param, piece, value_head_seed, layout(), out);
      }
    });
  for (const std::string& name : files.names())
    LIMR_CHECK(known.contains(name) || name.ends_with("rotary_emb.inv_freq"), kFormat,
               cat(files.file_of(name), ": tensor ", name, " belongs to no parameter of a ", config.model_type_name(),
                   " model"),
               "Check that config.json and the weights are of one model.");
}

void Weights::randomize(const Context& ctx, const ModelConfig& config, uint32_t seed) {
  for (size_t i = 0; i < table_.params.size(); ++i) {
    const Param& param = table_.params[i];
    const bool value_head = head_ == Head::kValue && int(i) == table_.head;
    const float std = value_head ? 1.0f / float(config.hidden_size + 1) : float(config.initializer_range);
    set(param, [&](bf16* out) {
      uint32_t tensor = uint32_t(i) * 4;
      for (const Piece& piece : param.pieces) {
        ctx.pool->parallel_for(piece.rows, 64, [&](int64_t begin, int64_t end) {
          for (int64_t r = begin; r < end; ++r)
            for (int64_t c = 0; c < piece.cols; ++c) {
              const float x = is_norm(param)   ? 1.0f
                              : is_bias(param) ? 0.0f
                                               : std * normal(seed, tensor, uint64_t(r * piece.cols + c));
              out[element_index(layout(), param, piece, r, c)] = f32_to_bf16(x);
            }
        });
        ++tensor;
      }
    });
  }
}

void Weights::save(const std::string& dir) const {
  std::vector<TensorSpec> specs;
  for (const Param& param : table_.params)
    for (const Piece& p : param.pieces)
      specs.push_back({p.name, DType::kBf16,
                       p.vector ? std::vector<int64_t>{p.rows * p.cols} : std::vector<int64_t>{p.rows, p.cols}});
  SafetensorsWriter writer(dir, specs);
  std::vector<bf16> staging, row;
  for (const Param& param : table_.params) {
    const bf16* elements = host(param, staging);
    for (const Piece& piece : param.pieces)
      for (int64_t r = 0; r < piece.rows; ++r) {
        row.resize(size_t(piece.cols));
        for (int64_t c = 0; c < piece.cols; ++c) row[size_t(c)] = elements[element_index(layout(), param, piece, r, c)];
        writer.write(piece.name, row.data(), int64_t(row.size() * sizeof(bf16)));
      }
  }
  writer.finish();
}

}  // namespace limr
