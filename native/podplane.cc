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
constexpr napi_typedarray_type kTypeOf<uint16_t> = napi_uint16_array;
template <>
constexpr napi_typedarray_type kTypeOf<uint32_t> = napi_uint32_array;
template <>
constexpr napi_typedarray_type kTypeOf<double> = napi_float64_array;

// The memory of a typed array, over an ArrayBuffer or a SharedArrayBuffer alike; no rows where it is not one of T.
// Napi::TypedArrayOf would also fetch the buffer object, which costs more than all the rest of the call.
template <typename T>
Column<T> column(napi_env env, napi_value value) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  // Anything else than a typed array is refused by the call itself.
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok) return {};
  if (type != kTypeOf<std::remove_const_t<T>> || data == nullptr) return {};
  return {static_cast<T*>(data), length};
}

template <typename T>
Column<T> column(const Napi::CallbackInfo& info, size_t index) {
  return column<T>(info.Env(), info[index]);
}

uint32_t number(const Napi::CallbackInfo& info, size_t index) {
  uint32_t value = 0;
  return napi_get_value_uint32(info.Env(), info[index], &value) == napi_ok ? value : 0;
}

Napi::Value rowsDone(const Napi::CallbackInfo& info, size_t rows) {
  return Napi::Number::New(info.Env(), static_cast<double>(rows));
}

// fiveTupleBatch(bytes, offset, length, port, nodes, ports, space, first, count, seed, keys, hashes)
Napi::Value FiveTupleBatch(const Napi::CallbackInfo& info) {
  return rowsDone(info, fiveTupleBatch(column<const uint8_t>(info, 0), column<const uint32_t>(info, 1),
                                       column<const uint32_t>(info, 2), column<const int32_t>(info, 3),
                                       column<const uint32_t>(info, 4), number(info, 5), number(info, 6),
                                       number(info, 7), number(info, 8), number(info, 9), column<int32_t>(info, 10),
                                       column<uint32_t>(info, 11)));
}

// conntrackLookupBatch(slots, rows, keyAt, keys, hashes, first, count, found)
Napi::Value ConntrackLookupBatch(const Napi::CallbackInfo& info) {
  return rowsDone(info, conntrackLookupBatch(column<const int32_t>(info, 0), column<const int32_t>(info, 1),
                                             number(info, 2), column<const int32_t>(info, 3),
                                             column<const uint32_t>(info, 4), number(info, 5), number(info, 6),
                                             column<int32_t>(info, 7)));
}

// memoryFloor(packets, header, slots, table, order, first)
Napi::Value MemoryFloor(const Napi::CallbackInfo& info) {
  return rowsDone(info, memoryFloor(column<const uint32_t>(info, 0), column<const uint32_t>(info, 1),
                                    column<uint32_t>(info, 2), column<uint32_t>(info, 3),
                                    column<const uint32_t>(info, 4), number(info, 5)));
}

// The arguments of one call of shortPath, taken from first to last.
class Arguments {
 public:
  static constexpr size_t kCount = 28;

  Arguments(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = kCount;
    // What is missing comes as undefined, and so becomes a column without rows.
    napi_get_cb_info(env, info, &count, values_, nullptr, nullptr);
  }

  template <typename T>
  void take(Column<T>& to) {
    to = column<T>(env_, values_[next_++]);
  }

  double takeNumber() {
    double value = 0;
    napi_get_value_double(env_, values_[next_++], &value);
    return value;
  }

  size_t takeIndex() {
    uint32_t value = 0;
    napi_get_value_uint32(env_, values_[next_++], &value);
    return value;
  }

 private:
  napi_env env_;
  napi_value values_[kCount];
  size_t next_ = 0;
};

// shortPath(first, end, base, out, number, limitNs, bytes, offset, … as ShortPathColumns has them). Plain Node-API: with so
// many arguments Napi::CallbackInfo would allocate.
napi_value ShortPath(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const size_t first = arguments.takeIndex();
  const size_t end = arguments.takeIndex();
  const size_t base = arguments.takeIndex();
  const size_t out = arguments.takeIndex();
  const double number = arguments.takeNumber();
  const double limitNs = arguments.takeNumber();
  ShortPathColumns c;
  const auto take = [&](auto&... columns) { (arguments.take(columns), ...); };
  take(c.bytes, c.offset, c.length, c.tsNs, c.port, c.sequence, c.found, c.paths, c.connections, c.origin,
       c.packet, c.parent, c.root, c.verdict, c.reason, c.exit, c.outOffset, c.outLength, c.outTsNs, c.endpoint, c.service, c.counts);
  napi_value done = nullptr;
  napi_create_uint32(env, static_cast<uint32_t>(shortPath(c, first, end, base, out, number, limitNs)), &done);
  return done;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("layoutVersion", Napi::Number::New(env, kLayoutVersion));
  exports.Set("fiveTupleBatch", Napi::Function::New(env, FiveTupleBatch, "fiveTupleBatch"));
  exports.Set("conntrackLookupBatch", Napi::Function::New(env, ConntrackLookupBatch, "conntrackLookupBatch"));
  exports.Set("memoryFloor", Napi::Function::New(env, MemoryFloor, "memoryFloor"));
  napi_value shortPathFunction = nullptr;
  napi_create_function(env, "shortPath", NAPI_AUTO_LENGTH, ShortPath, nullptr, &shortPathFunction);
  exports.Set("shortPath", shortPathFunction);
  return exports;
}

}  // namespace
}  // namespace podplane

static Napi::Object InitPodplane(Napi::Env env, Napi::Object exports) { return podplane::Init(env, exports); }

NODE_API_MODULE(podplane, InitPodplane)
