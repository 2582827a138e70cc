# Both images hold one static binary and nothing else (`make shipped`). One file, two targets:
#
#   docker build --target operator -t pilotfish-operator:0.1.0 .
#   docker build --target sidecar -t pilotfish-sidecar:0.1.0 .
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    make shipped && mkdir /out && cp target/shipped/pilotfish-operator target/shipped/pilotfish-sidecar /out/

FROM scratch AS operator
COPY --from=build /out/pilotfish-operator /pilotfish-operator
USER 40014:40014
ENTRYPOINT ["/pilotfish-operator"]

FROM scratch AS sidecar
COPY --from=build /out/pilotfish-sidecar /pilotfish-sidecar
USER 40014:40014
ENTRYPOINT ["/pilotfish-sidecar"]
