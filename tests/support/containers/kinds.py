"""What those who run containers write into the OCI runtime specification, by kind; see `container --help`."""
import os

import seccomp

# Docker (moby/moby, daemon/pkg/oci) and containerd (pkg/oci/spec.go) agree on these.
CAPABILITIES = """CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT
 KILL AUDIT_WRITE""".split()
MASKED = ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
          "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"]
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]

# Whether it has a filter of system calls unless somebody asks for one, and a user namespace; who it is; what hides in /proc.
KINDS = {
    "docker": {"filter": True, "masked": MASKED + ["/proc/interrupts"]},
    "containerd": {"filter": True},
    "baseline": {"filter": False},    # Kubernetes: a pod that says nothing of its security
    "restricted": {"filter": True, "user": 1000, "capabilities": [], "no_new_privileges": True},
    "host-users-false": {"filter": False, "ids": 65536},
}

FIRST_LOW, FIRST_HIGH = seccomp.FIRST_LOW, seccomp.FIRST_HIGH


def only(values, allowed):
    """The call is allowed, or refused, where its first argument, of 32 bits, is one of these."""
    made = seccomp.instruction(seccomp.LOAD, FIRST_LOW)
    for number, value in enumerate(values):
        made += seccomp.instruction(seccomp.EQUAL, value, len(values) - number - (0 if allowed else 1))
    return made + ((seccomp.DENY + seccomp.ALLOW) if allowed else (seccomp.ALLOW + seccomp.DENY))


SOCKET_FAMILIES = only([38, 40], allowed=False)  # all but AF_ALG and AF_VSOCK
PERSONALITIES = [0, 8, 0x20000, 0x20008, 0xFFFFFFFF]
MEANINGS = {
    **seccomp.MEANINGS,
    SOCKET_FAMILIES: [({"action": seccomp.ALLOWED}, [seccomp.condition(*one)]) for one in (("LT", 38), ("EQ", 39), ("GT", 40))],
    only(PERSONALITIES, allowed=True): [({"action": seccomp.ALLOWED}, [seccomp.condition("EQ", one)]) for one in PERSONALITIES],
}


def filter_for(kind, capabilities, runtime):
    """The published profile with what it makes of these capabilities: linux.seccomp, and annotations."""
    groups = seccomp.read_groups(os.path.join(os.path.dirname(__file__), "syscalls.txt"))
    made = {number: seccomp.ALLOW for number in groups["all"]}
    for name in ("SYS_CHROOT", "SYS_ADMIN"):
        if name in capabilities:
            made.update((number, seccomp.ALLOW) for number in groups[name])
    if kind != "docker":
        made.update((number, seccomp.ALLOW) for number in groups["containerd"])
    socket, clone, personality, clone3 = 41, 56, 135, 435
    made[socket] = SOCKET_FAMILIES
    made[personality] = only(PERSONALITIES, allowed=True)
    made.setdefault(clone, seccomp.NO_NAMESPACES)
    made.setdefault(clone3, seccomp.UNKNOWN)
    return seccomp.for_runtime(runtime, made, {**groups, "socket": {socket: "socket"}}, MEANINGS)


def mounted(target, kind, source, *options):
    return {"destination": target, "type": kind, "source": source, "options": list(options)}


def specification(options, name, root, volumes, ids):
    """The container, which is the command; `volumes` are (source, target), `ids` (inside, outside, count)."""
    kind = KINDS[options.kind]
    held = ["CAP_" + one for one in kind.get("capabilities", CAPABILITIES) + options.capability]
    environment = list(options.env)
    if not any(one.startswith("PATH=") for one in environment):
        environment.append("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    process = {"args": options.command, "cwd": options.cwd, "env": environment,
               "user": {"uid": kind.get("user", 0), "gid": kind.get("user", 0)},
               "noNewPrivileges": kind.get("no_new_privileges", False),
               "capabilities": {one: held for one in ("bounding", "effective", "permitted")}}
    system = [
        mounted("/proc", "proc", "proc", "nosuid", "noexec", "nodev"),
        mounted("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
        mounted("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
        mounted("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
        mounted("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
        mounted("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
        mounted("/sys/fs/cgroup", "cgroup2", "cgroup2", "nosuid", "noexec", "nodev", "ro"),
    ]
    system += [mounted(target, "bind", source, "bind", "rw") for source, target in volumes]
    linux = {"namespaces": [{"type": one} for one in ("pid", "ipc", "uts", "mount", "network", "cgroup")],
             "cgroupsPath": f"/{name}/container"}
    if not options.unmasked:
        linux["maskedPaths"], linux["readonlyPaths"] = kind.get("masked", MASKED), READ_ONLY
    if ids:
        linux["namespaces"].append({"type": "user"})
        maps = [{"containerID": inside, "hostID": outside, "size": count} for inside, outside, count in ids]
        linux["uidMappings"] = linux["gidMappings"] = maps
    annotations = {}
    if kind["filter"]:
        capabilities = [one.removeprefix("CAP_") for one in held]
        linux["seccomp"], annotations = filter_for(options.kind, capabilities, options.runtime)
    return {"ociVersion": "1.0.2", "hostname": name, "root": {"path": root, "readonly": options.read_only}, "mounts": system,
            "linux": linux, "annotations": annotations, "process": process}
