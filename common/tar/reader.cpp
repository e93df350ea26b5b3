// Walks through the members of a tar archive.
#include "common/tar/reader.hpp"

#include <algorithm>
#include <cstring>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace tar {
namespace {

// Large enough that small files do not cost a read each, small enough that indexing reads little besides
// headers.
constexpr std::size_t buffer_size = 65536;
constexpr std::size_t max_extra = 1 << 20;

std::optional<Type> type_of(char kind, const std::string& path) {
  switch (kind) {
    case '\0':  // v7 has no typeflag for directories
      return path.ends_with('/') ? Type::directory : Type::regular;
    case '0':
    case '7':
    case 'S':
      return Type::regular;
    case '1':
      return Type::hard_link;
    case '2':
      return Type::symlink;
    case '3':
      return Type::character_device;
    case '4':
      return Type::block_device;
    case '5':
    case 'D':  // GNU dump directory: has a list of names for content
      return Type::directory;
    case '6':
      return Type::fifo;
    default:
      return std::nullopt;
  }
}

}  // namespace

Reader::Reader(stream::Source& source, std::string what)
    : source_(source), what_(std::move(what)), buffer_(buffer_size) {}

// What stands in front of a member's header.
struct Reader::Extensions {
  PaxFields pax;
  std::optional<std::string> long_name;    // GNU
  std::optional<std::string> long_target;  // GNU
  std::size_t size = 0;                    // of all of it together
  bool any = false;
};

// Runs a parser: a FormatError it throws is about the member at hand and gets its place.
template <typename Action>
decltype(auto) Reader::check(Action&& action) const {
  try {
    return std::forward<Action>(action)();
  } catch (const FormatError& error) {
    throw util::Error(
        what_ + " is damaged: tar header at byte " + std::to_string(header_place_) + ": " + error.what(),
        util::Cause::Kind::damaged);
  }
}

void Reader::fail_cut_off() const {
  throw util::Error(
      what_ + " is damaged: it ends in the middle of a tar member, at byte " + std::to_string(position_),
      util::Cause::Kind::damaged);
}

std::size_t Reader::fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  const std::size_t count = source_.read(std::span(buffer_).subspan(end_));
  end_ += count;
  return count;
}

bool Reader::read_block(Block& block) {
  while (end_ - begin_ < block_size) {
    if (fill() > 0) continue;
    if (begin_ == end_) return false;
    fail_cut_off();
  }
  std::memcpy(block.data(), buffer_.data() + begin_, block_size);
  begin_ += block_size;
  position_ += block_size;
  return true;
}

void Reader::pass_over(std::uint64_t count) {
  const std::uint64_t buffered = std::min<std::uint64_t>(count, end_ - begin_);
  begin_ += buffered;
  position_ += buffered;
  count -= buffered;
  if (count == 0) return;
  const std::uint64_t skipped = source_.skip(count);
  position_ += skipped;
  if (skipped < count) fail_cut_off();
}

std::size_t Reader::read(std::span<std::byte> buffer) {
  const std::size_t wanted = std::min<std::uint64_t>(buffer.size(), content_left_);
  if (wanted == 0) return 0;
  std::size_t count = 0;
  if (begin_ == end_ && wanted >= buffer_.size()) {
    count = source_.read(buffer.first(wanted));
  } else {
    if (begin_ == end_) fill();
    count = std::min(wanted, end_ - begin_);
    std::memcpy(buffer.data(), buffer_.data() + begin_, count);
    begin_ += count;
  }
  if (count == 0) fail_cut_off();
  position_ += count;
  content_left_ -= count;
  return count;
}

// The content of an extension header.
std::string Reader::read_extra(const Header& header, std::size_t& total) {
  if (header.size > max_extra || total + header.size > max_extra) {
    check([] { throw FormatError("its PAX header or long name is larger than 1 MiB"); });
  }
  total += header.size;
  std::string extra(header.size, '\0');
  content_left_ = header.size;
  for (std::size_t filled = 0; filled < extra.size();) {
    filled += read(std::as_writable_bytes(std::span(extra).subspan(filled)));
  }
  pass_over(padding_after(header.size));
  return extra;
}

