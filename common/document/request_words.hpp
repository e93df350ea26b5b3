// The words that stand in requests for the values of enumerations.
#pragma once

#include "common/document/fields.hpp"
#include "common/document/request.hpp"

namespace document {

inline constexpr Words<EngineChoice, 3> engine_choices = {{
    {EngineChoice::automatic, "auto"},
    {EngineChoice::buildkit, "buildkit"},
    {EngineChoice::native, "native"},
}};
inline constexpr Words<IsolationChoice, 5> isolation_choices = {{
    {IsolationChoice::automatic, "auto"},
    {IsolationChoice::namespaces, "namespaces"},
    {IsolationChoice::userns, "userns"},
    {IsolationChoice::chroot, "chroot"},
    {IsolationChoice::copies, "copies"},
}};
inline constexpr Words<ProgressChoice, 5> progress_choices = {{
    {ProgressChoice::automatic, "auto"},
    {ProgressChoice::plain, "plain"},
    {ProgressChoice::tty, "tty"},
    {ProgressChoice::quiet, "quiet"},
    {ProgressChoice::rawjson, "rawjson"},
}};
inline constexpr Words<Entitlement, 2> entitlements = {{
    {Entitlement::network_host, "network.host"},
    {Entitlement::security_insecure, "security.insecure"},
}};
inline constexpr Words<OutputFormat, 2> output_formats = {{
    {OutputFormat::docker, "docker"},
    {OutputFormat::oci, "oci"},
}};
inline constexpr Words<Compression, 3> compressions = {{
    {Compression::gzip, "gzip"},
    {Compression::zstd, "zstd"},
    {Compression::none, "none"},
}};
inline constexpr Words<Preload::Role, 2> preload_roles = {{
    {Preload::Role::build_arg, "build_arg"},
    {Preload::Role::context, "context"},
}};

}  // namespace document
