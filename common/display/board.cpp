// Updates put together.
#include "common/display/board.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "common/display/terminal_text.hpp"

namespace display {
namespace {

constexpr std::size_t longest_line = 64 << 10;
constexpr std::size_t kept_of_longer = 4 << 10;
constexpr std::size_t most_statuses = 1000;  // of one vertex

bool is_blob(const std::string& id) {
  return id.starts_with("sha256:") || id.starts_with("sha512:");
}

}  // namespace

void LastLines::add(std::string_view data, double seconds) {
  while (!data.empty()) {
    const auto end = data.find_first_of("\r\n");
    append(data.substr(0, end), seconds);
    if (end == std::string_view::npos) return;
    if (data[end] == '\n') {
      finish();
    } else {
      returned_ = true;
    }
    data.remove_prefix(end + 1);
  }
}

void LastLines::append(std::string_view piece, double seconds) {
  if (piece.empty()) return;
  if (std::exchange(returned_, false)) partial_.text.clear();
  if (partial_.text.empty()) partial_.seconds = seconds;
  if (piece.size() > longest_line) piece.remove_prefix(piece.size() - kept_of_longer);
  partial_.text += piece;
  if (partial_.text.size() > longest_line) partial_.text.erase(0, partial_.text.size() - kept_of_longer);
}

void LastLines::finish() {
  returned_ = false;
  partial_.text = shortened(printable(partial_.text), kept_of_longer);
  whole_.push_back(std::exchange(partial_, {}));
  if (whole_.size() > most) whole_.pop_front();
}

std::vector<LastLines::Line> LastLines::lines() const {
  std::vector<Line> lines(whole_.begin(), whole_.end());
  if (auto text = shortened(printable(partial_.text), kept_of_longer); !text.empty())
    lines.push_back({partial_.seconds, std::move(text)});
  return lines;
}

std::chrono::duration<double> Work::duration(Time now) const {
  if (!started) return before;
  // The clock of a daemon elsewhere may be another one.
  const auto current = completed ? *completed - *started : now - heard;
  return before + std::max(std::chrono::duration<double>(current), std::chrono::duration<double>(0));
}

void Board::apply(const Update& update, Time now) {
  if (!begin_) begin_ = now;
  for (const auto& vertex : update.vertexes)
    apply(vertex, now);
  for (const auto& status : update.statuses)
    apply(status);
  for (const auto& warning : update.warnings)
    at(warning.vertex).warnings.push_back(printable(warning.text));
  if (output_ == Output::left_out) return;
  for (const auto& log : update.logs) {
    auto& work = at(log.vertex);
    const auto since = work.started ? log.timestamp - *work.started : Time::duration();
    work.output.add(log.data, std::max(std::chrono::duration<double>(since).count(), 0.0));
  }
}

void Board::apply(const Vertex& vertex, Time now) {
  auto& work = at(vertex.digest);
  const auto index = by_digest_.at(vertex.digest);
  if (!vertex.inputs.empty()) work.inputs = vertex.inputs;
  if (!vertex.name.empty()) work.name = printable(vertex.name);
  if (vertex.started && vertex.started != work.started) {
    if (work.started && work.completed) work.before += *work.completed - *work.started;
    if (!work.started) begun_.push_back(index);
    work.started = vertex.started;
    work.heard = now;
  }
  if (vertex.started) work.completed = vertex.completed;
  if (vertex.completed) work.cached = vertex.cached;
  if (!vertex.error.empty()) {
    work.error = printable(vertex.error);
    work.canceled = vertex.error.find("context canceled") != std::string::npos;
    if (!failure_ && !work.canceled) failure_ = index;
  }
}

void Board::apply(const Status& status) {
  auto& statuses = at(status.vertex).statuses;
  const auto known =
      std::find_if(statuses.begin(), statuses.end(), [&](const Status& one) { return one.id == status.id; });
  if (known != statuses.end()) {
    *known = status;
  } else if (statuses.size() < most_statuses) {
    statuses.push_back(status);
  }
}

void Board::end(Time now) {
  end_ = now;
  for (auto& work : all_) {
    if (!work.is_running()) continue;
    work.canceled = true;
    work.completed = *work.started + (now - work.heard);
  }
}

std::vector<const Work*> Board::work() const {
  std::vector<const Work*> list;
  for (const std::size_t index : begun_)
    list.push_back(&all_[index]);
  for (const auto& work : all_) {
    if (!work.started && !work.name.empty()) list.push_back(&work);
  }
  return list;
}

const Work* Board::find(const std::string& digest) const {
  const auto found = by_digest_.find(digest);
  return found == by_digest_.end() ? nullptr : &all_[found->second];
}

Work& Board::at(const std::string& digest) {
  const auto [found, is_new] = by_digest_.try_emplace(digest, all_.size());
  if (is_new) all_.push_back({.digest = digest});
  return all_[found->second];
}

const Work* Board::failure() const {
  return failure_ ? &all_[*failure_] : nullptr;
}

std::uint64_t Board::pulled_bytes() const {
  std::uint64_t bytes = 0;
  std::set<std::string> seen;
  for (const auto& work : all_) {
    if (work.name.starts_with("[context ")) continue;  // out of a layout on disk
    for (const auto& status : work.statuses) {
      if (is_blob(status.id) && seen.insert(status.id).second) bytes += status.current;
    }
  }
  return bytes;
}

}  // namespace display
