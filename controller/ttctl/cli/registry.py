# SPDX-License-Identifier: Apache-2.0
"""Which verbs there are. The help and completion read this and load no command."""

from __future__ import annotations

COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("ttctl.cli.up", "Bring a model up and prove that it answers."),
    "down": ("ttctl.cli.down", "Stop a stack and remove its containers."),
    "stop": ("ttctl.cli.stop", "Stop a stack and keep its containers."),
    "start": ("ttctl.cli.start", "Start what was stopped, as it is locked."),
    "restart": ("ttctl.cli.restart", "Stop a stack and start it again."),
    "swap": ("ttctl.cli.swap", "Exchange a stack that is up for another model, in one step."),
    "history": ("ttctl.cli.history", "List the states in which a stack was ready, the last three."),
    "rollback": (
        "ttctl.cli.rollback",
        "Bring a former state of a stack back as it was locked.",
    ),
    "upgrade": (
        "ttctl.cli.upgrade",
        "Resolve a stack anew; it comes back where that fails.",
    ),
    "ps": ("ttctl.cli.ps", "List the containers of all stacks."),
    "status": ("ttctl.cli.status", "Say how a stack is and how to talk to it."),
    "wait": ("ttctl.cli.wait", "Wait until a stack has answered."),
    "logs": ("ttctl.cli.logs", "Show what a stack's containers print."),
    "exec": ("ttctl.cli.exec", "Run a command in a service's container."),
    "chat": ("ttctl.cli.chat", "Ask a running model, once or in a conversation."),
    "image": ("ttctl.cli.image", "Draw images from words, once or prompt after prompt."),
    "connect": (
        "ttctl.cli.connect",
        "Print or write what other programs need to talk to a running stack.",
    ),
    "plan": ("ttctl.cli.plan", "Show what `up` would do, and why, without doing it."),
    "build": ("ttctl.cli.build", "Get the images that a model's stack uses, and start nothing."),
    "render": ("ttctl.cli.render", "Write a folder that docker or podman can run without ttctl."),
    "eject": ("ttctl.cli.eject", "Write a service's source, Dockerfile and compose file to edit."),
    "lock": ("ttctl.cli.lock", "Make every floating reference exact."),
    "diff": ("ttctl.cli.diff", "Show what `upgrade` would change."),
    "init": ("ttctl.cli.init", "Make a project folder: its settings, commented, and its lock."),
    "models": ("ttctl.cli.models", "List the models of the catalog, and look after their weights."),
    "devices": ("ttctl.cli.devices", "List the cards of this machine."),
    "prune": ("ttctl.cli.prune", "Remove what no stack has a use for any more; asks first."),
    "completion": ("ttctl.cli.completion", "Print the script that makes a shell complete ttctl."),
    "doctor": ("ttctl.cli.doctor", "Check this machine and this place, and say what to do."),
    "report": ("ttctl.cli.report", "Write an archive of what helps to find out what is wrong."),
    "config": ("ttctl.cli.config", "Show and change the settings."),
}
"""Verb to (module, one line of help). A module's `app` is what Typer makes the command of."""

GROUPS: dict[str, tuple[str, ...]] = {
    "Run": (
        *("up", "down", "stop", "start", "restart", "swap"),
        *("history", "rollback", "upgrade"),
        *("ps", "status", "wait", "logs", "exec"),
    ),
    "Talk": ("chat", "image", "connect"),
    "Prepare": ("plan", "build", "render", "eject", "lock", "diff", "init", "models"),
    "This place": ("devices", "doctor", "report", "prune", "completion", "config"),
}
"""How the front page sorts the verbs; every verb stands in one group."""

ALIASES: dict[str, tuple[str, ...]] = {
    "serve": ("up",),
    "rm": ("down",),
    "pull": ("models", "pull"),
    "ls": ("models", "ls"),
    "list": ("models", "ls"),
    "show": ("models", "show"),
}
"""Words that users of docker, compose, ramalama and ollama type, to our own."""

ELSEWHERE: dict[str, str] = {
    "run": "up",
    "images": "models ls --cached",
    "version": "--version",
}
"""Words that users of docker, compose and ollama type, and that are no verbs here, to what to type.

They are no aliases: each means something else there, so that it is said and not done.
"""

FOR_THE_ENGINE = frozenset({"up", "swap", "plan", "build", "render", "lock"})
"""Verbs that take arguments of the engine behind `--`."""
