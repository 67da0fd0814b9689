# A volunteer's image with nothing but Docker on the machine:
#
#   docker build --build-arg TARGET=armv7h -t farmctl/armv7h .
#
# It holds the same files as the image that `farmctl build armv7h` makes. The lock in farm.lock and the manifest in
# farm.yaml count if they are here. Written for BuildKit and for the builder of older engines alike.

# Where Rust comes from: an image with rustup's Rust 1.95 or later, a C compiler and the C library's static archive.
ARG RUST_IMAGE=rust:1.95-slim-trixie

FROM ${RUST_IMAGE} AS program
# A file of certificates to trust when crates are fetched, for networks in which somebody else ends TLS: a path in this
# folder. Proxies are told with --build-arg http_proxy=…, as everywhere.
ARG CA_BUNDLE=ca-bundle.crt
# Cargo's profile.
ARG PROFILE=release
WORKDIR /src
# The first name is always there, so that the second one need not be.
COPY Cargo.lock ${CA_BUNDLE}* /ca/
COPY .cargo .cargo
COPY Cargo.toml Cargo.lock ./
COPY release/bill/Cargo.toml release/bill/
COPY tests/Cargo.toml tests/
COPY tests/bench/Cargo.toml tests/bench/
COPY volunteer-image volunteer-image
COPY toolchains toolchains
COPY farmctl farmctl
# Of crates that are not built cargo wants to see a source, whatever it holds.
RUN mkdir -p release/bill/src tests/bench/src \
 && touch release/bill/src/lib.rs tests/bench/src/lib.rs \
 && bundle="/ca/${CA_BUNDLE##*/}" \
 && if [ -s "$bundle" ]; then export CARGO_HTTP_CAINFO="$bundle" SSL_CERT_FILE="$bundle"; fi \
 && cargo install --locked --no-track --path farmctl --profile "$PROFILE" --root /farmctl

FROM program AS assembly
ARG TARGET
# The Debian mirror to take packages from, such as http://mirror.lan/debian; else farmctl's own choice.
ARG FARMCTL_MIRROR
WORKDIR /farm
COPY Cargo.lock farm.yaml* farm.lock* /farm/
# A lock counts beside a manifest; an empty one is the default farm.
RUN touch farm.yaml \
 && /farmctl/bin/farmctl build "$TARGET" --layers /image

FROM scratch
ARG TARGET
# In layers, so that the images of several targets share what they have in common. Not every image has all of the second;
# none is empty, which the builder of older engines may lose on the way.
COPY --from=assembly /image/libraries/ /
COPY --from=assembly /image/assembler* /image/gcc-* /image/headers* /
COPY --from=assembly /image/daemon/ /
COPY --from=assembly /image/toolchain/ /
ENV PATH=/usr/bin
USER 65532:65532
WORKDIR /
LABEL farmctl.target=${TARGET} \
      org.opencontainers.image.title="distcc volunteer for ${TARGET}"
ENTRYPOINT ["/usr/bin/distccd"]
