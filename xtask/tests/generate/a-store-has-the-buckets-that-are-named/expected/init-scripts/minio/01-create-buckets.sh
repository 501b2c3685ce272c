# The buckets that the services name. Runs on every `up`; one that is there stays as it is.
set -eu

set -- "$@" "server/$PHOTOS_MINIO_BUCKET"
set -- "$@" "server/$PHOTOS_THUMBS_BUCKET"
set -- "$@" "server/$REPORTS_AWS_STORAGE_BUCKET_NAME"
set -- "$@" "server/$SHOP_SPRING_CLOUD_AWS_S3_BUCKET"

mc mb --ignore-existing "$@"
