# Two stages: build with Rust, run with nothing but the binary and libc.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev make && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked && strip target/release/tidepool \
    && mkdir -m 700 /data /data/files /data/uploads

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/target/release/tidepool /usr/local/bin/tidepool
COPY --from=build --chown=nonroot:nonroot /data /data
ENV TIDEPOOL_ADDRESS=0.0.0.0:8080 TIDEPOOL_DATA=/data
VOLUME /data
EXPOSE 8080 3478/udp 3478/tcp
# A shutdown takes at most ten seconds: SIGTERM, not a kill.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["tidepool", "health"]
ENTRYPOINT ["tidepool"]
