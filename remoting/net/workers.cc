#include "remoting/net/workers.h"

#include <utility>

namespace comet::remoting {

bool ThreadWorkers::submit(Task task) {
  {
    const std::lock_guard lock(mu_);
    if (stopped_ || queue_.size() >= queue_tasks_) return false;
    queue_.push_back(std::move(task));
  }
  ready_.notify_one();
  return true;
}

void ThreadWorkers::run() {
  std::unique_lock lock(mu_);
  while (true) {
    ready_.wait(lock, [this] { return stopped_ || !queue_.empty(); });
    if (stopped_) return;
    Task task = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    task();
    task = Task();  // what it owns dies outside the lock
    lock.lock();
  }
}

void ThreadWorkers::stop() {
  std::deque<Task> dead;
  {
    const std::lock_guard lock(mu_);
    stopped_ = true;
    dead.swap(queue_);
  }
  ready_.notify_all();
}

}  // namespace comet::remoting
