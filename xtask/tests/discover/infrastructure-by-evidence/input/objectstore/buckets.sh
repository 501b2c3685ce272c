mkdir -p /data/files
