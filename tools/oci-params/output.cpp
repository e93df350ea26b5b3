// The form in which images come out.
#include "tools/oci-params/output.hpp"

#include <algorithm>
#include <cstdint>

#include "common/util/error.hpp"
#include "common/util/text.hpp"
#include "tools/oci-params/values.hpp"

namespace params {
namespace {

using document::Compression;
using document::OutputFormat;

OutputFormat read_format(const Environment& environment, const std::vector<image::Platform>& platforms) {
  const auto oci = read_boolean(environment, "OUTPUT_OCI");
  if (platforms.size() > 1) {
    if (oci == false) {
      throw util::Error(
          "OUTPUT_OCI is false but IMAGE_PLATFORM names " + std::to_string(platforms.size()) +
          " platforms, which only an OCI layout can hold; drop OUTPUT_OCI or name one platform");
    }
    return OutputFormat::oci;
  }
  return oci.value_or(false) ? OutputFormat::oci : OutputFormat::docker;
}

std::optional<Compression> read_compression(const Environment& environment) {
  const auto word = environment.value("COMPRESSION");
  if (!word) return std::nullopt;
  if (*word == "uncompressed") return Compression::none;  // BuildKit's word
  return document::parse_compression("COMPRESSION", *word);
}

std::optional<std::uint64_t> read_compression_level(const Environment& environment,
                                                    const std::optional<Compression>& compression) {
  const std::string parameter = "COMPRESSION_LEVEL";
  const auto text = environment.value(parameter);
  if (!text) return std::nullopt;
  if (!compression) throw util::Error(parameter + " needs COMPRESSION; set it to 'gzip' or 'zstd'");
  if (*compression == Compression::none) {
    throw util::Error(parameter + " has no meaning with COMPRESSION 'none'; drop one of the two");
  }
  const bool gzip = *compression == Compression::gzip;
  const std::uint64_t least = gzip ? 0 : 1;
  const std::uint64_t most = gzip ? 9 : 22;
  const auto level = util::parse_uint(*text);
  if (!level || *level < least || *level > most) {
    throw util::Error(parameter + ": " + util::quote(*text) + " is no level of " +
                      std::string(to_string(*compression)) + "; use a whole number from " +
                      std::to_string(least) + " to " + std::to_string(most));
  }
  return level;
}

void read_repo_tags(const Environment& environment, std::vector<image::Reference>& tags, Findings& findings) {
  const std::string parameter = "REPO_TAGS";
  for (const auto& text : split_list(environment.value(parameter).value_or(""), ", \n")) {
    findings.check([&] {
      auto tag = util::with_context(parameter, [&] { return image::parse_repo_tag(text); });
      if (std::find(tags.begin(), tags.end(), tag) != tags.end())
        throw util::Error(parameter + ": " + util::quote(text) + " stands twice; keep one");
      tags.push_back(std::move(tag));
    });
  }
}

// A boolean, or attributes as BuildKit takes them. Nothing means off.
std::optional<document::Attributes> read_attestation(const Environment& environment,
                                                     const std::string& parameter) {
  const bool is_provenance = parameter == "PROVENANCE";
  const auto value = environment.value(parameter);
  if (!value || *value == "off" || *value == "none") return std::nullopt;
  const auto parse = [&](const std::string& text) {
    return util::with_context(parameter, [&] {
      return is_provenance ? document::parse_provenance(text) : document::Attributes::parse(text);
    });
  };
  if (value->find('=') != std::string::npos) {
    auto attributes = parse(*value);
    if (attributes.value("disabled") == "true") return std::nullopt;
    return attributes;
  }
  if (is_provenance && (*value == "min" || *value == "max")) return parse("mode=" + *value);
  try {
    if (!read_boolean(environment, parameter).value_or(false)) return std::nullopt;
    return document::Attributes();
  } catch (const util::Error&) {
    throw util::Error(parameter + ": " + util::quote(*value) + " is no way to attest; use " +
                      (is_provenance ? "'true', 'min', 'max', 'false' or attributes such as 'mode=max'"
                                     : "'true', 'false' or attributes such as 'generator=IMAGE'"));
  }
}

}  // namespace

document::Output read_output(const Environment& environment, const std::vector<image::Platform>& platforms,
                             Findings& findings) {
  document::Output output;
  findings.check([&] { output.format = read_format(environment, platforms); });
  findings.check([&] { read_repo_tags(environment, output.repo_tags, findings); });
  findings.check([&] { output.unpack_rootfs = read_boolean(environment, "UNPACK_ROOTFS").value_or(false); });
  findings.check([&] {
    output.rewrite_timestamp = read_boolean(environment, "REWRITE_TIMESTAMP").value_or(false);
    const bool has_time =
        environment.is_set("SOURCE_DATE_EPOCH") || environment.is_set("BUILD_ARG_SOURCE_DATE_EPOCH");
    if (output.rewrite_timestamp && !has_time) {
      throw util::Error("REWRITE_TIMESTAMP needs SOURCE_DATE_EPOCH, the time to write; set it too");
    }
  });
  findings.check([&] {
    output.compression = read_compression(environment);
    output.compression_level = read_compression_level(environment, output.compression);
  });
  return output;
}

Attestations read_attestations(const Environment& environment, OutputFormat format, Findings& findings) {
  Attestations attestations;
  const auto read = [&](const std::string& parameter) {
    auto attestation = read_attestation(environment, parameter);
    if (attestation && format != OutputFormat::oci) {
      throw util::Error(parameter + " is stored beside the image, which only an OCI layout can hold; set " +
                        "OUTPUT_OCI to 'true'");
    }
    return attestation;
  };
  findings.check([&] { attestations.provenance = read("PROVENANCE"); });
  findings.check([&] { attestations.sbom = read("SBOM"); });
  return attestations;
}

std::optional<std::string> read_source_date_epoch(const Environment& environment) {
  const std::string parameter = "SOURCE_DATE_EPOCH";
  auto value = environment.value(parameter);
  if (!value) return std::nullopt;
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_name_char = [&](char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.';
  };
  // BuildKit reads it as a signed number of 64 bits; other words name a stage or context whose time counts.
  const auto seconds = util::parse_uint(*value);
  const bool is_time = seconds && *seconds <= INT64_MAX;
  const bool is_name = is_letter(value->front()) && std::all_of(value->begin(), value->end(), is_name_char);
  if (!is_time && !is_name) {
    throw util::Error(parameter + ": " + util::quote(*value) +
                      " is not a time; use whole seconds since 1970, as 'date +%s' prints them");
  }
  return value;
}

}  // namespace params
