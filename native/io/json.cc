#include "io/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"

namespace limr {
namespace {

// Length of the UTF-8 sequence at text[at], 0 when it is malformed (overlong, surrogate, above U+10FFFF, cut short).
size_t utf8_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) -> unsigned { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto continues = [&](size_t i) { return (byte(i) & 0xc0u) == 0x80u; };
  const unsigned first = byte(at), second = byte(at + 1);
  if (first < 0x80) return 1;
  if (first < 0xc2 || !continues(at + 1)) return 0;
  if (first < 0xe0) return 2;
  if (!continues(at + 2)) return 0;
  if (first < 0xf0) return (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ? 0 : 3;
  if (first > 0xf4 || !continues(at + 3)) return 0;
  return (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f) ? 0 : 4;
}

void append_utf8(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out += char(c);
  } else if (c < 0x800) {
    out += char(0xc0 | (c >> 6));
    out += char(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += char(0xe0 | (c >> 12));
    out += char(0x80 | ((c >> 6) & 0x3f));
    out += char(0x80 | (c & 0x3f));
  } else {
    out += char(0xf0 | (c >> 18));
    out += char(0x80 | ((c >> 12) & 0x3f));
    out += char(0x80 | ((c >> 6) & 0x3f));
    out += char(0x80 | (c & 0x3f));
  }
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& source, const JsonLimits& limits, int64_t base)
      : text_(text), source_(source), limits_(limits), base_(base) {}

  Json parse() {
    if (text_.starts_with("\xef\xbb\xbf")) fail(0, "it begins with a byte order mark", "Save it as UTF-8 without BOM.");
    Json value = parse_value(0);
    skip_space();
    if (at_ != text_.size()) fail(at_, "text after the end of the JSON value");
    return value;
  }

 private:
  [[noreturn]] void fail(size_t at, const std::string& what, const std::string& hint = "") const {
    const auto line = 1 + std::count(text_.begin(), text_.begin() + std::ptrdiff_t(at), '\n');
    throw Error(Code::kFormat,
                cat(source_, ", byte ", base_ + int64_t(at), line > 1 ? cat(" (line ", line, ")") : "", ": ", what),
                hint);
  }

  // What stands at `at_`, for messages.
  std::string found() const {
    if (at_ >= text_.size()) return "the end of the text";
    const auto c = static_cast<unsigned char>(text_[at_]);
    if (c > 0x20 && c < 0x7f) return cat("'", char(c), "'");
    constexpr char kHex[] = "0123456789abcdef";
    return cat("byte 0x", kHex[c >> 4], kHex[c & 15]);
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }

  void expect(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) fail(at_, cat("expected '", c, "', found ", found()));
    ++at_;
  }

  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  Json literal(std::string_view word, Json value) {
    if (text_.substr(at_, word.size()) != word) fail(at_, cat("expected a JSON value, found ", found()));
    at_ += word.size();
    return value;
  }

  Json parse_value(int depth) {
    skip_space();
    if (depth > limits_.depth) fail(at_, cat("nested deeper than ", limits_.depth, " levels"));
    if (++values_ > limits_.values) fail(at_, cat("more than ", limits_.values, " values"));
    switch (peek()) {
      case '{':
        return parse_object(depth);
      case '[':
        return parse_array(depth);
      case '"':
        return parse_string();
      case 't':
        return literal("true", true);
      case 'f':
        return literal("false", false);
      case 'n':
        return literal("null", nullptr);
      default:
        return parse_number();
    }
  }

  Json parse_array(int depth) {
    ++at_;
    Json::Array values;
    if (take(']')) return values;
    do values.push_back(parse_value(depth + 1));
    while (take(','));
    expect(']');
    return values;
  }

  Json parse_object(int depth) {
    ++at_;
    Json::Object members;
    std::vector<size_t> offsets;  // of the keys
    if (take('}')) return members;
    do {
      skip_space();
      if (peek() != '"') fail(at_, cat("expected a key in quotes, found ", found()));
      offsets.push_back(at_);
      std::string key = parse_string();
      expect(':');
      members.emplace_back(std::move(key), parse_value(depth + 1));
    } while (take(','));
    expect('}');
    check_unique(members, offsets);
    return members;
  }

