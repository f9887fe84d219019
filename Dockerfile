# The server in a container, over stdio. No image is published; build your own:
#
#     docker build --tag openai-admin-mcp:local .
#
# Give PYTHON_IMAGE with a digest (--build-arg PYTHON_IMAGE=python@sha256:...) to have the same system each time.
# What is installed from a package index has its hash in requirements/; this project itself is made here.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /source
COPY requirements/runtime.txt requirements/build.txt requirements/
RUN python -m venv /opt/build \
    && /opt/build/bin/python -m pip install --require-hashes --requirement requirements/build.txt \
    && python -m venv --without-pip /opt/server \
    && python -m pip --python /opt/server/bin/python install --require-hashes --requirement requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY admin_mcp admin_mcp
RUN /opt/build/bin/python -m pip wheel --no-index --no-deps --no-build-isolation --wheel-dir /wheel . \
    && python -m pip --python /opt/server/bin/python install --no-index --no-deps /wheel/*.whl

FROM ${PYTHON_IMAGE}
# Its own user, without a shell or a home to write to. A new volume takes over the owner and mode of /state.
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin admin-mcp \
    && install --directory --owner 10001 --mode 0700 /state
COPY --from=build /opt/server /opt/server
# There is no browser here: a question is answered in the host's form, or by `docker exec` in a terminal.
ENV PATH=/opt/server/bin:$PATH ADMIN_MCP_STATE_DIR=/state ADMIN_MCP_OPEN_BROWSER=0
USER 10001
WORKDIR /state
VOLUME /state
ENTRYPOINT ["/opt/server/bin/python", "-I", "-m", "admin_mcp"]
