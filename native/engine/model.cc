#include "engine/model.h"

#include <algorithm>
#include <cmath>

#include "io/file.h"
#include "io/xxhash64.h"
#include "ops/zero.h"

namespace limr {
namespace {

constexpr int64_t kFirstPositions = 1024;  // of the rotary table; it grows when a phase reaches further

std::string hash_hex(uint64_t h) {
  char text[17];
  for (int i = 15; i >= 0; --i, h >>= 4) text[i] = "0123456789abcdef"[h & 15];
  return std::string(text, 16);
}

}  // namespace

namespace {
// The device, once others have made room on it.
Device& cleared(Engine& engine, const LoadOptions& o) {
  LIMR_CHECK(!o.share_prefixes || engine.device().on_host(), kUnsupported,
             "a GPU's gradients take whole sequences, with nothing shared", "Leave --share-prompts off.");
  LIMR_CHECK(!o.take_turns || !engine.device().on_host(), kUnsupported, "models take turns on a GPU, not on the CPU");
  LIMR_CHECK(!o.take_turns || !o.trainable || o.optimizer.on_host, kUnsupported,
             "a trainable model that takes turns keeps its optimizer state in host memory");
  if (o.take_turns) {
    engine.enter(nullptr);
    engine.release_workspace();
  }
  return engine.device();
}
}  // namespace

Model::Model(Engine& engine, const LoadOptions& options)
    : engine_(engine),
      options_(options),
      config_(load_model_config(options.dir)),
      weights_(config_, options.head, cleared(engine, options)),
      rope_(config_, std::min(config_.max_position_embeddings, kFirstPositions), engine.device()),
      transformer_(config_, weights_, rope_, engine.target()) {
  size_t bytes = weights_.bytes();
  if (options.trainable)
    bytes += TrainState::gradient_bytes(weights_.table()) +
             OptimizerState::bytes(weights_.table(), options.optimizer).device;
  engine.take(bytes, "the model");
  taken_ = bytes;
  const Context ctx = engine_.context(&abort_);
  if (options.random_seed >= 0)
    weights_.randomize(ctx, config_, uint32_t(options.random_seed));
  else
    weights_.load(ctx, config_, SafetensorsSet::open(options.dir), options.value_head_seed);
  if (options.trainable) train_ = std::make_unique<TrainState>(weights_.table(), engine.device(), options.optimizer);
  if (options.take_turns) engine.add(this);
}

Model::~Model() {
  engine_.remove(this);
  engine_.give_back(taken_);
}

Context Model::begin(Use use) {
  abort_.store(false, std::memory_order_relaxed);
  if (options_.take_turns) {
    engine_.enter(this);
    bring(use);
  }
  return engine_.context(&abort_);
}

// Gradients are either resident or zero.
void Model::bring(Use use) {
  const std::lock_guard<std::mutex> lock(residency_);
  const bool gradients = use == kTraining && train_ && train_->grads.bytes() == 0;
  if (use == kInference && train_ && !has_gradients_) drop_gradients();
  if (!gradients && !weights_.parked()) return;
  engine_.release_workspace();
  if (weights_.parked()) {
    engine_.take(weights_.bytes(), "the model");
    taken_ += weights_.bytes();
    weights_.unpark();
  }
  if (gradients) {
    const size_t bytes = TrainState::gradient_bytes(weights_.table());
    engine_.take(bytes, "gradients");
    taken_ += bytes;
    train_->grads = Buffer(bytes, engine_.device());
  }
}

void Model::drop_gradients() {
  engine_.give_back(train_->grads.bytes());
  taken_ -= train_->grads.bytes();
  train_->grads = Buffer();
}

// A model whose step is not complete stays: its gradients are worth a step.
void Model::leave() {
  const std::lock_guard<std::mutex> lock(residency_);
  if (weights_.parked() || has_gradients_) return;
  if (train_) drop_gradients();
  weights_.park(changed_);
  changed_ = false;
  engine_.give_back(weights_.bytes());
  taken_ -= weights_.bytes();
}

void Model::reach(int64_t positions) {
  if (positions <= rope_.table().positions) return;
  rope_ = Rope(config_, std::min(config_.max_position_embeddings, std::max(positions, 2 * rope_.table().positions)),
               engine_.device());
}

void Model::check_trainable(const char* verb) const {
  LIMR_CHECK(train_, kState, cat(verb, " on a frozen model"), "Load it with trainable: true.");
}

void Model::zero_grad() {
  check_trainable("zeroGrad");
  zero(begin(kTraining), train_->grads.data(), train_->grads.bytes());
  has_gradients_ = false;
}

StepResult Model::step(const StepOptions& o) {
  check_trainable("step");
  const Context ctx = begin(kTraining);
  const WeightTable& t = weights_.table();
  const auto* grads = train_->grads.as<float>();
  Engine::Phase phase(engine_, OptimizerState::update_bytes(t, options_.optimizer));
  auto* partial = phase.arena().array<double>(sum_squares_partials(t.elements));
  StepResult result;
  result.grad_norm = std::sqrt(sum_squares(ctx, {grads, t.elements, partial}));
  if (!std::isfinite(result.grad_norm)) {
    result.skipped = true;
    for (const Param& p : t.params) {
      if (std::isfinite(sum_squares(ctx, {grads + p.offset, p.elements, partial}))) continue;
      result.non_finite = p.pieces[0].name;
      break;
    }
    zero_grad();
    return result;
  }
  // As DeepSpeed and torch clip: by max_norm / (norm + 1e-6), never up.
  const float scale = o.max_grad_norm > 0 ? float(std::min(1.0, o.max_grad_norm / (result.grad_norm + 1e-6))) : 1.0f;
  changed_ = true;
  train_->optimizer.update(ctx, phase.arena(), weights_, grads, scale, o);
  zero_grad();
  return result;
}

void Model::save(const std::string& dir) const {
  weights_.save(dir);
  write_text_file(join_path(dir, "config.json"), saved_config_json(config_, options_.head == Head::kValue));
}

std::string Model::layout_signature() const {
  const std::string text =
      cat(weights_.layout() == Layout::kPanels ? "panels 32x2, " : "rows, ", train_->optimizer.signature());
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
  train_->optimizer.save(file, layout_signature());
}

void Model::load_optimizer(const std::string& file) {
  check_trainable("loadOptimizer");
  train_->optimizer.load(file, layout_signature());
}

size_t Model::training_bytes() const {
  if (!train_) return 0;
  const OptimizerState::Bytes state = OptimizerState::bytes(weights_.table(), options_.optimizer);
  return TrainState::gradient_bytes(weights_.table()) + state.device + state.host;
}

std::vector<std::string> Model::tensor_names() const {
  std::vector<std::string> names;
  for (const Param& p : weights_.table().params)
    for (const Piece& piece : p.pieces) names.push_back(piece.name);
  return names;
}

std::vector<float> Model::read_elements(const Param& param, TensorKind kind) const {
  const std::lock_guard<std::mutex> lock(residency_);
  if (kind != TensorKind::kWeight && kind != TensorKind::kGrad) return train_->optimizer.read(param, weights_, kind);
  std::vector<float> out(size_t(param.elements));
  if (kind == TensorKind::kWeight) {
    std::vector<bf16> staging;
    const bf16* weight = weights_.host(param, staging);
    std::transform(weight, weight + param.elements, out.begin(), bf16_to_f32);
  } else if (train_->grads.bytes() > 0) {  // else they are zero
    engine_.device().copy_out(out.data(), train_->grads.as<float>() + param.offset, out.size() * sizeof(float));
  }
  return out;
}

Model::Tensor Model::read_tensor(const std::string& name, TensorKind kind) const {
  if (kind != TensorKind::kWeight) check_trainable("reading optimizer state");
  for (const Param& param : weights_.table().params)
    for (const Piece& piece : param.pieces) {
      if (piece.name != name) continue;
      const std::vector<float> elements = read_elements(param, kind);
      Tensor out{piece.vector ? 1 : piece.rows, piece.vector ? piece.rows * piece.cols : piece.cols, {}};
      out.data.resize(size_t(piece.rows * piece.cols));
      for (int64_t r = 0; r < piece.rows; ++r)
        for (int64_t c = 0; c < piece.cols; ++c)
          out.data[size_t(r * piece.cols + c)] = elements[size_t(element_index(weights_.layout(), param, piece, r, c))];
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
