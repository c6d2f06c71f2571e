# One recipe, one image per service:
#   docker build --build-arg SERVICE=payment --tag hookstream/payment .
# SERVICE is gateway, payment, shipping, refund, subscription, invoice, order, confirmer, notifier, console or cli.
# A new service is a line below, or a stage.
ARG SERVICE

# --- what the service depends on, and no other does ------------------------------------------------------------------
FROM python:3.13-slim-bookworm AS dependencies
ENV UV_PYTHON_DOWNLOADS=never \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1 \
    UV_CACHE_DIR=/var/cache/uv \
    VIRTUAL_ENV=/app/.venv
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore uv==0.13.8
RUN uv venv --quiet /app/.venv
# From here on each service's image differs; the layers above are built once for all of them.
ARG SERVICE
RUN --mount=type=bind,source=requirements,target=/requirements \
    --mount=type=cache,target=/var/cache/uv \
    uv pip install --quiet --require-hashes --requirement /requirements/${SERVICE}.lock

# --- what every service shares ---------------------------------------------------------------------------------------
FROM python:3.13-slim-bookworm AS shared
RUN useradd --system --uid 10001 --user-group --home-dir /nonexistent --shell /usr/sbin/nologin hookstream
WORKDIR /app
# All byte code is made here, none by a running service, whose disk may be read-only.
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
COPY --from=dependencies /app/.venv .venv
COPY schemas/ schemas/
COPY runtime/ runtime/
COPY stream/ stream/
COPY providers/ providers/
COPY evidence/ evidence/
# Without a Python started for each probe. A slow machine takes what time it needs: nothing is unhealthy before it was ready.
HEALTHCHECK --interval=5s --timeout=10s --start-period=600s --retries=4 CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/${MANAGEMENT_PORT:-9100}; printf 'GET /health/ready HTTP/1.0\\r\\n\\r\\n' >&3; \
    [[ $(cat <&3) == 'HTTP/1.'?' 200 '* ]]"]

# --- what is the service's own ---------------------------------------------------------------------------------------
FROM shared AS top
ARG SERVICE
COPY ${SERVICE}/ ${SERVICE}/
ENV MODULE=${SERVICE}

FROM shared AS processor
ARG SERVICE
COPY processors/${SERVICE}/ processors/${SERVICE}/
ENV MODULE=processors.${SERVICE}

FROM top AS gateway
RUN install --directory --owner=10001 --group=10001 --mode=700 /var/spool/hookstream
FROM top AS confirmer
FROM top AS notifier
FROM top AS console
FROM processor AS payment
FROM processor AS shipping
FROM processor AS refund
FROM processor AS subscription
FROM processor AS invoice
FROM processor AS order

FROM top AS cli
COPY local/ local/
COPY simulator/ simulator/
COPY processors/ processors/
COPY auditor/ auditor/
COPY notifier/ notifier/
# `hookstream migrate` and `doctor` read the migrations of every service.
COPY confirmer/__init__.py confirmer/
COPY confirmer/migrations/ confirmer/migrations/
COPY console/__init__.py console/
COPY console/migrations/ console/migrations/
RUN python -c "import local.stack, simulator.play, simulator.world.apis, auditor.audit, cli.commands.system.verify, cli.doctor.mail" # imported late by its commands
HEALTHCHECK NONE

# --- the image -------------------------------------------------------------------------------------------------------
FROM ${SERVICE}
ARG SERVICE
ENV SERVICE=${SERVICE}
LABEL org.opencontainers.image.title="hookstream-${SERVICE}" \
      org.opencontainers.image.licenses="Apache-2.0"
# Readable by everybody whatever the checkout's umask was, writable by nobody.
RUN chmod -R a+rX,go-w */ && python -m compileall -q --invalidation-mode unchecked-hash */
USER 10001:10001
# It starts with what it was given, or the build fails.
RUN python -c "import ${MODULE}.__main__"
ENTRYPOINT ["/bin/sh", "-c", "exec python -m \"$MODULE\" \"$@\"", "service"]
