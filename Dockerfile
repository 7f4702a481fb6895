# Three images: `platform` (everything of Otklik), `proxy` (the only way in), `emulators` (the invented shop of the demo).
# Build them with `docker compose build`; docs/deploy.md tells the rest. No secret is needed or taken while building.

# --- build: the locked packages, by hash, with bytecode; stays behind ------------------------------------------------
FROM python:3.12.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
COPY scripts/uv.lock.txt /tmp/uv.lock.txt
RUN pip install --require-hashes --no-deps --only-binary :all: -r /tmp/uv.lock.txt
# Bytecode is made here, once: the containers' disks are read-only, and every process would compile its imports again.
# "unchecked": the files do not change after this, and no process needs to ask for their dates.
ENV UV_COMPILE_BYTECODE=1 PYC_INVALIDATION_MODE=unchecked-hash UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
COPY deploy/requirements.lock /tmp/requirements.lock
RUN uv venv --python /usr/local/bin/python /opt/venv \
    && uv pip sync --require-hashes --only-binary :all: --python /opt/venv/bin/python /tmp/requirements.lock
WORKDIR /opt/otklik
COPY pyproject.toml policy.yaml workspace.compose.yaml ./
COPY conversations/ conversations/
COPY resources/ resources/
COPY assets/ assets/
COPY orchestration/ orchestration/
COPY dbt_project/ dbt_project/
COPY prompts/ prompts/
COPY deploy/health.py deploy/health.py
COPY orchestration/dagster.yaml dagster/dagster.yaml
# hatchling is in the lock for this one step: the project becomes importable and gets its command
RUN uv pip install --no-deps --no-build-isolation --python /opt/venv/bin/python --editable . \
    && uv pip uninstall --python /opt/venv/bin/python hatchling trove-classifiers \
    && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/otklik

# --- platform: code server, web servers, daemon, watch, migrations, command -------------------------------------------
FROM python:3.12.12-slim-bookworm AS platform
# the base image comes without the bytecode of Python's own library: each health check compiled 0.2 s of it [measured]
RUN python -m compileall -q --invalidation-mode unchecked-hash /usr/local/lib/python3.12
RUN groupadd --gid 10001 otklik && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/otklik otklik \
    && install -d -o otklik -g otklik /var/lib/otklik /var/lib/otklik-demo
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/otklik /opt/otklik
RUN install -d -o otklik -g otklik /opt/otklik/dagster/storage
# DAGSTER_HOME is part of the image, so that an update brings its dagster.yaml; only `storage` below it is a volume
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 OTKLIK_HOME=/var/lib/otklik DAGSTER_HOME=/opt/otklik/dagster \
    DAGSTER_GRPC_TIMEOUT_SECONDS=300 GX_ANALYTICS_ENABLED=false DO_NOT_TRACK=1
WORKDIR /opt/otklik
USER 10001:10001
CMD ["otklik", "--help"]

# --- emulators: small servers that behave like the vendors' -----------------------------------------------------------
FROM platform AS emulators
COPY tests/__init__.py tests/__init__.py
COPY tests/emulators/ tests/emulators/
CMD ["python", "-m", "tests.emulators", "--help"]

# --- proxy: TLS and passwords in front of the web servers, which have none ---------------------------------------------
FROM caddy:2.10.2-alpine AS proxy
ENV XDG_DATA_HOME=/var/lib/caddy/data XDG_CONFIG_HOME=/var/lib/caddy/config
RUN addgroup -g 10002 proxy && adduser -D -H -u 10002 -G proxy proxy \
    && mkdir -p /var/lib/caddy && chown proxy:proxy /var/lib/caddy
COPY deploy/Caddyfile /etc/caddy/Caddyfile
USER 10002:10002