  void check_unique(const Json::Object& members, const std::vector<size_t>& offsets) const {
    std::vector<size_t> order(members.size());
    std::iota(order.begin(), order.end(), size_t(0));
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      const int c = members[a].first.compare(members[b].first);
      return c != 0 ? c < 0 : a < b;
    });
    for (size_t i = 1; i < order.size(); ++i)
      if (members[order[i]].first == members[order[i - 1]].first)
        fail(offsets[order[i]], cat("the key ", show_json(members[order[i]].first), " occurs twice"),
             "Remove one of the two.");
  }

  std::string parse_string() {
    const size_t begin = at_++;
    std::string out;
    for (;;) {
      if (at_ >= text_.size()) fail(begin, "a string without its closing quote");
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (c == '"') {
        ++at_;
        return out;
      }
      if (c < 0x20) fail(at_, "a control character inside of a string");
      if (c == '\\') {
        parse_escape(out);
        continue;
      }
      const size_t length = utf8_length(text_, at_);
      if (length == 0) fail(at_, "invalid UTF-8");
      out.append(text_, at_, length);
      at_ += length;
    }
  }

  void parse_escape(std::string& out) {
    const size_t begin = at_++;
    const char c = peek();
    ++at_;
    constexpr std::string_view kNames = "\"\\/bfnrt", kValues = "\"\\/\b\f\n\r\t";
    if (const size_t i = kNames.find(c); c != '\0' && i != kNames.npos) {
      out += kValues[i];
      return;
    }
    if (c != 'u') fail(begin, "an unknown escape in a string");
    uint32_t code = parse_hex4(begin);
    if (code >= 0xd800 && code < 0xdc00) {
      if (text_.substr(at_, 2) != "\\u") fail(begin, "half of a surrogate pair");
      at_ += 2;
      const uint32_t low = parse_hex4(begin);
      if (low < 0xdc00 || low > 0xdfff) fail(begin, "half of a surrogate pair");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code <= 0xdfff) {
      fail(begin, "half of a surrogate pair");
    }
    append_utf8(out, code);
  }

  uint32_t parse_hex4(size_t begin) {
    uint32_t code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek();
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) fail(begin, "\\u needs four hexadecimal digits");
      code = code * 16 + uint32_t(digit);
    }
    return code;
  }

  bool skip_digits() {
    const size_t begin = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ > begin;
  }

  Json parse_number() {
    const size_t begin = at_;
    if (peek() == '-') ++at_;
    const size_t first = at_;
    if (!skip_digits()) {
      at_ = begin;
      fail(begin, cat("expected a JSON value, found ", found()));
    }
    if (text_[first] == '0' && at_ > first + 1) fail(begin, "a number with a leading zero");
    bool integer = true;
    if (peek() == '.') {
      integer = false;
      ++at_;
      if (!skip_digits()) fail(begin, "a number without digits after its point");
    }
    if (peek() == 'e' || peek() == 'E') {
      integer = false;
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (!skip_digits()) fail(begin, "a number without digits in its exponent");
    }
    const char *from = text_.data() + begin, *to = text_.data() + at_;
    int64_t whole = 0;
    if (integer && std::from_chars(from, to, whole).ec == std::errc() && (whole != 0 || *from != '-')) return whole;
    double value = 0;  // also of -0, and of integers beyond int64
    if (std::from_chars(from, to, value).ec != std::errc() || !std::isfinite(value))
      fail(begin, "a number beyond the range of a double");
    return value;
  }

  const std::string_view text_;
  const std::string& source_;
  const JsonLimits limits_;
  const int64_t base_;
  size_t at_ = 0;
  int64_t values_ = 0;
};

// Writes until `limit` bytes are reached; nothing but messages limits it.
class Dumper {
 public:
  Dumper(int indent, size_t limit) : indent_(indent), limit_(limit) {}

  void dump(const Json& value, int level) {
    if (out.size() > limit_) return;
    switch (value.type()) {
      case Json::Type::kNull:
        out += "null";
        return;
      case Json::Type::kBool:
        out += value.as_bool() ? "true" : "false";
        return;
      case Json::Type::kInt:
        out += std::to_string(value.as_int());
        return;
      case Json::Type::kDouble:
        dump_double(value.as_number());
        return;
      case Json::Type::kString:
        dump_string(value.as_string());
        return;
      case Json::Type::kArray: {
        const auto& values = value.as_array();
        dump_all('[', ']', values.size(), level, [&](size_t i) { dump(values[i], level + 1); });
        return;
      }
      case Json::Type::kObject: {
        const auto& members = value.as_object();
        dump_all('{', '}', members.size(), level, [&](size_t i) {
          dump_string(members[i].first);
          out += indent_ ? ": " : ":";
          dump(members[i].second, level + 1);
        });
        return;
      }
    }
  }

