# The image runs as it is in GitHub's container action, as a plugin of Drone and Woodpecker, in GitLab and Jenkins, and
# with `docker run`. The first two need root, so there is no USER; GitLab and Jenkins need the shell that Debian has.
FROM rust:1.95-slim-bookworm AS dependencies
WORKDIR /build
# Dependencies are a layer of their own, which is built again only when Cargo.toml or Cargo.lock change.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src tests/bench \
    && echo 'fn main() {}' | tee src/main.rs tests/bench/pieces.rs \
    && touch src/lib.rs \
    && cargo build --release --locked \
    && rm -r src target/release/.fingerprint/dpl-lambda-* target/release/deps/*dpl_lambda*

FROM dependencies AS build
COPY src src
RUN cargo build --release --locked
# The roots of trust come from the builder, which usually has them to fetch crates.
RUN test -e /etc/ssl/certs/ca-certificates.crt \
    || (apt-get update && apt-get install -y --no-install-recommends ca-certificates)

FROM debian:bookworm-slim
LABEL org.opencontainers.image.source="https://github.com/dpl-lambda/dpl-lambda" \
      org.opencontainers.image.description="Deploys AWS Lambda functions from any CI" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /build/target/release/dpl-lambda /usr/local/bin/dpl-lambda
RUN ln -s dpl-lambda /usr/local/bin/dpl
ENTRYPOINT ["/usr/local/bin/dpl-lambda"]
