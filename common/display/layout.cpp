// Lines, and which of them there is room for.
#include "common/display/layout.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "common/display/terminal_text.hpp"
#include "common/util/text.hpp"

namespace display {
namespace {

constexpr std::size_t most_output_lines = 6;
constexpr std::size_t bar_cells = 20;
constexpr std::size_t least_columns_with_bar = 70;
constexpr std::string_view reset = "\x1b[0m";

// What of a status fits beside others: of a digest its beginning.
std::string shown_id(const std::string& id) {
  constexpr std::size_t shown_digits = 12;
  constexpr std::string_view algorithm = "sha256:";
  const auto clean = printable(id);
  const auto at = clean.find(algorithm);
  if (at == std::string::npos) return clean;
  const auto digits = at + algorithm.size();
  const auto end = std::min(clean.find_first_not_of("0123456789abcdef", digits), clean.size());
  if (end - digits != 64) return clean;
  return clean.substr(0, digits + shown_digits) + clean.substr(end);
}

std::string bar(std::uint64_t current, std::uint64_t total) {
  const auto cells =
      std::min(static_cast<std::size_t>(static_cast<double>(current) / static_cast<double>(total) *
                                        static_cast<double>(bar_cells)),
               bar_cells);
  std::string text = "[" + std::string(cells, '=');
  if (cells < bar_cells) text += ">" + std::string(bar_cells - cells - 1, ' ');
  return text + "] ";
}

class Layout {
public:
  Layout(const Board& board, Size size, const Colours& colours, Extent extent, Time now)
      : board_(board),
        columns_(std::max<std::size_t>(size.columns, 2) - 1),
        size_(size),
        colours_(colours),
        extent_(extent),
        now_(now) {
    for (const auto* work : board.work()) {
      if (work->name.empty()) continue;
      ++known_;
      if (work->completed) ++ended_;
      if (work->started) shown_.push_back(work);
    }
  }

  std::vector<Line> lines() {
    add_header();
    if (extent_ == Extent::whole) {
      for (const auto* work : shown_) {
        add_step(*work);
        add_details(*work, work->statuses.size());
      }
    } else {
      add_window();
    }
    return std::move(lines_);
  }

private:
  void add(std::string_view left, std::string_view right, const std::string& colour) {
    std::string text;
    const auto right_width = right.empty() ? 0 : right.size() + 1;
    if (right_width < columns_) {
      text = shortened(left, columns_ - right_width);
      if (!right.empty())
        text += std::string(columns_ - right.size() - width(text), ' ') + std::string(right);
    } else {
      text = shortened(left, columns_);
    }
    const auto columns = width(text);
    lines_.push_back({colour.empty() ? text : colour + text + std::string(reset), columns});
  }

  void add_header() {
    const auto begin = board_.begin().value_or(now_);
    std::string text = "[+] Building " + shown_time(board_.end().value_or(now_) - begin) + " (" +
                       std::to_string(ended_) + "/" +
                       std::to_string(board_.end() ? std::max(ended_, shown_.size()) : known_) + ")";
    std::string colour;
    if (board_.failure() != nullptr) {
      text += " ERROR";
      colour = colours_.error;
    } else if (board_.end()) {
      const bool canceled =
          std::any_of(shown_.begin(), shown_.end(), [](const Work* work) { return work->canceled; });
      text += canceled ? " CANCELED" : " FINISHED";
      if (canceled) colour = colours_.cancel;
    }
    add(text, "", colour);
  }

  void add_step(const Work& work) {
    std::string word;
    std::string colour;
    if (work.canceled) {
      word = "CANCELED ";
      colour = colours_.cancel;
    } else if (!work.error.empty()) {
      word = "ERROR ";
      colour = colours_.error;
    } else if (work.cached) {
      word = "CACHED ";
      colour = colours_.cached;
    } else if (work.completed) {
      colour = colours_.run;
    }
    add(" => " + word + work.name, shown_time(work.duration(now_)), colour);
  }

  void add_status(const Status& status) {
    std::string text = " => => " + shown_id(status.id);
    if (status.total > 0) {
      text += " ";
      if (!status.completed && columns_ >= least_columns_with_bar) text += bar(status.current, status.total);
      text += decimal_size(status.current) + " / " + decimal_size(status.total);
    } else if (status.current > 0) {
      text += " " + decimal_size(status.current);
    }
    std::string time;
    if (status.started)
      time = shown_time(status.completed.value_or(std::max(now_, *status.started)) - *status.started);
    add(text, time, status.completed ? colours_.run : "");
  }

  // Of the statuses the last so many, those that have not ended first.
  void add_details(const Work& work, std::size_t most) {
    std::vector<const Status*> chosen;
    for (const bool ended : {false, true}) {
      for (auto status = work.statuses.rbegin(); status != work.statuses.rend(); ++status) {
        if (status->completed.has_value() == ended && chosen.size() < most) chosen.push_back(&*status);
      }
    }
    for (const auto& status : work.statuses) {
      if (std::find(chosen.begin(), chosen.end(), &status) != chosen.end()) add_status(status);
    }
    for (const auto& warning : work.warnings)
      add(" => => WARN: " + warning, "", colours_.warning);
  }

  void add_output(const std::vector<LastLines::Line>& output, std::size_t most) {
    for (auto i = output.size() - std::min(output.size(), most); i < output.size(); ++i)
      add(" => => # " + output[i].text, "", "");
  }

