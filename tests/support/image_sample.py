"""Made-up results of the docker stage: a tested image, a build that failed, a container that exited, a large Dockerfile."""

from dataclasses import replace
from typing import Any

from support.builders import at, finding, report, run_result, stage_result, tool_result

from ci_action.model.docker import BuildStep, Image, Layer, Probe
from ci_action.model.result import Broken, Counted, Report, RunResult, StageResult

ID = "sha256:6f2b1c9e0d8a47f3b5e6120c9d4e8f7a1b2c3d4e5f60718293a4b5c6d7e8f901"
ENGINE = "docker 28.5.2, buildx 0.29.1"
NAME = "ci-action/shop:ci"


def step(name: str, seconds: float = 0.1, line: int | None = None, **overrides: Any) -> BuildStep:
    place = at("Dockerfile", line) if line else None
    return BuildStep(**{"name": name, "seconds": seconds, "place": place, **overrides})


STEPS = (
    step("[internal] load build definition from Dockerfile", 0.02),
    step("[build 1/4] FROM docker.io/library/python:3.13-slim-trixie", 0.0, 1, cached=True),
    step("[build 2/4] COPY requirements.txt .", 0.0, 4, cached=True),
    step("[build 3/4] RUN pip install --no-cache-dir -r requirements.txt", 14.62, 5),
    step("[build 4/4] COPY src/ src/", 0.05, 6),
    step("exporting to image", 0.71),
)
LAYERS = (
    Layer(command="ADD rootfs.tar.xz / # buildkit", size=78_620_288, own=False),
    Layer(command="RUN set -eux; apt-get update; apt-get install ca-certificates", size=4_023_512, own=False),
    Layer(command="RUN set -eux; savedAptMark=; wget -O python.tar.xz", size=36_812_044, own=False),
    Layer(command="WORKDIR /app", size=0, own=True),
    Layer(command="COPY requirements.txt .", size=412, own=True),
    Layer(
        command="RUN pip install --no-cache-dir --require-hashes -r requirements.txt",
        size=61_201_733,
        own=True,
    ),
    Layer(command="COPY src/ src/", size=184_320, own=True),
    Layer(command='CMD ["gunicorn", "shop.wsgi"]', size=0, own=True),
)
PROBES = (
    Probe(name="HEALTHCHECK", answer="healthy", seconds=3.1, tries=4),
    Probe(name="http://localhost:8000/health", answer="200 OK", seconds=3.2),
    Probe(name="python -m shop --version", answer="exit code 0", seconds=3.6),
)
SIZE = sum(one.size for one in LAYERS)


def docker_stage(
    built: Image | None = None, smoked: Image | None = None, looked: Image | None = None, **overrides: Any
) -> StageResult:
    """Return the result of the stage as its tools make it; without values that of a good image."""
    built = built or Image(name=NAME, id=ID, engine=ENGINE, steps=STEPS)
    smoked = smoked or Image(probes=PROBES)
    looked = looked or Image(size=SIZE, limit=250_000_000, base_size=SIZE - 3_400_000, layers=LAYERS)
    failed = [one for one in built.steps if one.failed]
    errors = [
        finding(tool="build", rule="build-failed", message=f"{one.name} failed", location=one.place)
        for one in failed
    ]
    build = report(*errors, image=built)
    tools = [
        tool_result(tool="hadolint", outcome=report(files=1)),
        tool_result(tool="build", outcome=replace(build, examined={Counted.STEPS: len(built.steps)})),
    ]
    if not failed:
        exits = [
            finding(tool="smoke", rule="exited", message=one.answer, location=at("Dockerfile", 9))
            for one in smoked.probes
            if one.failed
        ]
        smoke = Report(findings=tuple(exits), examined={Counted.PROBES: len(smoked.probes)}, image=smoked)
        counts = {Counted.LAYERS: len(looked.layers), Counted.PACKAGES: 41}
        large = looked.size is not None and looked.limit is not None and looked.size > looked.limit
        sizes = (
            [finding(tool="image", rule="too-large", message="it is too large", location=at("Dockerfile", 1))]
            if large
            else []
        )
        look = Report(findings=tuple(sizes), examined=counts, image=looked)
        tools += [tool_result(tool="smoke", outcome=smoke), tool_result(tool="image", outcome=look)]
    return stage_result(*tools, stage="docker", **overrides)


def failed_build() -> StageResult:
    """Return the result of a stage whose build failed in its slowest step."""
    failing = replace(STEPS[3], failed=True)
    return docker_stage(Image(name=NAME, engine=ENGINE, steps=(*STEPS[:3], failing)))


def exited(**overrides: Any) -> StageResult:
    """Return the result of a stage whose container ended, and whose image is above its limit."""
    probe = Probe(name="HEALTHCHECK", answer="exited with code 1", seconds=0.8, failed=True)
    looked = Image(size=SIZE, limit=150_000_000, layers=LAYERS)
    return docker_stage(smoked=Image(probes=(probe,)), looked=looked, **overrides)


def broken_smoke() -> StageResult:
    """Return the result of a stage whose container could not be started."""
    stage = docker_stage()
    broken = Broken("the engine was lost", image=Image(probes=PROBES[:1]))
    tools = [replace(tool, outcome=broken) if tool.tool == "smoke" else tool for tool in stage.tools]
    return replace(stage, tools=tuple(tools))


def many_steps(number: int) -> tuple[BuildStep, ...]:
    """Return so many steps, every third cached, the last one failed."""
    return (
        *tuple(
            step(
                f"[{place + 1}/{number}] RUN make part-{place}", place / 10, place + 2, cached=place % 3 == 0
            )
            for place in range(number - 1)
        ),
        step(f"[{number}/{number}] RUN make all", 0.01, number + 1, failed=True),
    )


def many_layers(number: int) -> tuple[Layer, ...]:
    """Return so many layers of a Dockerfile, the last one the largest."""
    return tuple(
        Layer(command=f"RUN make part-{place}", size=(place + 1) * 10**6, own=True) for place in range(number)
    )


def docker_run() -> RunResult:
    """Return a run whose container ended at once, with an image above its limit."""
    return run_result(exited())


def foreign_docker_stage(text: str) -> StageResult:
    """Return the result of a stage with the text in every place."""
    image = Image(
        name=text,
        id=text,
        size=30,
        limit=20,
        base_size=10,
        engine=text,
        steps=(step(text, 1.0, failed=True, place=at(text)), step(text)),
        layers=(Layer(command=text, size=10, own=True), Layer(command=text, size=20, own=False)),
        probes=(Probe(name=text, answer=text, seconds=1.0, failed=True),),
    )
    return stage_result(
        tool_result(tool="build", outcome=report(image=image)),
        tool_result(tool="smoke", outcome=Broken(text, image=image)),
        stage="docker",
    )
