// No steps.
#include "common/sandbox/sandbox.hpp"

namespace sandbox {
namespace {

class NoSandbox : public Sandbox {
public:
  explicit NoSandbox(std::string reason) : reason_(std::move(reason)) {}

  std::optional<std::string> refusal(Network, bool) const override { return reason_; }
  sys::ExitStatus run(const Spec&, const Output&) override { throw StartError(reason_); }

private:
  std::string reason_;
};

}  // namespace

std::unique_ptr<Sandbox> make_none(const std::string& reason) {
  return std::make_unique<NoSandbox>(reason);
}

}  // namespace sandbox