  void add_window() {
    if (size_.rows <= 2) return;
    const std::size_t room = size_.rows - 2;  // without the header and the line of the cursor
    std::vector<const Work*> running;
    std::copy_if(shown_.begin(), shown_.end(), std::back_inserter(running),
                 [](const Work* work) { return work->is_running(); });
    if (running.size() > room) return add_running_only(running, room);
    std::size_t left = room - running.size();
    // What each running step shows below itself, as many lines for one as for another.
    std::vector<std::vector<LastLines::Line>> outputs;
    std::vector<std::size_t> wanted;
    for (const auto* work : running) {
      outputs.push_back(work->output.lines());
      wanted.push_back(std::min(outputs.back().size(), most_output_lines) +
                       std::min(work->statuses.size() + work->warnings.size(), most_output_lines));
    }
    std::vector<std::size_t> given(running.size(), 0);
    for (bool gave = true; gave && left > 0;) {
      gave = false;
      for (std::size_t i = 0; i < running.size() && left > 0; ++i) {
        if (given[i] == wanted[i]) continue;
        ++given[i];
        --left;
        gave = true;
      }
    }
    const auto ended = shown_.size() - running.size();
    std::size_t folded = ended > left ? ended - left : 0;
    if (folded > 0 && left > 0) {
      ++folded;  // for the line that counts them
      add(" => " + std::to_string(folded) + " more that have ended", "", colours_.run);
    }
    for (std::size_t i = 0, number = 0; i < shown_.size(); ++i) {
      const auto& work = *shown_[i];
      if (!work.is_running()) {
        folded > 0 ? void(--folded) : add_step(work);
        continue;
      }
      add_step(work);
      const auto output = std::min({given[number], outputs[number].size(), most_output_lines});
      add_limited_details(work, given[number] - output);
      add_output(outputs[number], output);
      ++number;
    }
  }

  void add_limited_details(const Work& work, std::size_t most) {
    const auto before = lines_.size();
    add_details(work, most);
    if (lines_.size() - before > most) lines_.resize(before + most);
  }

  void add_running_only(const std::vector<const Work*>& running, std::size_t room) {
    for (std::size_t i = 0; i + 1 < room; ++i)
      add_step(*running[i]);
    add(" => " + std::to_string(running.size() + 1 - room) + " more that run", "", "");
  }

  const Board& board_;
  const std::size_t columns_;
  const Size size_;
  const Colours& colours_;
  const Extent extent_;
  const Time now_;
  std::size_t known_ = 0;
  std::size_t ended_ = 0;
  std::vector<const Work*> shown_;
  std::vector<Line> lines_;
};

struct Colour {
  std::string_view name;
  std::string_view start;
};
constexpr std::array colour_names = {
    Colour{"black", "\x1b[30m"},      Colour{"red", "\x1b[31m"},           Colour{"green", "\x1b[32m"},
    Colour{"yellow", "\x1b[33m"},     Colour{"blue", "\x1b[34m"},          Colour{"magenta", "\x1b[35m"},
    Colour{"cyan", "\x1b[36m"},       Colour{"white", "\x1b[37m"},         Colour{"light-black", "\x1b[90m"},
    Colour{"light-red", "\x1b[91m"},  Colour{"light-green", "\x1b[92m"},   Colour{"light-yellow", "\x1b[93m"},
    Colour{"light-blue", "\x1b[94m"}, Colour{"light-magenta", "\x1b[95m"}, Colour{"light-cyan", "\x1b[96m"},
    Colour{"light-white", "\x1b[97m"}};

std::optional<std::string> colour_of(const std::string& word) {
  for (const auto& colour : colour_names) {
    if (colour.name == word) return std::string(colour.start);
  }
  const auto parts = util::split(word, ',');
  if (parts.size() != 3) return std::nullopt;
  std::string start = "\x1b[38;2";
  for (const auto& part : parts) {
    const auto value = util::parse_uint(part);
    if (!value || *value > 255) return std::nullopt;
    start += ";" + std::to_string(*value);
  }
  return start + "m";
}

}  // namespace

Colours colours_of(std::string_view words) {
  Colours colours{.run = "\x1b[34m",
                  .cached = "\x1b[36m",
                  .cancel = "\x1b[33m",
                  .warning = "\x1b[33m",
                  .error = "\x1b[31m"};
  for (const auto& entry : util::split(words, ':')) {
    const auto equals = entry.find('=');
    if (equals == std::string::npos) continue;
    const auto name = entry.substr(0, equals);
    const auto colour = colour_of(entry.substr(equals + 1));
    if (!colour) continue;
    if (name == "run") colours.run = colours.cached = *colour;
    if (name == "cancel") colours.cancel = *colour;
    if (name == "warning") colours.warning = *colour;
    if (name == "error") colours.error = *colour;
  }
  return colours;
}

std::vector<Line> lay_out(const Board& board, Size size, const Colours& colours, Extent extent, Time now) {
  return Layout(board, size, colours, extent, now).lines();
}

std::string decimal_size(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> units = {"B", "kB", "MB", "GB", "TB"};
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; size >= 1000 && unit + 1 < units.size(); ++unit)
    size /= 1000;
  return util::fixed(size, unit == 0 ? 0 : 2) + units[unit];
}

std::string shown_time(std::chrono::duration<double> time) {
  return util::fixed(time.count(), 1) + "s";
}

}  // namespace display
