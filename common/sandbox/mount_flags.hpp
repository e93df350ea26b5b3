// Flags of mount(2) and umount2(2), and those calls: <sys/mount.h> cannot stand beside <linux/mount.h>, which
// has the new mount API.
#pragma once

extern "C" int mount(const char*, const char*, const char*, unsigned long, const void*) noexcept;
extern "C" int umount2(const char*, int) noexcept;

namespace sandbox {

inline constexpr unsigned long ms_rdonly = 1, ms_nosuid = 2, ms_nodev = 4, ms_noexec = 8, ms_remount = 32,
                               ms_bind = 4096, ms_rec = 16384, ms_slave = 1 << 19, ms_strictatime = 1 << 24;
inline constexpr int mnt_detach = 2;

}  // namespace sandbox
