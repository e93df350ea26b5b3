// Receives, decides, replies.
#include "common/sandbox/supervisor.hpp"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>
#include <utility>

#include "common/sandbox/changes.hpp"
#include "common/sandbox/known_memory.hpp"
#include "common/sandbox/lending.hpp"
#include "common/sandbox/lent_rights.hpp"
#include "common/sandbox/root_links.hpp"
#include "common/sandbox/signals.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/proc.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/util/error.hpp"

namespace sandbox {
namespace {

// What kernels know that are newer than the headers of some machines.
constexpr unsigned long set_flags = _IOW('!', 4, std::uint64_t);
constexpr std::uint64_t sync_wake_up = 1;

struct AddedDescriptor {  // struct seccomp_notif_addfd
  std::uint64_t id;
  std::uint32_t flags;
  std::uint32_t source;
  std::uint32_t number;
  std::uint32_t number_flags;
};
constexpr unsigned long add_descriptor = _IOW('!', 3, AddedDescriptor);
constexpr std::uint32_t and_reply = 2;  // since Linux 5.14

// A kernel may have longer ones than we know of.
union Notification {
  seccomp_notif notification;
  char room[512];
};
union Reply {
  seccomp_notif_resp reply;
  char room[512];
};

// From Linux 6.11 on who waits for a call does not do so any more once nobody is left to make one, so that
// nothing else need be waited for at the same time, which costs as much as a system call.
bool is_kernel_at_least(int major, int minor) {
  struct utsname machine;
  int version[2] = {};
  if (::uname(&machine) != 0 || std::sscanf(machine.release, "%d.%d", &version[0], &version[1]) != 2)
    return false;
  return version[0] > major || (version[0] == major && version[1] >= minor);
}

}  // namespace

class Supervisor::Server {
public:
  Server(sys::UniqueFd listener, sys::UniqueFd lender, const Step& step)
      : listener_(std::move(listener)), step_(step), memory_(step.user), lending_(std::move(lender)) {
    place_ = sys::UniqueFd(::open(step.root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!place_) util::throw_errno("cannot open the step's root");
    root_ = {.path = sys::link_target(sys::link_of(place_.get())).string(),
             .place = place_.get(),
             .keeper = step.keeper,
             .lender = step.lender,
             .hostname = step.hostname,
             .mounts = step.mounts};
    // A hand-over on one processor in place of a wake-up on another; refused by kernels before Linux 6.6.
    ::ioctl(listener_.get(), set_flags, sync_wake_up);
    has_entered_ = is_in_system("/" + sys::clean_path(step.working_dir));
  }

  void serve(int stop) {
    while (tells_of_the_end_ && has_askers())
      serve_one();
    for (;;) {
      pollfd events[] = {{listener_.get(), POLLIN, 0}, {stop, POLLIN, 0}};
      if (::poll(events, 2, -1) < 0) {
        if (errno == EINTR) continue;
        util::throw_errno("cannot wait for a step's system calls");
      }
      if (events[1].revents != 0) return;
      if ((events[0].revents & POLLIN) != 0) {
        serve_one();
      } else if (events[0].revents != 0) {
        return;  // nobody can ask any more
      }
    }
  }

  // Calls fail from now on, rather than wait for nobody.
  void give_up() noexcept { listener_ = sys::UniqueFd(); }

  std::vector<std::string> without_rights() const { return without_rights_; }

private:
  // As long as calls come there is somebody.
  bool has_askers() {
    if (!std::exchange(has_failed_, false)) return true;
    pollfd event{listener_.get(), 0, 0};
    return ::poll(&event, 1, 0) == 0;
  }

  void serve_one() {
    std::memset(&asked_, 0, sizeof asked_);
    auto& asked = asked_.notification;
    if (::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) {
      has_failed_ = true;
      return;
    }
    Answer answer{.kind = Answer::Kind::from_root};
    try {
      answer = decide();
    } catch (const std::exception&) {
      // Too little memory or too few descriptors here: the step shall not wait for them.
    }
    const auto* const call = find_trapped(asked.data.arch, asked.data.nr);
    if (call != nullptr && call->question == Question::execute) memory_.forget(static_cast<pid_t>(asked.pid));
    if (answer.kind == Answer::Kind::descriptor && give(answer)) return;
    Reply reply{};
    reply.reply.id = asked.id;
    if (answer.kind == Answer::Kind::from_root) {
      reply.reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    } else {
      reply.reply.error = -answer.error;
      reply.reply.val = answer.error == 0 ? answer.value : 0;
    }
    ::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, &reply.reply);  // fails for one that was killed
  }

  // True if the reply is given with it.
  bool give(Answer& answer) {
    AddedDescriptor added{.id = asked_.notification.id,
                          .flags = and_reply,
                          .source = static_cast<std::uint32_t>(answer.file.get()),
                          .number = 0,
                          .number_flags = answer.closes_at_exec ? std::uint32_t{O_CLOEXEC} : 0};
    if (::ioctl(listener_.get(), add_descriptor, &added) >= 0) return true;
    int number = -1;
    if (errno == EINVAL) {
      added.flags = 0;
      number = ::ioctl(listener_.get(), add_descriptor, &added);
    }
    const bool is_refused = number < 0 && errno == EINVAL;  // by a kernel older than Linux 5.9
    answer.kind = is_refused ? Answer::Kind::from_root : Answer::Kind::result;
    answer.value = number;
    answer.error = number < 0 ? errno : 0;
    return false;
  }

