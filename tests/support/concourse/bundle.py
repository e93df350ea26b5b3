"""What every container of the tests is made of: a directory, volumes, cgroups, and crun or runc."""
import contextlib
import os
import re
import signal
import shutil
import stat
import subprocess
import tempfile
import threading

import mounts

CGROUPS = "/sys/fs/cgroup"
RUNTIMES = ("crun", "runc")

# The device cgroup: what runc allows every container.
DEVICES = ["c *:* m", "b *:* m", "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm", "c 5:0 rwm", "c 5:2 rwm",
           "c 136:* rwm", "c 10:200 rwm"]


class Bundle:
    """A container to be: its directory, whose name is its own, and what lies there. `ids` are (inside, outside, count) of its
    user namespace; none if it has none. `version` is that of the cgroups that it sees, `runtime` who starts it."""

    def __init__(self, directory, ids, devices, runtime, version="v2"):
        self.directory, self.ids, self.devices, self.runtime, self.version = directory, ids, devices, runtime, version
        self.name, self.log = os.path.basename(directory), os.path.join(directory, "log")
        if runtime == "crun":
            self.log = "file:" + self.log
        self.root_id = ids[0][1] if ids else 0
        self.namespace = mounts.user_namespace(ids) if ids else None
        self.entries = []

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def volume(self, name):
        """An empty one, which is the container's."""
        os.mkdir(self.path(name), 0o755)
        os.chown(self.path(name), self.root_id, self.root_id)
        return self.path(name)

    def given(self, name, source):
        """A directory of this machine, whose root is the container's root."""
        os.mkdir(self.path(name))
        if self.namespace is None:
            mounts.mount(source, self.path(name), None, mounts.BIND)
        else:
            mounts.bind_mapped(source, self.path(name), self.namespace)
        return self.path(name)

    def over(self, name, source, more=",metacopy=on"):
        """A volume over a directory: by default the overlay that baggageclaim makes."""
        lower = self.given(name + ".lower", source)
        upper, work, merged = map(self.volume, (name + ".upper", name + ".work", name))
        like = os.stat(lower)
        os.chown(upper, like.st_uid, like.st_gid)
        os.chmod(upper, stat.S_IMODE(like.st_mode))
        mounts.mount("overlay", merged, "overlay", 0, f"lowerdir={lower},upperdir={upper},workdir={work}{more}")
        return merged

    def names(self):
        """The files that every container has for its own name and for those of others: (source, path in it)."""
        return [(self.file(name, content.encode()), "/etc/" + name) for name, content in (
            ("hosts", "127.0.0.1 localhost\n"), ("hostname", self.name + "\n"), ("resolv.conf", resolvers()))]

    def file(self, name, content, mode=0o644):
        """One that is the worker's, and so nobody's in a user namespace."""
        with open(self.path(name), "wb") as file:
            file.write(content)
        os.chmod(self.path(name), mode)
        return self.path(name)

    @contextlib.contextmanager
    def cgroups(self):
        """Cgroups of the container, with its list of devices where this machine has them in version 1. Whoever is inside
        sees the hierarchies of the version asked for alone, as runtimes refuse the two mixed."""
        made = [os.path.join(top, self.name) for top in (CGROUPS + "/devices", CGROUPS + "/unified", CGROUPS)
                if os.path.exists(top + "/devices.list") or os.path.exists(top + "/cgroup.controllers")]
        for cgroup in made:
            os.mkdir(cgroup)
        # Held open: what is mounted over them hides them.
        self.entries = [os.open(cgroup + "/cgroup.procs", os.O_WRONLY) for cgroup in made]
        tops = [os.open(os.path.dirname(cgroup), os.O_RDONLY) for cgroup in made]
        try:
            for cgroup in made:
                if cgroup.startswith(CGROUPS + "/devices/"):
                    for rule in ["a"] + self.devices:
                        with open(f"{cgroup}/devices.{'deny' if rule == 'a' else 'allow'}", "w", encoding="ascii") as file:
                            file.write(rule)
            if os.path.exists(CGROUPS + "/unified"):
                show_cgroups(self.version, self.path("cgroups"))
            yield
        finally:
            for top in tops:
                remove_cgroup(self.name, top)

    def enter(self):
        for entry in self.entries:
            os.write(entry, b"0")

    def by_runtime(self, *arguments):
        """A command of crun, or of runc, which makes a cgroup of its own below ours."""
        own = ["--cgroup-manager=disabled"] if self.runtime == "crun" else []
        return [self.runtime, *own, "--root", self.path("state"), *arguments]

    def remove(self):
        """The container, if there is one, with whatever runs in it."""
        subprocess.run(self.by_runtime("delete", "--force", self.name), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)

    def failed_itself(self):
        """Whether it was the runtime, not what it ran, that has failed."""
        with contextlib.suppress(FileNotFoundError):
            return os.path.getsize(self.path("log")) > 0
        return False

    def relayed(self, command, timeout):
        """The exit code of a command whose stdout and stderr are one, and which has nothing to read; 124 once the time is over.
        A runtime gives its stdin, stdout and stderr to the root of the container: they are made for it here."""
        with subprocess.Popen(command, preexec_fn=self.enter, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as process:
            process.stdin.close()
            relay = threading.Thread(target=copy, args=(process.stdout.fileno(), 1))
            relay.start()
            try:
                status = process.wait(timeout)
                return status if status >= 0 else 128 - status
            except subprocess.TimeoutExpired:
                return 124
            finally:
                self.remove()  # and so with whatever the command has left running
                process.kill()
                relay.join()


# What crun says, to its log and here, when it may not enter the namespaces of a container. Nothing has run then.
NOT_ENTERED = re.compile(rb"(setns\(pid=\d+, CLONE_\*\): Operation not permitted\n|fail startup\n)+")


def copy(source, target):
    while data := os.read(source, 65536):
        data = NOT_ENTERED.sub(b"", data)
        while data:
            data = data[os.write(target, data):]


def highest_id(kind):
    with open(f"/proc/self/{kind}", encoding="ascii") as file:
        return max(int(line.split()[0]) + int(line.split()[2]) - 1 for line in file)


def resolvers():
    with contextlib.suppress(FileNotFoundError), open("/etc/resolv.conf", encoding="utf-8") as file:
        return file.read()
    return ""


def show_cgroups(version, directory):
    """Mounts version 2 alone over hierarchies of both versions, or those of version 1 alone."""
    if version != "v1":
        mounts.mount("cgroup2", CGROUPS, "cgroup2")
        return
    os.mkdir(directory)
    mounts.mount("tmpfs", directory, "tmpfs", 0, "mode=755")
    for name in os.listdir(CGROUPS):
        if name != "unified" and os.path.ismount(os.path.join(CGROUPS, name)):
            os.mkdir(os.path.join(directory, name))
            mounts.mount(os.path.join(CGROUPS, name), os.path.join(directory, name), None, mounts.BIND)
    mounts.mount(directory, CGROUPS, None, mounts.BIND | mounts.RECURSIVE)


def remove_cgroup(name, top):
    """With all below it, which the task may have made. A cgroup is busy until its last process is gone."""
    inside = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=top)
    for entry in os.scandir(inside):
        if entry.is_dir(follow_symlinks=False):
            remove_cgroup(entry.name, inside)
    for _ in range(100):
        try:
            os.rmdir(name, dir_fd=top)
            break
        except OSError:
            threading.Event().wait(0.05)
    os.close(inside)


def in_directory(prefix, action):
    """What `action` gives of a new directory, in mounts of our own; a signal ends it as an error does."""
    def end(number, _):
        signal.signal(number, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, end)
    # Not below the tests' own directory, which others may not enter. The root of a container is one of those others.
    directory = tempfile.mkdtemp(prefix=prefix, dir="/var/tmp")
    os.chmod(directory, 0o711)
    outside = os.open("/proc/self/ns/mnt", os.O_RDONLY)
    try:
        mounts.own_mounts()
        return action(directory)
    finally:
        # Only from outside is nothing mounted below it.
        mounts.check(mounts.libc.setns(outside, mounts.NEW_MOUNTS), "setns")
        shutil.rmtree(directory)
