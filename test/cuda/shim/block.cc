#include "block.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "fiber.h"
#include "sanitizers.h"

namespace limr::shim {

namespace {

constexpr int kLanes = 32, kMaxWarps = 1024 / kLanes;

Schedule schedule = Schedule::kRoundRobin;
uint64_t schedule_seed = 0;

std::string place(const Where& where) {
  const char* slash = std::strrchr(where.file_name(), '/');
  return std::string(slash ? slash + 1 : where.file_name()) + ":" + std::to_string(where.line());
}
bool same_place(const Where& a, const Where& b) {
  return a.line() == b.line() && std::strcmp(a.file_name(), b.file_name()) == 0;
}
std::string hex(uint32_t mask) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", mask);
  return text;
}
std::string index_text(const Index& i) {
  return "(" + std::to_string(i.x) + "," + std::to_string(i.y) + "," + std::to_string(i.z) + ")";
}

void enter(void* block);

struct Thread {
  explicit Thread(Block* block) : fiber(enter, block) {}
  Fiber fiber;
  // while it waits for its warp
  const WarpOp* op = nullptr;
  uint32_t mask = 0;
  void* request = nullptr;
  Where where;
  // cp.async: groups that were committed, the oldest first, and the open one
  std::deque<std::vector<AsyncCopy>> groups;
  std::vector<AsyncCopy> open;
};

// What ThreadSanitizer orders memory by: one object a parity, so that who is at the next meeting already orders nothing of this.
struct Meeting {
  char sync[2] = {};
  int parity = 0;
};

// The lanes of a warp, as bits.
struct Warp {
  uint32_t exists = 0, ready = 0, waiting = 0, at_barrier = 0, done = 0;
  Meeting meetings[kLanes + 1];  // of partial masks by their lowest lane; the last: of the full mask
};

}  // namespace

class Block {
 public:
  // Runs on the OS thread that calls, which may be another one each time.
  void run(const Grid& grid, Index index);
  int barrier(bool predicate, const Where& where);
  void warp_collective(const WarpOp& op, uint32_t mask, void* request, const Where& where);
  Thread& current() { return *threads_[size_t(current_)]; }
  int current_index() const { return current_; }
  const Grid* grid() const { return grid_; }
  [[noreturn]] void thread_main();

 private:
  Warp& warp() { return warps_[current_ / kLanes]; }
  uint32_t bit() const { return 1u << (current_ % kLanes); }
  int pick();
  void switch_away();
  void check_not_awaited(const std::string& what);
  void finish_thread();
  [[gnu::noinline]] void set_thread(int thread);
  [[noreturn]] void die_of_deadlock();

  const Grid* grid_ = nullptr;
  std::optional<Fiber> main_;
  std::vector<std::unique_ptr<Thread>> threads_;  // as many as any block had so far
  Warp warps_[kMaxWarps];
  int count_ = 0, current_ = -1, done_ = 0;
  uint64_t random_ = 0;

  int arrived_ = 0, predicates_ = 0, result_ = 0;
  Where barrier_at_;
  Meeting meeting_;
  char begin_ = 0, end_ = 0;
};

