# Both images hold one static binary and nothing else. One file, two targets:
#
#   docker build --target operator -t pilotfish-operator:0.1.0 .
#   docker build --target sidecar -t pilotfish-sidecar:0.1.0 .
FROM rust:1.95-alpine AS build
RUN apk add --no-cache musl-dev
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --package pilotfish-operator --package pilotfish-sidecar && \
    mkdir /out && cp target/release/pilotfish-operator target/release/pilotfish-sidecar /out/

FROM scratch AS operator
COPY --from=build /out/pilotfish-operator /pilotfish-operator
USER 40014:40014
ENTRYPOINT ["/pilotfish-operator"]

FROM scratch AS sidecar
COPY --from=build /out/pilotfish-sidecar /pilotfish-sidecar
USER 40014:40014
ENTRYPOINT ["/pilotfish-sidecar"]
