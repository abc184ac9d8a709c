// Attention on a device against the reference, and its promise: a query's output does not depend on its neighbours.
#include "ops/attention.h"

#include "fixture.h"
#include "ops/attention_fixture.h"
#include "ops/ref/attention.h"

namespace limr::test {
namespace {

// Around the edges of pages of 32 keys and of tiles of 64.
const std::vector<int64_t> kContexts{1, 31, 65, 33, 64, 130};
// See test/native/ops/attention.test.cc: probabilities and the result are rounded to bf16.
constexpr double kForwardMean = 2.5e-3, kLse = 2e-6;
// Probabilities, ds, out and dout are bf16, as on the CPU.
constexpr double kBackwardMean = 4e-3;

// Each width of tile (64, 128, 256 columns), whole and not; groups of 1 to 32.
std::vector<Heads> device_head_shapes() {
  std::vector<Heads> out{{7, 1, 64}, {4, 2, 16}, {3, 3, 128}};
  if (!small()) out.insert(out.end(), {{14, 2, 48}, {2, 1, 96}, {32, 1, 16}, {3, 1, 144}, {2, 2, 256}});
  return out;
}

// The cache as a device has it: of each page and head the keys [32][D], then the values [32][D].
std::vector<bf16> device_cache(const World& world) {
  const KvPages kv = world.kv();
  std::vector<bf16> out(world.cache.size(), bf16(0x7fc0));
  for (int64_t page = 0; page < int64_t(out.size()) / world.page_stride; ++page)
    for (int64_t head = 0; head < kv.num_kv_heads; ++head)
      for (int64_t key = 0; key < kPageKeys; ++key)
        for (int64_t d = 0; d < kv.head_dim; ++d) {
          const int64_t at = page * world.page_stride + head * kv.head_elements() + key * kv.head_dim + d;
          out[size_t(at)] = ref::key_at(kv, page * kPageKeys + key, head, d);
          out[size_t(at + kPageKeys * kv.head_dim)] = ref::value_at(kv, page * kPageKeys + key, head, d);
        }
  return out;
}

// Sequences of a call with their page tables, in device memory.
class DeviceSequences {
 public:
  explicit DeviceSequences(const std::vector<AttentionSequence>& sequences)
      : pages_(tables(sequences)), sequences_(on_device(sequences)) {
    for (const AttentionSequence& s : sequences) longest_ = std::max<int64_t>(longest_, s.length);
  }
  const AttentionSequence* data() const { return sequences_.data(); }
  int64_t longest() const { return longest_; }

 private:
  static int64_t pages_of(const AttentionSequence& s) { return (s.context + kPageKeys - 1) / kPageKeys; }
  static std::vector<int32_t> tables(const std::vector<AttentionSequence>& sequences) {
    std::vector<int32_t> out;
    for (const AttentionSequence& s : sequences) out.insert(out.end(), s.pages, s.pages + pages_of(s));
    return out;
  }
  std::vector<AttentionSequence> on_device(std::vector<AttentionSequence> sequences) const {
    const int32_t* at = pages_.data();
    for (AttentionSequence& s : sequences) s.pages = std::exchange(at, at + pages_of(s));
    return sequences;
  }

