// native/binding/task.h - work on the engine's thread, its result on the JS thread, and errors in between.
#pragma once
#include <napi.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "core/error.h"

namespace limr {

// {code, message, hint}, from which src/native.ts rebuilds a LimrError.
inline Napi::Error to_js_error(Napi::Env env, Code code, const std::string& message, const std::string& hint) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code_name(code)));
  error.Set("hint", Napi::String::New(env, hint));
  return error;
}

// Runs f and throws what it throws as a JS exception.
template <typename F>
auto guarded(Napi::Env env, F&& f) {
  try {
    return f();
  } catch (const Error& e) {
    throw to_js_error(env, e.code(), e.message(), e.hint());
  } catch (const std::bad_alloc&) {
    throw to_js_error(env, Code::kMemory, "out of memory", "");
  }
}

// One thread for the phases of all models of a context, in the order they were asked for.
class JobQueue {
 public:
  JobQueue() : thread_([state = state_] { run(*state); }) {}
  // Finishes what was posted. The last owner of a context may be one of its own jobs: then the thread ends by itself.
  ~JobQueue() {
    {
      const std::lock_guard<std::mutex> lock(state_->mutex);
      state_->stopping = true;
      state_->wake.notify_one();
    }
    if (thread_.get_id() == std::this_thread::get_id())
      thread_.detach();
    else
      thread_.join();
  }
  JobQueue(const JobQueue&) = delete;
  JobQueue& operator=(const JobQueue&) = delete;
  void post(std::function<void()> job) {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    state_->jobs.push_back(std::move(job));
    state_->wake.notify_one();
  }

 private:
  // Shared with the thread, which may outlive the queue by the end of its last job.
  struct State {
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<std::function<void()>> jobs;
    bool stopping = false;
  };

  static void run(State& state) {
    for (;;) {
      std::function<void()> job;
      {
        std::unique_lock<std::mutex> lock(state.mutex);
        state.wake.wait(lock, [&] { return state.stopping || !state.jobs.empty(); });
        if (state.jobs.empty()) return;
        job = std::move(state.jobs.front());
        state.jobs.pop_front();
      }
      job();
    }
  }

  std::shared_ptr<State> state_ = std::make_shared<State>();
  std::thread thread_;
};

// A promise for the result of `work`. `convert` and `settled` run on the JS thread; `settled` in any case, before the promise is.
template <typename T>
class Task : public std::enable_shared_from_this<Task<T>> {
 public:
  using Work = std::function<T(Task&)>;
  using Convert = std::function<Napi::Value(Napi::Env, T&)>;

  // `callback` may be empty; call() reaches it while the work runs.
  static Napi::Promise start(Napi::Env env, JobQueue& queue, Work work, Convert convert, std::function<void()> settled,
                             Napi::Function callback = {}) {
    auto task = std::make_shared<Task>(env, std::move(convert), std::move(settled), callback);
    const Napi::Promise promise = task->deferred_.Promise();
    queue.post([task, work = std::move(work)] { task->run(work); });
    return promise;
  }

  // From the work: f(env, callback) on the JS thread, in order, before the promise settles.
  void call(std::function<void(Napi::Env, Napi::Function)> f) { post(std::move(f)); }

  Task(Napi::Env env, Convert convert, std::function<void()> settled, Napi::Function callback)
      : deferred_(Napi::Promise::Deferred::New(env)),
        convert_(std::move(convert)),
        settled_(std::move(settled)),
        js_(Napi::ThreadSafeFunction::New(env, callback, "limr", 0, 1)) {}

 private:
  struct Outcome {
    std::unique_ptr<T> value;
    Code code = Code::kInternal;
    std::string message, hint;
  };

  void run(const Work& work) {
    auto out = std::make_shared<Outcome>();
    try {
      out->value = std::make_unique<T>(work(*this));
    } catch (const Error& e) {
      out->code = e.code(), out->message = e.message(), out->hint = e.hint();
    } catch (const std::bad_alloc&) {
      out->code = Code::kMemory, out->message = "out of memory";
    } catch (const std::exception& e) {
      out->message = e.what();
    }
    post([self = this->shared_from_this(), out](Napi::Env env, Napi::Function) {
      self->settled_();
      if (!out->value) return self->deferred_.Reject(to_js_error(env, out->code, out->message, out->hint).Value());
      self->deferred_.Resolve(self->convert_(env, *out->value));
    });
    js_.Release();
  }

  void post(std::function<void(Napi::Env, Napi::Function)> f) {
    auto* boxed = new std::function<void(Napi::Env, Napi::Function)>(std::move(f));
    const napi_status status = js_.BlockingCall(
        boxed, [](Napi::Env env, Napi::Function callback, std::function<void(Napi::Env, Napi::Function)>* g) {
          const std::unique_ptr<std::function<void(Napi::Env, Napi::Function)>> owned(g);
          if (env != nullptr)
            (*owned)(env, callback);  // null while the environment is torn down: nobody is left to tell
        });
    if (status != napi_ok) delete boxed;
  }

  Napi::Promise::Deferred deferred_;
  Convert convert_;
  std::function<void()> settled_;
  Napi::ThreadSafeFunction js_;
};

}  // namespace limr
