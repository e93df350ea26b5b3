"""The seccomp filter of a task, as the worker's runc would load it on x86_64.

Made here and not by the runtime's libseccomp: that of Debian 12 does not know the newest calls. Two things are runc's
(`libcontainer/seccomp/patchbpf`): a call beyond the newest that the list names fails by ENOSYS, not EPERM; and of two
rules for a call the first that has no condition wins, which is how the list for FUSE allows clone and clone3. Not shown
is what 32-bit programs may do: their calls all fail by ENOSYS. runc takes no program of others: it gets the list by
names, and makes of it what its libseccomp knows.
"""
import base64
import ctypes
import errno
import os
import struct

# Of each release: the groups of syscalls.txt that every task gets, those that workers with privileged mode "fuse-only" add,
# and whether clone3 is refused by ENOSYS, so that libc falls back to clone.
RELEASES = {
    "head": (["all", "7.13", "8.0"], ["fuse-7.13", "fuse-head"], True),
    "8.2": (["all", "7.13", "8.0"], ["fuse-7.13"], True),
    "7.13": (["all", "7.13"], ["fuse-7.13"], True),
    "7.12": (["all"], None, False),
    "guardian": (["all", "8.0"], None, True),
}

NAMESPACES = 0x7C020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET
NEW_MOUNTS = 0x00020000  # CLONE_NEWNS
X86_64 = 0xC000003E

# Instructions of classic BPF, and where struct seccomp_data has its fields.
LOAD, AND, EQUAL, AT_LEAST, JUMP, RETURN = 0x20, 0x54, 0x15, 0x35, 0x05, 0x06
NUMBER, ARCHITECTURE, FIRST_LOW, FIRST_HIGH, SECOND_LOW, SECOND_HIGH = 0, 4, 16, 20, 24, 28


def instruction(code, value, if_true=0, if_false=0):
    return struct.pack("<HBBI", code, if_true, if_false, value)


def refusal(error):
    return instruction(RETURN, 0x00050000 | error)


ALLOW = instruction(RETURN, 0x7FFF0000)
DENY = refusal(errno.EPERM)
UNKNOWN = refusal(errno.ENOSYS)
NO_NAMESPACES = instruction(LOAD, FIRST_LOW) + instruction(AND, NAMESPACES) + instruction(EQUAL, 0, 0, 1) + ALLOW + DENY
MOUNT_NAMESPACE = (instruction(LOAD, SECOND_HIGH) + instruction(EQUAL, 0, 0, 3) + instruction(LOAD, SECOND_LOW) +
                   instruction(EQUAL, NEW_MOUNTS, 0, 1) + ALLOW + DENY)
USUAL_PERSONALITY = (instruction(LOAD, FIRST_HIGH) + instruction(EQUAL, 0, 0, 5) + instruction(LOAD, FIRST_LOW) +
                     instruction(EQUAL, 0, 2) + instruction(EQUAL, 8, 1) + instruction(EQUAL, 0xFFFFFFFF, 0, 1) + ALLOW + DENY)


# What these pieces are in the OCI runtime specification: for each rule its action and its conditions.
ALLOWED = "SCMP_ACT_ALLOW"


def condition(operation, value, index=0, **more):
    return {"index": index, "value": value, "op": "SCMP_CMP_" + operation, **more}


MEANINGS = {
    ALLOW: [({"action": ALLOWED}, [])],
    UNKNOWN: [({"action": "SCMP_ACT_ERRNO", "errnoRet": errno.ENOSYS}, [])],
    NO_NAMESPACES: [({"action": ALLOWED}, [condition("MASKED_EQ", NAMESPACES, valueTwo=0)])],
    MOUNT_NAMESPACE: [({"action": ALLOWED}, [condition("EQ", NEW_MOUNTS, index=1)])],
    USUAL_PERSONALITY: [({"action": ALLOWED}, [condition("EQ", value)]) for value in (0, 8, 0xFFFFFFFF)],
}


def read_groups(path=os.path.join(os.path.dirname(__file__), "syscalls.txt")):
    """The calls in each group of such a file: their names, by their numbers."""
    library = ctypes.CDLL("libseccomp.so.2")
    groups, group = {}, None
    with open(path, encoding="ascii") as file:
        for line in file:
            if line.startswith("["):
                group = groups.setdefault(line.strip("[]\n"), {})
            elif not line.startswith("#"):
                for word in line.split():
                    name, _, number = word.partition("=")
                    number = int(number or library.seccomp_syscall_resolve_name(name.encode()))
                    if number < 0:
                        raise ValueError(f"libseccomp does not know the system call {name}")
                    group[number] = name
    return groups


def rules(release, fuse):
    """What becomes of each call that the list names: a piece of program for each number."""
    always, with_fuse, refuses_clone3 = RELEASES[release]
    if fuse and with_fuse is None:
        raise SystemExit(f"concourse-task: workers of release {release} have no mode fuse-only")
    groups, made = read_groups(), {}
    for group in (with_fuse if fuse else []) + always:
        made.update((number, ALLOW) for number in groups[group])
    setns, clone, personality, clone3 = 308, 56, 135, 435
    if setns in made:
        made[setns] = MOUNT_NAMESPACE
    made.setdefault(personality, USUAL_PERSONALITY)
    made.setdefault(clone, NO_NAMESPACES)
    if refuses_clone3:
        made.setdefault(clone3, UNKNOWN)
    return made


def search(ranges):
    """A balanced search for the last of these (first number, piece of program) that the number reaches."""
    if len(ranges) == 1:
        return ranges[0][1]
    middle = len(ranges) // 2
    below = search(ranges[:middle])
    return (instruction(AT_LEAST, ranges[middle][0], 0, 1) + instruction(JUMP, len(below) // 8) + below +
            search(ranges[middle:]))


def specified(made, groups, meanings=None):
    """The same pieces for linux.seccomp of the OCI runtime specification."""
    names = {56: "clone", 135: "personality", 308: "setns", 435: "clone3"}
    for group in groups.values():
        names.update(group)
    calls = []
    for piece in set(made.values()) - {DENY}:
        named = [names[number] for number, one in made.items() if one == piece]
        calls += [{"names": named, "args": conditions, **action} for action, conditions in (meanings or MEANINGS)[piece]]
    return {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": errno.EPERM, "syscalls": calls,
            "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]}


def for_runtime(runtime, made, groups, meanings=None):
    """linux.seccomp and the annotations for such a filter."""
    if runtime == "runc":
        return specified(made, groups, meanings), {}
    # crun takes our program for its own.
    return ({"defaultAction": "SCMP_ACT_ERRNO"},
            {"run.oci.seccomp_bpf_data": base64.b64encode(assembled(made)).decode()})


def assembled(made):
    """The filter of these pieces by number; every other call is refused."""
    ranges = [(0, made.get(0, DENY))]
    for number in range(1, max(made) + 1):
        piece = made.get(number, DENY)
        if piece != ranges[-1][1]:
            ranges.append((number, piece))
    ranges.append((max(made) + 1, UNKNOWN))
    return (instruction(LOAD, ARCHITECTURE) + instruction(EQUAL, X86_64, 1, 0) + UNKNOWN + instruction(LOAD, NUMBER) +
            search(ranges))
