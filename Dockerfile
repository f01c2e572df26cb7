# One image, several commands: docker-compose.yml says which. Everything it installs is pinned by hash.

FROM python:3.13-slim-bookworm AS build
WORKDIR /src
COPY deploy/build.lock deploy/runtime.lock deploy/
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes -r deploy/build.lock \
 && python -m venv --without-pip /opt/headersweep \
 && /opt/build/bin/pip --python /opt/headersweep/bin/python install --no-cache-dir --require-hashes -r deploy/runtime.lock
COPY . .
RUN /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /opt/build/bin/pip --python /opt/headersweep/bin/python install --no-cache-dir --no-deps /wheels/*.whl

FROM python:3.13-slim-bookworm
RUN groupadd --gid 10001 headersweep \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin headersweep
COPY --from=build /opt/headersweep /opt/headersweep
ENV PATH=/opt/headersweep/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app
USER 10001:10001
CMD ["headersweep", "--help"]
