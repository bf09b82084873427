#!/usr/bin/env python3
"""Stands in for `docker run` where there is no Docker: hands over the variables it is told to, and runs the program.

What it shows is that a command line hands over enough; images are tried elsewhere.
"""

import os
import sys

words = iter(sys.argv[1:])
assert next(words) == "run"
environment = {"PATH": os.environ["PATH"], "HOME": "/root"}
for word in words:
    if word in ("-e", "--env"):
        name, _, value = next(words).partition("=")
        if value or name in os.environ:
            environment[name] = value or os.environ[name]
    elif word in ("-v", "-w"):
        assert next(words).startswith((os.getcwd(), "/w"))
    elif word.startswith("ghcr.io/dpl-lambda/dpl-lambda:"):
        break
    else:
        assert word == "--rm", f"{word} is not known"
os.execvpe("dpl-lambda", ["/usr/local/bin/dpl-lambda", *words], environment)
