// The addon's door: typed arrays in, kernels called, rows done out. It keeps no state and throws nothing.
#include <napi.h>

#include "kernels.h"
#include "tables.h"

namespace podplane {
namespace {

// The element type that Node-API reports for a C++ type.
template <typename T>
constexpr napi_typedarray_type kTypeOf = napi_uint8_array;
template <>
constexpr napi_typedarray_type kTypeOf<int32_t> = napi_int32_array;
template <>
constexpr napi_typedarray_type kTypeOf<uint32_t> = napi_uint32_array;

// The memory of a typed array, over an ArrayBuffer or a SharedArrayBuffer alike; no rows where it is not one of T.
// Napi::TypedArrayOf would also fetch the buffer object, which costs more than all the rest of the call.
template <typename T>
Column<T> column(const Napi::CallbackInfo& info, size_t index) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  bool isTyped = false;
  const napi_value value = info[index];
  if (napi_is_typedarray(info.Env(), value, &isTyped) != napi_ok || !isTyped) return {};
  if (napi_get_typedarray_info(info.Env(), value, &type, &length, &data, nullptr, nullptr) != napi_ok) return {};
  if (type != kTypeOf<std::remove_const_t<T>> || data == nullptr) return {};
  return {static_cast<T*>(data), length};
}

uint32_t number(const Napi::CallbackInfo& info, size_t index) {
  uint32_t value = 0;
  return napi_get_value_uint32(info.Env(), info[index], &value) == napi_ok ? value : 0;
}

Napi::Value rowsDone(const Napi::CallbackInfo& info, size_t rows) {
  return Napi::Number::New(info.Env(), static_cast<double>(rows));
}

// fiveTupleBatch(bytes, offset, length, space, first, count, seed, keys, hashes)
Napi::Value FiveTupleBatch(const Napi::CallbackInfo& info) {
  return rowsDone(info, fiveTupleBatch(column<const uint8_t>(info, 0), column<const uint32_t>(info, 1),
                                       column<const uint32_t>(info, 2), column<const int32_t>(info, 3),
                                       number(info, 4), number(info, 5), number(info, 6), column<int32_t>(info, 7),
                                       column<uint32_t>(info, 8)));
}

// conntrackLookupBatch(slots, tuples, keys, hashes, first, count, rows)
Napi::Value ConntrackLookupBatch(const Napi::CallbackInfo& info) {
  return rowsDone(info, conntrackLookupBatch(column<const int32_t>(info, 0), column<const int32_t>(info, 1),
                                             column<const int32_t>(info, 2), column<const uint32_t>(info, 3),
                                             number(info, 4), number(info, 5), column<int32_t>(info, 6)));
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("layoutVersion", Napi::Number::New(env, kLayoutVersion));
  exports.Set("fiveTupleBatch", Napi::Function::New(env, FiveTupleBatch, "fiveTupleBatch"));
  exports.Set("conntrackLookupBatch", Napi::Function::New(env, ConntrackLookupBatch, "conntrackLookupBatch"));
  return exports;
}

}  // namespace
}  // namespace podplane

static Napi::Object InitPodplane(Napi::Env env, Napi::Object exports) { return podplane::Init(env, exports); }

NODE_API_MODULE(podplane, InitPodplane)
