// bench/native/bench.h - the native benchmarks: arguments, repetitions, and rows.
//
//   limr_bench [bench]... [--key value]...       limr_bench --help
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "core/context.h"
#include "core/error.h"
#include "engine/machine_probe.h"

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
  double median, mad;  // of the repetitions, in seconds
  double best;         // the smallest
};
Spread spread(std::vector<double> seconds);

// once() gives the seconds of a repetition; the first is not counted: pages are touched, branches learnt.
template <typename Once>
Spread repeat(int64_t reps, Once&& once) {
  once();
  std::vector<double> seconds;
  for (int64_t r = 0; r < reps; ++r) seconds.push_back(once());
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

// The row of a limit, in billions.
void print_rate(const char* name, const char* unit, const Context& ctx, const ProbeRate& rate, const Options& options);

}  // namespace limr::bench