namespace {

void enter(void* block) { static_cast<Block*>(block)->thread_main(); }

uint64_t mix(uint64_t x) {  // splitmix64
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

void Block::run(const Grid& grid, Index index) {
  grid_ = &grid;
  count_ = int(grid.threads.count());
  while (int(threads_.size()) < count_) threads_.push_back(std::make_unique<Thread>(this));
  for (int w = 0; w * kLanes < count_; ++w) {
    const int lanes = std::min(kLanes, count_ - w * kLanes);
    const uint32_t exists = lanes == kLanes ? ~0u : (1u << lanes) - 1;
    warps_[w].exists = warps_[w].ready = exists;
    warps_[w].waiting = warps_[w].at_barrier = warps_[w].done = 0;
  }
  own.block_index = index;
  own.block_dim = {grid.threads.x, grid.threads.y, grid.threads.z};
  own.grid_dim = {grid.blocks.x, grid.blocks.y, grid.blocks.z};
  done_ = arrived_ = predicates_ = 0;
  random_ = mix(schedule_seed + mix(index.x + (uint64_t(index.y) << 32) + index.z * 0x10001u));
  main_.emplace();
  own.block = this;
  current_ = -1;
  tsan_release(&begin_);
  set_thread(pick());
  main_->switch_to(current().fiber);
  tsan_acquire(&end_);
  own.block = nullptr;
}

void Block::set_thread(int thread) {
  current_ = thread;
  const unsigned t = unsigned(thread), x = own.block_dim.x, y = own.block_dim.y;
  own.thread_index = {t % x, t / x % y, t / x / y};
}

// Of the threads that can run, by the schedule; -1 when there is none. It is ready no more, for it runs.
int Block::pick() {
  const int warps = (count_ + kLanes - 1) / kLanes, last = current_ < 0 ? 0 : current_ / kLanes;
  const auto take = [&](int w, uint32_t candidates) {
    const int lane = std::countr_zero(candidates);
    warps_[w].ready &= ~(1u << lane);
    return w * kLanes + lane;
  };
  if (schedule == Schedule::kRoundRobin) {
    const uint32_t later = current_ < 0 || current_ % kLanes == kLanes - 1 ? 0 : ~0u << (current_ % kLanes + 1);
    if (current_ < 0 && warps_[0].ready) return take(0, warps_[0].ready);
    if (warps_[last].ready & later) return take(last, warps_[last].ready & later);
    for (int i = 1; i <= warps; ++i) {
      const int w = (last + i) % warps;
      if (warps_[w].ready) return take(w, warps_[w].ready);
    }
    return -1;
  }
  if (schedule == Schedule::kGreedy) {
    if (current_ >= 0 && warps_[last].ready) return take(last, warps_[last].ready);
    for (int w = warps - 1; w >= 0; --w)
      if (warps_[w].ready) return take(w, warps_[w].ready);
    return -1;
  }
  random_ = mix(random_);
  const int first = int((random_ >> 8) % uint64_t(warps)), turn = int(random_ & 31);
  for (int i = 0; i < warps; ++i) {
    const int w = (first + i) % warps;
    if (const uint32_t ready = warps_[w].ready)
      return take(w, 1u << ((std::countr_zero(std::rotr(ready, turn)) + turn) % kLanes));
  }
  return -1;
}

void Block::switch_away() {
  Thread& from = current();
  const int before = current_, after = pick();
  if (after < 0) die_of_deadlock();
  if (after == before) return;
  set_thread(after);
  from.fiber.switch_to(current().fiber);
}

void Block::thread_main() {
  for (;;) {
    tsan_acquire(&begin_);
    grid_->body();
    tsan_release(&end_);
    finish_thread();
  }
}

// Lanes of this warp that wait for this one wait in vain.
void Block::check_not_awaited(const std::string& what) {
  const int base = current_ / kLanes * kLanes;
  for (uint32_t left = warp().waiting; left; left &= left - 1) {
    const Thread& other = *threads_[size_t(base + std::countr_zero(left))];
    if (other.mask & bit())
      die(what + ", but lanes " + hex(warp().waiting) + " of its warp wait for it in " + other.op->name + " at " +
          place(other.where) + " with mask " + hex(other.mask));
  }
}

void Block::finish_thread() {
  Thread& self = current();
  self.groups.clear();
  self.open.clear();
  check_not_awaited("has ended");
  warp().done |= bit();
  if (arrived_) die("ended while other threads of the block wait at the barrier of " + place(barrier_at_));
  if (++done_ < count_) {
    switch_away();
  } else {
    self.fiber.switch_to(*main_);
  }
}

int Block::barrier(bool predicate, const Where& where) {
  if (done_) die("waits at the barrier of " + place(where) + ", but other threads of the block have ended");
  if (arrived_ && !same_place(where, barrier_at_))
    die("divergent barrier: this thread is at " + place(where) + ", others wait at " + place(barrier_at_));
  if (warp().waiting) check_not_awaited("is at the barrier of " + place(where));
  barrier_at_ = where;
  char* const sync = &meeting_.sync[meeting_.parity];
  tsan_release(sync);
  warp().at_barrier |= bit();
  predicates_ += predicate;
  if (++arrived_ == count_) {
    result_ = predicates_;
    arrived_ = predicates_ = 0;
    meeting_.parity ^= 1;
    for (int w = 0; w * kLanes < count_; ++w) warps_[w].ready = warps_[w].exists, warps_[w].at_barrier = 0;
  }
  switch_away();
  tsan_acquire(sync);
  return result_;
}

void Block::warp_collective(const WarpOp& op, uint32_t mask, void* request, const Where& where) {
  Warp& w = warp();
  const auto called = [&] { return std::string(op.name) + " at " + place(where) + " with mask " + hex(mask); };
  if (!(mask & bit())) die(called() + ", which lacks this lane");
  if (mask & ~w.exists) die(called() + ": lanes " + hex(mask & ~w.exists) + " do not exist");
  if (mask & w.done) die(called() + ": lanes " + hex(mask & w.done) + " have ended");
  if (mask & w.at_barrier)
    die(called() + ": lanes " + hex(mask & w.at_barrier) + " wait at the barrier of " + place(barrier_at_));
  const int base = current_ / kLanes * kLanes;
  if (const uint32_t there = mask & w.waiting) {
    const Thread& other = *threads_[size_t(base + std::countr_zero(there))];
    if (other.op != &op || other.mask != mask || !same_place(other.where, where))
      die(called() + ": lanes " + hex(there) + " are in " + other.op->name + " at " + place(other.where) +
          " with mask " + hex(other.mask));
  }
  Thread& self = current();
  self.op = &op, self.mask = mask, self.request = request, self.where = where;
  Meeting& meeting = w.meetings[mask == ~0u ? kLanes : std::countr_zero(mask)];
  char* const sync = &meeting.sync[meeting.parity];
  if (op.orders_memory) tsan_release(sync);
  w.waiting |= bit();
  if ((w.waiting & mask) == mask) {
    void* requests[kLanes] = {};
    for (uint32_t left = mask; left; left &= left - 1) {
      const int l = std::countr_zero(left);
      requests[l] = threads_[size_t(base + l)]->request;
    }
    op.run(mask, requests);
    meeting.parity ^= 1;
    w.waiting &= ~mask;
    w.ready |= mask;
  }
  switch_away();
  if (op.orders_memory) tsan_acquire(sync);
}

void Block::die_of_deadlock() {
  std::string text = "no thread can go on";
  if (arrived_) text += "; " + std::to_string(arrived_) + " wait at the barrier of " + place(barrier_at_);
  for (int w = 0; w * kLanes < count_; ++w)
    if (const uint32_t waiting = warps_[w].waiting) {
      const Thread& t = *threads_[size_t(w * kLanes + std::countr_zero(waiting))];
      text += "; warp " + std::to_string(w) + ": lanes " + hex(waiting) + " are in " + t.op->name + " at " +
              place(t.where) + " with mask " + hex(t.mask);
    }
  die(text);
}

void die(const std::string& message) {
  std::string text = "limr shim: ";
  if (const Block* block = own.block)
    text += std::string(block->grid()->kernel) + ", block " + index_text(own.block_index) + ", thread " +
            index_text(own.thread_index) + ": ";
  std::fprintf(stderr, "%s%s\n", text.c_str(), message.c_str());
  std::abort();
}

int barrier(bool predicate, const Where& where) { return own.block->barrier(predicate, where); }
void warp_collective(const WarpOp& op, uint32_t mask, void* request, const Where& where) {
  own.block->warp_collective(op, mask, request, where);
}
int lane() { return own.block->current_index() % kLanes; }

void async_copy(const AsyncCopy& copy) { own.block->current().open.push_back(copy); }

void async_commit() {
  Thread& t = own.block->current();
  t.groups.push_back(std::move(t.open));
  t.open.clear();
}

void async_wait(int pending, void (*arrive)(const AsyncCopy&)) {
  Thread& t = own.block->current();
  while (int(t.groups.size()) > pending) {
    for (const AsyncCopy& copy : t.groups.front()) arrive(copy);
    t.groups.pop_front();
  }
}

void set_schedule(Schedule s, uint64_t seed) {
  schedule = s;
  schedule_seed = seed;
}

std::unique_ptr<Block, void (*)(Block*)> make_block() {
  return {new Block, [](Block* block) { delete block; }};
}
void run_block(Block& block, const Grid& grid, const Index& index) { block.run(grid, index); }

}  // namespace limr::shim
