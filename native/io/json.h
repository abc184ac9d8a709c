// native/io/json.h - a small strict JSON reader (RFC 8259) and writer.
//
// Strict: UTF-8 without BOM, no comments, no trailing commas, no NaN or Infinity, no text after the value, and a key
// that occurs twice in an object is an error. Integers that fit int64 stay exact; every other number is the nearest
// double. Object members keep their order. Depth and number of values are limited, so that no input, however hostile,
// takes more than a bounded amount of stack and memory.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace limr {

class Json {
 public:
  enum class Type { kNull, kBool, kInt, kDouble, kString, kArray, kObject };
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  Json() = default;  // null
  Json(std::nullptr_t) {}
  Json(double value) : value_(value) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}
  template <typename T>
    requires std::is_same_v<T, bool>
  Json(T value) : value_(value) {}
  template <typename T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool> && (std::is_signed_v<T> || sizeof(T) < 8))
  Json(T value) : value_(int64_t(value)) {}

  Type type() const { return Type(value_.index()); }
  bool is_null() const { return type() == Type::kNull; }
  bool is_bool() const { return type() == Type::kBool; }
  bool is_int() const { return type() == Type::kInt; }  // written without fraction and exponent, and fits int64
  bool is_number() const { return is_int() || type() == Type::kDouble; }
  bool is_string() const { return type() == Type::kString; }
  bool is_array() const { return type() == Type::kArray; }
  bool is_object() const { return type() == Type::kObject; }

  // The caller has asked for the type first; a value of another type is kInternal.
  bool as_bool() const;
  int64_t as_int() const;
  double as_number() const;
  const std::string& as_string() const;
  const Array& as_array() const;
  const Object& as_object() const;
  Array& as_array();
  Object& as_object();

  // Member of an object, null if there is none. Linear.
  const Json* find(std::string_view key) const;
  // Replaces a member in its place, or appends it.
  void set(std::string_view key, Json value);

  // "null", "boolean", "integer", "number", "string", "array" or "object", for messages.
  const char* type_name() const;

  bool operator==(const Json&) const = default;

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> value_;
};

struct JsonLimits {
  int depth = 64;                    // nested arrays and objects
  int64_t values = 4 * 1024 * 1024;  // 40 bytes each
};

// `source` names the text in messages, e.g. its path; `base` is added to the byte offsets they give.
// Throws kFormat: "<source>, byte <offset>: <what is wrong>".
Json parse_json(std::string_view text, const std::string& source, const JsonLimits& limits = {}, int64_t base = 0);

// Valid JSON that parses to an equal value: doubles in their shortest exact form, always with a point or an exponent.
// indent = 0 writes one line without spaces. A NaN, an infinity or invalid UTF-8 is kInternal.
std::string dump_json(const Json& value, int indent = 0);

// A value for a message: dumped, and cut after `max_chars`.
std::string show_json(const Json& value, size_t max_chars = 80);

}  // namespace limr
