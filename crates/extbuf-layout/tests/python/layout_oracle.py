"""Runs the example program `oracle` of extbuf-layout on many lines at once."""

import json
import os
import pathlib
import subprocess


def program():
    """The program's path: EXTBUF_LAYOUT_ORACLE, or what cargo builds."""
    given = os.environ.get("EXTBUF_LAYOUT_ORACLE")
    if given:
        return given
    root = pathlib.Path(__file__).resolve().parents[4]
    build = ["cargo", "build", "--release", "--locked", "--quiet", "--package", "extbuf-layout"]
    build += ["--example", "oracle", "--message-format", "json"]
    messages = subprocess.run(build, cwd=root, check=True, stdout=subprocess.PIPE, text=True).stdout
    paths = [json.loads(line).get("executable") for line in messages.splitlines()]
    (path,) = [path for path in paths if path]
    return path


def ask(lines):
    """One answer for each line."""
    text = "\n".join(lines) + "\n"
    answers = subprocess.run([program()], input=text, check=True, stdout=subprocess.PIPE, text=True)
    answers = answers.stdout.splitlines()
    assert len(answers) == len(lines), (len(answers), len(lines))
    return answers


def numbers(text):
    """A list of numbers as the program writes it."""
    return tuple(int(part) for part in text.split(",")) if text else ()


def joined(items):
    """A list of numbers as the program reads it."""
    return ",".join(str(int(item)) for item in items)
