#include "io/json.h"

#include <random>

#include "test.h"

namespace limr::test {
namespace {

Json parse(std::string_view text) { return parse_json(text, "a.json"); }

LIMR_TEST(json_reads_every_kind_of_value) {
  const Json json =
      parse(R"( {"n": null, "t": true, "f": false, "i": -12, "d": 1.5e-3, "s": "x", "a": [1, []], "o": {}} )");
  expect(json.find("n")->is_null() && json.find("t")->as_bool() && !json.find("f")->as_bool());
  expect_eq(json.find("i")->as_int(), int64_t(-12));
  expect_eq(json.find("d")->as_number(), 1.5e-3);
  expect_eq(json.find("s")->as_string(), "x");
  expect_eq(json.find("a")->as_array().size(), size_t(2));
  expect(json.find("o")->as_object().empty() && json.find("absent") == nullptr);
  expect_eq(std::string(json.find("i")->type_name()) + json.find("d")->type_name(), "integernumber");
}

LIMR_TEST(json_numbers_are_exact) {
  expect_eq(parse("9223372036854775807").as_int(), std::numeric_limits<int64_t>::max());
  expect_eq(parse("-9223372036854775808").as_int(), std::numeric_limits<int64_t>::min());
  expect(!parse("9223372036854775808").is_int(), "beyond int64, so a double");
  expect_eq(parse("9223372036854775808").as_number(), 0x1p63);
  expect_eq(parse("0.1").as_number(), 0.1);
  expect_eq(parse("5e-324").as_number(), 5e-324);
  expect_eq(parse("1.7976931348623157e308").as_number(), std::numeric_limits<double>::max());
  expect(std::signbit(parse("-0").as_number()) && !parse("-0").is_int() && parse("0").is_int());
}

LIMR_TEST(json_strings_decode_escapes_and_utf8) {
  expect_eq(parse(R"("\"\\\/\b\f\n\r\t")").as_string(), "\"\\/\b\f\n\r\t");
  expect_eq(parse(R"("\u00e9\u20ac\ud83d\ude00\u0000")").as_string(), std::string("é€😀\0", 10));
  expect_eq(parse("\"é€😀\"").as_string(), "é€😀");
}

LIMR_TEST(json_refuses_what_the_grammar_does_not_have) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"", "found the end of the text"},
      {"nul", "expected a JSON value, found 'n'"},
      {"NaN", "found 'N'"},
      {"-Infinity", "found '-'"},
      {"{\"a\":1,}", "expected a key in quotes, found '}'"},
      {"[1,]", "found ']'"},
      {"[1 2]", "expected ']', found '2'"},
      {"{\"a\" 1}", "expected ':', found '1'"},
      {"{a:1}", "expected a key in quotes"},
      {"{\"a\":1", "expected '}', found the end"},
      {"1 1", "byte 2: text after the end"},
      {"01", "leading zero"},
      {"1.", "after its point"},
      {".5", "found '.'"},
      {"1e", "in its exponent"},
      {"1e999", "beyond the range of a double"},
      {"-", "found '-'"},
      {"+1", "found '+'"},
      {"// c\n1", "found '/'"},
      {"\"abc", "without its closing quote"},
      {"\"a\nb\"", "control character"},
      {"\"\\x\"", "unknown escape"},
      {"\"\\u12g4\"", "four hexadecimal digits"},
      {"\"\\ud800\"", "half of a surrogate pair"},
      {"\"\\ud800\\u0041\"", "half of a surrogate pair"},
      {"\"\\udc00\"", "half of a surrogate pair"},
      {"\"\xff\"", "byte 1: invalid UTF-8"},
      {"\"\xc0\x80\"", "invalid UTF-8"},          // overlong
      {"\"\xe0\x80\x80\"", "invalid UTF-8"},      // overlong
      {"\"\xed\xa0\x80\"", "invalid UTF-8"},      // a surrogate
      {"\"\xf4\x90\x80\x80\"", "invalid UTF-8"},  // above U+10FFFF
      {"\"\xe2\x82\"", "invalid UTF-8"},          // cut short
      {"\xef\xbb\xbf{}", "byte order mark"},
      {"\x01", "found byte 0x01"},
  };
  for (const auto& c : cases) {
    const Error e = expect_throws(
        Code::kFormat, [&] { parse(c.text); }, c.text);
    expect_contains(e.message(), c.message, c.text);
    expect_contains(e.message(), "a.json, byte ", c.text);
  }
}

