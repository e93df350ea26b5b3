"""Cases for which both sides give lines of text, and the counting of what agrees."""
import concurrent.futures
import contextlib
import difflib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from engines import start_buildkitd


def read_cases(directory, names):
    """(name, words, text) of each case in *.cases, or of those named: it begins with a line "==== NAME [WORD...]"."""
    cases = []
    for path in sorted(directory.glob("*.cases")):
        for part in ("\n" + path.read_bytes().decode(errors="surrogateescape")).split("\n==== ")[1:]:
            head, _, text = part.partition("\n")
            name, *words = head.split()
            cases.append((name, words, text + ("" if text.endswith("\n") or not text else "\n")))
    if len({name for name, _, _ in cases}) != len(cases):
        sys.exit("two cases have one name")
    if unknown := set(names) - {name for name, _, _ in cases}:
        sys.exit(f"no case is called {', '.join(sorted(unknown))}")
    return [case for case in cases if not names or case[0] in names]


@contextlib.contextmanager
def buildkit():
    """A directory to work in, while the environment names a daemon."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="differential.")).resolve()
    daemon = None
    try:
        if not os.environ.get("BUILDKIT_HOST"):
            daemon, os.environ["BUILDKIT_HOST"] = start_buildkitd(directory)
        yield directory
    finally:
        if daemon:
            daemon.terminate()
            daemon.wait()
        shutil.rmtree(directory, ignore_errors=True)


def compare(cases, judge):
    """Shows where the two lists of lines differ that judge(case) gives: BuildKit's and ours. Returns how many do."""
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for case, (theirs, ours) in zip(cases, pool.map(judge, cases)):
            theirs, ours = sorted(theirs), sorted(ours)
            if theirs != ours:
                failed += 1
                print(f"FAILED {case[0]}", *list(difflib.unified_diff(theirs, ours, lineterm="", n=9))[2:], sep="\n", flush=True)
    print(f"{len(cases) - failed} cases agree, {failed} do not")
    return failed


def require(*programs):
    for program in programs:
        if not shutil.which(program):
            sys.exit(f"{program} is not installed")


def run(*arguments, **options):
    return subprocess.run([*map(str, arguments)], capture_output=True, text=True, errors="surrogateescape", **options)
