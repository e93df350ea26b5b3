#!/usr/bin/env python3
"""Makes a small project of a compiled program's shape, and edits it as people do.

edit_project.py make DIRECTORY
edit_project.py edit DIRECTORY SEED     one random edit, which is printed

What the project is made of stands in DIRECTORY/project.json; its Dockerfile and context are written from that. Each
build of it gives the same files in the same state, so that two builds can be compared."""

import json
import os
import random
import shutil
import sys

WORDS = ["ant", "bee", "cat", "dog", "elk", "fox", "gnu", "hen"]


def new_project():
    return {
        "files": {
            "src/main.c": ["int main", 0o644],
            "src/util/util.c": ["util", 0o644],
            "src/util/util.h": ["header", 0o644],
            "data/table": ["1 2 3", 0o644],
            "data/run.sh": ["echo run", 0o755],
            "README": ["words", 0o644],
        },
        "links": {},
        "ignored": [],
        "base": "one",
        "args": {"VERSION": "1", "FLAVOUR": "plain"},
        "env": {"MODE": "fast"},
        "user": "",
        "workdir": "/src",
        "build": ["cat $(find . -type f | sort) >/out", "echo $VERSION >>/out"],
        "final": ["sort /app/out >/app/sorted", "mkdir -p /var/lib/app"],
        "link": False,
        "chown": "",
        "labels": {},
    }


def dockerfile(project):
    lines = [f"FROM base-{project['base']} AS build", "ARG VERSION", f"WORKDIR {project['workdir']}", "COPY src ."]
    lines += ["RUN " + command for command in project["build"]]
    lines += ["FROM busybox", "ARG FLAVOUR"]
    lines += [f"ENV {name}={value}" for name, value in sorted(project["env"].items())]
    link = "--link " if project["link"] else ""
    chown = f"--chown={project['chown']} " if project["chown"] else ""
    lines += [f"COPY {link}{chown}data /data", "COPY --from=build /out /app/out"]
    lines += ["RUN " + command for command in project["final"]]
    lines += ["RUN --mount=from=build,source=/src,target=/from echo $FLAVOUR $(find /from -type f | sort) >/listed"]
    if project["user"]:
        lines += [f"USER {project['user']}", "RUN id >/tmp/id"]
    lines += [f"LABEL {name}={value}" for name, value in sorted(project["labels"].items())]
    return "\n".join(lines) + "\n"


def write(directory, project):
    context = os.path.join(directory, "context")
    shutil.rmtree(context, ignore_errors=True)
    os.makedirs(context)
    for path, (content, mode) in project["files"].items():
        whole = os.path.join(context, path)
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        with open(whole, "w", encoding="utf-8") as file:
            file.write(content + "\n")
        os.chmod(whole, mode)
    for path, target in project["links"].items():
        os.symlink(target, os.path.join(context, path))
    for name, content in (("Dockerfile", dockerfile(project)), (".dockerignore", "\n".join(project["ignored"]))):
        with open(os.path.join(context, name), "w", encoding="utf-8") as file:
            file.write(content)
    with open(os.path.join(directory, "project.json"), "w", encoding="utf-8") as file:
        json.dump(project, file, indent=1)
    with open(os.path.join(directory, "args"), "w", encoding="utf-8") as file:
        file.writelines(f"BUILD_ARG_{name}={value}\n" for name, value in sorted(project["args"].items()))


def edit(project, rng):
    word = rng.choice(WORDS)
    path = rng.choice(sorted(project["files"]))

    def change():
        project["files"][path][0] = word + str(rng.randrange(3))

    def add():
        project["files"][f"{rng.choice(['src', 'src/util', 'data', 'data/new'])}/{word}.c"] = [word, 0o644]

    def remove():
        if len(project["files"]) > 4 and path != "src/main.c" and not path.startswith("data/"):
            del project["files"][path]

    def mode():
        project["files"][path][1] = rng.choice([0o644, 0o600, 0o755])

    def link():
        project["links"]["data/" + word] = rng.choice(["table", "nowhere", "/etc/passwd"])

    def ignore():
        project["ignored"] = rng.choice([[], ["README"], ["src/util/*.h"], ["**/*.c", "!src/main.c"]])

    def base():
        project["base"] = "two" if project["base"] == "one" else "one"

    def arg():
        project["args"][rng.choice(["VERSION", "FLAVOUR"])] = word

    def env():
        project["env"][rng.choice(["MODE", "LEVEL"])] = word

    def user():
        project["user"] = rng.choice(["", "5", "5:6"])

    def workdir():
        project["workdir"] = rng.choice(["/src", "/src/deep"])

    def step():
        steps = project[rng.choice(["build", "final"])]
        commands = [f"echo {word} >/{word}", f"rm -rf /{word}", f"mkdir -p /{word}.d && chmod 700 /{word}.d",
                    f"mkdir -p /tmp/{word} && ln -sf /etc/passwd /tmp/{word}/l", f"touch /{word}.x; chown 5:6 /{word}.x"]
        if len(steps) > 5 or (steps and rng.random() < 0.3):
            steps.pop(rng.randrange(len(steps)))
        else:
            steps.insert(rng.randrange(len(steps) + 1), rng.choice(commands))
        if not any(">/out" in command for command in project["build"]):
            project["build"].insert(0, "cat $(find . -type f | sort) >/out")

    def flags():
        project["link"] = not project["link"]

    def chown():
        project["chown"] = rng.choice(["", "7:8", "9"])

    def label():
        project["labels"][word] = word

    chosen = rng.choice([change, change, change, add, remove, mode, link, ignore, base, arg, env, user, workdir, step, step,
                         step, flags, chown, label])
    chosen()
    return f"{chosen.__name__} {word} {path}"


def main():
    action, directory = sys.argv[1:3]
    if action == "make":
        os.makedirs(directory, exist_ok=True)
        write(directory, new_project())
        return
    with open(os.path.join(directory, "project.json"), encoding="utf-8") as file:
        project = json.load(file)
    print(edit(project, random.Random(sys.argv[3])))
    write(directory, project)


main()
