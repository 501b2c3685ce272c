# The namespaces that the services name. Runs on every `up`; one that is there stays as it is.
set -eu

set -- "$@" "$ORDERS_TEMPORAL_NAMESPACE"

for namespace in "$@"; do
  temporal operator namespace describe --namespace "$namespace" > /dev/null 2>&1 ||
    temporal operator namespace create --namespace "$namespace"
done
