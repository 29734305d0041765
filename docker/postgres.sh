#!/bin/sh
# Starts Postgres with settings that follow its memory (the container's limit, else the machine's) and its cores.
# The embedded server has the same: plugins/service_quality/local/postgres.py; their effects: docs/performance.md. Its
# wal_level is not taken over: this server may be archived or have a standby.
set -eu
memory_mb=$(awk '/^MemTotal/ {print int($2 / 1024)}' /proc/meminfo)
limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
if [ "$limit" != max ] && [ $((limit / 1048576)) -lt "$memory_mb" ]; then
    memory_mb=$((limit / 1048576))
fi
shared_mb=$((memory_mb / 8))
if [ "$shared_mb" -lt 128 ]; then shared_mb=128; fi
if [ "$shared_mb" -gt 2048 ]; then shared_mb=2048; fi
exec docker-entrypoint.sh postgres \
    -c shared_buffers="${shared_mb}MB" \
    -c effective_cache_size="$((memory_mb / 2))MB" \
    -c maintenance_work_mem=256MB \
    -c max_wal_size=4GB \
    -c wal_compression=pglz \
    -c checkpoint_timeout=15min \
    -c max_parallel_workers="$(getconf _NPROCESSORS_ONLN)" \
    -c jit=off \
    -c timezone=UTC
