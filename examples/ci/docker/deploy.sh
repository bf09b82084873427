#!/bin/sh
# Any CI with Docker, beside a dpl.yml as in examples/hello. `-e NAME` hands over a variable where it is set. No `-t`: a
# terminal would mix the streams and bend the lines.
set -eu
docker run --rm -v "$PWD:/w" -w /w \
  -e CI -e AWS_REGION -e AWS_ACCESS_KEY_ID -e AWS_SECRET_ACCESS_KEY -e AWS_SESSION_TOKEN \
  ghcr.io/dpl-lambda/dpl-lambda:0 "$@"
