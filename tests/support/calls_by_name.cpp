// Makes every system call that takes a path with paths that lead through links of the kernel's, and prints
// how each ends and what it leaves behind: the same wherever /proc is the real one. Linked statically, as it
// runs in roots that have no libraries.
//
// Usage: calls-by-name DIRECTORY, an empty one.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

std::string label;

void told(const char* call, long result) {
  std::printf("%s %s: %s\n", label.c_str(), call, result < 0 ? std::strerror(errno) : "done");
}

void show(const std::string& path) {
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0) return told(("lstat " + path).c_str(), -1);
  std::printf("  %s: %o %u:%u %ld bytes, %lu names, at %ld\n", path.c_str(), status.st_mode, status.st_uid,
              status.st_gid, S_ISREG(status.st_mode) ? static_cast<long>(status.st_size) : -1,
              static_cast<unsigned long>(status.st_nlink),
              status.st_mtim.tv_sec < 100000 ? status.st_mtim.tv_sec : -1);
}

void list(const std::string& path) {
  dirent** names = nullptr;
  const int count = ::scandir(path.c_str(), &names, nullptr, alphasort);
  for (int i = 0; i < count; ++i)
    if (names[i]->d_name[0] != '.') show(path + "/" + names[i]->d_name);
}

// What changes the object that a path leads to; `place` is where that can be looked at besides.
void change(const std::string& path, const std::string& place) {
  const char* const name = path.c_str();
  const auto look = [&] {
    if (!place.empty()) show(place);
  };
  told("chmod", ::chmod(name, 0751));
  look();
  told("fchmodat", ::syscall(SYS_fchmodat, AT_FDCWD, name, 0642));
  told("fchmodat2", ::syscall(452, AT_FDCWD, name, 0640, 0));
  look();
  told("fchmodat2 nofollow", ::syscall(452, AT_FDCWD, name, 0644, AT_SYMLINK_NOFOLLOW));
  told("chown", ::chown(name, 12, 34));
  look();
  told("fchownat", ::fchownat(AT_FDCWD, name, 56, static_cast<gid_t>(-1), 0));
  look();
  const timespec times[] = {{11, 0}, {12, 5}};
  told("utimensat", ::utimensat(AT_FDCWD, name, times, 0));
  look();
  const timeval older[] = {{21, 0}, {22, 7}};
  told("utimes", ::utimes(name, older));
  look();
#if defined(SYS_utime)
  const utimbuf oldest = {31, 32};
  told("utime", ::syscall(SYS_utime, name, &oldest));
  told("futimesat", ::syscall(SYS_futimesat, AT_FDCWD, name, older));
  look();
#endif
  told("setxattr", ::setxattr(name, "user.test", "value", 5, 0));
  char value[100] = {};
  told("getxattr", ::getxattr(name, "user.test", value, sizeof value));
  std::printf("  %s\n", value);
  told("getxattr too small", ::getxattr(name, "user.test", value, 2));
  told("getxattr of none", ::getxattr(name, "user.none", value, sizeof value));
  std::printf("  size %zd\n", ::getxattr(name, "user.test", nullptr, 0));
  std::printf("  list %zd\n", ::listxattr(name, value, sizeof value));
  told("removexattr", ::removexattr(name, "user.test"));
  told("truncate", ::truncate(name, 3));
  look();
  struct statfs filesystem;
  told("statfs", ::statfs(name, &filesystem));
  file_handle handle{};
  int mount = 0;
  told("name_to_handle_at", ::name_to_handle_at(AT_FDCWD, name, &handle, &mount, AT_SYMLINK_FOLLOW));
  std::printf("  needs %s\n", handle.handle_bytes > 0 ? "room" : "none");
  told("access", ::access(name, R_OK));
}

