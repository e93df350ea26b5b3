// What a daemon is told by its environment, and how it is known to be up.
#include "common/buildkit/daemon.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "common/buildkit/readiness.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/temp_dir.hpp"

namespace {

using namespace std::chrono_literals;

TEST(DaemonEnvironment, HoldsNoSecretAndNoClippingOfStepOutput) {
  document::Request request;
  request.secrets = {{"a", "BUILDKIT_SECRETTEXT_a", std::nullopt}, {"f", std::nullopt, "/file"}};
  request.ssh = {{"k", "BUILDKIT_SSHTEXT_k", {}, false}};
  const auto environment =
      buildkit::daemon_environment(request,
                                   {"PATH=/bin", "BUILDKIT_SECRETTEXT_a=x", "BUILDKIT_SSHTEXT_k=x",
                                    "TMPDIR=/tmp", "HTTPS_PROXY=http://p", "BUILDKIT_STEP_LOG_MAX_SIZE=1"},
                                   "/w/tmp");
  const std::vector<std::string> expected = {"PATH=/bin", "HTTPS_PROXY=http://p", "TMPDIR=/w/tmp",
                                             "BUILDKIT_STEP_LOG_MAX_SIZE=-1",
                                             "BUILDKIT_STEP_LOG_MAX_SPEED=-1"};
  EXPECT_EQ(environment, expected);
}

// A socket that somebody listens on; what comes after that is up to the test.
class Listener {
public:
  Listener() : path_(dir_.path() / "s"), fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path_.c_str());
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(fd_.get(), 1), 0);
  }
  const std::filesystem::path& path() const { return path_; }
  sys::UniqueFd accept() const { return sys::UniqueFd(::accept(fd_.get(), nullptr, nullptr)); }

private:
  sys::TempDir dir_{std::filesystem::temp_directory_path()};
  std::filesystem::path path_;
  sys::UniqueFd fd_;
};

TEST(Answers, IsFalseWhereNobodyListens) {
  EXPECT_FALSE(buildkit::answers("/absent/socket", 10s));
}

TEST(Answers, IsFalseWhileTheServerOnlyListens) {
  const Listener listener;
  EXPECT_FALSE(buildkit::answers(listener.path(), 1ms));
}

TEST(Answers, IsFalseWhenTheServerHangsUp) {
  const Listener listener;
  std::thread server([&] { listener.accept(); });
  EXPECT_FALSE(buildkit::answers(listener.path(), 10s));
  server.join();
}

TEST(Answers, IsTrueOnceTheServerGreets) {
  const Listener listener;
  std::thread server([&] {
    const auto connection = listener.accept();
    // Closed with the client's greeting unread, the socket would be reset.
    char greeting[64];
    EXPECT_GT(::recv(connection.get(), greeting, sizeof(greeting), 0), 0);
    sys::write_all(connection.get(), std::string_view("\0\0\0\4\0\0\0\0\0", 9), "the connection");
  });
  EXPECT_TRUE(buildkit::answers(listener.path(), 10s));
  server.join();
}

}  // namespace
