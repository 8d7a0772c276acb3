"""Inputs of the docker stage."""

from ci_action.settings import kinds
from ci_action.settings.field import SetBy, Setting


class Docker:
    """Settings of the image and its container."""

    context = Setting(
        kinds.text,
        SetBy.ANYONE,
        "Build context: a folder, relative to `working-directory`.",
        default=".",
    )
    dockerfile = Setting(
        kinds.text,
        SetBy.ANYONE,
        "Dockerfile to build, relative to `working-directory`.",
        shown="`Dockerfile` in the context",
    )
    target = Setting(kinds.text, SetBy.ANYONE, "Build stage to build.", shown="the last one")
    platform = Setting(
        kinds.platform,
        SetBy.ANYONE,
        "Platform of the image, such as `linux/arm64`. The runner must be able to start it.",
        shown="that of the runner",
    )
    build_args = Setting(
        kinds.assignments,
        SetBy.ANYONE,
        "Build arguments, one `NAME=value` a line. They can be read in the image: do not use them for secrets.",
    )
    # Of the workflow alone: a change that names its image like another one, such as that of a database, would replace it.
    image_tag = Setting(
        kinds.text,
        SetBy.WORKFLOW,
        "Name of the image, such as `ghcr.io/org/app:1.2.3`. It stays in the engine, so that a later step can push it.",
        shown="ci-action/<project>:ci",
    )
    cache_from = Setting(
        kinds.lines,
        SetBy.WORKFLOW,
        "Caches of layers to read, one a line: `type=gha`, `type=registry,ref=…`, `type=local,src=…`.",
    )
    cache_to = Setting(
        kinds.lines,
        SetBy.WORKFLOW,
        "Caches of layers to write, one a line: `type=gha,mode=max`, `type=registry,ref=…`, `type=local,dest=…`.",
    )
    smoke_url = Setting(
        kinds.web_address,
        SetBy.ANYONE,
        "Address that the container must answer with a status of 2xx or 3xx, as seen from inside of it, such as"
        " `http://localhost:8000/health`.",
    )
    smoke_command = Setting(
        kinds.commands,
        SetBy.ANYONE,
        "Commands that must succeed in the running container, one a line.",
    )
    smoke_env = Setting(
        kinds.private_assignments,
        SetBy.WORKFLOW,
        "Variables of the container, one `NAME=value` a line.",
    )
    smoke_timeout = Setting(
        kinds.whole(1, 3_600),
        SetBy.ANYONE,
        "Seconds in which the container must be healthy and answer.",
        default=60,
    )
    max_image_size = Setting(
        kinds.size,
        SetBy.ANYONE,
        "Maximum size of the image, such as `300MB` or `300MiB`.",
    )
    base_report = Setting(
        kinds.text,
        SetBy.ANYONE,
        "`report.json` of the base branch, relative to the workspace: the size of the image is compared with it.",
    )