// True if the header was one that describes the member behind it, or no member at all.
bool Reader::read_extension(const Header& header, Extensions& extensions) {
  switch (header.kind) {
    case 'x':
    case 'X': {  // Solaris writes X
      const std::string records = read_extra(header, extensions.size);
      extensions.pax = {};  // of several the last one counts
      check([&] { parse_pax(records, PaxScope::member, extensions.pax); });
      break;
    }
    case 'g': {
      std::size_t size = 0;
      const std::string records = read_extra(header, size);
      PaxFields ignored;
      check([&] { parse_pax(records, PaxScope::global, ignored); });
      extensions = {};
      return true;
    }
    case 'L':
      extensions.long_name = read_extra(header, extensions.size).c_str();
      break;
    case 'K':
      extensions.long_target = read_extra(header, extensions.size).c_str();
      break;
    case 'V':  // the label of a volume
      pass_over(header.size);
      pass_over(padding_after(header.size));
      return true;
    default:
      return false;
  }
  extensions.any = true;
  return true;
}

bool Reader::next(Entry& entry) {
  if (ended_) return false;
  pass_over(std::exchange(content_left_, 0));
  pass_over(std::exchange(padding_left_, 0));

  Extensions extensions;
  Block block;
  for (;;) {
    header_place_ = position_;
    const bool there = read_block(block);
    if (!there || is_zero(block)) {
      if (extensions.any) fail_cut_off();
      if (there && read_block(block) && !is_zero(block)) {
        check([] { throw FormatError("it follows the end mark of the archive"); });
      }
      ended_ = true;
      return false;
    }
    Header header = check([&] { return parse_header(block); });
    if (read_extension(header, extensions)) continue;
    entry = Entry{};
    const char kind = header.kind;
    check([&] { describe(entry, std::move(header), extensions); });
    if (entry.type == Type::regular) read_sparse_map(entry, kind, block, extensions.pax);
    entry.data_offset = position_;
    return true;
  }
}

// Everything but sparse maps: the header block overridden by what stood in front of it.
void Reader::describe(Entry& entry, Header header, Extensions& extensions) {
  PaxFields& pax = extensions.pax;
  entry.path = std::move(header.path);
  entry.link_target = std::move(header.link_target);
  if (pax.path) entry.path = std::move(*pax.path);
  if (pax.link_target) entry.link_target = std::move(*pax.link_target);
  if (extensions.long_name) entry.path = std::move(*extensions.long_name);
  if (extensions.long_target) entry.link_target = std::move(*extensions.long_target);

  const auto type = type_of(header.kind, entry.path);
  if (!type) {
    throw FormatError(util::quote(entry.path) + " is of the kind " + util::quote({&header.kind, 1}) +
                      ", which has no meaning in images");
  }
  entry.type = *type;
  if (entry.type != Type::hard_link && entry.type != Type::symlink) entry.link_target.clear();
  entry.mode = header.mode;
  entry.uid = pax.uid.value_or(header.uid);
  entry.gid = pax.gid.value_or(header.gid);
  entry.mtime = pax.mtime.value_or(Timestamp{header.mtime, 0});
  entry.device_major = header.device_major;
  entry.device_minor = header.device_minor;
  entry.xattrs = std::move(pax.xattrs);

  // Links, devices and plain directories have no content, whatever their size field says: some tars put the
  // size of the linked file there. The Go library and GNU tar read it the same way.
  const bool content = entry.type == Type::regular || header.kind == 'D';
  content_left_ = content ? pax.size.value_or(header.size) : 0;
  padding_left_ = padding_after(content_left_);
  if (entry.type == Type::regular) entry.size = content_left_;
}

void Reader::read_sparse_map(Entry& entry, char kind, const Block& block, PaxFields& pax) {
  // Blocks of the map that lie in the content of the member, as version 1.0 has them.
  const NextBlock next_in_content = [this](Block& next) {
    if (content_left_ < block_size) throw FormatError("its sparse map is not well-formed");
    if (!read_block(next)) fail_cut_off();
    content_left_ -= block_size;
  };
  const NextBlock next_before_content = [this](Block& next) {
    if (!read_block(next)) fail_cut_off();
  };
  if (kind == 'S') {
    auto sparse = check([&] { return parse_old_sparse(block, next_before_content); });
    entry.size = sparse.real_size;
    entry.sparse = std::move(sparse.map);
  } else if (pax.sparse_version == "1.0") {
    entry.sparse = check([&] { return parse_sparse_lines(next_in_content); });
  } else if (pax.sparse_map && (pax.sparse_version.empty() || pax.sparse_version.starts_with("0."))) {
    entry.sparse = std::move(pax.sparse_map);
  } else if (!pax.sparse_version.empty()) {
    check([&] {
      throw FormatError("its sparse map has the unknown version " + util::quote(pax.sparse_version));
    });
  } else {
    return;
  }
  if (kind != 'S') {
    entry.size = pax.sparse_real_size.value_or(entry.size);
    if (pax.sparse_name) entry.path = std::move(*pax.sparse_name);
  }
  check([&] { check_sparse_map(*entry.sparse, entry.size, content_left_); });
}

}  // namespace tar
