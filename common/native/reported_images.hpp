// Base images whose look-ups are shown as progress.
#pragma once

#include "common/engine/progress.hpp"
#include "common/plan/lower.hpp"

namespace native {

class ReportedImages : public plan::Images {
public:
  // Borrows both.
  ReportedImages(plan::Images& images, engine::Progress& progress) : images_(images), progress_(progress) {}

  bool is_given(const std::string& familiar) const override { return images_.is_given(familiar); }
  std::string config(const image::Reference& reference, const image::Platform& platform) override;

private:
  plan::Images& images_;
  engine::Progress& progress_;
};

}  // namespace native