// What makes and removes names below a directory, as `path` names it; `place` is its usual name.
void change_below(const std::string& path, const std::string& place) {
  const auto at = [&](const char* name) { return path + "/" + name; };
  ::umask(027);
  told("mkdir", ::mkdir(at("directory").c_str(), 02777));
  told("mkdirat", ::mkdirat(AT_FDCWD, at("directory/inner").c_str(), 0777));
  told("mkdir again", ::mkdir(at("directory").c_str(), 0777));
  told("mkdir in none", ::mkdir(at("none/inner").c_str(), 0777));
  told("creat", ::open(at("created").c_str(), O_CREAT | O_EXCL | O_RDWR, 0666));
  told("creat again", ::open(at("created").c_str(), O_CREAT | O_EXCL | O_RDWR, 0666));
  told("open to write", ::open(at("created").c_str(), O_CREAT | O_WRONLY, 0666));
  told("open none", ::open(at("none").c_str(), O_RDONLY));
  told("mkfifo", ::mkfifo(at("fifo").c_str(), 0666));
  told("mknod", ::mknod(at("node").c_str(), S_IFREG | 0666, 0));
  told("symlink", ::symlink("created", at("link").c_str()));
  told("symlinkat", ::symlinkat("/nowhere", AT_FDCWD, at("dangling").c_str()));
  told("open a dangling link", ::open(at("dangling").c_str(), O_RDONLY));
  told("link", ::link(at("created").c_str(), at("second").c_str()));
  told("link of a link", ::link(at("link").c_str(), at("link2").c_str()));
  told("linkat", ::linkat(AT_FDCWD, at("link").c_str(), AT_FDCWD, at("third").c_str(), AT_SYMLINK_FOLLOW));
  told("link to another place", ::link(at("created").c_str(), (place + ".linked").c_str()));
  told("link from another place", ::link((place + ".linked").c_str(), at("fourth").c_str()));
  told("rename", ::rename(at("node").c_str(), at("renamed").c_str()));
  told("rename to another place", ::rename(at("renamed").c_str(), (place + ".renamed").c_str()));
  told("rename back", ::rename((place + ".renamed").c_str(), at("back").c_str()));
  told("renameat2", ::syscall(SYS_renameat2, AT_FDCWD, at("back").c_str(), AT_FDCWD, at("fifo").c_str(), 1));
  told("lchown", ::lchown(at("link").c_str(), 7, 8));
  told("lutimes", ::utimensat(AT_FDCWD, at("dangling").c_str(), nullptr, AT_SYMLINK_NOFOLLOW));
  told("lsetxattr", ::lsetxattr(at("created").c_str(), "user.test", "x", 1, 0));
  told("lgetxattr", ::lgetxattr(at("created").c_str(), "user.test", nullptr, 0));
  told("llistxattr", ::llistxattr(at("created").c_str(), nullptr, 0));
  told("lremovexattr", ::lremovexattr(at("created").c_str(), "user.test"));
  list(place);
  told("rmdir full", ::rmdir(at("directory").c_str()));
  told("unlink", ::unlink(at("second").c_str()));
  told("unlink a directory", ::unlink(at("directory").c_str()));
  told("unlinkat", ::unlinkat(AT_FDCWD, at("third").c_str(), 0));
  told("rmdir", ::rmdir(at("directory/inner").c_str()));
  told("unlinkat a directory", ::unlinkat(AT_FDCWD, at("directory").c_str(), AT_REMOVEDIR));
  change(at("created"), place + "/created");
  for (const char* name : {"created", "fifo", "link", "dangling", "fourth", "back", "link2"})
    ::unlink(at(name).c_str());
  ::unlink((place + ".linked").c_str());
  list(place);
  ::umask(022);
}

std::string numbered(const char* format, int number) {
  char text[64];
  std::snprintf(text, sizeof text, format, number);
  return text;
}

}  // namespace

