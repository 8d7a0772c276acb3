"""A repository full of traps: every program that git would start by its settings leaves a mark, and nothing else."""

import os
from pathlib import Path
from typing import Final

HOOKS: Final = (
    "post-index-change",
    "post-checkout",
    "reference-transaction",
    "fsmonitor-watchman",
    "pre-auto-gc",
)
_MARK: Final = '#!/bin/sh\necho "$(id -u) $0" >> "{mark}"\nexec cat\n'


def set_hooks(top: Path, mark: Path) -> None:
    """Write hooks into a repository; each writes who ran it to `mark`."""
    for hook in HOOKS:
        _write(top / ".git" / "hooks" / hook, mark)


def set_traps(top: Path, mark: Path, program: str = "") -> None:
    """Write hooks and a program into a repository, and name the program in its settings and attributes.

    `program` is the path by which git finds it, if that is not its path here.
    """
    set_hooks(top, mark)
    git = top / ".git"
    _write(git / "trap", mark)
    trap = program or str(git / "trap")
    with (git / "config").open("a") as stream:
        stream.write(
            f"[core]\n\tfsmonitor = {trap}\n\tpager = {trap}\n\taskPass = {trap}\n\talternateRefsCommand = {trap}\n"
            f'[diff]\n\texternal = {trap}\n[diff "x"]\n\tcommand = {trap}\n\ttextconv = {trap}\n'
            f"[alias]\n\tstatus = !{trap}\n\tdiff = !{trap}\n"
            f"[credential]\n\thelper = !{trap}\n[gpg]\n\tprogram = {trap}\n[gc]\n\tauto = 1\n"
        )
        for name in ("one", "a=b", "lfs", "required"):
            stream.write(
                f'[filter "{name}"]\n\tclean = {trap}\n\tsmudge = {trap}\n\tprocess = {trap}\n\trequired = true\n'
            )
    info = git / "info"
    info.mkdir(exist_ok=True)
    (info / "attributes").write_text(
        "* filter=one diff=x\n*.pyi filter=a=b\n*.md filter=required\n*.bin filter=lfs\n"
    )
    for file in top.iterdir():
        if file.is_file():  # git has to read it
            os.utime(file, (1, 1))


def _write(file: Path, mark: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(_MARK.format(mark=mark))
    file.chmod(0o755)
