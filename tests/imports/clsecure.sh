#!/bin/bash
set -u
docker compose down
echo "$CLSECURE_SESSION of $CLSECURE_WORKER_USER: $CLSECURE_CLEANUP_LEVEL"