  bool still_waits() {
    return ::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_ID_VALID, &asked_.notification.id) == 0;
  }

  Answer decide() {
    const auto& asked = asked_.notification;
    const auto from_root = [] { return Answer{.kind = Answer::Kind::from_root}; };
    const auto* const call = find_trapped(asked.data.arch, asked.data.nr);
    if (call == nullptr) return from_root();
    std::uint64_t arguments[6];
    std::copy(std::begin(asked.data.args), std::end(asked.data.args), arguments);
    const auto thread = static_cast<pid_t>(asked.pid);
    lending_.settle(thread);
    if (call->question == Question::signal) return answer_signal(thread, arguments, root_);
    if (call->question == Question::machine) {
      const auto machine = machine_for(thread);
      const bool told =
          machine && still_waits() && memory_.write(thread, arguments[0], &*machine, sizeof *machine);
      return told ? Answer{} : from_root();
    }

    const auto* const memory = memory_.read_path(thread, arguments[call->path_argument()], path_);
    if (memory == nullptr || path_.empty()) return from_root();
    if (path_ == borrower_as_program) return from_root();
    if (path_ == borrower_path)
      return call->question == Question::open ? lending_.channel(thread) : from_root();
    const auto links = links_at_end(*call, arguments, path_);
    if (call->has_two_paths()) return change_two(*call, arguments, *memory, links);
    const auto name = system_name(thread, path_, call->question, links);
    if (name.empty()) {
      if (call->question == Question::execute) lend_rights(thread, *memory, arguments[call->path_argument()]);
      return from_root();
    }
    if (call->question == Question::enter) has_entered_ = true;
    // To devices everybody has the same, so that nobody need be looked at.
    const auto rights = is_device_for_all(name) ? std::optional<Rights>(Rights{}) : rights_of(thread);
    if (!rights) return from_root();
    const auto named = resolve(name, *rights, links);
    // The number of the thread may have become another's before its memory was opened.
    if (!named.system || !still_waits()) return from_root();
    const auto question = call->question;
    if (changes_file(question) || changes_names(question) || question == Question::attribute ||
        question == Question::attributes) {
      if (!is_own(*named.system)) return {.error = ENOENT};
      const Change change{.call = *call,
                          .arguments = arguments,
                          .memory = *memory,
                          .rights = *rights,
                          .links = links,
                          .first = named};
      return changes_names(question) ? change_names(change, root_) : change_file(change, root_);
    }
    return answer(
        {.call = *call, .arguments = arguments, .memory = *memory, .rights = *rights, .path = named.path},
        *named.system, root_);
  }

  // Of two names that lead to ordinary places nothing is known here.
  Answer change_two(const TrappedCall& call, const std::uint64_t* arguments, const AskerMemory& memory,
                    sys::Links links) {
    const auto thread = static_cast<pid_t>(asked_.notification.pid);
    const auto from_root = [] { return Answer{.kind = Answer::Kind::from_root}; };
    std::string other;
    if (!memory.read_path(arguments[call.path_argument(1)], other) || other.empty()) return from_root();
    const auto directory_of = [&](int which) {
      return call.takes_directory ? static_cast<int>(arguments[call.path_argument(which) - 1]) : AT_FDCWD;
    };
    const auto name_of = [&](const std::string& path, int which, sys::Links followed) {
      const bool is_relative_to_one = path.front() != '/' && directory_of(which) != AT_FDCWD;
      return is_relative_to_one ? std::string() : system_name(thread, path, call.question, followed);
    };
    const auto first = name_of(path_, 0, links);
    const auto second = name_of(other, 1, sys::Links::kept);
    if (first.empty() && second.empty()) return from_root();
    const auto rights = rights_of(thread);
    if (!rights) return from_root();
    const auto named = [&](const std::string& name, const std::string& path, int which, sys::Links followed) {
      return name.empty() ? Named{.path = absolute(thread, path, directory_of(which))}
                          : resolve(name, *rights, followed);
    };
    const Change change{.call = call,
                        .arguments = arguments,
                        .memory = memory,
                        .rights = *rights,
                        .links = links,
                        .first = named(first, path_, 0, links),
                        .second = named(second, other, 1, sys::Links::kept)};
    if ((!change.first.system && !change.second.system) || !still_waits()) return from_root();
    for (const auto* one : {&change.first, &change.second})
      if (one->system && !is_own(*one->system)) return {.error = ENOENT};
    return change_names(change, root_);
  }

  bool is_own(const SystemPath& system) const { return system.process == 0 || root_.has(system.process); }

