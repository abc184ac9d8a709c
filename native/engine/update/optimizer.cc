#include "engine/update/optimizer.h"

#include <algorithm>
#include <cmath>

#include "engine/update/streamed.h"

namespace limr {
namespace {

int64_t moment_blocks(const Param& p) { return (p.elements + kMomentBlock - 1) / kMomentBlock; }

int64_t moment_blocks(const WeightTable& t) {
  int64_t blocks = 0;
  for (const Param& p : t.params) blocks += moment_blocks(p);
  return blocks;
}

const char* format_name(MomentFormat f) {
  return f == MomentFormat::kF32 ? "f32" : f == MomentFormat::kBf16 ? "bf16" : "8-bit codes of 256";
}

// `count` elements from `first` on, of pinned or device memory, where the host can read them.
template <typename T>
const T* elements(Device& device, bool pinned, const Buffer& buffer, int64_t first, int64_t count,
                  std::vector<T>& staging) {
  return pinned ? buffer.as<T>() + first : on_host(device, buffer.as<T>() + first, count, staging);
}

}  // namespace

OptimizerState::OptimizerState(const WeightTable& table, Device& device, const OptimizerOptions& options)
    : table_(table), device_(device), options_(options) {
  LIMR_CHECK(!device.on_host() || (options.moments == MomentFormat::kF32 && !options.on_host), kUnsupported,
             "the CPU keeps its optimizer state in f32, in its own memory",
             "Leave the optimizer's moments and place alone, or train on a GPU.");
  const auto n = size_t(table.elements), width = size_t(moment_bytes(options.moments));
  const Buffer::Place place = options.on_host ? Buffer::kPinned : Buffer::kOnDevice;
  remainder_ = Buffer(n * sizeof(uint16_t), device, place);
  exp_avg_ = Buffer(n * width, device, place);
  exp_avg_sq_ = Buffer(n * width, device, place);
  if (options.moments != MomentFormat::kCode8) return;
  int64_t blocks = 0;
  for (const Param& p : table.params) {
    first_block_.push_back(blocks);
    blocks += moment_blocks(p);
  }
  exp_avg_scale_ = Buffer(size_t(blocks) * sizeof(float), device);
  exp_avg_sq_scale_ = Buffer(size_t(blocks) * sizeof(float), device);
  std::vector<float> codes;
  for (const bool with_sign : {true, false})
    for (const float x : dynamic_codebook(with_sign)) codes.push_back(x);
  codebooks_ = Buffer(codes.size() * sizeof(float), device);
  device.copy_in(codebooks_.data(), codes.data(), codebooks_.bytes());
}

OptimizerState::Bytes OptimizerState::bytes(const WeightTable& t, const OptimizerOptions& options) {
  const size_t state = size_t(t.elements) * size_t(2 + 2 * moment_bytes(options.moments));
  const size_t scales = options.moments == MomentFormat::kCode8 ? size_t(moment_blocks(t) * 8 + 2048) : 0;
  return {(options.on_host ? 0 : state) + scales, options.on_host ? state : 0};
}

size_t OptimizerState::update_bytes(const WeightTable& t, const OptimizerOptions& options) {
  Arena plan = Arena::planner();
  plan.array<double>(sum_squares_partials(t.elements));
  if (options.on_host) StreamedState::plan(plan, options.moments);
  return plan.peak();
}

AdamW OptimizerState::op(size_t p, int64_t begin, int64_t n, const Weights& weights, const float* grads, float scale,
                         const StepOptions& o) const {
  const Param& param = table_.params[p];
  const int64_t at = param.offset + begin, width = moment_bytes(options_.moments);
  const bool codes = options_.moments == MomentFormat::kCode8;
  const int64_t block = codes ? first_block_[p] + begin / kMomentBlock : 0;
  return {.weight = weights.data() + at,
          .remainder = remainder_.as<uint16_t>() + at,
          .exp_avg = {exp_avg_.as<char>() + at * width, codes ? exp_avg_scale_.as<float>() + block : nullptr},
          .exp_avg_sq = {exp_avg_sq_.as<char>() + at * width, codes ? exp_avg_sq_scale_.as<float>() + block : nullptr},
          .format = options_.moments,
          .codebooks = codebooks_.as<float>(),
          .grad = grads + at,
          .n = n,
          .grad_scale = scale,
          .lr = o.learning_rate,
          .beta1 = o.beta1,
          .beta2 = o.beta2,
          .eps = o.eps,
          .weight_decay = param.decay ? o.weight_decay : 0,
          .step = step_};
}

void OptimizerState::update(const Context& ctx, Arena& arena, const Weights& weights, const float* grads, float scale,
                            const StepOptions& options) {
  ++step_;
  if (options_.on_host) return stream(ctx, arena, weights, grads, scale, options);
  for (size_t p = 0; p < table_.params.size(); ++p)
    adamw(ctx, op(p, 0, table_.params[p].elements, weights, grads, scale, options));
}

void OptimizerState::stream(const Context& ctx, Arena& arena, const Weights& weights, const float* grads, float scale,
                            const StepOptions& options) {
  StreamedState streamed(ctx, arena, options_.moments);
  for (size_t p = 0; p < table_.params.size(); ++p)
    for (int64_t begin = 0; begin < table_.params[p].elements; begin += StreamedState::kPiece) {
      const int64_t n = std::min(StreamedState::kPiece, table_.params[p].elements - begin);
      streamed.update(op(p, begin, n, weights, grads, scale, options));
    }
  streamed.finish();
}

std::vector<float> OptimizerState::read(const Param& param, const Weights& weights, TensorKind kind) const {
  const auto n = size_t(param.elements);
  std::vector<float> out(n);
  if (kind == TensorKind::kMaster) {
    std::vector<bf16> upper;
    std::vector<uint16_t> lower;
    const bf16* weight = weights.host(param, upper);
    const uint16_t* remainder = elements(device_, options_.on_host, remainder_, param.offset, param.elements, lower);
    for (size_t i = 0; i < n; ++i) out[i] = join_master(weight[i], remainder[i]);
    return out;
  }
  const bool first = kind == TensorKind::kExpAvg;
  const Buffer& moment = first ? exp_avg_ : exp_avg_sq_;
  if (options_.moments == MomentFormat::kF32) {
    std::vector<float> staging;
    const float* x = elements(device_, options_.on_host, moment, param.offset, param.elements, staging);
    std::copy(x, x + n, out.begin());
  } else if (options_.moments == MomentFormat::kBf16) {
    std::vector<bf16> staging;
    const bf16* x = elements(device_, options_.on_host, moment, param.offset, param.elements, staging);
    std::transform(x, x + n, out.begin(), bf16_to_f32);
  } else {
    std::vector<uint8_t> staging;
    std::vector<float> scales;
    const uint8_t* code = elements(device_, options_.on_host, moment, param.offset, param.elements, staging);
    const auto p = size_t(&param - table_.params.data());
    const float* scale = elements(device_, false, first ? exp_avg_scale_ : exp_avg_sq_scale_, first_block_[p],
                                  moment_blocks(param), scales);
    const std::array<float, 256> codes = dynamic_codebook(first);
    for (size_t i = 0; i < n; ++i) out[i] = codes[code[i]] * scale[i / size_t(kMomentBlock)];
  }
  return out;
}

std::string OptimizerState::signature() const {
  return cat("fp32 master as bf16 + 16 bits, AdamW ", format_name(options_.moments), ";");
}

std::vector<OptimizerState::Section> OptimizerState::sections() const {
  std::vector<Section> all{{"remainder", &remainder_}, {"exp_avg", &exp_avg_}, {"exp_avg_sq", &exp_avg_sq_}};
  if (options_.moments == MomentFormat::kCode8) {
    all.push_back({"exp_avg_scale", &exp_avg_scale_});
    all.push_back({"exp_avg_sq_scale", &exp_avg_sq_scale_});
  }
  return all;
}

namespace {
constexpr int64_t kSavePiece = int64_t(64) << 20;  // bytes that a save or load keeps of a device's state
}

void OptimizerState::save(const std::string& file, const std::string& signature) const {
  BlobHeader header{signature, step_, {}};
  for (const Section& s : sections()) header.sections.push_back({s.name, int64_t(s.buffer->bytes())});
  BlobWriter writer(file, header);
  std::vector<char> staging;
  for (const Section& s : sections()) {
    const auto bytes = int64_t(s.buffer->bytes()), piece = device_.on_host() ? bytes : kSavePiece;
    for (int64_t at = 0; at < bytes; at += piece) {
      const int64_t n = std::min(piece, bytes - at);
      writer.write(s.name, elements(device_, s.buffer->pinned(), *s.buffer, at, n, staging), n);
    }
  }
  writer.finish();
}

void OptimizerState::load(const std::string& file, const std::string& signature) {
  BlobReader reader(file);
  reader.expect_signature(signature);
  reader.verify();  // before anything is overwritten
  std::vector<char> staging;
  for (const Section& s : sections()) {
    const auto bytes = int64_t(s.buffer->bytes());
    if (device_.on_host() || s.buffer->pinned()) {
      reader.read(s.name, s.buffer->data(), bytes);
      continue;
    }
    for (int64_t at = 0; at < bytes; at += kSavePiece) {
      const int64_t n = std::min(kSavePiece, bytes - at);
      staging.resize(size_t(n));
      reader.read(s.name, staging.data(), n);
      device_.copy_in(s.buffer->as<char>() + at, staging.data(), size_t(n));
    }
  }
  step_ = reader.header().step;
}

}  // namespace limr
