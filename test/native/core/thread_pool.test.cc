#include "core/thread_pool.h"

#include <set>
#include <stdexcept>

#include "test.h"

namespace limr::test {
namespace {

LIMR_TEST(every_item_is_done_once_in_pieces_of_the_grain) {
  for (int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    expect_eq(pool.size(), threads);
    for (int64_t n : {0, 1, 2, 3, 7, 64, 1000})
      for (int64_t grain : {-1, 0, 1, 2, 5, 64, 5000}) {
        const std::string context = cat("threads=", threads, " n=", n, " grain=", grain);
        std::vector<int> count(n);  // plain ints: a piece belongs to one thread, and the end of a job orders them
        std::atomic<int> wrong{0};
        pool.parallel_for(n, grain, [&](int64_t begin, int64_t end) {
          const int64_t g = grain < 1 ? 1 : grain;
          if (begin % g != 0 || end <= begin || end > n || (end - begin != g && end != n)) ++wrong;
          for (int64_t i = begin; i < end; ++i) ++count[i];
        });
        expect_eq(wrong.load(), 0, context);
        expect_eq(count, std::vector<int>(n, 1), context);
      }
  }
}

LIMR_TEST(a_negative_range_is_empty) {
  ThreadPool pool(2);
  pool.parallel_for(-5, 1, [](int64_t, int64_t) { throw std::runtime_error("ran"); });
}

LIMR_TEST(many_small_jobs_see_each_others_results) {
  for (int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    std::vector<int64_t> x(97), y(97);
    for (size_t i = 0; i < x.size(); ++i) x[i] = int64_t(i);
    const int jobs = small() ? 500 : 3000;
    for (int job = 0; job < jobs; ++job) {  // each job reads what all threads of the job before wrote
      pool.parallel_for(97, 1 + job % 5, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) y[i] = x[(i + 1) % 97] + 1;
      });
      x.swap(y);
    }
    for (int64_t i = 0; i < 97; ++i) expect_eq(x[i], (i + jobs) % 97 + jobs, cat("threads=", threads));
  }
}

LIMR_TEST(jobs_after_a_pause_wake_sleeping_workers) {
  ThreadPool pool(3);
  for (int job = 0; job < 20; ++job) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // far longer than workers spin
    std::atomic<int> sum{0};
    pool.parallel_for(100, 1, [&](int64_t begin, int64_t) { sum += int(begin); });
    expect_eq(sum.load(), 4950);
  }
}

LIMR_TEST(the_first_exception_arrives_and_the_pool_goes_on) {
  for (int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    for (int job = 0; job < 200; ++job) {
      const Error e = expect_throws(Code::kNumeric, [&] {
        pool.parallel_for(50, 1, [&](int64_t begin, int64_t) {
          if (begin % 7 == job % 7) throw Error(Code::kNumeric, "piece");
        });
      });
      expect_eq(e.message(), "piece");
      std::atomic<int> done{0};
      pool.parallel_for(50, 1, [&](int64_t, int64_t) { ++done; });
      expect_eq(done.load(), 50, cat("threads=", threads));
    }
  }
}

LIMR_TEST(no_body_runs_after_parallel_for_has_thrown) {
  ThreadPool pool(3);
  for (int job = 0; job < 100; ++job) {
    auto inside = std::make_unique<std::atomic<int>>(0);  // freed at once: a straggler would show under a sanitizer
    try {
      pool.parallel_for(64, 1, [&](int64_t begin, int64_t) {
        ++*inside;
        if (begin == 3) throw std::runtime_error("stop");
        --*inside;
      });
      fail("threw nothing", cat("job=", job), Location::current());
    } catch (const std::runtime_error&) {
      expect_eq(inside->load(), 1, cat("job=", job));  // all but the one that threw have left
    }
  }
}

LIMR_TEST(workers_know_their_index) {
  for (int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    std::vector<std::atomic<int>> seen(threads);
    std::atomic<int> wrong{0};
    pool.parallel_for(200, 1, [&](int64_t, int64_t) {
      const int i = ThreadPool::worker_index();
      if (i < 0 || i >= threads || seen[i].fetch_add(1) != 0) ++wrong;  // two threads never share an index
      seen[i].fetch_sub(1);
    });
    expect_eq(wrong.load(), 0, cat("threads=", threads));
    expect_eq(ThreadPool::worker_index(), 0);
  }
}

bool denormals_are_flushed() {
  volatile float tiny = 1e-40f, one = 1.0f;
  volatile float min = std::numeric_limits<float>::min(), half = 0.5f;
  return tiny * one == 0.0f && min * half == 0.0f;  // as an operand, and as a result
}

bool denormals_are_kept() {
  volatile float tiny = 1e-40f, one = 1.0f;
  volatile float min = std::numeric_limits<float>::min(), half = 0.5f;
  return tiny * one != 0.0f && min * half != 0.0f;
}

LIMR_TEST(denormals_are_flushed_in_a_scope_only) {
  expect(denormals_are_kept());
  {
    const FlushDenormals flush;
    expect(denormals_are_flushed());
    {
      const FlushDenormals nested;
      expect(denormals_are_flushed());
    }
    expect(denormals_are_flushed());
  }
  expect(denormals_are_kept());
}

LIMR_TEST(denormals_are_flushed_in_bodies_and_the_caller_is_left_as_it_was) {
  for (int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    std::atomic<int> kept{0};
    const auto body = [&](int64_t, int64_t) {
      if (!denormals_are_flushed()) ++kept;
    };
    pool.parallel_for(100, 1, body);
    pool.parallel_for(1, 1, body);  // the caller alone
    expect_eq(kept.load(), 0, cat("threads=", threads));
    expect(denormals_are_kept(), cat("threads=", threads));
    for (int64_t n : {1, 100}) {
      expect_throws(Code::kState,
                    [&] { pool.parallel_for(n, 1, [](int64_t, int64_t) { throw Error(Code::kState, "stop"); }); });
      expect(denormals_are_kept(), cat("threads=", threads, " after an exception"));
    }
  }
}

}  // namespace
}  // namespace limr::test
