#!/usr/bin/env python3
"""compare_plan.py PLAN PROGRESS: holds a plan of oci-solve (its JSON) against the progress of the build that followed.

What the plan calls cached is taken from the cache, what it says would run runs for the reason that it gives, and
nothing runs that it does not have. Prints what is different, and fails then; else how many steps were cached, run and
not known."""

import json
import re
import sys


def steps_of(progress):
    """Title: "CACHED" or why it was made."""
    titles, outcomes = {}, {}
    for line in progress.splitlines():
        tag, _, text = line.partition(" ")
        if not re.fullmatch(r"#\d+", tag):
            continue
        if tag not in titles or text.startswith("["):
            titles[tag] = text
        elif text == "CACHED":
            outcomes[titles[tag]] = text
        elif text.startswith("not cached: "):
            reason = text[len("not cached: "):]
            follows = re.fullmatch(r"follows (#\d+)", reason)
            outcomes[titles[tag]] = f"follows {titles[follows[1]]}" if follows else reason
    return outcomes


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)["steps"]
    with open(sys.argv[2], encoding="utf-8", errors="replace") as file:
        built = steps_of(file.read())
    counts = {"cached": 0, "runs": 0, "unknown": 0}
    wrong = []
    for step in plan:
        title = step["title"]
        counts[step["outcome"]] += 1
        expected = {"cached": "CACHED", "runs": step["reason"], "unknown": built.get(title)}[step["outcome"]]
        if step["outcome"] == "runs" and step["after"]:
            expected = f"follows {plan[step['after'] - 1]['title']}"
        if title not in built or built[title] != expected:
            wrong.append(f"{title}: planned {expected!r}, built {built.get(title)!r}")
    planned = {step["title"] for step in plan}
    wrong += [f"{title}: not planned" for title, how in built.items() if how != "CACHED" and title not in planned]
    print("\n".join(wrong) if wrong else f"{counts['cached']} cached, {counts['runs']} run, {counts['unknown']} unknown")
    sys.exit(1 if wrong else 0)


main()