LIMR_TEST(json_errors_say_where) {
  const Error e = expect_throws(Code::kFormat, [] { parse("{\n  \"a\": 1,\n  \"a\": 2\n}"); });
  expect_contains(e.message(), "a.json, byte 14 (line 3): the key \"a\" occurs twice");
  const Error based = expect_throws(Code::kFormat, [] { parse_json("[", "b", {}, 8); });
  expect_contains(based.message(), "b, byte 9");
}

LIMR_TEST(json_depth_and_values_are_limited) {
  const auto nested = [](int depth) { return std::string(size_t(depth), '[') + std::string(size_t(depth), ']'); };
  expect(parse(nested(65)).is_array());
  expect_contains(expect_throws(Code::kFormat, [&] { parse(nested(66)); }).message(), "deeper than 64");
  expect_contains(expect_throws(Code::kFormat, [&] { parse(std::string(1 << 20, '[')); }).message(), "deeper than 64");
  expect_contains(
      expect_throws(Code::kFormat, [&] { parse_json("[1,2,3]", "a", {.depth = 64, .values = 3}); }).message(),
      "more than 3 values");
}

LIMR_TEST(json_dump_is_shortest_and_keeps_types) {
  const Json json = Json::Object{{"b", 1}, {"a", Json::Array{1.0, 0.1, 1e-6, 1e22, -0.0, nullptr, true, "é\n\x01\""}}};
  expect_eq(dump_json(json), "{\"b\":1,\"a\":[1.0,0.1,1e-06,1e+22,-0.0,null,true,\"é\\n\\u0001\\\"\"]}");
  expect_eq(dump_json(Json::Object{{"a", Json::Array{1}}, {"e", Json::Array{}}}, 2),
            "{\n  \"a\": [\n    1\n  ],\n  \"e\": []\n}");
  expect(parse(dump_json(json, 2)) == json);
  expect_throws(Code::kInternal, [] { dump_json(std::numeric_limits<double>::quiet_NaN()); });
  expect_throws(Code::kInternal, [] { dump_json("\xff"); });
}

LIMR_TEST(json_doubles_survive_a_round_trip) {
  std::mt19937_64 rng(11);
  for (int i = 0; i < 20000; ++i) {
    const auto x = std::bit_cast<double>(rng());
    if (!std::isfinite(x)) continue;
    const Json back = parse(dump_json(x));
    expect(!back.is_int() && std::bit_cast<uint64_t>(back.as_number()) == std::bit_cast<uint64_t>(x), dump_json(x));
  }
}

LIMR_TEST(json_show_cuts_between_characters) {
  expect_eq(show_json("abc"), "\"abc\"");
  expect_eq(show_json("aé€b", 4), "\"aé...");
  expect_eq(show_json("aé€b", 5), "\"aé...");
  const Json big = Json::Array(100000, Json(7));
  expect_eq(show_json(big, 6), "[7,7,7...");
}

LIMR_TEST(json_access_by_the_wrong_type_is_internal) {
  expect_throws(Code::kInternal, [] { (void)Json(1).as_string(); });
  expect_throws(Code::kInternal, [] { (void)Json(1.5).as_int(); });
  expect_throws(Code::kInternal, [] { (void)Json(nullptr).find("a"); });
  Json json = Json::Object{{"a", 1}};
  json.set("a", 2);
  json.set("b", 3);
  expect_eq(dump_json(json), "{\"a\":2,\"b\":3}");
}

// Text made of pieces of JSON: it parses, and then survives a round trip, or throws kFormat.
LIMR_TEST(json_fuzz) {
  const char* pieces[] = {"{",      "}",    "[",    "]", ",",           ":",  "\"a\"", "\"b\"", "1",
                          "-2.5e3", "true", "null", " ", "\"\\u00e9\"", "\"", "\\",    "e",     "\xc3"};
  std::mt19937 rng(5);
  int parsed = 0, refused = 0;
  for (int i = 0; i < 30000; ++i) {
    // Grown from a valid text by a few edits, so that a good part still parses.
    std::string text = R"({"a":[1,2.5,{"b":null}],"c":"x\n","d":{"e":[]}})";
    for (unsigned edits = rng() % 4; edits > 0; --edits) {
      const size_t at = rng() % (text.size() + 1), length = std::min<size_t>(rng() % 3, text.size() - at);
      text.replace(at, length, rng() % 4 ? pieces[rng() % std::size(pieces)] : "");
    }
    try {
      const Json json = parse(text);
      expect(parse(dump_json(json)) == json && parse(dump_json(json, 2)) == json, text);
      ++parsed;
    } catch (const Error& e) {
      expect(e.code() == Code::kFormat, cat(text, ": ", e.message()));
      ++refused;
    }
  }
  expect(parsed > 3000 && refused > 3000, cat(parsed, " parsed, ", refused, " refused"));
}

}  // namespace
}  // namespace limr::test
