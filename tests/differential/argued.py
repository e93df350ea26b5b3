"""Kinds of differences that are argued: why a user would accept one, and the test that tells it from every other."""
import copy
import re
import shutil
import subprocess

from image_archives import differences

MOST_ERRORS = 20


class Difference:
    """A case that differs, and how to try a part of it again."""

    def __init__(self, runner, case, found):
        self.runner, self.case = runner, case
        self.is_again = found[0].startswith("again: ")
        self.trials = 0
        # What came out last, of either engine.
        self.native, self.buildkit = (runner.outcomes[case.name][engine] for engine in ("native", "buildkit"))

    def try_again(self, changed):
        """Another case, in a directory of its own: where it is built, and by what."""
        self.trials += 1
        changed.name = f"{self.case.name}+{self.trials}"
        return self.runner.prepare(changed)

    def variant(self, dockerfile=None):
        """The case with another Dockerfile, built once and without caches; the context is as at the build that differs."""
        changed = copy.deepcopy(self.case)
        if dockerfile is not None:
            changed.sections["Dockerfile"] = dockerfile
        if self.is_again:
            changed.sections["setup"] += changed.sections["again"]
        changed.twice = False
        return changed


def one_source_each(lines):
    """Lines of a Dockerfile with their numbers; each COPY and ADD has one source, or an owner."""
    split = []
    for number, line in enumerate(lines, 1):
        if owner := re.fullmatch(r"((?:COPY|ADD) .*?)--chown=(\S+) (.*)", line):
            split += [(number, f"COPY --chown={owner[2]} <<OWNER /owner"), (number, "OWNER")]
            line = owner[1] + owner[3]
        words = re.fullmatch(r"((?:COPY|ADD) (?:--\S+ )*)([^\[]+)", line)
        listed = re.fullmatch(r'((?:COPY|ADD) (?:--\S+ )*)\[("[^"]*"(?:, "[^"]*")*)\]', line)
        if listed:
            *sources, destination = re.findall(r'"[^"]*"', listed[2])
            split += [(number, f"{listed[1]}[{source}, {destination}]") for source in sources]
        elif words:
            *sources, destination = words[2].split()
            # Those with text below come last.
            texts = " ".join(source for source in sources if source.startswith("<<"))
            sources = [source for source in sources if not source.startswith("<<")] + [texts] * bool(texts)
            split += [(number, f"{words[1]}{source} {destination}") for source in sources]
        else:
            split.append((number, line))
    return split


def taken_away(line):
    """What stands in the place of an instruction: the stage that it needs is still needed."""
    stage = re.search(r"\bfrom=([^,\s]+)", line)
    return f"COPY --from={stage[1]} / /taken-away/" if stage and "taken-away" not in line else "# taken away"


def errors_of(difference, engine):
    """What an engine ends with, and the lines that it points to, while each instruction that it fails at is taken away; then the
    same with one source in each."""
    lines = difference.case.sections["Dockerfile"]
    yield from errors_of_lines(difference, engine, list(enumerate(lines, 1)))
    yield from errors_of_lines(difference, engine, one_source_each(lines))


def errors_of_lines(difference, engine, lines):
    for _ in range(MOST_ERRORS):
        case = difference.variant([line for _, line in lines])
        work, request, environment = difference.try_again(case)
        outcome = (difference.runner.build_by_buildkit(case, work, request, environment) if engine == "buildkit" else
                   difference.runner.build(engine, work, request, environment))
        failed = [index - 1 for index in outcome.lines if 0 < index <= len(lines)]
        if outcome.status:
            yield outcome.message, {lines[index][0] for index in failed}
        if not failed:
            return
        lines = [(number, taken_away(line) if index in failed else line) for index, (number, line) in enumerate(lines)]


def is_same_error(ours, theirs):
    """Two pairs of a message and lines. Ours may say more."""
    return bool(theirs[0]) and ours[0].endswith(theirs[0]) and bool(not theirs[1] or ours[1] & theirs[1])


def is_another_error_first(difference):
    ours, theirs = ((outcome.message, set(outcome.lines)) for outcome in (difference.native, difference.buildkit))
    return (difference.native.status != 0 and difference.buildkit.status != 0 and
            any(is_same_error(error, theirs) for error in errors_of(difference, "native")) and
            any(is_same_error(ours, error) for error in errors_of(difference, "buildkit")))


def with_own_cache(difference):
    """What both builds of a case come to where BuildKit begins with what the first one has exported."""
    runner, case = difference.runner, copy.deepcopy(difference.case)
    work, request, environment = difference.try_again(case)
    shutil.rmtree(work / "src")
    subprocess.run(["cp", "-a", runner.directory / "work" / difference.case.name / "first", work / "src"], check=True)
    with runner.buildkit_lock:
        runner.forget()
        runner.build("buildkit", work, request, environment, own_cache=True)
        runner.change(work, case.sections["again"])
        runner.forget()
        return runner.build("buildkit", work, request, environment, own_cache=True)


def is_of_what_a_daemon_keeps(difference):
    ours, theirs = difference.native, difference.buildkit
    if difference.is_again and ours.status == 0 and theirs.status == 0:
        outcome = with_own_cache(difference)
        return outcome.status == 0 and not differences(ours.output, outcome.output)
    return False


def is_of_a_base_that_it_has_in_part(difference):
    ours, theirs = difference.native, difference.buildkit
    if not difference.is_again or theirs.message != "failed to compute cache key: failed to copy: unsupported offset":
        return False
    outcome = with_own_cache(difference)
    if ours.status or outcome.status:
        return is_same_error((ours.message, set(ours.lines)), (outcome.message, set(outcome.lines)))
    return not differences(ours.output, outcome.output)


def is_of_a_base_that_cannot_be_walked(difference):
    ours, theirs = difference.native, difference.buildkit
    if not re.search(r"^FROM .*\bodd-whiteouts\b", difference.case.dockerfile(), re.MULTILINE) or not re.fullmatch(
            r"failed to compute cache key: failed to calculate checksum: failed to walk (\S+): lstat \1: no such file or directory",
            theirs.message):
        return False
    return ours.status == 0 or any(is_same_error((ours.message, set(ours.lines)), error)
                                   for error in errors_of(difference, "buildkit"))


# KIND: (whether a difference is one, REASON)
KINDS = {
    "another error first": (
        is_another_error_first,
        "BuildKit looks at all instructions at a time and tells what fails first; of several mistakes in a Dockerfile that is any. "
        "Both engines have both errors: each comes up when what was told before is taken away"),
    "what a daemon keeps": (
        is_of_what_a_daemon_keeps,
        "a daemon that lives on keeps the tree of a step, with times of directories that are in no layer; one that begins with the "
        "cache of the build before, as a task's does, makes our image"),
    "a base that BuildKit has in part": (
        is_of_a_base_that_it_has_in_part,
        "the second build in one daemon cannot fetch of a base what the first one left out; one that begins with the cache of the "
        "build before comes to the same as we do"),
    "a base that BuildKit cannot walk": (
        is_of_a_base_that_cannot_be_walked,
        "a whiteout of what no layer below holds stands in the base; overlayfs lists it where no other layer has the directory, and "
        "BuildKit fails to look at what it has mounted itself. Here the file is as absent as the image says"),
}


def kind_of(runner, case, found):
    """The kind of a difference, nothing if it is not argued."""
    difference = Difference(runner, case, found)
    return next((kind for kind, (test, _) in KINDS.items() if test(difference)), None)
