// native/ops/cuda/device.h - a device without its ops: streams, memory, copies, events, graphs; see table.h for the contracts.
#pragma once
#include "ops/cuda/stream.h"

namespace limr::cuda {

struct Event {
  cudaEvent_t event = nullptr;
};

void device_count(int* count);
void device_info(int device, DeviceInfo* info);
void open(const OpenOptions& options, Stream** stream);
void open_copies(Stream* beside, Stream** stream);
void close(Stream* s);

void alloc(Stream* s, size_t bytes, void** data);
void free(Stream* s, void* data);
void alloc_pinned(Stream* s, size_t bytes, void** data);
void free_pinned(Stream* s, void* data);
void memory(Stream* s, int64_t* total, int64_t* free);

void copy_in(Stream* s, void* dest, const void* source, size_t bytes);
void copy_out(Stream* s, void* dest, const void* source, size_t bytes);
void copy_within(Stream* s, void* dest, const void* source, size_t bytes);
void zero(Stream* s, void* dest, size_t bytes);
void synchronize(Stream* s);

void make_event(Stream* s, Event** event);
void record(Stream* s, Event* event);
void wait(Stream* s, Event* event);

void begin_capture(Stream* s);
void end_capture(Stream* s, void** graph);
void launch_graph(Stream* s, void* graph);

}  // namespace limr::cuda
