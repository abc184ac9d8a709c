#include "engine/model.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "io/blob.h"
#include "io/file.h"
#include "ops/adamw.h"

namespace limr {
namespace {

constexpr int64_t kFirstPositions = 1024;  // of the rotary table; it grows when a phase reaches further

std::string hash_hex(uint64_t h) {
  char text[17];
  for (int i = 15; i >= 0; --i, h >>= 4) text[i] = "0123456789abcdef"[h & 15];
  return std::string(text, 16);
}

}  // namespace

TrainState::TrainState(int64_t elements)
    : grads(size_t(elements) * 4),
      remainder(size_t(elements) * 2),
      exp_avg(size_t(elements) * 4),
      exp_avg_sq(size_t(elements) * 4) {}

Model::Model(Engine& engine, const LoadOptions& options)
    : engine_(engine),
      options_(options),
      config_(load_model_config(options.dir)),
      weights_(config_, options.head),
      rope_(config_, std::min(config_.max_position_embeddings, kFirstPositions)),
      transformer_(config_, weights_, rope_) {
  const size_t bytes =
      weights_.bytes() + (options.trainable ? TrainState::gradient_bytes(weights_.table().elements) +
                                                  TrainState::optimizer_bytes(weights_.table().elements)
                                            : 0);
  engine.take(bytes, "the model");
  taken_ = bytes;
  const Context ctx = begin();
  if (options.random_seed >= 0)
    weights_.randomize(ctx, config_, uint32_t(options.random_seed));
  else
    weights_.load(ctx, config_, SafetensorsSet::open(options.dir), options.value_head_seed);
  if (options.trainable) train_ = std::make_unique<TrainState>(weights_.table().elements);
}

Model::~Model() { engine_.give_back(taken_); }

Context Model::begin() {
  abort_.store(false, std::memory_order_relaxed);
  return engine_.context(&abort_);
}

void Model::reach(int64_t positions) {
  if (positions <= rope_.table().positions) return;
  rope_ = Rope(config_, std::min(config_.max_position_embeddings, std::max(positions, 2 * rope_.table().positions)));
}

void Model::check_trainable(const char* verb) const {
  LIMR_CHECK(train_, kState, cat(verb, " on a frozen model"), "Load it with trainable: true.");
}

void Model::zero_grad() {
  check_trainable("zeroGrad");
  const Context ctx = begin();
  auto* grads = train_->grads.as<float>();
  ctx.pool->parallel_for(weights_.table().elements, 1 << 16,
                         [&](int64_t b, int64_t e) { std::memset(grads + b, 0, size_t(e - b) * 4); });
}

StepResult Model::step(const StepOptions& o) {
  check_trainable("step");
  const Context ctx = begin();
  const WeightTable& t = weights_.table();
  TrainState& s = *train_;
  std::vector<double> partial(size_t((t.elements + kSumBlock - 1) / kSumBlock));
  StepResult result;
  result.grad_norm = std::sqrt(sum_squares(ctx, {s.grads.as<float>(), t.elements, partial.data()}));
  if (!std::isfinite(result.grad_norm)) {
    result.skipped = true;
    for (const Param& p : t.params) {
      const double sum = sum_squares(ctx, {s.grads.as<float>() + p.offset, p.elements, partial.data()});
      if (std::isfinite(sum)) continue;
      result.non_finite = p.pieces[0].name;
      break;
    }
    zero_grad();
    return result;
  }
  // As DeepSpeed and torch clip: by max_norm / (norm + 1e-6), never up.
  const float scale = o.max_grad_norm > 0 ? float(std::min(1.0, o.max_grad_norm / (result.grad_norm + 1e-6))) : 1.0f;
  ++s.step;
  for (const Param& p : t.params)
    adamw(ctx, {.weight = weights_.data() + p.offset,
                .remainder = s.remainder.as<uint16_t>() + p.offset,
                .exp_avg = {s.exp_avg.as<float>() + p.offset},
                .exp_avg_sq = {s.exp_avg_sq.as<float>() + p.offset},
                .grad = s.grads.as<float>() + p.offset,
                .n = p.elements,
                .grad_scale = scale,
                .lr = o.learning_rate,
                .beta1 = o.beta1,
                .beta2 = o.beta2,
                .eps = o.eps,
                .weight_decay = p.decay ? o.weight_decay : 0,
                .step = s.step});
  zero_grad();
  return result;
}

void Model::save(const std::string& dir) const {
  weights_.save(dir);
  write_text_file(join_path(dir, "config.json"), saved_config_json(config_, options_.head == Head::kValue));
}

std::string Model::layout_signature() const {
  std::string text = cat("panels 32x2, fp32 master as bf16 + 16 bits, AdamW f32;");
  XxHash64 hash;
  for (const Param& p : weights_.table().params)
    for (const Piece& piece : p.pieces) {
      const std::string line = cat(piece.name, " ", piece.rows, " ", piece.cols, " ", p.offset, "\n");
      hash.update(line.data(), line.size());
    }
  return cat(text, " ", weights_.table().elements, " elements, table ", hash_hex(hash.digest()));
}

void Model::save_optimizer(const std::string& file) const {
  check_trainable("saveOptimizer");
  const int64_t n = weights_.table().elements;
  BlobWriter writer(
      file, {layout_signature(), train_->step, {{"remainder", n * 2}, {"exp_avg", n * 4}, {"exp_avg_sq", n * 4}}});
  writer.write("remainder", train_->remainder.data(), n * 2);
  writer.write("exp_avg", train_->exp_avg.data(), n * 4);
  writer.write("exp_avg_sq", train_->exp_avg_sq.data(), n * 4);
  writer.finish();
}

void Model::load_optimizer(const std::string& file) {
  check_trainable("loadOptimizer");
  BlobReader reader(file);
  reader.expect_signature(layout_signature());
  reader.verify();  // before anything is overwritten
  const int64_t n = weights_.table().elements;
  reader.read("remainder", train_->remainder.data(), n * 2);
  reader.read("exp_avg", train_->exp_avg.data(), n * 4);
  reader.read("exp_avg_sq", train_->exp_avg_sq.data(), n * 4);
  train_->step = reader.header().step;
}

std::vector<std::string> Model::tensor_names() const {
  std::vector<std::string> names;
  for (const Param& p : weights_.table().params)
    for (const Piece& piece : p.pieces) names.push_back(piece.name);
  return names;
}

Model::Tensor Model::read_tensor(const std::string& name, TensorKind kind) const {
  if (kind != TensorKind::kWeight) check_trainable("reading optimizer state");
  for (const Param& param : weights_.table().params)
    for (const Piece& piece : param.pieces) {
      if (piece.name != name) continue;
      Tensor out{piece.vector ? 1 : piece.rows, piece.vector ? piece.rows * piece.cols : piece.cols, {}};
      out.data.resize(size_t(piece.rows * piece.cols));
      for (int64_t r = 0; r < piece.rows; ++r)
        unpack_piece(param, piece, r, out.data.data() + r * piece.cols, [&](int64_t i) {
          if (kind == TensorKind::kWeight) return bf16_to_f32(weights_.data()[i]);
          if (kind == TensorKind::kMaster) return join_master(weights_.data()[i], train_->remainder.as<uint16_t>()[i]);
          const Buffer& b = kind == TensorKind::kGrad     ? train_->grads
                            : kind == TensorKind::kExpAvg ? train_->exp_avg
                                                          : train_->exp_avg_sq;
          return b.as<float>()[i];
        });
      return out;
    }
  throw Error(Code::kUsage, cat("no tensor is called ", name));
}

void Model::set_token_bytes(std::string bytes, std::vector<int32_t> offsets) {
  LIMR_CHECK(!offsets.empty() && offsets.front() == 0 && offsets.back() == int32_t(bytes.size()) &&
                 std::is_sorted(offsets.begin(), offsets.end()),
             kUsage, "token byte offsets must rise from 0 to the number of bytes");
  token_bytes_ = std::move(bytes);
  token_offsets_ = std::move(offsets);
}

std::string_view Model::token_bytes(int32_t token) const {
  if (size_t(token) + 1 >= token_offsets_.size()) return {};  // a padding row of the embedding stands for no text
  const size_t begin = size_t(token_offsets_[size_t(token)]);
  return std::string_view(token_bytes_).substr(begin, size_t(token_offsets_[size_t(token) + 1]) - begin);
}

}  // namespace limr
