#!/usr/bin/env bash
# Runs dpl-lambda with the variables of the pipe as its options, so that nothing in them is read by a shell. An empty one
# counts as not given.
set -euo pipefail

export PLUGIN_COMMAND=${COMMAND:-deploy}
for name in CONFIG DESCRIPTION FUNCTION_NAME REGION ROLE_TO_ASSUME STAGE; do
  export "DPL_LAMBDA_$name=${!name:-}"
done
exec dpl-lambda