  DeviceArray<int32_t> pages_;
  DeviceArray<AttentionSequence> sequences_;
  int64_t longest_ = 0;
};

KvPages pages_at(const World& world, const DeviceArray<bf16>& cache) {
  return {cache.data(), world.page_stride, world.heads.K, world.heads.D};
}

Attended attend_device(const World& world, const std::vector<World::Part>& parts, bool with_lse = true) {
  const Call call(world, parts);
  const DeviceArray q(call.q), cache(device_cache(world));
  const DeviceSequences sequences(call.sequences);
  const auto out = device_poisoned<bf16>(call.N * world.width());
  const auto lse = device_poisoned<float>(world.heads.H * call.N);
  attention_forward(gpu(), {.out = view(out.data(), call.N, world.width()),
                            .lse = with_lse ? view(lse.data(), world.heads.H, call.N) : View{},
                            .q = view(q.data(), call.N, world.width()),
                            .kv = pages_at(world, cache),
                            .sequences = sequences.data(),
                            .num_sequences = int64_t(call.sequences.size()),
                            .scale = world.scale,
                            .longest = sequences.longest()});
  return {out.host(), lse.host()};
}

struct Gradients {
  std::vector<float> dq, dk, dv;
};
Gradients differentiate_device(const World& world, const std::vector<World::Part>& parts,
                               const std::vector<bf16>& dout) {
  const Attended forward = attend_device(world, parts);
  const Call call(world, parts);
  const int64_t N = call.N, W = world.width(), KD = world.kv_width(), H = world.heads.H;
  const DeviceArray q(call.q), cache(device_cache(world)), d(dout), out(forward.out);
  const DeviceArray lse(forward.lse);
  const DeviceSequences sequences(call.sequences);
  const auto dq = device_poisoned<float>(N * W), dk = device_poisoned<float>(N * KD),
             dv = device_poisoned<float>(N * KD);
  const auto scratch =
      device_scratch(attention_backward_scratch_bytes(gpu().target(), N, H, sequences.longest(), world.heads.D));
  attention_backward(gpu(), {.dq = view(dq.data(), N, W),
                             .dk = view(dk.data(), N, KD),
                             .dv = view(dv.data(), N, KD),
                             .dout = view(d.data(), N, W),
                             .out = view(out.data(), N, W),
                             .q = view(q.data(), N, W),
                             .lse = view(lse.data(), H, N),
                             .kv = pages_at(world, cache),
                             .sequences = sequences.data(),
                             .num_sequences = int64_t(call.sequences.size()),
                             .scale = world.scale,
                             .scratch = scratch.data(),
                             .longest = sequences.longest()});
  return {dq.host(), dk.host(), dv.host()};
}

LIMR_TEST(cuda_attention_forward_is_the_reference) {
  for (const Heads& heads : device_head_shapes()) {
    const World world(heads, kContexts, 1, 2);
    const auto [out, lse] = on_every_schedule(
        [&] {
          auto a = attend_device(world, world.whole());
          expect_bits(attend_device(world, world.whole(), false).out, a.out, cat(heads.text(), " without lse"));
          return std::tuple(a.out, a.lse);
        },
        heads.text());
    const Meant want = meant(world, world.whole());
    const double error = relative_error(widen(out), want.out);
    expect(error < kForwardMean, cat(heads.text(), " relative error ", error));
    expect_close(lse, want.lse, kLse, heads.text());
  }
}

// Promise 1: prefill in pieces, decode of one token, other neighbours, other tiles, other pages.
LIMR_TEST(cuda_attention_of_a_part_has_the_bits_of_the_whole) {
  for (const Heads& heads : device_head_shapes()) {
    const World world(heads, kContexts, 3, 4);
    const Attended whole = attend_device(world, world.whole());
    std::vector<int64_t> begin{0};
    for (const int64_t context : kContexts) begin.push_back(begin.back() + context);
    const std::vector<World::Part> parts{{5, 1, 130}, {2, 40, 50}, {3, 1, 33}, {5, 65, 129},
                                         {2, 3, 64},  {0, 1, 1},   {5, 1, 77}};
    const Attended part = attend_device(world, parts);
    const int64_t W = world.width(), N = int64_t(part.lse.size()) / heads.H, all = begin.back();
    int64_t row = 0;
    for (const World::Part& p : parts)
      for (int64_t t = p.context - p.length; t < p.context; ++t, ++row) {
        const int64_t n = begin[size_t(p.sequence)] + t;
        const std::string context = cat(heads.text(), " sequence ", p.sequence, " context ", p.context, " token ", t);
        expect_bits(std::vector(&part.out[size_t(row * W)], &part.out[size_t(row * W)] + W),
                    std::vector(&whole.out[size_t(n * W)], &whole.out[size_t(n * W)] + W), context);
        for (int64_t h = 0; h < heads.H; ++h)
          expect_bits(std::vector{part.lse[size_t(h * N + row)]}, std::vector{whole.lse[size_t(h * all + n)]}, context);
      }
    const World moved(heads, kContexts, 3, 5);
    const Attended other = attend_device(moved, moved.whole());
    expect_bits(other.out, whole.out, cat(heads.text(), " in other pages"));
    expect_bits(other.lse, whole.lse, cat(heads.text(), " in other pages"));
  }
}

LIMR_TEST(cuda_attention_is_stable_for_extreme_scores) {
  const World world({2, 1, 32}, {100}, 5, 6, [](Random& rng, int64_t n) { return normal_bf16(rng, n, 40); });
  const Attended got = attend_device(world, world.whole());
  const Meant want = meant(world, world.whole());
  expect_close(got.lse, want.lse, kLse);
  expect_close(got.out, want.out,
               4 * kBf16Rounding + 1e-3);  // as on the CPU: scores near 2000 carry an f32 error of 1e-4
}

LIMR_TEST(cuda_attention_passes_nan_on) {
  World world({2, 1, 16}, {70, 3}, 7, 8);
  world.queries[0][69 * size_t(world.width()) + 5] = 0x7fc0;  // the last token's first head
  const Attended a = attend_device(world, world.whole());
  for (int64_t n = 0; n < 73; ++n)
    for (int64_t i = 0; i < world.width(); ++i)
      expect_eq(std::isnan(bf16_to_f32(a.out[size_t(n * world.width() + i)])), n == 69 && i < world.heads.D,
                cat("n=", n, " i=", i));
  expect(std::isnan(a.lse[69]) && !std::isnan(a.lse[73 + 69]));
}

LIMR_TEST(cuda_attention_backward_is_the_reference) {
  for (const Heads& heads : device_head_shapes()) {
    const World world(heads, kContexts, 9, 10);
    const Call call(world, world.whole());
    const int64_t N = call.N, W = world.width(), KD = world.kv_width();
    Random rng(11);
    const auto dout = normal_bf16(rng, N * W);
    const auto [dq, dk, dv] = on_every_schedule(
        [&] {
          const Gradients g = differentiate_device(world, world.whole(), dout);
          return std::tuple(g.dq, g.dk, g.dv);
        },
        heads.text());
    Meant forward = meant(world, world.whole());
    auto want_dq = poisoned(N * W), want_dk = poisoned(N * KD), want_dv = poisoned(N * KD);
    ref::attention_backward({.dq = view(want_dq.data(), N, W),
                             .dk = view(want_dk.data(), N, KD),
                             .dv = view(want_dv.data(), N, KD),
                             .dout = view(dout.data(), N, W),
                             .out = view(forward.out.data(), N, W),
                             .q = view(call.q.data(), N, W),
                             .lse = view(forward.lse.data(), heads.H, N),
                             .kv = world.kv(),
                             .sequences = call.sequences.data(),
                             .num_sequences = int64_t(call.sequences.size()),
                             .scale = world.scale,
                             .scratch = nullptr});
    for (const auto& [name, got, want] :
         {std::tuple("dq", &dq, &want_dq), {"dk", &dk, &want_dk}, {"dv", &dv, &want_dv}}) {
      const double error = relative_error(*got, *want);
      expect(error < kBackwardMean, cat(heads.text(), " ", name, " relative error ", error));
    }
  }
}

LIMR_TEST(cuda_attention_backward_does_not_see_its_neighbours) {
  const Heads heads{6, 2, 64};
  const World world(heads, {65, 100, 3}, 12, 13);
  const int64_t W = world.width(), KD = world.kv_width();
  Random rng(14);
  const auto dout = normal_bf16(rng, 168 * W);
  const Gradients all = differentiate_device(world, world.whole(), dout);
  const auto rows = [](const auto& x, int64_t begin, int64_t end, int64_t width) {
    return std::vector(x.begin() + begin * width, x.begin() + end * width);
  };
  const Gradients alone = differentiate_device(world, {{1, 100, 100}}, rows(dout, 65, 165, W));
  expect_bits(alone.dq, rows(all.dq, 65, 165, W), "dq");
  expect_bits(alone.dk, rows(all.dk, 65, 165, KD), "dk");
  expect_bits(alone.dv, rows(all.dv, 65, 165, KD), "dv");
}

}  // namespace
}  // namespace limr::test
