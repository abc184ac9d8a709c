// Model::mean_hidden_states: one sequence's numbers are its own, and are those that the head reads.
#include <cmath>
#include <cstring>

#include "engine/fixture.h"

namespace limr::test {
namespace {

const std::vector<int> kLengths = {3, 17, 31, 1, 32, 33, 64, 2};

LIMR_TEST(mean_hidden_states_do_not_depend_on_neighbours_threads_or_kernels) {
  const Packed p = packed(kLengths);
  for (const char* family : kFamilies) {
    const ModelFolder folder(family);
    std::vector<float> first;
    for (const cpu::Table* isa : cpu::runnable())
      for (const int threads : {1, 3}) {
        Engine engine({.threads = threads, .isa = isa->isa});
        Model m(engine, load_options(folder, false));
        const std::string context = cat(family, " isa=", isa->isa, " threads=", threads);
        for (const int64_t max_tokens : {1, 70, 1 << 20}) {
          const std::vector<float> got = m.mean_hidden_states(p.view(), max_tokens);
          if (first.empty()) first = got;
          expect_eq(got.size(), kLengths.size() * 48, context);
          expect(std::memcmp(got.data(), first.data(), first.size() * 4) == 0,
                 cat(context, " max_tokens=", max_tokens));
        }
      }
    for (const float x : first) expect(std::isfinite(x), family);
  }
}

LIMR_TEST(logits_of_mean_hidden_states_are_mean_logits) {
  for (const char* family : kFamilies) {
    const ModelFolder folder(family);
    Engine engine({.threads = 2});
    Model m(engine, load_options(folder, false));
    const Packed p = packed({5, 40});
    const std::vector<float> hidden = m.mean_hidden_states(p.view(), 100), logits = m.logits(p.view());
    const bool tied = m.config().tie_word_embeddings;
    const Model::Tensor head =
        m.read_tensor(tied ? "model.embed_tokens.weight" : "lm_head.weight", TensorKind::kWeight);
    for (int64_t s = 0; s < 2; ++s)
      for (int64_t v = 0; v < head.rows; ++v) {
        double want = 0, got = 0, scale = 0;
        for (int32_t n = p.offsets[size_t(s)]; n < p.offsets[size_t(s) + 1]; ++n)
          want += logits[size_t(n * head.rows + v)];
        want /= p.offsets[size_t(s) + 1] - p.offsets[size_t(s)];
        for (int64_t c = 0; c < head.cols; ++c) {
          const double term = double(head.data[size_t(v * head.cols + c)]) * hidden[size_t(s * head.cols + c)];
          got += term, scale += std::fabs(term);
        }
        // f32 sums of 48 products, and the mean rounded to f32.
        expect(std::fabs(got - want) <= 1e-5 * scale, cat(family, " s=", s, " v=", v, ": ", got, " and ", want));
      }
  }
}

LIMR_TEST(mean_hidden_states_take_no_more_workspace_than_scoring) {
  const ModelFolder folder("qwen2");
  const Packed p = packed(kLengths);
  for (const Head head : {Head::kLm, Head::kValue}) {
    size_t weights = 0, whole = 0, part = 0;
    {
      Engine engine({.threads = 1});
      const Model m(engine, load_options(folder, false, head));
      weights = m.weights().bytes();
      whole = score_bytes(m.transformer(), head, p.size(), int64_t(kLengths.size()));
      part = score_bytes(m.transformer(), head, 64, int64_t(kLengths.size()));
    }
    Engine planned({.threads = 1, .memory_limit = weights + whole});
    Model fits(planned, load_options(folder, false, head));
    const std::vector<float> want = fits.mean_hidden_states(p.view(), p.size());

    Engine small({.threads = 1, .memory_limit = weights + part});
    Model tight(small, load_options(folder, false, head));
    expect_throws(Code::kMemory, [&] { tight.mean_hidden_states(p.view(), p.size()); });
    expect(tight.mean_hidden_states(p.view(), 64) == want);
  }
}

LIMR_TEST(mean_hidden_states_refuse_what_they_cannot_read) {
  const ModelFolder folder("llama");
  Engine engine({.threads = 1});
  Model m(engine, load_options(folder, false));
  const Packed p = packed({5});
  expect_throws(Code::kUsage, [&] { m.mean_hidden_states(p.view(), 0); });
  Packed wrong;
  wrong.add({101});
  expect_throws(Code::kUsage, [&] { m.mean_hidden_states(wrong.view(), 10); });
}

}  // namespace
}  // namespace limr::test