  std::string out;

 private:
  template <typename Item>
  void dump_all(char open, char close, size_t count, int level, const Item& item) {
    out += open;
    for (size_t i = 0; i < count && out.size() <= limit_; ++i) {
      if (i) out += ',';
      new_line(level + 1);
      item(i);
    }
    if (count) new_line(level);
    out += close;
  }

  void new_line(int level) {
    if (indent_) out.append(1, '\n').append(size_t(level * indent_), ' ');
  }

  void dump_double(double value) {
    LIMR_CHECK(std::isfinite(value), kInternal, "JSON has no NaN and no infinity");
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    const std::string_view digits(text, size_t(end - text));
    out += digits;
    if (digits.find_first_of(".e") == digits.npos) out += ".0";  // else it would be read as an integer
  }

  void dump_string(std::string_view text) {
    out += '"';
    for (size_t i = 0; i < text.size() && out.size() <= limit_;) {
      const auto c = static_cast<unsigned char>(text[i]);
      if (c == '"' || c == '\\') {
        out += '\\';
        out += char(c);
        ++i;
      } else if (c < 0x20 || c == 0x7f) {
        constexpr char kHex[] = "0123456789abcdef";
        const char* name = c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t" : nullptr;
        if (name) {
          out += name;
        } else {
          out += "\\u00";
          out += kHex[c >> 4];
          out += kHex[c & 15];
        }
        ++i;
      } else {
        const size_t length = utf8_length(text, i);
        LIMR_CHECK(length != 0, kInternal, "a string for JSON is not valid UTF-8");
        out.append(text, i, length);
        i += length;
      }
    }
    out += '"';
  }

  const int indent_;
  const size_t limit_;
};

}  // namespace

bool Json::as_bool() const {
  LIMR_ASSERT(is_bool());
  return std::get<bool>(value_);
}

int64_t Json::as_int() const {
  LIMR_ASSERT(is_int());
  return std::get<int64_t>(value_);
}

double Json::as_number() const {
  LIMR_ASSERT(is_number());
  return is_int() ? double(std::get<int64_t>(value_)) : std::get<double>(value_);
}

const std::string& Json::as_string() const {
  LIMR_ASSERT(is_string());
  return std::get<std::string>(value_);
}

const Json::Array& Json::as_array() const {
  LIMR_ASSERT(is_array());
  return std::get<Array>(value_);
}

const Json::Object& Json::as_object() const {
  LIMR_ASSERT(is_object());
  return std::get<Object>(value_);
}

Json::Array& Json::as_array() {
  LIMR_ASSERT(is_array());
  return std::get<Array>(value_);
}

Json::Object& Json::as_object() {
  LIMR_ASSERT(is_object());
  return std::get<Object>(value_);
}

const Json* Json::find(std::string_view key) const {
  for (const auto& [name, value] : as_object())
    if (name == key) return &value;
  return nullptr;
}

void Json::set(std::string_view key, Json value) {
  for (auto& [name, old] : as_object())
    if (name == key) {
      old = std::move(value);
      return;
    }
  as_object().emplace_back(std::string(key), std::move(value));
}

const char* Json::type_name() const {
  static constexpr const char* kNames[] = {"null", "boolean", "integer", "number", "string", "array", "object"};
  return kNames[value_.index()];
}

Json parse_json(std::string_view text, const std::string& source, const JsonLimits& limits, int64_t base) {
  return Parser(text, source, limits, base).parse();
}

std::string dump_json(const Json& value, int indent) {
  Dumper dumper(indent, std::numeric_limits<size_t>::max());
  dumper.dump(value, 0);
  return std::move(dumper.out);
}

std::string show_json(const Json& value, size_t max_chars) {
  Dumper dumper(0, max_chars);
  dumper.dump(value, 0);
  std::string text = std::move(dumper.out);
  if (text.size() <= max_chars) return text;
  size_t cut = max_chars;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0u) == 0x80u) --cut;  // not inside of a character
  return text.substr(0, cut) + "...";
}

}  // namespace limr