int main(int, char** argv) {
  const std::string place = argv[1];
  const std::string directory = place + "/directory";
  const std::string file = place + "/file";
  ::mkdir(directory.c_str(), 0755);
  const int opened_file = ::open(file.c_str(), O_CREAT | O_RDWR, 0644);
  const int opened = ::open(directory.c_str(), O_PATH | O_DIRECTORY);
  const auto own = "/proc/" + std::to_string(::getpid());
  for (const auto& path : {numbered("/proc/self/fd/%d", opened_file), numbered("/dev/fd/%d", opened_file),
                           own + numbered("/fd/%d", opened_file),
                           numbered("/proc/thread-self/fd/%d", opened_file), "/proc/self/root" + file}) {
    label = path.starts_with(own) ? "/proc/PID" : path;
    ::ftruncate(opened_file, 10);
    change(path, file);
  }
  ::symlink(numbered("/proc/self/fd/%d", opened_file).c_str(), (place + "/leads").c_str());
  label = "a link";
  change(place + "/leads", file);
  ::chdir(directory.c_str());
  for (const auto& path : {numbered("/proc/self/fd/%d", opened), std::string("/proc/self/cwd"),
                           "/proc/self/root" + directory, numbered("/dev/fd/%d", opened)}) {
    label = path;
    change_below(path, directory);
  }
  const int unnamed = ::open(numbered("/proc/self/fd/%d", opened).c_str(), O_TMPFILE | O_RDWR, 0604);
  label = "a file without a name";
  told("open", unnamed);
  told("write", ::write(unnamed, "text", 4));
  told("linkat",
       ::linkat(AT_FDCWD, numbered("/proc/self/fd/%d", unnamed).c_str(), opened, "named", AT_SYMLINK_FOLLOW));
  told("linkat by names", ::linkat(AT_FDCWD, numbered("/proc/self/fd/%d", unnamed).c_str(), AT_FDCWD,
                                   numbered("/proc/self/fd/%d/again", opened).c_str(), AT_SYMLINK_FOLLOW));
  list(directory);

  int ends[2];
  if (::pipe(ends) != 0) return 1;
  label = "a pipe";
  told("chmod", ::chmod(numbered("/proc/self/fd/%d", ends[1]).c_str(), 0666));
  told("chown", ::chown(numbered("/dev/fd/%d", ends[1]).c_str(), 1, 1));
  struct stat status;
  ::fstat(ends[1], &status);
  std::printf("  %o %u:%u\n", status.st_mode, status.st_uid, status.st_gid);

  // The directory has another name now, then none.
  ::rename(directory.c_str(), (place + "/moved").c_str());
  label = "moved";
  told("mkdir", ::mkdir(numbered("/proc/self/fd/%d/in", opened).c_str(), 0755));
  list(place + "/moved");
  ::rmdir((place + "/moved/in").c_str());
  ::unlink((place + "/moved/named").c_str());
  ::unlink((place + "/moved/again").c_str());
  told("rmdir", ::rmdir((place + "/moved").c_str()));
  label = "removed";
  told("mkdir", ::mkdir(numbered("/proc/self/fd/%d/in", opened).c_str(), 0755));
  told("chmod", ::chmod(numbered("/proc/self/fd/%d", opened).c_str(), 0700));
  ::unlink(file.c_str());
  told("chmod of a file", ::chmod(numbered("/proc/self/fd/%d", opened_file).c_str(), 0600));
  ::fstat(opened_file, &status);
  std::printf("  %o\n", status.st_mode);

  // A directory that is a link from now on, which only a descriptor has said.
  label = "exchanged";
  ::mkdir((place + "/exchanged").c_str(), 0755);
  told("a name in the directory", ::access((place + "/exchanged/self/comm").c_str(), R_OK));
  const int around = ::open(place.c_str(), O_PATH | O_DIRECTORY);
  told("unlinkat", ::unlinkat(around, "exchanged", AT_REMOVEDIR));
  told("symlinkat", ::symlinkat("/proc", around, "exchanged"));
  told("the same name", ::access((place + "/exchanged/self/comm").c_str(), R_OK));
  told("renameat", ::renameat(around, "exchanged", around, "other"));
  told("the same name", ::access((place + "/exchanged/self/comm").c_str(), R_OK));
  told("another", ::access((place + "/other/self/comm").c_str(), R_OK));
  told("what is above a descriptor", ::access(numbered("/proc/self/fd/%d/../../bin", around).c_str(), R_OK));
  told("what is not above it", ::access(numbered("/proc/self/fd/%d/../../comm", around).c_str(), R_OK));
  ::unlinkat(around, "other", 0);

  label = "what nobody can change";
  for (const char* path :
       {"/proc/self/none", "/proc/none", "/proc/self", "/proc/self/comm", "/sys/none", "/sys/kernel"}) {
    std::printf("%s\n", path);
    told("mkdir", ::mkdir(path, 0755));
    told("unlink", ::unlink(path));
    told("rmdir", ::rmdir(path));
    told("symlink", ::symlink("x", path));
    told("mkfifo", ::mkfifo(path, 0644));
    told("rename", ::rename(path, (place + "/renamed").c_str()));
    told("truncate", ::truncate(path, 0));
    told("link to it", ::link(place.c_str(), path));
    told("creat", ::open(path, O_CREAT | O_EXCL | O_WRONLY, 0600));
  }
  told("rmdir /proc", ::rmdir("/proc"));
  told("rmdir /sys", ::rmdir("/sys"));
  for (const char* path : {"/proc/self/comm", "/proc/none", "/sys/none", "/sys/kernel"}) {
    std::printf("%s\n", path);
    told("chmod", ::chmod(path, 0755));
    told("link", ::link(path, (place + "/linked").c_str()));
  }
  return 0;
}
