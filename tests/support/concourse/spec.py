"""The OCI runtime specification that a worker writes for a task, and the process that it then runs in the container."""
import seccomp

MODES = ("unprivileged", "privileged", "fuse-only", "unprivileged-on-fuse-only")

# By number; a privileged task gets all of these.
CAPABILITIES = """CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
 NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT
 SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP
 MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ""".split()
UNPRIVILEGED = """AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP
 SETUID SYS_CHROOT""".split()

GUARDIAN_MASKS = ["/proc/kcore", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
                  "/proc/timer_stats", "/proc/keys", "/sys/firmware"]


def capabilities(mode):
    """What the task holds; a privileged one lacks what this machine lacks itself."""
    if mode != "privileged":
        return UNPRIVILEGED + (["SYS_ADMIN"] if mode == "fuse-only" else [])
    with open("/proc/self/status", encoding="ascii") as file:
        bound = next(int(line.split()[1], 16) for line in file if line.startswith("CapBnd"))
    return [name for number, name in enumerate(CAPABILITIES) if bound >> number & 1]


def process(mode, arguments, directory, environment):
    held = sorted("CAP_" + name for name in capabilities(mode))
    return {"args": arguments, "cwd": directory, "env": environment, "user": {"uid": 0, "gid": 0},
            "capabilities": {kind: held for kind in ("bounding", "effective", "inheritable", "permitted")}}


def mounted(target, kind, source, *options):
    return {"destination": target, "type": kind, "source": source, "options": [word for word in options if word]}


def mounts(options, volumes, fuse):
    """Those of the system, then `volumes`: (source, target) in the worker's order; `fuse` is its device node."""
    read_only = "" if options.mode == "privileged" else "ro"
    guardian = options.profile == "guardian"
    system = [
        mounted("/proc", "proc", "proc", "nosuid", "noexec", "nodev"),
        mounted("/dev", "tmpfs", "tmpfs", "noexec" if guardian else "nosuid", "strictatime", "mode=755",
                "" if guardian else "size=65536k"),
        mounted("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
        mounted("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777"),
        mounted("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
    ]
    if options.net == "host" and options.mode != "privileged":
        # A sysfs of its own needs a network of its own.
        system.append(mounted("/sys", "none", "/sys", "rbind", "nosuid", "noexec", "nodev", "ro"))
    else:
        system.append(mounted("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", read_only))
        kind = {"v1": "cgroup", "v2": "cgroup2"}.get(options.cgroup)
        if kind and not guardian:
            system.append(mounted("/sys/fs/cgroup", kind, kind, "nosuid", "noexec", "nodev", read_only))
    system += [mounted(target, "bind", source, "bind", "rw") for source, target in volumes]
    if options.mode == "fuse-only":
        system.append(mounted("/dev/fuse", "bind", fuse, "bind", "nosuid", "noexec"))
    return system


def specification(options, name, root, init, mounts_, id_maps):
    """The container, in which `init` does nothing. `id_maps` are (inside, outside, count); none if it is privileged."""
    linux = {"namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")],
             "cgroupsPath": f"/{name}/container"}
    if options.net != "host":
        linux["namespaces"].append({"type": "network"})
    annotations = {}
    if options.mode == "privileged":
        linux["devices"] = [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 0o666}]
    else:
        linux["namespaces"].append({"type": "user"})
        maps = [{"containerID": inside, "hostID": outside, "size": count} for inside, outside, count in id_maps]
        linux["uidMappings"] = linux["gidMappings"] = maps
        # The worker chooses the list by its own mode, not by the task's.
        made = seccomp.rules(options.profile, fuse=options.mode != "unprivileged")
        linux["seccomp"], annotations = seccomp.for_runtime(options.runtime, made, seccomp.read_groups())
        if options.profile == "guardian":
            linux["maskedPaths"] = GUARDIAN_MASKS
        else:
            linux["namespaces"].append({"type": "cgroup"})
    return {"ociVersion": "1.0.2", "hostname": name, "root": {"path": root}, "mounts": mounts_, "linux": linux,
            "annotations": annotations, "process": process(options.mode, [init], "/", [])}
