// bench/native/bench.h - the native benchmarks: arguments, repetitions, and rows.
//
//   limr_bench [bench]... [--key value]...       limr_bench --help
#pragma once
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "core/context.h"
#include "core/error.h"

namespace limr::bench {

class Options {
 public:
  explicit Options(std::map<std::string, std::string> values) : values_(std::move(values)) {}
  bool has(const std::string& key) const { return values_.contains(key); }
  std::string text(const std::string& key, const std::string& otherwise) const;
  int64_t integer(const std::string& key, int64_t otherwise) const;
  double number(const std::string& key, double otherwise) const;
  std::vector<int64_t> integers(const std::string& key, const std::string& otherwise) const;  // "1,16,64"
  std::vector<std::string> words(const std::string& key, const std::string& otherwise) const;

 private:
  std::map<std::string, std::string> values_;
};

struct Bench {
  const char* name;
  const char* help;
  void (*run)(const Context&, const Options&);
};
std::vector<Bench>& benches();
bool add_bench(const char* name, const char* help, void (*run)(const Context&, const Options&));

struct Spread {
  double median, mad;  // of the repetitions
  double best;         // the smallest
};
Spread spread(std::vector<double> seconds);

// Seconds a call, `reps` times, each over so many calls that the clock's resolution is nothing. call(i) is told how many calls
// came before it, to rotate its inputs.
template <typename Call>
Spread repeat(int64_t reps, Call&& call) {
  using Clock = std::chrono::steady_clock;
  int64_t count = 0, inner = 1;
  const auto time = [&] {
    const auto begin = Clock::now();
    for (int64_t i = 0; i < inner; ++i) call(count++);
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  time();  // pages and branches
  for (double once = time(); once < 1e-3; once = time())
    inner = std::min<int64_t>(inner * 4, int64_t(1e-3 / once * inner) + 1);
  std::vector<double> seconds;
  for (int64_t r = 0; r < reps; ++r) seconds.push_back(time() / double(inner));
  return spread(std::move(seconds));
}

// One row: aligned columns for people, or with --json one object a line. Values are text as it is or numbers.
class Row {
 public:
  Row& text(const char* key, const std::string& value);
  Row& number(const char* key, double value, int digits = 1);
  void print(const Options& options) const;

 private:
  struct Cell {
    std::string key, value;
    bool quoted;
  };
  std::vector<Cell> cells_;
};

}  // namespace limr::bench