  std::string absolute(pid_t thread, const std::string& path, int directory) const {
    if (path.front() == '/') return path;
    if (directory == AT_FDCWD) return working_dir_of(thread) + "/" + path;
    const ActingAs acting(step_.user);
    const auto link = "/proc/" + std::to_string(thread) + "/fd/" + std::to_string(directory);
    return place_of_link(root_, link) + "/" + path;
  }

  // What a name stands for. One behind a link of the kernel's may be another name of the machine's files.
  Named resolve(const std::string& name, const Rights& rights, sys::Links links) const {
    constexpr int most = 4;
    Named named{.path = name};
    for (int i = 0; i < most; ++i) {
      const Asker asker{.thread = static_cast<pid_t>(asked_.notification.pid), .process = rights.process};
      named.system = find_system_path(named.path, asker, links);
      if (!named.system || named.system->kind != SystemPath::Kind::behind_link || !is_own(*named.system))
        break;
      const ActingAs acting(rights);
      const auto place = place_of_link(root_, named.system->path);
      if (!is_in_system(place)) break;
      named.path = clean_system_path(place + "/" + named.system->rest);
    }
    return named;
  }

  // The name in /proc, /dev or /sys that the asker's path stands for; empty for any other.
  std::string system_name(pid_t thread, const std::string& path, Question question, sys::Links links) {
    const bool is_relative = path.front() != '/';
    std::string name;
    if (may_be_system_path(path) || (is_relative && has_entered_)) {
      name = clean_system_path(is_relative ? working_dir_of(thread) + "/" + path : path);
      if (is_in_system(name)) return is_own_name(name) ? std::string() : name;
    }
    if (question == Question::execute || changes_names(question)) return {};
    // A name in the working directory that is no link, or kept as one, is the step's.
    if (is_relative && links == sys::Links::kept && path.find('/') == std::string::npos) return {};
    if (is_relative) name = working_dir_of(thread) + "/" + path;
    name = links_.system_name(name.empty() ? path : name, links);
    return is_in_system(name) && !is_own_name(name) ? name : std::string();
  }

  bool is_own_name(const std::string& name) const {
    return std::any_of(step_.own_names.begin(), step_.own_names.end(),
                       [&](const std::string& own) { return name == own || name.starts_with(own + "/"); });
  }

  std::string working_dir_of(pid_t thread) const {
    const ActingAs acting(step_.user);
    char target[PATH_MAX];
    const auto link = "/proc/" + std::to_string(thread) + "/cwd";
    const ssize_t size = ::readlink(link.c_str(), target, sizeof target);
    if (size <= 0) return "/nowhere";
    const std::string place(target, static_cast<std::size_t>(size));
    const auto seen = seen_from(root_, place);
    // One outside: what is relative to it is found there.
    return seen == place && root_.path != "/" ? "/nowhere" : seen;
  }

  std::optional<utsname> machine_for(pid_t thread) const {
    const auto rights = rights_of(thread);
    if (!rights) return std::nullopt;
    const ActingAs acting(*rights);
    return machine_seen_by(thread, root_.hostname);
  }

  // To a program that a thread is about to execute, whose path lies at `address` in its memory.
  void lend_rights(pid_t thread, const AskerMemory& memory, std::uint64_t address) {
    const auto name = absolute(thread, path_, AT_FDCWD);
    const auto place = open_in(root_, name);
    if (!place || !may_give_rights(place.get())) return;
    const auto rights = rights_of(thread);
    const auto given = rights ? gives(place.get(), *rights) : Gives::nothing;
    if (given == Gives::nothing) return;
    if (given == Gives::rights && !is_own_name(borrower_path) && still_waits() &&
        lending_.lend(*rights, {.given = path_, .address = address, .memory = memory, .name = name}))
      return;
    if (std::find(without_rights_.begin(), without_rights_.end(), name) == without_rights_.end())
      without_rights_.push_back(name);
  }

  sys::UniqueFd listener_;
  Step step_;
  sys::UniqueFd place_;
  SupervisedRoot root_;
  const bool tells_of_the_end_ = is_kernel_at_least(6, 11);
  bool has_failed_ = false;   // to get a question
  bool has_entered_ = false;  // somebody has /proc, /dev or /sys as the working directory
  KnownMemory memory_;
  Lending lending_;
  Notification asked_;
  std::string path_;  // of the call that is answered
  LinkWalk links_{root_};
  std::vector<std::string> without_rights_;
};

Supervisor::Supervisor(sys::UniqueFd listener, sys::UniqueFd lender, const Step& step)
    : stop_(::eventfd(0, EFD_CLOEXEC)),
      server_(std::make_unique<Server>(std::move(listener), std::move(lender), step)) {
  if (!stop_) util::throw_errno("cannot make an event");
  thread_ = sys::Thread([this] {
    try {
      server_->serve(stop_.get());
    } catch (const util::Error&) {
      server_->give_up();
    }
  });
}

Supervisor::~Supervisor() {
  ::eventfd_write(stop_.get(), 1);
  thread_.wait();
}

std::vector<std::string> Supervisor::finish() {
  ::eventfd_write(stop_.get(), 1);
  thread_.wait();
  return server_->without_rights();
}

}  // namespace sandbox
