# One image with all six programs; the command picks one:
#   docker build -t bdc-sync .
#   docker run -p 8765:8765 -v bdc-sync:/var/lib/bdc-sync -e BDC_SYNC_JWT_SECRET=… bdc-sync
#                                                                          all in one process
#   docker run … bdc-sync bdc-sync-gateway                                 one service
# How to run it with less rights, and what else to know: docs/operations.md. No BuildKit is needed.
FROM debian:12 AS build
WORKDIR /src
# The packages first: this layer lasts until their list changes.
COPY tools/dev/packages.sh tools/dev/packages.sh
RUN bash -c 'set -e; source tools/dev/packages.sh; install_packages build "${BUILD_PACKAGES[@]}"'
COPY . .
RUN ./dev build bdc-sync bdc-sync-event-store bdc-sync-conflict bdc-sync-device-sync \
      bdc-sync-version bdc-sync-gateway \
 && strip build/release/bin/bdc-sync*

FROM debian:12-slim
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
      ca-certificates \
      libabsl20220623 \
      libboost-json1.81.0 \
      libgrpc++1.51 \
      libgrpc29 \
      libhiredis0.14 \
      libjemalloc2 \
      liblua5.4-0 \
      libpqxx-6.4 \
      libprometheus-cpp-core1.0 \
      libprotobuf32 \
      libspdlog1.10 \
      libsqlite3-0 \
      libssl3 \
      libyaml-cpp0.7 \
      libzstd1 \
      openssl \
      zlib1g \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 bdc-sync \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/bdc-sync bdc-sync \
 && install -d -o bdc-sync -g bdc-sync /var/lib/bdc-sync
COPY --from=build /src/build/release/bin/bdc-sync* /usr/local/bin/
COPY tools/docker/ready.sh /usr/local/bin/bdc-sync-ready
USER 10001:10001
WORKDIR /var/lib/bdc-sync
VOLUME /var/lib/bdc-sync
ENV BDC_SYNC_DATA_DIR=/var/lib/bdc-sync \
    BDC_SYNC_LISTEN_ADDRESS=0.0.0.0
# WebSocket, gRPC, and HTTP (/metrics, /healthz, /readyz) of bdc-sync and of the gateway.
EXPOSE 8765 8766 8767
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["/usr/local/bin/bdc-sync-ready"]
CMD ["bdc-sync", "serve"]
