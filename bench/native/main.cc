#include <sstream>

#include "bench.h"
#include "core/machine.h"
#include "ops/cpu/table.h"

namespace limr::bench {

std::vector<Bench>& benches() {
  static std::vector<Bench> all;
  return all;
}
bool add_bench(const char* name, const char* help, void (*run)(const Context&, const Options&)) {
  benches().push_back({name, help, run});
  return true;
}

std::string Options::text(const std::string& key, const std::string& otherwise) const {
  const auto found = values_.find(key);
  return found == values_.end() ? otherwise : found->second;
}
double Options::number(const std::string& key, double otherwise) const {
  if (!has(key)) return otherwise;
  const std::string value = text(key, "");
  size_t used = 0;
  double number = 0;
  try {
    number = std::stod(value, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  LIMR_CHECK(used == value.size() && used > 0, kUsage, cat("--", key, " ", value, " is not a number"));
  return number;
}
int64_t Options::integer(const std::string& key, int64_t otherwise) const {
  const double value = number(key, double(otherwise));
  LIMR_CHECK(value == std::floor(value) && value >= 0, kUsage, cat("--", key, " ", value, " is not a count"));
  return int64_t(value);
}
std::vector<std::string> Options::words(const std::string& key, const std::string& otherwise) const {
  std::vector<std::string> out;
  std::istringstream in(text(key, otherwise));
  for (std::string word; std::getline(in, word, ',');)
    if (!word.empty()) out.push_back(word);
  return out;
}
std::vector<int64_t> Options::integers(const std::string& key, const std::string& otherwise) const {
  std::vector<int64_t> out;
  for (const std::string& word : words(key, otherwise)) {
    const std::map<std::string, std::string> one{{key, word}};
    out.push_back(Options(one).integer(key, 0));
  }
  return out;
}

Spread spread(std::vector<double> seconds) {
  const auto middle = [](std::vector<double>& x) {
    std::sort(x.begin(), x.end());
    return x.size() % 2 ? x[x.size() / 2] : (x[x.size() / 2 - 1] + x[x.size() / 2]) / 2;
  };
  const double median = middle(seconds), best = seconds.front();
  for (double& s : seconds) s = std::abs(s - median);
  return {median, middle(seconds), best};
}

Row& Row::text(const char* key, const std::string& value) {
  cells_.push_back({key, value, true});
  return *this;
}
Row& Row::number(const char* key, double value, int digits) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*f", digits, value);
  cells_.push_back({key, buffer, false});
  return *this;
}
void Row::print(const Options& options) const {
  std::string line;
  for (const Cell& c : cells_) {
    if (options.has("json")) {
      const char* quote = c.quoted ? "\"" : "";
      line += cat(line.empty() ? "{" : ",", "\"", c.key, "\":", quote, c.value, quote);
    } else {
      line +=
          cat(c.key, " ", std::string(c.value.size() < 8 && !c.quoted ? 8 - c.value.size() : 0, ' '), c.value, "  ");
    }
  }
  std::printf("%s%s\n", line.c_str(), options.has("json") ? "}" : "");
  std::fflush(stdout);
}

void print_rate(const char* name, const char* unit, const Context& ctx, const ProbeRate& rate, const Options& options) {
  Row()
      .text("bench", name)
      .text("isa", ctx.cpu->isa)
      .number("threads", ctx.pool->size(), 0)
      .number(unit, rate.best / 1e9)
      .number("median", rate.median / 1e9)
      .number("slices", rate.slices, 0)
      .print(options);
}

}  // namespace limr::bench

namespace {

using namespace limr;
using namespace limr::bench;

void print_help() {
  std::printf("limr_bench [bench]... [--threads N] [--isa NAME] [--json] [--key value]...   (no bench: all)\n\n");
  for (const Bench& b : benches()) std::printf("%s\n%s\n", b.name, b.help);
}

int run(int argc, char** argv) {
  std::map<std::string, std::string> values;
  std::vector<std::string> names;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.rfind("--", 0) != 0) {
      names.push_back(word);
    } else if (word == "--json" || word == "--hot" || word == "--small" || word == "--help") {
      values[word.substr(2)] = "";
    } else {
      LIMR_CHECK(i + 1 < argc, kUsage, cat(word, " needs a value"));
      values[word.substr(2)] = argv[++i];
    }
  }
  const Options options(values);
  if (options.has("help")) return print_help(), 0;
  for (const std::string& name : names)
    LIMR_CHECK(std::any_of(benches().begin(), benches().end(), [&](const Bench& b) { return b.name == name; }), kUsage,
               cat("no bench is called ", name), "limr_bench --help lists them.");
  for (const int64_t threads : options.integers("threads", std::to_string(available_cpus()))) {
    LIMR_CHECK(threads >= 1, kUsage, "--threads 0");
    ThreadPool pool{int(threads)};
    for (const std::string& isa : options.words("isa", cpu::table("")->isa)) {
      const Context ctx{.pool = &pool, .cpu = cpu::table(isa)};
      for (const Bench& b : benches())
        if (names.empty() || std::find(names.begin(), names.end(), b.name) != names.end()) b.run(ctx, options);
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const Error& e) {
    std::fprintf(stderr, "limr_bench: %s [%s]\n", e.message().c_str(), code_name(e.code()));
    if (!e.hint().empty()) std::fprintf(stderr, "fix: %s\n", e.hint().c_str());
    return e.code() == Code::kUsage ? 2 : 1;
  }
}
