// native/binding/convert.h - JS values to C++ ones and back. TypeScript has validated them; a wrong type here is a TypeError.
#pragma once
#include <napi.h>

#include <cstring>
#include <string>
#include <vector>

namespace limr {

inline double number(const Napi::Object& o, const char* key) { return o.Get(key).As<Napi::Number>().DoubleValue(); }
inline int64_t integer(const Napi::Object& o, const char* key) { return o.Get(key).As<Napi::Number>().Int64Value(); }
inline float real(const Napi::Object& o, const char* key) { return o.Get(key).As<Napi::Number>().FloatValue(); }
inline bool boolean(const Napi::Object& o, const char* key) { return o.Get(key).As<Napi::Boolean>().Value(); }
inline std::string text(const Napi::Object& o, const char* key) { return o.Get(key).As<Napi::String>().Utf8Value(); }

template <typename T>
std::vector<T> copy_array(const Napi::Object& o, const char* key) {
  const auto a = o.Get(key).As<Napi::TypedArrayOf<T>>();
  return std::vector<T>(a.Data(), a.Data() + a.ElementLength());
}

template <typename T>
Napi::TypedArrayOf<T> to_js_array(Napi::Env env, const std::vector<T>& v) {
  auto a = Napi::TypedArrayOf<T>::New(env, v.size());
  if (!v.empty()) std::memcpy(a.Data(), v.data(), v.size() * sizeof(T));
  return a;
}

inline std::vector<std::string> texts(const Napi::Object& o, const char* key) {
  const auto list = o.Get(key).As<Napi::Array>();
  std::vector<std::string> all;
  for (uint32_t i = 0; i < list.Length(); ++i) all.push_back(list.Get(i).As<Napi::String>().Utf8Value());
  return all;
}

}  // namespace limr
